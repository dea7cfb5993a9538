"""Settings of a run: their declarations, presets, and building a config of them."""

from ser_aae.config.declaration import (  # noqa: F401
    UNSTATED,
    Varied,
    complete_stored,
    setting,
    without_idle,
)
from ser_aae.config.settings import (  # noqa: F401
    CORPORA,
    TABLES,
    DataConfig,
    FrontEndConfig,
    ModelConfig,
    ProtocolConfig,
    RunConfig,
    TrainingConfig,
    named_dataset,
    stored_dataset,
)
