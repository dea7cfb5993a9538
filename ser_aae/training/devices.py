"""Devices that one run is computed on: one, all of a host, or those of several hosts.

`TF_CONFIG` names the hosts to each other, as `tf.distribute` wants it. All hosts read the same
store and folder of runs; the chief writes there, and each other one into a copy that it removes.
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
from ser_aae.labels import AUXILIARY
from ser_aae.results.folder import run_folder

_CLUSTER = "TF_CONFIG"
_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


def open_strategy(name: str) -> tf.distribute.Strategy:
    """Return a strategy by its name; before anything else is done with TensorFlow.

    Args:
        name: `"one"` is a single device, `"mirrored"` all GPUs of this host, `"multiworker"` the
            hosts that `TF_CONFIG` names.

    Raises:
        UserError: `TF_CONFIG` is missing or does not say which hosts there are.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multiworker":
        text = os.environ.get(_CLUSTER, "")
        try:
            given = json.loads(text)
            is_named = bool(given["cluster"]["worker"]) and given["task"]["index"] >= 0
        except (ValueError, KeyError, TypeError):
            is_named = False
        if not is_named:
            raise UserError(
                f"--strategy multiworker: expected ${_CLUSTER} as {_EXAMPLE}, with another index "
                f"on each host, got {text!r}"
            )
        # TensorFlow logs a line for every message between hosts
        logging.getLogger("tensorflow").setLevel(logging.WARNING)
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


def device_names() -> list[str]:
    """Return the devices that TensorFlow knows of on this host."""
    return [device.name for device in tf.config.list_physical_devices()]


def is_on_several_hosts(strategy: tf.distribute.Strategy) -> bool:
    """Return whether processes on several hosts compute a run together."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process is the one that writes for all hosts."""
    if not is_on_several_hosts(strategy):
        return True
    resolver = strategy.cluster_resolver
    chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (not chief and resolver.task_id == 0)


@contextmanager
def place_to_write(
    strategy: tf.distribute.Strategy, config: RunConfig, runs: Path
) -> Iterator[Path]:
    """Give the folder of runs in which this process, the chief or not, is to train a run.

    The run's folder is copied, so that all hosts go on at the same epoch.
    """
    if is_chief(strategy):
        mean_over_replicas(strategy, [0.0])  # waits until all others have copied
        yield runs
        return
    with TemporaryDirectory() as place:
        begun = run_folder(runs, config)
        if begun.is_dir():
            shutil.copytree(begun, run_folder(Path(place), config))
        mean_over_replicas(strategy, [0.0])
        yield Path(place)


def share_batches(
    batches: tf.data.Dataset,
    batch_size: int,
    strategy: tf.distribute.Strategy,
    primary_rows: int | None = None,
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Give each replica its rows of each batch, in order, and the labels of them all.

    Where rows of an auxiliary corpus take part in fewer phases, they are dealt out, see
    `deal_rows`, so that each replica has some of the `primary_rows`, all rows without that.

    Raises:
        UserError: A batch cannot be parted evenly.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches
    if batch_size % replicas:
        raise UserError(
            f"rows of a batch: expected a multiple of the {replicas} devices, got {batch_size}; "
            "change training.batch_size or data.labelled_rows"
        )

    if AUXILIARY in batches.element_spec[1] and (primary_rows or batch_size) < replicas:
        raise UserError(
            f"rows of the emotional corpus in a batch: expected one or more for each of the "
            f"{replicas} devices, got {primary_rows}; lower data.auxiliary_ratio, or raise "
            "data.labelled_rows"
        )

    def rows_of(context: tf.distribute.InputContext) -> tf.data.Dataset:
        own = replicas // context.num_input_pipelines

        def part(segments: tf.Tensor, labels: dict[str, tf.Tensor]) -> tf.data.Dataset:
            if AUXILIARY in labels:
                segments, labels = deal_rows(segments, labels, replicas)
            shape = [replicas, batch_size // replicas, *segments.shape[1:]]
            shares = tf.reshape(segments, shape)[context.input_pipeline_id * own :][:own]
            return tf.data.Dataset.from_tensor_slices(shares).map(lambda share: (share, labels))

        return batches.flat_map(part)

    return strategy.distribute_datasets_from_function(rows_of)


def deal_rows(
    segments: tf.Tensor, labels: dict[str, tf.Tensor], replicas: int
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Return a batch in an order in which each replica has rows of each corpus.

    Its auxiliary rows are its last ones. In the order of the batch a replica would have nothing
    else, and nothing to reconstruct.
    """
    turns = tf.reshape(tf.range(tf.shape(segments)[0]), [-1, replicas])
    rows = tf.reshape(tf.transpose(turns), [-1])
    return tf.gather(segments, rows), {k: tf.gather(v, rows) for k, v in labels.items()}


def mean_over_replicas(strategy: tf.distribute.Strategy, values: list[float]) -> list[float]:
    """Return the means of all replicas' values; the replicas wait here for each other."""
    if strategy.num_replicas_in_sync == 1:
        return values

    @tf.function
    def average(given: tf.Tensor) -> tf.Tensor:
        def reduce(own: tf.Tensor) -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            # a tensor from outside has no device that the mean could be sent to
            return context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.identity(own))

        return strategy.experimental_local_results(strategy.run(reduce, args=(given,)))[0]

    return [float(value) for value in average(tf.constant(values, tf.float64)).numpy()]


class AllReplicas(keras.callbacks.Callback):
    """Put the losses and accuracies of all replicas' rows into an epoch's logs."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Read all trackers: with several replicas `fit` reads one of them alone."""
        if self.model.distribute_strategy.num_replicas_in_sync > 1:
            found = self.model.get_metrics_result()
            logs.update({name: float(value) for name, value in found.items()})


class AgreedScores(keras.callbacks.Callback):
    """Give all hosts the same validation figures, so that they halve and stop together."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Replace each figure by its mean over the hosts, whose last digits may differ."""
        strategy = self.model.distribute_strategy
        if is_on_several_hosts(strategy):
            names = sorted(name for name in logs if name.startswith("val_"))
            found = mean_over_replicas(strategy, [logs[name] for name in names])
            logs.update(dict(zip(names, found, strict=True)))
