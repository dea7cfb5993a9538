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


def test_only_the_rows_of_the_part_count(part):
    assert Part(part.corpus, np.array([1, 3]), {}).num_segments(64, 64) == 1 + 3
    assert Part(part.corpus, np.array([], np.int64), {}).num_segments(64, 64) == 0
