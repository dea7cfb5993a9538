"""Settings of a run: their declarations, presets, and building a config of them."""

from ser_aae.config.declaration import UNSTATED, Varied, complete_stored, setting  # noqa: F401
from ser_aae.config.settings import (  # noqa: F401
    CORPORA,
    TABLES,
    DataConfig,
    FrontEndConfig,
    ModelConfig,
    ProtocolConfig,
    RunConfig,
    TrainingConfig,
    stored_dataset,
)
