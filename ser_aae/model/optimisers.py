"""The optimisers: one for each target of each phase, or one a network where phases share a step."""

from collections.abc import Sequence

import keras

from ser_aae.config import TrainingConfig


def build_optimiser(
    training: TrainingConfig, name: str, networks: Sequence[keras.Model], alpha: float
) -> keras.Optimizer:
    """Build the optimiser of one target.

    Where each phase has a gradient of its own (`serial`), alpha of eq. (1) is a factor of the
    reconstruction's rate. Under plain gradient descent that is the same as weighting the loss;
    Adam divides a gradient by its own size, so that a weighted loss would move the weights exactly
    as far as an unweighted one. In the one gradient of `joint` it is the loss' weight.
    """
    ratios = {
        "reconstruction": alpha,
        "discriminator": training.discriminator_rate_ratio,
        "generator": training.generator_rate_ratio,
    }
    rate = training.learning_rate * ratios.get(name, 1.0)
    if training.optimiser == "sgd":
        optimiser = keras.optimizers.SGD(rate, name=name)
    else:
        adversarial = name in ("discriminator", "generator")
        is_decayed = not adversarial and name not in ("reconstruction", "decoder")
        decay = training.weight_decay if is_decayed else 0.0
        # 0.5 is usual for adversaries, which swing less with it than with 0.9
        first = 0.5 if adversarial else 0.9
        optimiser = keras.optimizers.Adam(rate, beta_1=first, weight_decay=decay or None, name=name)
    optimiser.build(trainable(networks))
    return optimiser


def trainable(networks: Sequence[keras.Model]) -> list[keras.Variable]:
    """Return the variables that training moves."""
    return [variable for network in networks for variable in network.trainable_variables]
