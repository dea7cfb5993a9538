"""Where one run is computed: on one device, on all of a host, or on several hosts.

Several hosts are told of each other by `TF_CONFIG`, as `tf.distribute` wants it. All of them read
the same store and folder of runs; the chief writes there, and the others into a copy that they
forget.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import tensorflow as tf

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.results.folder import run_folder

STRATEGIES = ("one", "mirrored", "multiworker")

_CLUSTER = "TF_CONFIG"
_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)

Logs = dict[str, float]


def open_strategy(name: str) -> tf.distribute.Strategy:
    """Return a strategy by its name; before anything else is done with TensorFlow.

    Args:
        name: One of `STRATEGIES`. `"one"` is a single device, `"mirrored"` all GPUs of this
            host, `"multiworker"` the hosts that `TF_CONFIG` names.

    Raises:
        UserError: `TF_CONFIG` is missing or does not say which hosts there are.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multiworker":
        text = os.environ.get(_CLUSTER, "")
        try:
            given = json.loads(text)
            named = bool(given["cluster"]["worker"]) and given["task"]["index"] >= 0
        except (ValueError, KeyError, TypeError):
            named = False
        if not named:
            raise UserError(
                f"--strategy multiworker: expected ${_CLUSTER} as {_EXAMPLE}, with another index "
                f"on each host, got {text!r}"
            )
        # it tells of every message that it makes a graph of
        logging.getLogger("tensorflow").setLevel(logging.WARNING)
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


def is_on_several_hosts(strategy: tf.distribute.Strategy) -> bool:
    """Return whether other processes take part."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process is the one that writes."""
    if not is_on_several_hosts(strategy):
        return True
    resolver = strategy.cluster_resolver
    chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (not chief and resolver.task_id == 0)


@contextmanager
def place_to_write(
    strategy: tf.distribute.Strategy, config: RunConfig, runs: Path
) -> Iterator[Path]:
    """Give the folder of runs in which this process is to train a run.

    Args:
        strategy: Says whether it is the chief.
        config: The run; what there is of it is copied, so that all go on at the same epoch.
        runs: Where run folders lie.
    """
    if is_chief(strategy):
        mean_over_replicas(strategy, [0.0])  # whoever copies has come to its end
        yield runs
        return
    with TemporaryDirectory() as place:
        begun = run_folder(runs, config)
        if begun.is_dir():
            shutil.copytree(begun, run_folder(Path(place), config))
        mean_over_replicas(strategy, [0.0])
        yield Path(place)


def share_batches(
    batches: tf.data.Dataset, batch_size: int, strategy: tf.distribute.Strategy
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Give each replica its rows of each batch, in order, and the labels of them all.

    Raises:
        UserError: A batch cannot be parted evenly.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches
    if batch_size % replicas:
        raise UserError(
            f"training.batch_size: expected a multiple of the {replicas} devices, got {batch_size}"
        )

    def rows_of(context: tf.distribute.InputContext) -> tf.data.Dataset:
        own = replicas // context.num_input_pipelines

        def part(segments: tf.Tensor, labels: dict[str, tf.Tensor]) -> tf.data.Dataset:
            shape = [replicas, batch_size // replicas, *segments.shape[1:]]
            shares = tf.reshape(segments, shape)[context.input_pipeline_id * own :][:own]
            return tf.data.Dataset.from_tensor_slices(shares).map(lambda share: (share, labels))

        return batches.flat_map(part)

    return strategy.distribute_datasets_from_function(rows_of)


def mean_over_replicas(strategy: tf.distribute.Strategy, values: list[float]) -> list[float]:
    """Return the mean of what each replica says; all wait here for each other."""
    if strategy.num_replicas_in_sync == 1:
        return values

    @tf.function
    def agree(said: tf.Tensor) -> tf.Tensor:
        def reduce(own: tf.Tensor) -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            # what comes from outside has no device that the mean could be sent to
            return context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.identity(own))

        return strategy.experimental_local_results(strategy.run(reduce, args=(said,)))[0]

    return [float(value) for value in agree(tf.constant(values, tf.float64)).numpy()]


class AllReplicas(keras.callbacks.Callback):
    """Put into an epoch's logs what all replicas found: losses and accuracies of all rows."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Ask the trackers, of which `fit` knows one where there are several replicas."""
        if logs is not None and self.model.distribute_strategy.num_replicas_in_sync > 1:
            found = self.model.get_metrics_result()
            logs.update({name: float(value) for name, value in found.items()})


class AgreedScores(keras.callbacks.Callback):
    """Let all hosts go by the same validation figures, so that they halve and stop as one."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Replace each figure by its mean over the hosts, whose last digits may differ."""
        strategy = self.model.distribute_strategy
        if logs is not None and is_on_several_hosts(strategy):
            names = sorted(name for name in logs if name.startswith("val_"))
            found = mean_over_replicas(strategy, [logs[name] for name in names])
            logs.update(dict(zip(names, found, strict=True)))
