"""The networks of Fig. 1 as functional models: encoder, decoder, classifier, discriminator.

Maps are `(batch, frequency, time, channels)`. Filters, kernels, widths and where time is pooled
first, which the paper leaves open, are decisions M1 to M6 and stand in `ModelConfig`.

A builder's `precision` is the dtype policy of the layers on maps: with `"mixed_bfloat16"` they
compute in bfloat16. Weights, the statistics of batch norm, and all layers behind the maps, which
are small, stay float32.
"""

import keras
from keras import layers

from ser_aae.config import ModelConfig
from ser_aae.model.layers import PooledBatchNormalization, TimePooling

POOLS = ((2, 4), (2, 2), (2, 2))
"""Pools of the encoder: 128 x 256 to 16 x 16. Time by four first halves the later work."""

KERNELS = (5, 3, 3)

Shape = tuple[int, ...]

FLOAT32 = "float32"
"""Precision of whatever is not being trained, and of training where a run asks for no other."""


def build_encoder(
    config: ModelConfig, segment_shape: Shape, precision: str = FLOAT32
) -> keras.Model:
    """Build E: three times convolution, batch norm, ReLU, max-pool (Sec. 4.3).

    Returns:
        Segments, `(128, 256, 1)` in the paper, to the latent code `(16, 16, latent_channels)`.
        With `latent="standardised"` the last block is convolution, pool, batch norm without scale
        or offset: each channel of z has mean 0 and variance 1, so that N(0, I) is in reach.
    """
    segment = keras.Input(segment_shape, name="segment")
    x = _blocks(segment, config, "encoder", precision)
    if config.latent == "relu":
        z = _block(x, config.latent_channels, KERNELS[2], POOLS[2], config, "encoder_3", precision)
    else:
        x = _convolution(config.latent_channels, KERNELS[2], "encoder_3_conv", precision)(x)
        x = layers.MaxPooling2D(POOLS[2], name="encoder_3_pool", dtype=precision)(x)
        z = layers.BatchNormalization(
            momentum=config.batch_norm_momentum,
            center=False,
            scale=False,
            name="encoder_3_norm",
            dtype=precision,
        )(x)
    return keras.Model(segment, z, name="encoder")


def build_cnn_trunk(
    config: ModelConfig, segment_shape: Shape, precision: str = FLOAT32
) -> keras.Model:
    """Build the trunk of the CNN baseline: two convolutional layers (Sec. 5.2)."""
    segment = keras.Input(segment_shape, name="segment")
    return keras.Model(segment, _blocks(segment, config, "cnn", precision), name="encoder")


def build_decoder(
    config: ModelConfig, latent_shape: Shape, precision: str = FLOAT32
) -> keras.Model:
    """Build D_delta: the encoder's mirror image in strided transposed convolutions.

    Returns:
        Latent codes `latent_shape` to segments `(128, 256, 1)`, linear at the end.
    """
    code = keras.Input(latent_shape, name="latent_code")
    x = code
    for step, filters in enumerate(reversed(config.filters)):
        index = len(config.filters) - step
        x = layers.Conv2DTranspose(
            filters,
            KERNELS[index],
            strides=POOLS[index],
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"decoder_{step + 1}_conv",
            dtype=precision,
        )(x)
        x = layers.BatchNormalization(
            momentum=config.batch_norm_momentum, name=f"decoder_{step + 1}_norm", dtype=precision
        )(x)
        x = layers.ReLU(name=f"decoder_{step + 1}_relu", dtype=precision)(x)
    segment = layers.Conv2DTranspose(
        1, KERNELS[0], strides=POOLS[0], padding="same", name="reconstruction", dtype=precision
    )(x)
    return keras.Model(code, segment, name="decoder")


def build_classifier(
    config: ModelConfig,
    latent_shape: Shape,
    num_classes: int,
    name: str,
    precision: str = FLOAT32,
) -> keras.Model:
    """Build one C_phi: convolution, max-pool, two dense layers with dropout between (Sec. 4.3).

    Returns:
        Latent codes to a pair: logits `(num_classes,)`, whose softmax is the posterior, and
        the output of the last hidden layer, which for speakers is the d-vector (Sec. 5). Called
        with a mask `(batch,)`, its batch norm takes the statistics of the rows that are true.
    """
    code = keras.Input(latent_shape, name="latent_code")
    pool = (config.classifier_pool[0], config.classifier_pool[1])
    x = _block(code, config.classifier_filters, 3, pool, config, f"{name}_1", precision)
    if config.pooling == "flatten":
        x = layers.Flatten(name=f"{name}_flatten")(x)
    else:
        x = TimePooling(config.pooling, name=f"{name}_pooling")(x)
    x = _dense(config.dense_units[0], f"{name}_dense_1")(x)
    x = layers.Dropout(config.dropout, name=f"{name}_dropout")(x)
    hidden = _dense(config.dense_units[1], f"{name}_dense_2")(x)
    logits = layers.Dense(num_classes, name=f"{name}_logits")(hidden)
    classifier = keras.Model(code, [logits, hidden], name=name)
    classifier.supports_masking = True
    return classifier


def build_discriminator(
    config: ModelConfig, latent_shape: Shape, precision: str = FLOAT32
) -> keras.Model:
    """Build D_omega, like a classifier with two classes (Sec. 4.3): 1 is the prior, 0 is E(x).

    With `discriminator_zero_start` it begins by guessing, its loss at ln 2: on its noisy input
    the usual initial weights are wrong with confidence, and at a small rate long stay so.
    """
    code = keras.Input(latent_shape, name="latent_code")
    x = layers.GaussianNoise(config.discriminator_noise, name="discriminator_noise")(code)
    if config.discriminator_batch_norm:
        x = _block(x, config.classifier_filters, 3, (2, 2), config, "discriminator_1", precision)
    else:
        x = layers.Conv2D(
            config.classifier_filters,
            3,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name="discriminator_1_conv",
            dtype=precision,
        )(x)
        x = layers.MaxPooling2D((2, 2), name="discriminator_1_pool", dtype=precision)(x)
    x = layers.Flatten(name="discriminator_flatten")(x)
    for index, units in enumerate(config.dense_units):
        x = _dense(units, f"discriminator_dense_{index + 1}")(x)
    initial = "zeros" if config.discriminator_zero_start else "glorot_uniform"
    logits = layers.Dense(2, kernel_initializer=initial, name="discriminator_logits")(x)
    return keras.Model(code, logits, name="discriminator")


def _blocks(
    segment: keras.KerasTensor, config: ModelConfig, name: str, precision: str
) -> keras.KerasTensor:
    """Build the blocks with `config.filters` that every trunk begins with."""
    x = segment
    for index, filters in enumerate(config.filters):
        block = f"{name}_{index + 1}"
        x = _block(x, filters, KERNELS[index], POOLS[index], config, block, precision)
    return x


def _block(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    pool: tuple[int, int],
    config: ModelConfig,
    name: str,
    precision: str,
) -> keras.KerasTensor:
    """Build convolution, batch norm, ReLU, max-pool, in the cheaper order that gives the same."""
    x = _convolution(filters, kernel, f"{name}_conv", precision)(x)
    x = PooledBatchNormalization(
        pool, config.batch_norm_momentum, name=f"{name}_norm", dtype=precision
    )(x)
    return layers.ReLU(name=f"{name}_relu", dtype=precision)(x)


def _convolution(filters: int, kernel: int, name: str, precision: str) -> layers.Conv2D:
    """Build a convolution without a bias, which the batch norm behind it makes pointless."""
    settings = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    convolution = layers.Conv2D(filters, kernel, name=name, dtype=precision, **settings)
    convolution.supports_masking = True  # of rows, to the batch norm behind it
    return convolution


def _dense(units: int, name: str) -> layers.Dense:
    return layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=name)
