"""Shapes of Sec. 4.3, and that each choice of the config builds another network."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from ser_aae.config import ModelConfig
from ser_aae.model.networks import (
    build_classifier,
    build_cnn_trunk,
    build_decoder,
    build_discriminator,
    build_encoder,
)

PAPER_SHAPE = (128, 256, 1)
SMALL = (32, 64, 1)


def names(model):
    return [layer.name for layer in model.layers]


def test_latent_code_is_sixteen_by_sixteen_by_thirty_two():
    assert build_encoder(ModelConfig(), PAPER_SHAPE).output_shape == (None, 16, 16, 32)


def test_decoder_mirrors_the_encoder():
    config = ModelConfig()
    decoder = build_decoder(config, (16, 16, 32))
    assert decoder.output_shape == (None, 128, 256, 1)
    filters = [layer.filters for layer in decoder.layers if hasattr(layer, "filters")]
    assert filters == [32, 16, 1]


def test_encoder_has_three_convolutions_each_followed_by_a_pool():
    encoder = build_encoder(replace(ModelConfig(), latent="relu"), PAPER_SHAPE)
    kinds = [type(layer).__name__ for layer in encoder.layers[1:]]
    assert kinds == ["Conv2D", "PooledBatchNormalization", "ReLU"] * 3


@pytest.mark.parametrize("latent", ["standardised", "relu"])
def test_sign_and_scale_of_the_code(latent):
    encoder = build_encoder(replace(ModelConfig(), latent=latent), SMALL)
    code = encoder(tf.random.stateless_normal((16, *SMALL), [1, 2]), training=True).numpy()
    if latent == "relu":
        assert code.min() >= 0.0
    else:
        np.testing.assert_allclose(code.mean(axis=(0, 1, 2)), 0.0, atol=1e-4)
        np.testing.assert_allclose(code.var(axis=(0, 1, 2)), 1.0, atol=0.05)
        assert code.min() < -0.5 < 0.5 < code.max()


def test_cnn_trunk_has_two_convolutions():
    trunk = build_cnn_trunk(ModelConfig(), PAPER_SHAPE)
    assert trunk.output_shape == (None, 32, 32, 32)


@pytest.mark.parametrize("pooling", ["flatten", "attention", "mean-std"])
def test_classifier_gives_logits_and_the_last_hidden_layer(pooling):
    config = replace(ModelConfig(), pooling=pooling, dense_units=(24, 12))
    head = build_classifier(config, (4, 4, 8), 5, "emotion")
    logits, hidden = head(tf.zeros([3, 4, 4, 8]))
    assert logits.shape == (3, 5)
    assert hidden.shape == (3, 12)
    assert "emotion_dropout" in names(head)


def test_pooling_changes_the_classifier():
    widths = {
        pooling: build_classifier(
            replace(ModelConfig(), pooling=pooling), (4, 8, 8), 4, "emotion"
        ).count_params()
        for pooling in ("flatten", "attention", "mean-std")
    }
    assert len(set(widths.values())) == 3


def test_dropout_acts_in_training_alone():
    head = build_classifier(replace(ModelConfig(), dropout=0.9), (4, 4, 8), 4, "emotion")
    code = tf.random.stateless_normal([64, 4, 4, 8], [3, 4])
    still = [head(code, training=False)[0].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*still)
    moving = [head(code, training=True)[0].numpy() for _ in range(2)]
    assert np.abs(moving[0] - moving[1]).max() > 0.01


def test_discriminator_has_two_classes_and_noise_in_training():
    discriminator = build_discriminator(
        replace(ModelConfig(), discriminator_noise=0.5, discriminator_zero_start=False), (4, 4, 8)
    )
    code = tf.zeros([2, 4, 4, 8])
    assert discriminator.output_shape == (None, 2)
    still = [discriminator(code, training=False).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*still)
    noisy = [discriminator(code, training=True).numpy() for _ in range(2)]
    assert np.abs(noisy[0] - noisy[1]).max() > 0.0


def test_the_discriminator_starts_by_guessing_or_with_the_usual_weights():
    code = tf.random.stateless_normal([64, 4, 4, 8], [3, 4])
    guessing = build_discriminator(ModelConfig(), (4, 4, 8))
    np.testing.assert_array_equal(guessing(code, training=True).numpy(), np.zeros((64, 2)))
    usual = replace(ModelConfig(), discriminator_zero_start=False)
    assert build_discriminator(usual, (4, 4, 8))(code).numpy().std() > 0.1


def test_batch_norm_in_the_discriminator_is_a_choice():
    config = replace(ModelConfig(), discriminator_batch_norm=True)
    with_norm = build_discriminator(config, (4, 4, 8))
    without = build_discriminator(ModelConfig(), (4, 4, 8))
    assert "discriminator_1_norm" in names(with_norm)
    assert "discriminator_1_norm" not in names(without)


@pytest.mark.parametrize(
    "change",
    [{"filters": (8, 32)}, {"filters": (16, 8)}, {"latent_channels": 8}],
)
def test_widths_change_encoder_and_decoder(change):
    config = replace(ModelConfig(), **change)
    encoder = build_encoder(config, SMALL)
    assert encoder.count_params() != build_encoder(ModelConfig(), SMALL).count_params()
    decoder = build_decoder(config, encoder.output_shape[1:])
    assert decoder.output_shape[1:] == SMALL
    assert decoder.count_params() != build_decoder(ModelConfig(), (4, 4, 32)).count_params()


@pytest.mark.parametrize(
    "change",
    [{"classifier_filters": 8}, {"dense_units": (16, 16)}, {"classifier_pool": (2, 2)}],
)
def test_widths_change_the_classifier(change):
    code = (4, 8, 32)
    flat = replace(ModelConfig(), pooling="flatten")
    changed = build_classifier(replace(flat, **change), code, 4, "emotion")
    usual = build_classifier(flat, code, 4, "emotion")
    assert changed.count_params() != usual.count_params()
