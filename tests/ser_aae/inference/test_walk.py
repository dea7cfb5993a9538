"""One walk for whoever asks: posteriors and voices leave out the same pauses."""

import numpy as np
import pytest
import soundfile

from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.frontend.segments import segment_starts
from ser_aae.frontend.spectrogram import log_spectrogram
from ser_aae.inference.recogniser import Recogniser
from ser_aae.inference.signature import SPECTROGRAM, WAVEFORM, Description
from ser_aae.inference.voices import Voices
from ser_aae.inference.walk import D_VECTOR, Walker

RATE_HZ = 16000
FRONTEND = FrontEndConfig(bins=32, scale="linear")


def level(given):
    """A network: its posterior and its d-vector are the mean level of what it is given."""
    mean = given.reshape(len(given), -1).mean(axis=1)
    return {"emotion": np.stack([mean, -mean], axis=1), D_VECTOR: mean[:, None]}


def walker(takes=SPECTROGRAM, forward=level):
    classes = {"emotion": ("loud", "quiet")}
    return Walker(Description(takes, FRONTEND, 100, 50, 1, "repeat", classes, ()), forward)


def noise(seconds, level_db):
    draw = np.random.default_rng(0).normal(0, 10 ** (level_db / 20), round(seconds * RATE_HZ))
    return draw.astype(np.float32)


def levels_of(path):
    """Return what one says as posterior, the other as d-vector."""
    recognition = Recogniser(walker()).recognise_file(path)
    (vector,) = Voices(walker(), "0123456789abcdef").d_vector(path)
    return recognition.posteriors["emotion"]["loud"], vector


def test_background_between_words_is_no_voice(tmp_path):
    loud, background = noise(20, -20), noise(40, -80)
    soundfile.write(tmp_path / "a.wav", np.concatenate([loud, background]), RATE_HZ, "FLOAT")
    soundfile.write(tmp_path / "loud.wav", loud, RATE_HZ, "FLOAT")
    posterior, vector = levels_of(tmp_path / "a.wav")
    assert vector == posterior
    assert vector == pytest.approx(levels_of(tmp_path / "loud.wav")[1], abs=0.1)


def test_background_comes_before_what_it_is_measured_by(tmp_path):
    """The loudest block is the last, and one between is only just no pause."""
    parts = [noise(20, -80), noise(20, -45), noise(10, -20)]
    soundfile.write(tmp_path / "a.wav", np.concatenate(parts), RATE_HZ, "FLOAT")
    posterior, vector = levels_of(tmp_path / "a.wav")
    assert vector == posterior
    alone = [log_spectrogram(part, FRONTEND).mean() for part in parts]
    assert vector == pytest.approx((2 * alone[1] + alone[2]) / 3, abs=0.1)


def test_every_output_is_a_weighted_mean_and_steps_are_of_tasks_alone():
    walk = walker().walk_samples(np.concatenate([noise(20, -20), noise(25, -30)]), RATE_HZ, 1.0)
    assert set(walk.means) == {"emotion", D_VECTOR}
    np.testing.assert_array_equal(walk.means["emotion"][0], walk.means[D_VECTOR][0])
    assert len(walk.steps) == 45
    assert {tuple(step.outputs) for step in walk.steps} == {("emotion",)}


@pytest.mark.parametrize("takes", [SPECTROGRAM, WAVEFORM])
def test_observers_get_every_block_and_where_it_ends(tmp_path, takes):
    signal = np.concatenate([noise(20, -20), np.zeros(24 * RATE_HZ, np.float32)])
    soundfile.write(tmp_path / "a.wav", signal, RATE_HZ, "FLOAT")
    seen = []
    walk = walker(takes).walk_file(
        tmp_path / "a.wav", observe=lambda block, end_s: seen.append((len(block.signal), end_s))
    )
    assert [end_s for _, end_s in seen] == [10.0, 20.0, 30.0, 44.0]
    assert sum(samples for samples, _ in seen) == len(signal)
    assert walk.duration_s == 44.0
    assert walk.segments == 2 * len(segment_starts(998, 100, 50))


def test_of_all_silence_there_is_no_output():
    walk = walker(forward=lambda _: pytest.fail("asked")).walk_samples(
        np.zeros(50 * RATE_HZ, np.float32), RATE_HZ, 10.0
    )
    assert walk.means == {}
    assert [step.outputs for step in walk.steps] == [{}] * 5


def test_a_step_that_cannot_be_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(UserError, match="expected a step"):
        walker().walk_file(tmp_path / "absent.wav", 11.0)
