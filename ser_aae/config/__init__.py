"""Settings of a run: their declarations, presets, and building a config of them."""

from ser_aae.config.declaration import UNSTATED, Varied, complete_stored, setting
from ser_aae.config.settings import (
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

__all__ = [
    "CORPORA",
    "TABLES",
    "UNSTATED",
    "DataConfig",
    "FrontEndConfig",
    "ModelConfig",
    "ProtocolConfig",
    "RunConfig",
    "TrainingConfig",
    "Varied",
    "complete_stored",
    "setting",
    "stored_dataset",
]
