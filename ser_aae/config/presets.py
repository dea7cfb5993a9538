"""Presets, from which a config begins: what validation data showed to work, or the paper."""

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "paper": {
        "frontend.remove_offset": False,
        "frontend.scale": "linear",
        "data.evaluation_segments": 1,
        "data.pad": "floor",
        "data.unlabelled_rest": False,
        "data.warp_time": 0.0,
        "data.warp_frequency": 0.0,
        "data.gain_db": 0.0,
        "data.mask_bins": 0,
        "data.mask_frames": 0,
        "model.filters": (32, 64),
        "model.latent": "relu",
        "model.pooling": "flatten",
        "model.classifier_pool": (2, 2),
        "model.adversarial": "saturating",
        "model.discriminator_batch_norm": True,
        "model.discriminator_zero_start": False,
        "model.discriminator_noise": 0.0,
        "model.discriminator_smoothing": 0.0,
        "training.update": "serial",
        "training.auxiliary_phases": "classification",
        "training.class_weights": "none",
        "training.logit_adjustment": 0.0,
        "training.average_decay": 0.0,
        "training.optimiser": "sgd",
        "training.learning_rate": 1e-4,
        "training.generator_rate_ratio": 1.0,
        "training.discriminator_rate_ratio": 1.0,
        "training.weight_decay": 0.0,
        "training.pretraining": "supervised",
        "training.epochs": 500,
        "training.patience_epochs": 5,
        "training.selection_epochs": 1,
    },
}
"""Preset to the fields it sets; `default` is the fields' own defaults."""
