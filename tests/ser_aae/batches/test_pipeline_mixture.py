"""Batches of several corpora: emotional and auxiliary ones, one or more of each."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from ser_aae.batches.pipeline import steps_per_epoch, training_dataset
from ser_aae.config import DataConfig

LENGTH = 64
DATA = DataConfig(
    segment_frames=LENGTH,
    evaluation_shift_frames=32,
    pad="repeat",
    auxiliary_ratio=0.5,
    mask_bins=0,
    mask_frames=0,
    warp_time=0,
    warp_frequency=0,
    gain_db=0,
    cache_mb=64,
    shuffle_segments=2048,
)
STREAMED = replace(DATA, cache_mb=0)
SEGMENTS = (1, 1, 2, 2, 3, 5, 1, 1, 2, 4, 1)  # of each utterance of `marked_part`
BATCH = 4

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
        return training_dataset(parts, others, as_they_are, data, batch_size, seed, first_epoch)

    return make


def take(stream, steps):
    return [(x.numpy(), {k: v.numpy() for k, v in y.items()}) for x, y in stream.take(steps)]


def rows_of(batches):
    """Return the planted row of each segment, in order; padding is lower than any row."""
    rows = np.concatenate([segments[:, 0, :, 0].max(axis=1) for segments, _ in batches])
    return rows.round().astype(int)


@pytest.mark.parametrize(("ratio", "others"), [(0.0, 0), (0.25, 2), (0.5, 4), (0.75, 6), (0.95, 7)])
def test_the_auxiliary_ratio_is_the_share_of_a_batch(primary, auxiliary, build, ratio, others):
    data = replace(DATA, auxiliary_ratio=ratio)
    steps = steps_per_epoch([primary], data, 8, mixed=True)
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
    steps = steps_per_epoch([primary, second], DATA, BATCH, mixed=False)
    rows = rows_of(take(build([primary, second]), steps))
    expected = dict(enumerate(SEGMENTS)) | dict.fromkeys(range(20, 25), 2)
    assert Counter(rows[:33]) == expected


@pytest.mark.parametrize("data", [DATA, STREAMED], ids=["cached", "streamed"])
def test_epochs_that_need_few_auxiliary_rows_take_others_each_time(primary, marked, build, data):
    # four rows an epoch of 30, with a buffer far smaller than the corpus
    few = replace(primary, rows=np.array([1, 7, 10, 0]))
    others = marked("others", [LENGTH] * 30, first=100, shards=15)
    data = replace(data, shuffle_segments=4)
    steps = steps_per_epoch([few], data, 8, mixed=True)
    assert steps == 1
    rows = rows_of(take(build([few], [others], data, batch_size=8), 60))
    assert {row for row in rows if row >= 100} == set(range(100, 130))
