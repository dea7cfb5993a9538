"""Training batches of one corpus and of several, read by what is planted in each frame.

Each frame holds the number of its utterance and its own.
"""

import hashlib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from installed import needs_tensorflow_io
from tiny import UNCHANGED

from ser_aae.batches.pipeline import evaluation_dataset, training_dataset
from ser_aae.data.mixture import Share, share_out, steps_per_epoch

DATA = replace(UNCHANGED, auxiliary_ratio=0.5, cache_mb=64, shuffle_segments=2048)
LENGTH = DATA.segment_frames
STREAMED = replace(DATA, cache_mb=0)
SEGMENTS = (1, 1, 2, 2, 3, 5, 1, 1, 2, 4, 1)  # of each utterance of `marked_part`
BATCH = 4
STEPS = 6  # 23 segments in batches of 4

pytestmark = pytest.mark.usefixtures("global_seed")


@pytest.fixture(scope="module")
def primary(marked_part):
    return marked_part


@pytest.fixture(scope="module")
def auxiliary(marked):
    """30 utterances of one segment each, rows 100 to 129, without an emotion."""
    part = marked("auxiliary", [LENGTH] * 30, first=100)
    return replace(part, labels=part.labels | {"emotion": np.full(30, -1, np.int32)})


@pytest.fixture(scope="module")
def build(as_they_are):
    """A function: the stream of training batches, not normalised."""

    def make(parts, others=(), data=DATA, seed=3, first_epoch=0, batch_size=BATCH):
        mixture = share_out(parts, others, data.auxiliary_ratio, batch_size)
        steps = steps_per_epoch(mixture, data.segment_frames)
        return training_dataset(mixture, steps, as_they_are, data, seed, first_epoch)

    return make


def steps_of(parts, batch_size=BATCH, others=0):
    return steps_per_epoch([Share(parts, batch_size - others)], LENGTH)


def take(stream, steps):
    return [(x.numpy(), {k: v.numpy() for k, v in y.items()}) for x, y in stream.take(steps)]


def rows_of(batches):
    """Return the planted row of each segment, in order; padding is lower than any row."""
    rows = np.concatenate([segments[:, 0, :, 0].max(axis=1) for segments, _ in batches])
    return rows.round().astype(int)


def frames_of(batches):
    """Return the planted frame numbers, `(segments, frames)`."""
    return np.concatenate([segments[:, 1, :, 0] for segments, _ in batches])


def same(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b) and all(np.array_equal(x[k], y[k]) for k in x)
        for (a, x), (b, y) in zip(first, second, strict=True)
    )


@pytest.mark.parametrize("data", [DATA, STREAMED], ids=["cached", "streamed"])
@pytest.mark.parametrize("pad", ["repeat", "floor"])
def test_every_segment_comes_once_before_any_comes_again(primary, build, data, pad):
    assert steps_of([primary]) == STEPS
    batches = take(build([primary], data=replace(data, pad=pad)), 3 * STEPS)
    expected = Counter(dict(enumerate(SEGMENTS)))
    for epoch in range(3):
        rows = rows_of(batches[epoch * STEPS : (epoch + 1) * STEPS])
        assert len(rows) == 24
        assert Counter(rows[:23]) == expected
        # the last batch is filled up with what comes first when all begins anew
        assert rows[23] in expected


def test_batches_have_the_shapes_the_model_takes(primary, build):
    segments, labels = take(build([primary]), 1)[0]
    assert segments.shape == (BATCH, 32, LENGTH, 1)
    assert segments.dtype == np.float32
    assert {task: (values.shape, values.dtype) for task, values in labels.items()} == {
        "emotion": ((BATCH,), np.int32),
        "speaker": ((BATCH,), np.int32),
    }


def test_labels_belong_to_their_segments(primary, build):
    batches = take(build([primary]), STEPS)
    rows = rows_of(batches)
    np.testing.assert_array_equal(np.concatenate([y["speaker"] for _, y in batches]), rows)
    np.testing.assert_array_equal(np.concatenate([y["emotion"] for _, y in batches]), rows % 4)


def test_the_order_of_the_shards_changes_from_epoch_to_epoch(marked, build):
    part = marked("sharded", [LENGTH] * 40)
    data = replace(STREAMED, shuffle_segments=1)
    rows = rows_of(take(build([part], data=data), 100)).reshape(10, 40)
    # ten rows a shard; the first of each shard come first, in the order of the shards
    assert len({tuple(epoch[:4] // 10) for epoch in rows}) > 3


def test_only_the_rows_of_the_part_come(primary, build):
    few = replace(primary, rows=np.array([1, 5, 8]))
    assert steps_of([few]) == 2
    for data in (DATA, STREAMED):
        assert Counter(rows_of(take(build([few], data=data), 2))) == {1: 1, 5: 5, 8: 2}


def test_the_rows_of_a_part_come_again_where_its_epochs_are_longer(primary, build):
    few = replace(primary, rows=np.array([1, 5]), epoch_rows=primary.rows)  # 6 segments of 23
    assert steps_of([few]) == STEPS
    batches = take(build([few]), 2 * STEPS)
    for epoch in (batches[:STEPS], batches[STEPS:]):
        assert Counter(rows_of(epoch)) == {1: 4, 5: 20}
    # in other windows each time
    starts = frames_of(batches[:STEPS])[rows_of(batches[:STEPS]) == 5, 0].reshape(4, 5)
    assert len({tuple(sorted(own)) for own in starts.tolist()}) > 1


@pytest.mark.parametrize("data", [DATA, STREAMED], ids=["cached", "streamed"])
def test_the_seed_decides_and_epochs_differ(primary, auxiliary, build, data):
    steps = steps_of([primary], others=BATCH // 2)
    first = take(build([primary], [auxiliary], data), 2 * steps)
    assert same(first, take(build([primary], [auxiliary], data), 2 * steps))
    other = take(build([primary], [auxiliary], data, seed=4), 2 * steps)
    rows = [rows_of(each).reshape(-1, 2, 2) for each in (first, other)]
    for column in (0, 1):  # primary rows, auxiliary rows
        orders = [epoch[:, column] for each in rows for epoch in np.split(each, 2)]
        assert len({order.tobytes() for order in orders}) == 4
    starts = [frames_of(each)[:, 0].tobytes() for each in (first[:steps], first[steps:], other)]
    assert len(set(starts)) == 3


AUGMENTED = {
    "plain": {},
    "augmented": {"warp_time": 0.2, "warp_frequency": 0.1, "gain_db": 3.0},
    "masked": {"mask_bins": 8, "mask_frames": 16, "gain_db": 3.0},
    "streamed": {"cache_mb": 0},
}
BY_STATE = {"masks": "tensorflow-io", **AUGMENTED["masked"]}


@pytest.mark.parametrize(
    "settings",
    [*AUGMENTED.values(), pytest.param(BY_STATE, marks=needs_tensorflow_io)],
    ids=[*AUGMENTED, "masked by tensorflow-io"],
)
def test_a_stream_goes_on_where_an_interrupted_one_stopped(primary, auxiliary, build, settings):
    data = replace(DATA, **settings)
    steps = steps_of([primary], others=BATCH // 2)
    # a process of its own begins by setting the seed
    tf.random.set_seed(1)
    whole = take(build([primary], [auxiliary], data), 3 * steps)
    for epoch in (1, 2):
        tf.random.set_seed(1)
        rest = take(build([primary], [auxiliary], data, first_epoch=epoch), steps)
        assert same(rest, whole[epoch * steps : (epoch + 1) * steps])


def test_a_masked_stream_does_not_walk_up_to_its_epoch(primary, build):
    """Later epochs begin at once: nothing is read of those before."""
    data = replace(DATA, **AUGMENTED["masked"])
    far = take(build([primary], data=data, first_epoch=10**9), 1)
    assert same(far, take(build([primary], data=data, first_epoch=10**9), 1))


@needs_tensorflow_io
def test_masks_of_before_keep_their_bits(primary, build):
    batches = take(build([primary], data=replace(DATA, **BY_STATE)), 2 * STEPS)
    digest = hashlib.sha256(b"".join(segments.tobytes() for segments, _ in batches))
    assert digest.hexdigest()[:16] == "08a44c567fcf2c06"


@pytest.mark.parametrize(
    "settings",
    [
        {"warp_time": 0.3},
        {"warp_frequency": 0.3},
        {"gain_db": 6.0},
        {"mask_bins": 16},
        {"mask_frames": 32},
    ],
)
def test_augmentation_reaches_training_alone(primary, build, as_they_are, settings):
    data = replace(DATA, **settings)
    assert not same(take(build([primary]), STEPS), take(build([primary], data=data), STEPS))
    plain, other = (
        [x.numpy() for x, *_ in evaluation_dataset(primary, as_they_are, config, BATCH)]
        for config in (DATA, data)
    )
    assert all(np.array_equal(a, b) for a, b in zip(plain, other, strict=True))


def test_each_segment_is_changed_in_its_own_way(primary, build):
    plain = take(build([primary]), STEPS)
    louder = take(build([primary], data=replace(DATA, gain_db=6.0)), STEPS)
    gains = np.concatenate([b - a for (a, _), (b, _) in zip(plain, louder, strict=True)])
    assert np.ptp(gains, axis=(1, 2, 3)).max() < 1e-3, "one level a segment"
    assert len(np.unique(gains[:, 0, 0, 0].round(3))) == len(gains)


@pytest.mark.parametrize("pad", ["repeat", "floor"])
def test_windows_of_long_utterances_are_shifted_at_random(primary, build, pad):
    long = replace(primary, rows=np.array([5]))  # 300 frames
    frames = frames_of(take(build([long], data=replace(DATA, pad=pad), batch_size=5), 8))
    epochs = frames.reshape(8, 5, LENGTH)
    assert len({tuple(sorted(starts)) for starts in epochs[:, :, 0].tolist()}) > 4
    for windows in epochs:
        starts = sorted(windows[:, 0].tolist())
        assert len(set(starts)) == 5
        if pad == "floor":
            assert (np.diff(windows, axis=1) == 1).all(), "a long utterance needs no padding"
            assert starts[-1] <= 300 - LENGTH
            assert set(np.diff(starts[:-1])) == {LENGTH}
        else:
            # round and round: after frame 299 comes frame 0
            assert set(np.diff(windows, axis=1).ravel()) <= {1, -299}
            offset = starts[0] % LENGTH
            assert {(start - offset) % LENGTH for start in starts} <= {0, 300 % LENGTH, 20}


def test_a_short_utterance_is_repeated_or_lies_on_the_floor(primary, build):
    short = replace(primary, rows=np.array([0]))  # 20 frames
    repeated = frames_of(take(build([short], batch_size=1), 12))
    for window in repeated:
        np.testing.assert_array_equal(window, (window[0] + np.arange(LENGTH)) % 20)
    assert len(set(repeated[:, 0])) > 4
    padded = take(build([short], data=replace(DATA, pad="floor"), batch_size=1), 12)
    lowest = padded[0][0].min()
    places = set()
    for segments, _ in padded:
        window = segments[0, :, :, 0]
        inside = np.flatnonzero((window != lowest).any(axis=0))
        assert len(inside) == 20
        assert (np.diff(inside) == 1).all()
        np.testing.assert_array_equal(window[1, inside], np.arange(20))
        places.add(inside[0])
    assert len(places) > 4, "it lies anywhere in its window"
    assert max(places) <= LENGTH - 20


def test_segment_frames_and_batch_size_set_the_shape_and_the_steps(primary, build):
    shorter = replace(DATA, segment_frames=32)
    assert take(build([primary], data=shorter), 1)[0][0].shape == (BATCH, 32, 32, 1)
    tiled = sum(-(-frames // 32) for frames in primary.corpus.num_frames)
    assert steps_per_epoch([Share([primary], BATCH)], 32) == -(-tiled // BATCH)
    assert steps_of([primary], 1) == 23
    assert steps_of([primary], 64) == 1
    assert steps_of([primary, primary]) == 12


def test_a_batch_larger_than_the_corpus_takes_it_round_again(primary, build):
    rows = rows_of(take(build([primary], batch_size=60), 2))
    for epoch in (rows[:60], rows[60:]):
        assert Counter(epoch[:23]) == Counter(epoch[23:46]) == dict(enumerate(SEGMENTS))


def test_the_shuffle_buffer_decides_how_far_segments_stray(marked, build):
    ordered = marked("ordered", [LENGTH] * 40, shards=1)

    def strays(size):
        rows = rows_of(take(build([ordered], data=replace(STREAMED, shuffle_segments=size)), 10))
        assert sorted(rows) == list(range(40))
        return np.abs(rows - np.arange(40)).mean()

    assert strays(1) == 0
    assert 0 < strays(4) < strays(40)


@pytest.mark.parametrize(("cache_mb", "goes_on"), [(64, True), (0, False)])
def test_a_small_part_is_kept_in_memory_after_the_first_epoch(marked, build, cache_mb, goes_on):
    part = marked(f"kept-{cache_mb}")
    stream = iter(build([part], data=replace(DATA, cache_mb=cache_mb)))
    for _ in range(STEPS + 1):
        next(stream)
    for path in part.corpus.shards:
        path.unlink()
    if goes_on:
        batches = [next(stream) for _ in range(4 * STEPS)]
        assert len(batches) == 4 * STEPS
    else:
        with pytest.raises(tf.errors.NotFoundError):
            [next(stream) for _ in range(4 * STEPS)]


@pytest.mark.parametrize(("ratio", "others"), [(0.0, 0), (0.25, 2), (0.5, 4), (0.75, 6), (0.95, 7)])
def test_the_auxiliary_ratio_is_the_share_of_a_batch(primary, auxiliary, build, ratio, others):
    data = replace(DATA, auxiliary_ratio=ratio)
    steps = steps_per_epoch(share_out([primary], [auxiliary], ratio, 8), LENGTH)
    assert steps == -(-23 // (8 - others))
    batches = take(build([primary], [auxiliary], data, batch_size=8), steps)
    for segments, labels in batches:
        rows = segments[:, 0, 0, 0].round()
        np.testing.assert_array_equal(rows >= 100, np.arange(8) >= 8 - others)
        np.testing.assert_array_equal(labels["emotion"] == -1, rows >= 100)
        np.testing.assert_array_equal(labels["speaker"], rows)
    rows = rows_of(batches)
    assert Counter(rows[rows < 100][:23]) == dict(enumerate(SEGMENTS))


def test_a_batch_of_one_has_room_for_the_primary_row_alone(primary, auxiliary, build):
    rows = rows_of(take(build([primary], [auxiliary], batch_size=1), 23))
    assert Counter(rows) == dict(enumerate(SEGMENTS))


def test_several_auxiliary_parts_are_mixed_by_their_size(primary, marked, build):
    parts = [marked("large", [LENGTH] * 80, 200), marked("small", [LENGTH] * 20, 300)]
    # no buffer, which would hold both parts whole and mix them whatever their order
    data = replace(DATA, auxiliary_ratio=0.75, shuffle_segments=1)
    rows = rows_of(take(build([primary], parts, data, batch_size=8), 8))
    large, small = ((rows >= 200) & (rows < 300)).sum(), (rows >= 300).sum()
    assert large + small == 48
    # 38 and 10 on average, with a deviation of 2.8; equal parts would be 24 each
    assert 32 <= large <= 45


def test_several_primary_parts_are_all_seen(primary, marked, build):
    second = marked("second", [100] * 5, first=20)
    steps = steps_of([primary, second])
    rows = rows_of(take(build([primary, second]), steps))
    expected = dict(enumerate(SEGMENTS)) | dict.fromkeys(range(20, 25), 2)
    assert Counter(rows[:33]) == expected


@pytest.mark.parametrize("data", [DATA, STREAMED], ids=["cached", "streamed"])
def test_epochs_that_need_few_auxiliary_rows_take_others_each_time(primary, marked, build, data):
    # four rows an epoch of 30, with a buffer far smaller than the corpus
    few = replace(primary, rows=np.array([1, 7, 10, 0]))
    others = marked("others", [LENGTH] * 30, first=100, shards=15)
    data = replace(data, shuffle_segments=4)
    steps = steps_of([few], 8, others=4)
    assert steps == 1
    rows = rows_of(take(build([few], [others], data, batch_size=8), 60))
    assert {row for row in rows if row >= 100} == set(range(100, 130))
