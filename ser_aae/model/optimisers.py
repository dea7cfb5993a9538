"""The optimisers of the three phases: one for each target of each phase."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from ser_aae.config import TrainingConfig


def build_optimiser(
    training: TrainingConfig, name: str, networks: Sequence[keras.Model], alpha: float
) -> keras.Optimizer:
    """Build the optimiser of one target.

    Alpha of eq. (1) is a factor of the reconstruction's rate. Under plain gradient descent
    that is the same as weighting the loss; Adam divides a gradient by its own size, so that
    a weighted loss would move the weights exactly as far as an unweighted one.

    Args:
        training: Kind, rates and weight decay.
        name: `"reconstruction"`, `"discriminator"`, `"generator"`, `"classification"` or a task.
        networks: What it moves.
        alpha: Weight of the reconstruction against the classification.
    """
    rate = _first_rate(training, name, alpha)
    if training.optimiser == "sgd":
        optimiser = keras.optimizers.SGD(rate, name=name)
    else:
        adversarial = name in ("discriminator", "generator")
        decay = 0.0 if adversarial or name == "reconstruction" else training.weight_decay
        # the usual first moment of an adversary, which swings less than 0.9
        first = 0.5 if adversarial else 0.9
        optimiser = keras.optimizers.Adam(rate, beta_1=first, weight_decay=decay or None, name=name)
    optimiser.build(trainable(networks))
    return optimiser


def trainable(networks: Sequence[keras.Model]) -> list[keras.Variable]:
    """Return the variables that training moves."""
    return [variable for network in networks for variable in network.trainable_variables]


def stepper(
    optimiser: keras.Optimizer, gradients: Sequence[tf.Tensor], variables: Sequence[keras.Variable]
) -> Callable[[], tf.Tensor]:
    """Return the application of gradients as a function that `tf.cond` accepts."""

    def step() -> tf.Tensor:
        optimiser.apply(gradients, variables)
        return tf.constant(True)

    return step


def _first_rate(training: TrainingConfig, name: str, alpha: float) -> float:
    """Return the first learning rate of an optimiser, by the weight or ratio of its phase."""
    ratios = {
        "reconstruction": alpha,
        "discriminator": training.discriminator_rate_ratio,
        "generator": training.generator_rate_ratio,
    }
    return training.learning_rate * ratios.get(name, 1.0)
