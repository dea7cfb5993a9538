"""Batches made of shards: of which rows, windows and augmentation, in which mixture.

Everything drawn comes from the seed and the number of the epoch alone, so that an interrupted
run goes on with the batches of a run without interruption. Memory is bounded by the shuffle buffer,
whatever the size of the corpora.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import tensorflow as tf

from ser_aae.batches.augmentation import Augmentation
from ser_aae.batches.windows import cut_windows
from ser_aae.config import DataConfig
from ser_aae.data.mixture import Mixture
from ser_aae.data.part import Part
from ser_aae.frontend.segments import all_segment_starts
from ser_aae.store.corpus import StoredCorpus
from ser_aae.store.records import parse

Source = tuple[int, Callable[[tf.Tensor], tf.data.Dataset]]
"""Number of a part's utterances; seed of an epoch to their `((frames, bins) float16, labels)`."""


_MOST_GAIN = 10.0
"""Most that the deviation of a corpus is stretched by: a band that is silent in it has none."""


@dataclass(frozen=True)
class Levels:
    """Line that brings a corpus' bins to mean and deviation of the whole, `(bins,)` float32."""

    gain: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True)
class Normalisation:
    """Mean and deviation of each frequency bin over the training part, `(bins,)` float32.

    `levels` is corpus to the line that its spectrograms are changed by before that, where each
    corpus is normalised by its own statistics (`data.normalisation`).
    """

    mean: np.ndarray
    deviation: np.ndarray
    levels: Mapping[str, Levels] = field(default_factory=dict)


class _Sums:
    """Sums over frames, of which mean and deviation of each bin follow."""

    def __init__(self, bins: int) -> None:
        self.count, self.total, self.squares = 0, np.zeros(bins), np.zeros(bins)

    def add(self, frames: np.ndarray) -> None:
        """Take up `(frames, bins)` float64."""
        self.count += len(frames)
        self.total += frames.sum(axis=0)
        self.squares += np.square(frames).sum(axis=0)

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and deviation, `(bins,)` float64."""
        mean = self.total / self.count
        return mean, np.sqrt(np.maximum(self.squares / self.count - np.square(mean), 1e-6))


def measure_normalisation(parts: Sequence[Part], kind: str = "whole") -> Normalisation:
    """Measure each bin's mean and deviation over all frames of the given parts.

    Give it training parts only: the deviation of a test speaker is known to add points that
    no new speaker would have (decisions F5). With `kind` `"corpus"` those of each corpus are
    measured beside those of the whole.
    """
    bins = parts[0].corpus.frontend.bins
    whole, own = _Sums(bins), dict[str, _Sums]()
    for part in parts:
        for source, utterances in _read_sources(part):
            for _, spectrogram in utterances.as_numpy_iterator():
                frames = spectrogram.astype(np.float64)
                whole.add(frames)
                if kind == "corpus":
                    own.setdefault(source.name, _Sums(bins)).add(frames)
    mean, deviation = whole.moments()
    # a corpus that is the whole is at its levels
    levels = {name: _level(sums, whole) for name, sums in own.items()} if len(own) > 1 else {}
    return Normalisation(mean.astype(np.float32), deviation.astype(np.float32), levels)


def _level(own: _Sums, whole: _Sums) -> Levels:
    """Return the line that brings bins of one mean and deviation to those of others."""
    (mean, deviation), (wanted, spread) = own.moments(), whole.moments()
    gain = np.minimum(spread / deviation, _MOST_GAIN)
    return Levels(gain.astype(np.float32), (wanted - gain * mean).astype(np.float32))


def training_dataset(
    mixture: Mixture,
    steps: int,
    normalisation: Normalisation,
    data: DataConfig,
    seed: int,
    first_epoch: int = 0,
) -> tf.data.Dataset:
    """Build the endless stream of training batches, from the first step of `first_epoch` on.

    In an epoch of so many steps each segment of a share, in random windows, comes once before any
    comes again.

    Returns:
        Batches of segments `(rows of all shares, bins, segment_frames, 1)` float32 and labels
        `{task: (rows of all shares,)}` int32, share after share.
    """
    augmentation = Augmentation(mixture[0].parts[0].corpus.frontend, data, normalisation.mean)
    # a generator with a state of its own has to run through the epochs before
    start = 0 if data.masks_by_state else first_epoch
    draws = []
    for stream, share in enumerate(mixture):
        for turn, (parts, rows) in enumerate(share.draws()):
            sources = [_open_source(part, normalisation, data) for part in parts]
            draws.append((stream + turn * len(mixture), sources, rows))

    def draw(
        stream: int, sources: Sequence[Source], rows: int, epoch: tf.Tensor
    ) -> tf.data.Dataset:
        epoch_seed = _epoch_seed(seed, stream, epoch)
        segments = _random_segments(sources, data, augmentation, epoch_seed)
        return segments.batch(rows, drop_remainder=True)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        batches = draw(*draws[0], epoch)
        for other in draws[1:]:
            batches = tf.data.Dataset.zip(batches, draw(*other, epoch)).map(_join)
        return batches.take(steps)

    stream = tf.data.Dataset.range(start, tf.int64.max).flat_map(epoch_batches)
    if data.masks_by_state:
        stream = stream.map(augmentation.mask_batch).skip(steps * (first_epoch - start))
    return stream.map(
        lambda segments, labels: (to_network(segments, normalisation), labels),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    ).prefetch(4)


def evaluation_dataset(
    part: Part, normalisation: Normalisation, data: DataConfig, batch_size: int
) -> tf.data.Dataset:
    """Build the batches that score a part, in the order of the rows.

    Each utterance is cut as `ser_aae.frontend.segments.segment_starts` says.

    Returns:
        Batches of segments `(<= batch_size, bins, segment_frames, 1)` float32, labels
        `{task: (<= batch_size,)}` int32 and the segments' rows `(<= batch_size,)` int64.
    """
    frames, length = part.corpus.num_frames, data.segment_frames
    shift, fewest = data.evaluation_shift_frames, data.fewest_segments
    found, ends = all_segment_starts(frames, length, shift, fewest)
    all_starts, edges = tf.constant(found, tf.int32), tf.constant(np.append(0, ends))

    def cut(index: tf.Tensor, spectrogram: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        starts = all_starts[edges[index] : edges[index + 1]]
        return cut_windows(spectrogram, starts, length, data.pad), _repeat(index, starts)

    labels_of = _label_lookup(part)
    segments = _read_utterances(part, normalisation).map(cut).unbatch()
    batches = segments.batch(batch_size).map(
        lambda segment, index: (to_network(segment, normalisation), labels_of(index), index)
    )
    steps = math.ceil(part.num_segments(length, shift, fewest) / batch_size)
    return batches.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2)


def _random_starts(frames: tf.Tensor, data: DataConfig, seed: tf.Tensor) -> tf.Tensor:
    """Draw the first frames of an utterance's windows: as many as tile it, shifted together."""
    length = data.segment_frames
    tiles = tf.range((frames + length - 1) // length) * length
    if data.pad == "repeat":
        return tiles + tf.random.stateless_uniform([], seed, 0, frames, tf.int32)
    spare = tf.abs(frames - length) + 1
    drawn = tf.random.stateless_uniform([], seed, 0, spare, tf.int32)
    # a short utterance lies anywhere in its one window; a long one's windows start anywhere
    shifted = tiles + tf.where(frames <= length, -drawn, drawn % length)
    return tf.minimum(shifted, tf.maximum(frames - length, 0))


def _random_segments(
    sources: Sequence[Source], data: DataConfig, augmentation: Augmentation, seed: tf.Tensor
) -> tf.data.Dataset:
    """Return endless shuffled, augmented windows `((frames, bins) float32, labels)`.

    Every segment comes once before any comes again.
    """
    sizes, openers = zip(*sources, strict=True)
    streams = [opener(seed) for opener in openers]
    stream = streams[0]
    if len(streams) > 1:
        stream = tf.data.Dataset.sample_from_datasets(
            streams, list(np.array(sizes) / sum(sizes)), seed=tf.cast(seed[0], tf.int64)
        )

    def cut(count: tf.Tensor, row: tuple) -> tuple:
        spectrogram, labels = row
        own_seed = tf.random.experimental.stateless_fold_in(seed, count)
        starts = _random_starts(tf.shape(spectrogram)[0], data, own_seed)
        windows = cut_windows(spectrogram, starts, data.segment_frames, data.pad)
        return windows, tf.nest.map_structure(lambda label: _repeat(label, starts), labels)

    def augment(count: tf.Tensor, row: tuple) -> tuple:
        segment, labels = row
        own_seed = tf.random.experimental.stateless_fold_in(seed, count)
        return augmentation(tf.cast(segment, tf.float32), own_seed), labels

    segments = stream.enumerate().map(cut, num_parallel_calls=tf.data.AUTOTUNE).unbatch()
    segments = segments.shuffle(data.shuffle_segments, seed=tf.cast(seed[1], tf.int64)).repeat()
    return segments.enumerate().map(augment, num_parallel_calls=tf.data.AUTOTUNE)


def _open_source(part: Part, normalisation: Normalisation, data: DataConfig) -> Source:
    """Keep a small part in memory after the first epoch; read a large one again each time."""
    labels_of = _label_lookup(part)

    def label(index: tf.Tensor, spectrogram: tf.Tensor) -> tuple:
        return spectrogram, labels_of(index)

    size = len(part.rows)
    size_mb = part.corpus.num_frames[part.rows].sum() * part.corpus.frontend.bins * 2 / 1e6
    if size_mb > data.cache_mb:
        return size, lambda seed: _read_utterances(part, normalisation, seed).map(label)
    kept = _read_utterances(part, normalisation).cache().map(label)
    # the whole part is shuffled: with a smaller buffer, the first batches of every epoch would be
    # of the same rows
    return size, lambda seed: kept.shuffle(size, seed=tf.cast(seed[0], tf.int64))


def _label_lookup(part: Part) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """Return a function from row numbers of a part's corpus to the labels of these rows."""
    labels = {task: tf.constant(values) for task, values in part.labels.items()}
    return lambda index: {task: tf.gather(values, index) for task, values in labels.items()}


def _read_utterances(
    part: Part, normalisation: Normalisation, seed: tf.Tensor | None = None
) -> tf.data.Dataset:
    """Return a part's row numbers and spectrograms `(frames, bins)` float16, at their levels.

    They come in the order of the rows, or with the shards shuffled where a seed is given.
    """
    joined = None
    for source, stored in _read_sources(part, seed):
        levels = normalisation.levels.get(source.name)
        utterances = stored.map(partial(_change_levels, levels)) if levels else stored
        joined = utterances if joined is None else joined.concatenate(utterances)
    return joined


def _change_levels(
    levels: Levels, index: tf.Tensor, spectrogram: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return a row number and a spectrogram at other levels, in the precision of a store."""
    changed = tf.cast(spectrogram, tf.float32) * levels.gain + levels.offset
    return index, tf.cast(changed, spectrogram.dtype)


def _read_sources(
    part: Part, seed: tf.Tensor | None = None
) -> Iterator[tuple[StoredCorpus, tf.data.Dataset]]:
    """Yield each corpus of a part, with what `_read_utterances` gives of it."""
    first = 0
    for source in part.corpus.sources:
        end = first + len(source.utterances)
        wanted = np.zeros(end - first, bool)
        wanted[part.rows[(part.rows >= first) & (part.rows < end)] - first] = True
        utterances = _read_shards(source, wanted, seed)
        yield source, utterances.map(partial(_shift_row, first)) if first else utterances
        first = end


def _shift_row(first: int, index: tf.Tensor, spectrogram: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return index + first, spectrogram


def _read_shards(
    corpus: StoredCorpus, wanted: np.ndarray, seed: tf.Tensor | None
) -> tf.data.Dataset:
    """Return those utterances of a corpus, `(utterances,)` bool, that are wanted."""
    chosen = tf.constant(wanted)
    bins = corpus.frontend.bins
    shards = tf.data.Dataset.from_tensor_slices([str(path) for path in corpus.shards])
    if seed is None:
        records = tf.data.TFRecordDataset(shards)
    else:
        shards = shards.shuffle(len(corpus.shards), seed=tf.cast(seed[0], tf.int64))
        records = shards.interleave(tf.data.TFRecordDataset, cycle_length=4)
    parsed = records.map(lambda record: parse(record, bins), num_parallel_calls=tf.data.AUTOTUNE)
    return parsed.filter(lambda index, _: chosen[index])


def _epoch_seed(seed: int, stream: int, epoch: tf.Tensor) -> tf.Tensor:
    """Return two numbers, each drawn by the seed, the stream and the epoch together.

    Of the two numbers that `stateless_fold_in` returns, the first is the same in every epoch and
    the second is the epoch itself, whatever the seed: neither may seed a shuffle.
    """
    folded = tf.random.experimental.stateless_fold_in([seed, stream], epoch)
    return tf.random.experimental.stateless_split(folded, 1)[0]


def _repeat(label: tf.Tensor, windows: tf.Tensor) -> tf.Tensor:
    return tf.repeat(label[None], tf.shape(windows)[0])


def to_network(segments: tf.Tensor, normalisation: Normalisation) -> tf.Tensor:
    """Normalise `(batch, frames, bins)` in dB and turn it to `(batch, bins, frames, 1)`."""
    normal = (tf.cast(segments, tf.float32) - normalisation.mean) / normalisation.deviation
    return tf.transpose(normal, [0, 2, 1])[..., None]


def _join(first: tuple, second: tuple) -> tuple:
    return tf.nest.map_structure(lambda a, b: tf.concat([a, b], axis=0), first, second)
