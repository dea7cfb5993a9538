"""Parts of a corpus: rows, labels, and counts of segments."""

import numpy as np
import pytest
from tiny import speakers_of, write_corpus

from ser_aae.data.part import Part, Pool


@pytest.fixture
def part(tmp_path):
    """Four utterances of one frame, a segment less one, a segment, and 150 frames."""
    utterances = speakers_of("parts", speakers=1, each=1)
    sounds = [np.zeros((frames, 32), np.float32) for frames in (1, 63, 64, 150)]
    corpus = write_corpus(tmp_path, utterances, sounds)
    return Part(corpus, np.arange(4), {})


@pytest.mark.parametrize(
    ("segment_frames", "shift_frames", "expected"),
    [(64, 64, 1 + 1 + 1 + 3), (64, 32, 1 + 1 + 1 + 4), (32, 32, 1 + 2 + 2 + 5), (150, 150, 4)],
)
def test_windows_cover_every_frame(part, segment_frames, shift_frames, expected):
    assert part.num_segments(segment_frames, shift_frames) == expected


@pytest.mark.parametrize(("fewest", "expected"), [(1, 1 + 1 + 1 + 4), (2, 6 + 4), (5, 4 * 5)])
def test_each_utterance_has_the_fewest_windows(part, fewest, expected):
    assert part.num_segments(64, 32, fewest) == expected


def test_only_the_rows_of_the_part_count(part):
    assert Part(part.corpus, np.array([1, 3]), {}).num_segments(64, 64) == 1 + 3
    assert Part(part.corpus, np.array([], np.int64), {}).num_segments(64, 64) == 0


def test_an_epoch_is_as_long_as_the_part_unless_it_is_said(part):
    assert part.epoch_segments(64) == part.num_segments(64, 64) == 6
    few = Part(part.corpus, np.array([0]), {}, epoch_rows=np.array([0, 3]))
    assert few.num_segments(64, 64) == 1
    assert few.epoch_segments(64) == 1 + 3


def test_the_labelled_rows_make_epochs_as_long_as_all_of_them(part):
    labels = {"emotion": np.array([-1, 2, 0, -1]), "gender": np.array([0, 1, 0, -1])}
    whole = Part(part.corpus, np.array([0, 1, 3]), labels)
    labelled = whole.labelled("emotion")
    assert labelled.rows.tolist() == [1]
    assert labelled.labels is labels
    assert labelled.epoch_segments(64) == whole.epoch_segments(64) == 5
    # of these again: an epoch stays as long as that of the first
    assert labelled.labelled("gender") is labelled
    both = whole.labelled("gender").labelled("emotion")
    assert (both.rows.tolist(), both.epoch_segments(64)) == ([1], 5)


def test_a_part_whose_rows_all_have_a_label_stays_as_it_is(part):
    whole = Part(part.corpus, np.array([1, 2]), {"emotion": np.array([-1, 2, 0, -1])})
    assert whole.labelled("emotion") is whole


@pytest.fixture
def pool(part, tmp_path):
    """Three utterances of one corpus, none of a second, two of a third."""
    corpora = [part.corpus]
    for name in ("none", "second"):
        utterances = speakers_of(name, speakers=1, each=1)
        corpora.append(write_corpus(tmp_path, utterances, [np.zeros((9, 32), np.float32)] * 4))
    return Pool(tuple(corpora), (np.array([0, 2, 3]), np.array([], np.int64), np.array([1, 2])))


def test_a_pool_numbers_the_utterances_of_several_corpora(pool):
    first, _, second = pool.corpora
    expected = [*(first.utterances[row] for row in (0, 2, 3)), *second.utterances[1:3]]
    assert list(pool.utterances) == expected


def test_rows_of_a_pool_become_a_part_of_each_corpus_that_has_some(pool):
    labels = {"emotion": np.array([5, 6, 7, 8, 9])}
    one, two = pool.parts(labels, (0, 2, 4))
    assert [one.corpus, two.corpus] == [pool.corpora[0], pool.corpora[2]]
    assert (one.rows.tolist(), two.rows.tolist()) == ([0, 3], [2])
    # the labels are those of the corpus, and all that lies outside the pool has none
    assert one.labels["emotion"].tolist() == [5, -1, 6, 7]
    assert two.labels["emotion"].tolist() == [-1, 8, 9, -1]
    assert one.labels["emotion"].dtype == np.int32
    assert [*one.utterances, *two.utterances] == [pool.utterances[row] for row in (0, 2, 4)]


def test_all_of_a_pool_none_of_it_and_a_pool_of_nothing(pool):
    labels = {"emotion": np.arange(5)}
    assert [part.rows.tolist() for part in pool.parts(labels)] == [[0, 2, 3], [1, 2]]
    assert [part.rows.tolist() for part in pool.parts(labels, [3])] == [[1]]
    assert pool.parts(labels, ()) == []
    assert Pool((), ()).parts({"emotion": np.array([])}) == []
