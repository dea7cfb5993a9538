"""Pauses of a recording: posteriors and voices leave out the same ones."""

import numpy as np
import pytest
import soundfile

from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.frontend.segments import segment_starts
from ser_aae.frontend.spectrogram import log_spectrogram
from ser_aae.inference.recogniser import Recogniser
from ser_aae.inference.signature import D_VECTOR, SPECTROGRAM, WAVEFORM, Signature
from ser_aae.inference.voices import Voices

RATE_HZ = 16000
FRONTEND = FrontEndConfig(bins=32, scale="linear")


def level(given):
    """A network: its posterior and its d-vector are the mean level of what it is given."""
    mean = given.reshape(len(given), -1).mean(axis=1)
    return {"emotion": np.stack([mean, -mean], axis=1), D_VECTOR: mean[:, None]}


def recogniser(takes=SPECTROGRAM, forward=level):
    classes = {"emotion": ("loud", "quiet")}
    return Recogniser(Signature(takes, FRONTEND, 100, 50, 1, "repeat", classes, ()), forward)


def noise(seconds, level_db):
    draw = np.random.default_rng(0).normal(0, 10 ** (level_db / 20), round(seconds * RATE_HZ))
    return draw.astype(np.float32)


def levels_of(path):
    """Return what one says as posterior, the other as d-vector."""
    recognition = recogniser().recognise_file(path)
    (vector,) = Voices(recogniser(), "0123456789abcdef").d_vector(path)
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
    signal = np.concatenate([noise(20, -20), noise(25, -30)])
    found = recogniser()(signal, RATE_HZ, 1.0)
    assert list(found.posteriors) == ["emotion"]
    assert found.posteriors["emotion"]["loud"] == found.d_vector[0]
    assert len(found.timeline) == 45
    assert {tuple(moment.posteriors) for moment in found.timeline} == {("emotion",)}
    assert "d_vector" not in found.to_dict()


@pytest.mark.parametrize("takes", [SPECTROGRAM, WAVEFORM])
def test_observers_get_every_block_and_where_it_ends(tmp_path, takes):
    signal = np.concatenate([noise(20, -20), np.zeros(24 * RATE_HZ, np.float32)])
    soundfile.write(tmp_path / "a.wav", signal, RATE_HZ, "FLOAT")
    seen = []
    found = recogniser(takes).recognise_file(
        tmp_path / "a.wav", observe=lambda block, end_s: seen.append((len(block.signal), end_s))
    )
    assert [end_s for _, end_s in seen] == [10.0, 20.0, 30.0, 44.0]
    assert sum(samples for samples, _ in seen) == len(signal)
    assert found.duration_s == 44.0
    assert found.segments == 2 * len(segment_starts(998, 100, 50))


def test_of_all_silence_there_is_no_output():
    signal = np.zeros(50 * RATE_HZ, np.float32)
    found = recogniser(forward=lambda _: pytest.fail("asked"))(signal, RATE_HZ, 10.0)
    assert found.posteriors == {}
    assert found.d_vector is None
    assert [moment.posteriors for moment in found.timeline] == [{}] * 5


def test_a_step_that_cannot_be_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(UserError, match="expected a step"):
        recogniser().recognise_file(tmp_path / "absent.wav", 11.0)
