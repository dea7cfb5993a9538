"""Exchange between replicas under tf.distribute, so that they learn as one process would.

A replica holds a share of a batch, and the encoder and decoder run on that share. Classifiers and
discriminator are small and run on the codes of the whole batch, in every replica alike: the
labelled rows of a batch, the draws of prior, noise and dropout, and with them all losses but the
reconstruction's are then those of one process. With one replica nothing is exchanged.
"""

from collections.abc import Callable, Mapping, Sequence

import keras
import tensorflow as tf


def num_replicas() -> int:
    """Return how many replicas share a batch where this is called."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def gather(code: tf.Tensor) -> tf.Tensor:
    """Return the latent codes of the whole batch, `(batch, ...)`, in the order of its rows."""
    if num_replicas() == 1:
        return code
    gathered = _gather(code)
    return tf.ensure_shape(gathered, [None, *code.shape[1:]])  # gathering forgets the sizes


def own_rows(labels: Mapping[str, tf.Tensor], rows: tf.Tensor) -> Mapping[str, tf.Tensor]:
    """Return the labels of this replica's rows, as many as given, of those of the whole batch."""
    if num_replicas() == 1:
        return labels
    first = tf.distribute.get_replica_context().replica_id_in_sync_group * rows
    return {name: values[first : first + rows] for name, values in labels.items()}


@tf.custom_gradient
def _gather(code: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    context = tf.distribute.get_replica_context()

    def gradient(slope: tf.Tensor) -> tf.Tensor:
        # every replica takes the same loss of all codes, so that nothing has to be sent: the
        # slope of a replica's own rows is the same in all replicas
        rows = tf.shape(code)[0]
        first = context.replica_id_in_sync_group * rows
        return num_replicas() * tf.convert_to_tensor(slope)[first : first + rows]

    return context.all_gather(code, axis=0), gradient


def share_statistics(networks: Sequence[keras.Model]) -> None:
    """Give batch norm of networks that run on a share the statistics of the whole batch."""
    if num_replicas() > 1:
        for network in networks:
            for layer in network.layers:
                if hasattr(layer, "synchronized"):
                    layer.synchronized = True


def apply_gradients(
    optimiser: keras.Optimizer,
    gradients: Sequence[tf.Tensor],
    weights: Sequence[keras.Variable],
    condition: tf.Tensor | None = None,
) -> None:
    """Take the step of an optimiser of some weights with the mean of the replicas' gradients.

    The condition is the same in every replica; where it is false no step is taken, so that weights
    and momentum stay.
    """
    replicas = num_replicas()
    if replicas > 1:  # optimisers sum over the replicas
        gradients = [slope / replicas for slope in gradients]

    def step() -> tf.Tensor:
        optimiser.apply(gradients, weights)
        return tf.constant(True)

    if condition is None:
        step()
    elif replicas == 1:
        tf.cond(condition, step, lambda: tf.constant(True))
    else:
        # gradients cannot be exchanged within a branch: the step is taken, and taken back
        touched = [*weights, *optimiser.variables]
        before = [tf.identity(variable) for variable in touched]
        step()
        for variable, value in zip(touched, before, strict=True):
            variable.assign(tf.where(condition, variable, value))
