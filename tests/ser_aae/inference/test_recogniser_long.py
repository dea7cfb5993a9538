"""Long recordings, without a network: which block, which step, which window is asked for."""

import numpy as np
import pytest

from ser_aae.config import FrontEndConfig
from ser_aae.frontend import blocks
from ser_aae.inference.recogniser import BATCH, Recogniser
from ser_aae.inference.signature import SPECTROGRAM, WAVEFORM, Signature

RATE_HZ = 16000
FRONTEND = FrontEndConfig(bins=32, scale="linear")


class Listener:
    """A model whose posterior of `loud` is the mean level of what it is given."""

    def __init__(self):
        self.shapes = []

    def __call__(self, given):
        self.shapes.append(given.shape)
        level = given.reshape(len(given), -1).mean(axis=1)
        return {"emotion": np.stack([level, -level], axis=1), "speaker": np.ones((len(given), 1))}


def recogniser(takes=SPECTROGRAM, **changes):
    classes = {"emotion": ("loud", "quiet"), "speaker": ("anna",)}
    about = {"segment_frames": 100, "shift_frames": 50, "fewest_segments": 1, "pad": "repeat"}
    about |= changes
    signature = Signature(takes, FRONTEND, classes=classes, warnings=(), **about)
    return Recogniser(signature, Listener())


def noise(seconds, level=0.1):
    samples = round(seconds * RATE_HZ)
    return np.random.default_rng(0).normal(0, level, samples).astype(np.float32)


@pytest.mark.parametrize("step", [0.5, 0.7, 1.0, 3.0])
def test_steps_cover_a_recording_of_many_blocks_once(monkeypatch, step):
    monkeypatch.setattr(blocks, "BLOCK_S", 2.0)
    monkeypatch.setattr(blocks, "WHOLE_S", 2.0 * 1.5)
    found = recogniser()(noise(7.3), RATE_HZ, timeline_seconds=step)
    starts = [moment.start_s for moment in found.timeline]
    np.testing.assert_allclose(starts, np.arange(0, 7.3, step))
    ends = [moment.end_s for moment in found.timeline]
    np.testing.assert_allclose(ends, np.minimum(np.arange(0, 7.3, step) + step, 7.3))
    assert not any(moment.silent for moment in found.timeline)


def test_an_hour_has_a_posterior_every_second(monkeypatch):
    # a tenth of the rate is a tenth of the work
    low = FrontEndConfig(sample_rate_hz=1600, bins=16, fft_size=64, scale="linear")
    signature = Signature(SPECTROGRAM, low, 100, 50, 4, "repeat", {"emotion": ("a", "b")}, ())
    listener = Listener()
    signal = np.tile(noise(10.0)[: 60 * 1600], 60)
    found = Recogniser(signature, listener)(signal, 1600, timeline_seconds=1.0)
    assert found.duration_s == 3600
    assert len(found.timeline) == 3600
    # 360 blocks of 998 frames, in batches that do not grow
    assert found.segments == 360 * (1 + -(-(998 - 100) // 50))
    assert max(shape[0] for shape in listener.shapes) <= BATCH
    assert {shape[1:] for shape in listener.shapes} == {(100, 16)}


@pytest.mark.parametrize("takes", [SPECTROGRAM, WAVEFORM])
def test_a_block_counts_by_what_would_tile_it(monkeypatch, takes):
    """Not by its segments, of which one with little speech has nearly as many."""
    monkeypatch.setattr(blocks, "BLOCK_S", 2.0)
    monkeypatch.setattr(blocks, "WHOLE_S", 2.0)
    heard = recogniser(takes, fewest_segments=4)
    pause = np.zeros(24000, np.float32)
    signal = np.concatenate([noise(4.0, 0.1), noise(0.5, 0.05), pause])
    parts = [signal[:32000], signal[32000:64000], signal[64000:]]
    whole = heard(signal, RATE_HZ)
    each = [heard(part, RATE_HZ) for part in parts]
    assert [part.segments for part in each] == [4, 4, 4]
    assert whole.segments == 12
    levels = [part.posteriors["emotion"]["loud"] for part in each]
    wanted = np.average(levels, weights=[3, 3, 1])  # of 198 and some 50 frames, by 100 every 50
    assert whole.posteriors["emotion"]["loud"] == pytest.approx(wanted, rel=1e-3)
    assert wanted != pytest.approx(np.mean(levels), rel=1e-2)


def test_steps_of_a_short_recording_share_its_one_window():
    listener = recogniser()
    found = listener(noise(0.9), RATE_HZ, timeline_seconds=0.3)
    assert len({moment.posteriors["emotion"]["loud"] for moment in found.timeline}) == 1
    # the whole once, the steps once
    assert listener.forward.shapes == [(1, 100, 32)] * 2


def test_no_timeline_costs_nothing():
    listener = recogniser()
    assert listener(noise(3.0), RATE_HZ).timeline == ()
    assert listener.forward.shapes == [(5, 100, 32)]


def test_steps_follow_the_level_over_a_pause():
    loud, quiet = noise(2.0, 0.1), noise(2.0, 0.02)
    pause = np.zeros(RATE_HZ, np.float32)
    found = recogniser()(np.concatenate([loud, pause, quiet]), RATE_HZ, timeline_seconds=1.0)
    assert [moment.silent for moment in found.timeline] == [False, False, True, False, False]
    levels = [m.posteriors["emotion"]["loud"] for m in found.timeline if not m.silent]
    assert levels == sorted(levels, reverse=True)
    # 14 dB are between them, and the outermost windows lie on one side
    assert levels[0] - levels[-1] == pytest.approx(13.98, abs=0.5)
    assert list(found.timeline[0].posteriors) == ["emotion"]


def test_a_step_with_little_speech_is_silent():
    signal = np.zeros(3 * RATE_HZ, np.float32)
    signal[:RATE_HZ] = noise(1.0)
    signal[2 * RATE_HZ : 2 * RATE_HZ + 640] = noise(0.04)
    found = recogniser()(signal, RATE_HZ, timeline_seconds=1.0)
    assert [moment.silent for moment in found.timeline] == [False, True, True]


def test_a_model_of_waveforms_gets_blocks_whole_and_steps_as_windows(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_S", 2.0)
    monkeypatch.setattr(blocks, "WHOLE_S", 2.0 * 1.5)
    listener = recogniser(WAVEFORM)
    found = listener(noise(4.0), RATE_HZ, timeline_seconds=2.0)
    window = 99 * 160 + 400
    assert listener.forward.shapes == [(1, 32000), (1, window)] * 2
    assert found.segments == 2 * (1 + -(-(198 - 100) // 50))
    assert found.posteriors["speaker"] == {"anna": 1.0}


@pytest.mark.parametrize("samples", [2, 10, 400])
def test_a_recording_of_a_few_samples_has_an_answer(samples):
    found = recogniser()(noise(1.0)[:samples], RATE_HZ, timeline_seconds=1.0)
    assert found.segments == 1
    assert len(found.timeline) == 1
    assert np.isfinite(found.posteriors["emotion"]["loud"])


@pytest.mark.parametrize("takes", [SPECTROGRAM, WAVEFORM])
def test_an_offset_of_its_own_in_each_block_is_no_sound(monkeypatch, takes):
    monkeypatch.setattr(blocks, "BLOCK_S", 2.0)
    monkeypatch.setattr(blocks, "WHOLE_S", 2.0 * 1.5)
    each = np.concatenate([noise(1.0), noise(1.0, 1e-4)])
    each -= each.mean()
    plain = np.concatenate([each, each, 1e-3 * each])
    offsets = np.repeat(np.float32([0.01, -0.02, 0.03]), 2 * RATE_HZ)
    heard = recogniser(takes)
    if takes == WAVEFORM:  # whose graph removes the offset itself
        heard.forward = lambda given: Listener()(given - given.mean())
    found = heard(plain + offsets, RATE_HZ, timeline_seconds=1.0)
    wanted = heard(plain, RATE_HZ, timeline_seconds=1.0)
    assert [moment.silent for moment in found.timeline] == [False, True] * 2 + [True] * 2
    assert found.speech_s == wanted.speech_s == pytest.approx(2.0, abs=0.1)
    level = wanted.posteriors["emotion"]["loud"]
    assert found.posteriors["emotion"]["loud"] == pytest.approx(level, abs=0.02)


@pytest.mark.parametrize("value", [0.01, -0.5])
def test_an_offset_alone_is_silence(value):
    listener = recogniser()
    assert listener(np.full(RATE_HZ, value, np.float32), RATE_HZ).silent
    assert listener(np.full(1, value, np.float32), RATE_HZ).silent
    assert listener.forward.shapes == []


def test_a_recording_of_silent_blocks_alone_is_silent(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_S", 1.0)
    monkeypatch.setattr(blocks, "WHOLE_S", 1.0 * 1.5)
    listener = recogniser()
    found = listener(np.full(3 * RATE_HZ, 1e-6, np.float32), RATE_HZ, timeline_seconds=1.0)
    assert found.silent
    assert found.speech_s == 0.0
    assert found.duration_s == 3.0
    assert listener.forward.shapes == []
