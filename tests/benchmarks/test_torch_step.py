"""The networks that PyTorch is measured with are the same, and learn."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from ser_aae.config import ModelConfig, TrainingConfig
from ser_aae.model.aae import MultitaskAAE

torch = pytest.importorskip("torch", reason="PyTorch is of the extra bench")
from torch_model import TorchModel, largest_difference, to_maps  # noqa: E402

SHAPE = (32, 64, 1)


@pytest.mark.parametrize("update", ["serial", "joint"])
@pytest.mark.parametrize(
    "change",
    [{}, {"latent": "relu", "pooling": "flatten", "discriminator_batch_norm": True}],
    ids=["default", "other"],
)
def test_both_sides_have_the_same_outputs_and_the_other_learns(update, change):
    keras.utils.set_random_seed(1)
    torch.manual_seed(1)
    model = MultitaskAAE(replace(ModelConfig(), **change), {"emotion": 4, "gender": 2}, SHAPE)
    training = replace(TrainingConfig(), update=update)
    model.compile(training)
    for layer in model.encoder.layers:  # as after training: statistics that are not 0 and 1
        if hasattr(layer, "moving_mean"):
            layer.moving_mean.assign(np.full(layer.moving_mean.shape, 0.3))
    other = TorchModel(model, training, autocast=False)
    segments = np.random.default_rng(0).normal(size=(8, *SHAPE)).astype(np.float32)
    assert largest_difference(model, other, segments) < 1e-4
    labels = {"emotion": torch.arange(8) % 4, "gender": torch.arange(8) % 2}
    maps, losses = to_maps(segments), []
    for _ in range(20):
        other.train_step(maps, labels)
        losses.append(float(other._classify(maps, other.encoder(maps), labels).detach()))
    assert losses[-1] < losses[0]
