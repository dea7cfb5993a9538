"""The front end against independent computations."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
import scipy.signal
import soundfile
import tiny
from sounds import RATE_HZ, frequency_of, noise, tone

from ser_aae.config import FrontEndConfig
from ser_aae.frontend import signal_to_spectrogram
from ser_aae.frontend.segments import num_segments, segment_starts
from ser_aae.frontend.silence import is_silent, loudest_db, remove_silence, speech_intervals
from ser_aae.frontend.spectrogram import (
    band_frequencies_hz,
    band_weights,
    log_spectrogram,
    num_frames,
    pack_bands,
    shift_samples,
    unpack_bands,
    window_samples,
)

MEL = FrontEndConfig()
LINEAR = FrontEndConfig(scale="linear")


class TestSpectrogram:
    """`log_spectrogram`, cross-checked with scipy and librosa."""

    def test_linear_agrees_with_scipy(self):
        signal = noise(0.8)
        _, _, power = scipy.signal.spectrogram(
            signal.astype(np.float64), RATE_HZ, ("hamming"), nperseg=400, noverlap=240, nfft=512,
            detrend=False, scaling="spectrum", mode="psd",
        )  # fmt: skip
        window = scipy.signal.get_window("hamming", 400)
        # scipy divides by the window's sum and doubles for the negative frequencies
        power *= window.sum() ** 2
        power[1:-1] /= 2
        pairs = (power[1::2] + power[2::2]) / 2

        np.testing.assert_allclose(
            log_spectrogram(signal, LINEAR), 10 * np.log10(pairs.T), atol=2e-3
        )

    def test_mel_agrees_with_librosa(self):
        import librosa

        signal = noise(0.8)
        frames = np.stack([signal[start : start + 400] for start in range(0, 12800 - 399, 160)])
        window = scipy.signal.get_window("hamming", 400)
        spectrum = np.abs(np.fft.rfft(frames.astype(np.float64) * window, 512)) ** 2
        # the lowest triangles hold no FFT bin and are filled by the front end: leave them out
        filters = librosa.filters.mel(sr=RATE_HZ, n_fft=512, n_mels=128, norm=None)[40:]
        wanted = 10 * np.log10(spectrum @ filters.T)

        got = log_spectrogram(signal, MEL)
        assert got.shape == (len(frames), 128)
        np.testing.assert_allclose(got[:, 40:], wanted, atol=2e-3)

    @pytest.mark.parametrize(
        "changes", [{}, {"bins": 32}, {"sample_rate_hz": 1600}, {"scale": "linear"}]
    )
    def test_bands_that_were_packed_are_the_same_to_the_bit(self, changes):
        config = replace(MEL, **changes)
        packed = json.loads(json.dumps(pack_bands(band_weights(config))))
        bands = unpack_bands(packed, config)
        assert bands.dtype == np.float32
        np.testing.assert_array_equal(bands, band_weights(config))
        signal = noise(0.5)
        wanted = log_spectrogram(signal, config)
        np.testing.assert_array_equal(log_spectrogram(signal, config, bands), wanted)

    @pytest.mark.parametrize(
        ("band", "message"),
        [
            ((-1, (0.5,)), "expected FFT bins 0 to 256, found 1 from -1"),
            ((256, (0.5, 0.5)), "expected FFT bins 0 to 256, found 2 from 256"),
            ((3, ()), "expected FFT bins 0 to 256, found 0 from 3"),
            ((3, (0.0,)), "one over 0 in each band"),
            *((((3, (value,)), "weights from 0 to 1")) for value in (-0.5, 1.5, np.nan, 1e300)),
        ],
    )
    def test_bands_that_cannot_be_are_refused(self, band, message):
        config = replace(MEL, bins=32)
        first, *others = pack_bands(band_weights(config))
        with pytest.raises(ValueError, match=message):
            unpack_bands((band, *others), config)
        with pytest.raises(ValueError, match="expected 32, found 31"):
            unpack_bands(tuple(others), config)
        assert unpack_bands((first, *others), config).shape == (257, 32)

    @pytest.mark.parametrize("frequency_hz", [250.0, 1000.0, 3000.0, 7000.0])
    @pytest.mark.parametrize("config", [MEL, LINEAR], ids=["mel", "linear"])
    def test_a_tone_falls_in_its_band(self, config, frequency_hz):
        loudest = log_spectrogram(tone(frequency_hz), config).mean(axis=0).argmax()

        centres_hz = band_frequencies_hz(config)
        nearest = np.abs(centres_hz - frequency_hz).argmin()
        assert abs(int(loudest) - int(nearest)) <= 1

    def test_linear_bands_are_62_5_hz_wide(self):
        centres_hz = band_frequencies_hz(LINEAR)

        np.testing.assert_allclose(np.diff(centres_hz), 62.5)
        assert centres_hz[0] == pytest.approx(46.875)
        assert log_spectrogram(tone(1000.0), LINEAR).mean(axis=0).argmax() in (15, 16)

    def test_mel_bands_rise_and_none_is_deaf(self):
        centres_hz = band_frequencies_hz(MEL)
        spectrogram = log_spectrogram(noise(2.0), MEL)

        assert (np.diff(centres_hz) > 0).all()
        assert 0 < centres_hz[0] < centres_hz[-1] < 8000
        assert (spectrogram.max(axis=0) > spectrogram.max() - 40).all()

    def test_twice_the_amplitude_is_six_decibel(self):
        signal = noise(level=0.05)
        louder = log_spectrogram(2 * signal, MEL) - log_spectrogram(signal, MEL)

        np.testing.assert_allclose(louder, 20 * np.log10(2), atol=1e-3)

    @pytest.mark.parametrize("floor_db", [80.0, 50.0])
    def test_floor_lies_under_the_peak(self, floor_db):
        signal = np.concatenate([tone(1000.0, 0.5), np.zeros(8000, np.float32)])
        spectrogram = log_spectrogram(signal, replace(MEL, floor_db=floor_db))

        assert spectrogram.max() - spectrogram.min() == pytest.approx(floor_db, abs=1e-3)
        np.testing.assert_allclose(spectrogram[-10:], spectrogram.min())

    def test_frame_begins_at_its_shift(self):
        signal = np.full(RATE_HZ, 1e-4, np.float32)
        signal[5000] = 1.0  # frames t with 160 t <= 5000 < 160 t + 400
        loud = np.flatnonzero(log_spectrogram(signal, LINEAR).mean(axis=1) > -40)

        assert loud.tolist() == [t for t in range(98) if 160 * t <= 5000 < 160 * t + 400]

    def test_type_and_shape(self):
        spectrogram = log_spectrogram(noise(0.5), MEL)

        assert spectrogram.dtype == np.float32
        assert spectrogram.shape == (num_frames(8000, MEL), 128)


class TestFrames:
    """The arithmetic of samples, frames and segments."""

    @pytest.mark.parametrize(
        ("samples", "frames"),
        [(1, 1), (399, 1), (400, 1), (559, 1), (560, 2), (719, 2), (720, 3), (16000, 98)],
    )
    def test_whole_windows_only_and_at_least_one(self, samples, frames):
        assert num_frames(samples, MEL) == frames
        assert len(log_spectrogram(np.ones(samples, np.float32), MEL)) == frames

    def test_window_and_shift_follow_the_rate(self):
        config = FrontEndConfig(sample_rate_hz=8000, window_ms=32.0, shift_ms=8.0)

        assert (window_samples(config), shift_samples(config)) == (256, 64)
        assert (window_samples(MEL), shift_samples(MEL)) == (400, 160)

    @pytest.mark.parametrize(
        ("frames", "segments"), [(1, 1), (256, 1), (257, 2), (384, 2), (385, 3), (512, 3)]
    )
    def test_segments_cover_the_last_frame(self, frames, segments):
        starts = segment_starts(frames, 256, 128)

        assert num_segments(frames, 256, 128) == len(starts) == segments
        assert starts[-1] + 256 >= frames
        assert (np.diff(starts) == 128).all()
        assert starts[-1] == 0 or starts[-2] + 256 < frames

    @pytest.mark.parametrize(
        ("frames", "starts"),
        [
            (1, [0, 0, 0, 0]),
            (160, [0, 40, 80, 120]),
            (258, [0, 64, 129, 193]),
            (512, [0, 128, 256, 384]),
            (640, [0, 128, 256, 384]),  # as many tile it
            (641, [0, 128, 256, 384, 512]),
        ],
    )
    def test_a_short_utterance_is_gone_round_evenly(self, frames, starts):
        assert segment_starts(frames, 256, 128, 4).tolist() == starts
        assert num_segments(frames, 256, 128, 4) == len(starts)
        covered = (np.array(starts)[:, None] + np.arange(256)).ravel() % frames
        assert set(covered) == set(range(frames))


class TestSilence:
    """Removal of pauses."""

    def test_a_pause_is_removed(self):
        pause = noise(0.6, level=1e-5)
        signal = np.concatenate([tone(300.0, 0.5), pause, tone(500.0, 0.5)])

        kept = remove_silence(signal, MEL)

        assert len(kept) == pytest.approx(RATE_HZ, abs=2 * 400)
        assert frequency_of(kept[: RATE_HZ // 2 - 800]) == pytest.approx(300, abs=5)
        assert frequency_of(kept[RATE_HZ // 2 + 800 :]) == pytest.approx(500, abs=5)

    def test_speech_without_a_pause_is_kept(self):
        assert len(remove_silence(tone(300.0), MEL)) == RATE_HZ

    def test_the_threshold_decides(self):
        quiet = tone(300.0, 0.5, amplitude=0.5 * 10 ** (-35 / 20))
        signal = np.concatenate([tone(300.0, 0.5), quiet])

        assert len(remove_silence(signal, MEL)) < 9000
        assert len(remove_silence(signal, replace(MEL, silence_db=40.0))) == RATE_HZ

    @pytest.mark.parametrize("samples", [1, 300, 400, 12345, 80_000])
    @pytest.mark.parametrize("window_ms", [25.0, 25.0625])
    def test_pauses_and_levels_are_those_of_librosa_to_the_bit(self, samples, window_ms):
        import librosa

        config = replace(MEL, window_ms=window_ms)
        length, shift = window_samples(config), shift_samples(config)
        draw = np.random.default_rng(samples)
        loudness = np.repeat(draw.choice([1e-3, 0.02, 1.0], samples // 900 + 1), 900)[:samples]
        signal = (loudness * draw.normal(0, 0.1, samples)).astype(np.float32)
        for top_db in (15.0, 30.0, 60.0):
            wanted = librosa.effects.split(
                signal, top_db=top_db, frame_length=length, hop_length=shift
            )
            found = speech_intervals(signal, replace(config, silence_db=top_db))
            np.testing.assert_array_equal(found, wanted)
        level = librosa.feature.rms(y=signal, frame_length=length, hop_length=shift).max()
        assert loudest_db(signal, config) == float(20 * np.log10(max(level, 1e-5)))

    def test_digital_silence_is_kept_whole(self):
        silent = np.zeros(8000, np.float32)

        assert is_silent(silent)
        assert len(remove_silence(silent, MEL)) == 8000
        spectrogram = signal_to_spectrogram(silent, MEL)
        assert np.isfinite(spectrogram).all()
        assert len(spectrogram) == num_frames(8000, MEL)

    def test_quiet_speech_is_not_digital_silence(self):
        assert not is_silent(tone(300.0, amplitude=1e-4))


OTHER_VALUES = {
    "sample_rate_hz": 8000,
    "remove_offset": False,
    "remove_silence": False,
    "silence_db": 15.0,
    "speech_detector": "silero",
    "window_ms": 20.0,
    "shift_ms": 5.0,
    "fft_size": 1024,
    "bins": 64,
    "scale": "linear",
    "floor_db": 20.0,
}


def test_other_values_are_given_for_every_field():
    assert set(OTHER_VALUES) == {field.name for field in fields(FrontEndConfig)}


@pytest.mark.parametrize(("field", "value"), OTHER_VALUES.items())
def test_every_field_changes_the_outcome(field, value, tmp_path):
    loudness = np.repeat([1.0, 0.1, 0.0, 0.5], RATE_HZ // 4).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", (noise(1.0) + tone(800.0)) * loudness / 2, RATE_HZ)
    other = replace(MEL, **{field: value})

    before = tiny.recording_to_spectrogram(tmp_path / "a.wav", MEL)
    after = tiny.recording_to_spectrogram(tmp_path / "a.wav", other)

    assert before.shape != after.shape or not np.allclose(before, after)
    assert other.digest() != MEL.digest()


def test_a_recording_is_its_signal(tmp_path):
    signal = noise(0.5)
    soundfile.write(tmp_path / "a.wav", signal, RATE_HZ, subtype="FLOAT")

    np.testing.assert_array_equal(
        tiny.recording_to_spectrogram(tmp_path / "a.wav", MEL), signal_to_spectrogram(signal, MEL)
    )
