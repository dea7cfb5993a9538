import numpy as np
import pytest

from ser_aae.parts import Part


@pytest.fixture
def part(tmp_path, speakers_of, write_corpus):
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
