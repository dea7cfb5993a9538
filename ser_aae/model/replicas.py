"""Parts of a step under tf.distribute: what replicas exchange, so that they learn as one.

A replica holds a share of a batch, and the encoder and decoder run on that share. What stands
behind the latent code is small and runs on the codes of the whole batch, in every replica alike:
the labelled rows of a batch, the draws of prior, noise and dropout, and with them all losses but
the reconstruction's are then those of one process. With one replica nothing here does anything.
"""

from collections.abc import Callable, Sequence

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
    return tf.ensure_shape(gathered, [None, *code.shape[1:]])  # the others are forgotten by it


@tf.custom_gradient
def _gather(code: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    context = tf.distribute.get_replica_context()

    def gradient(slope: tf.Tensor) -> tf.Tensor:
        # each replica takes the same loss of all codes, so that its share of the slope stands
        # for that of all of them; nothing has to be sent
        rows = tf.shape(code)[0]
        first = context.replica_id_in_sync_group * rows
        return num_replicas() * tf.convert_to_tensor(slope)[first : first + rows]

    return context.all_gather(code, axis=0), gradient


def share_statistics(networks: Sequence[keras.Model]) -> None:
    """Let batch norm in networks that see a share of the batch take the statistics of it all."""
    if num_replicas() > 1:
        for network in networks:
            for layer in network.layers:
                if hasattr(layer, "synchronized"):
                    layer.synchronized = True


def share_gradients(gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Return gradients whose sum over the replicas, which optimisers take, is their mean."""
    replicas = num_replicas()
    return list(gradients) if replicas == 1 else [slope / replicas for slope in gradients]


def run_if(
    condition: tf.Tensor, step: Callable[[], tf.Tensor], touched: Sequence[keras.Variable]
) -> None:
    """Take an optimiser's step where a condition holds.

    Replicas cannot exchange gradients within a branch, so that they take the step and take it
    back.

    Args:
        condition: The same in every replica.
        step: What is to be done.
        touched: All variables that it moves.
    """
    if num_replicas() == 1:
        tf.cond(condition, step, lambda: tf.constant(True))
        return
    before = [tf.identity(variable) for variable in touched]
    step()
    for variable, value in zip(touched, before, strict=True):
        variable.assign(tf.where(condition, variable, value))
