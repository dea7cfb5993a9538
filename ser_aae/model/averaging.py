"""Running averages of weights (Polyak), and saving all that a model needs to go on."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import keras
import tensorflow as tf


class AveragedModel(keras.Model):
    """Model that keeps an average of its networks' weights beside them.

    The averages and the state of everything random are saved with the weights, so that a
    restored model goes on as if it had never stopped.
    """

    def start_averages(self, networks: Sequence[keras.Model]) -> None:
        """Make an average for each weight of the networks, batch norm's included."""
        # behind a function, because Keras saves networks under the first attribute that has them
        self._averaged_networks = lambda: networks
        self.averages = [
            keras.Variable(weight.numpy(), trainable=False, name=f"average_{index}")
            for index, weight in enumerate(self._averaged_weights())
        ]
        self.steps = keras.Variable(0, trainable=False, dtype="int64", name="steps")
        self.average_decay = 0.0

    def reset_averages(self, decay: float) -> None:
        """Begin anew from the present weights; `decay` is the share kept in a step, 0 is off."""
        self.average_decay = decay
        self.steps.assign(0)
        for average, weight in zip(self.averages, self._averaged_weights(), strict=True):
            average.assign(weight)

    def follow_averages(self) -> None:
        """Move the averages towards the weights; in early steps more, as they began at random."""
        if self.average_decay == 0:
            return
        self.steps.assign_add(1)
        step = tf.cast(self.steps, tf.float32)
        share = 1.0 - tf.minimum(self.average_decay, (1.0 + step) / (10.0 + step))
        for average, weight in zip(self.averages, self._averaged_weights(), strict=True):
            average.assign_add(share * (weight - average))

    def swap_averages(self) -> None:
        """Exchange the weights with their running averages; a second call undoes the first.

        The averages (Polyak) score better and more evenly from epoch to epoch than the
        weights of the last step, so validation, best epoch and test use them. Nothing
        happens where `training.average_decay` is 0.
        """
        if self.average_decay > 0:
            for average, weight in zip(self.averages, self._averaged_weights(), strict=True):
                present = weight.numpy()
                weight.assign(average)
                average.assign(present)

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Build nothing: the constructor has built all. Keras' own fails on several hosts."""

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Save the state of everything random too: Keras saves that of no seed generator."""
        super().save_own_variables(store)
        for index, state in enumerate(self._random_states()):
            store[f"random_{index}"] = state.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Restore what `save_own_variables` saved."""
        own = {key: store[key] for key in store.keys() if not key.startswith("random_")}  # noqa: SIM118
        super().load_own_variables(own)
        for index, state in enumerate(self._random_states()):
            state.assign(store[f"random_{index}"])

    def _averaged_weights(self) -> list[keras.Variable]:
        return [
            weight
            for network in self._averaged_networks()
            for layer in network.layers
            for weight in layer.weights
        ]

    def _random_states(self) -> list[keras.Variable]:
        """Return the states of dropout, of the noise and of the prior."""
        return [value for value in self.variables if value.path.endswith("seed_generator_state")]
