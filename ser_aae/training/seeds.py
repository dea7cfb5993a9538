"""Seeds: everything random seeded by a run, and kernels that repeat to the bit."""

import keras
import tensorflow as tf

from ser_aae.config import RunConfig


def seed_everything(config: RunConfig) -> None:
    """Seed Python, NumPy, Keras and TensorFlow by a run's seed, whatever was drawn before."""
    # Keras' own generator of what has no seed is not among those that it seeds
    keras.utils.clear_session()
    # not 0: with a global seed of 0 tf.data refuses seeds that are tensors
    keras.utils.set_random_seed(config.seed + 1)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()
