"""Reading recordings: rates, channels, parts, and every error."""

import errno
import os
import re

import numpy as np
import pytest
import soundfile
from sounds import RATE_HZ, frequency_of, noise, read_mono, tone

from ser_aae.errors import UserError
from ser_aae.frontend import audio
from ser_aae.frontend.audio import change_rate, describe_header, read_audio, read_header
from ser_aae.frontend.blocks import file_blocks
from ser_aae.frontend.channels import average_channels
from ser_aae.frontend.mp3 import PIECE, read_between


def test_channels_are_averaged(tmp_path):
    stereo = np.stack([tone(440.0), np.zeros(RATE_HZ, np.float32)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, RATE_HZ, subtype="FLOAT")

    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", RATE_HZ), tone(440.0) / 2)


@pytest.mark.parametrize("rate_hz", [8000, 24000, 44100, 48000])
def test_resampling_keeps_a_tone(tmp_path, rate_hz):
    soundfile.write(tmp_path / "a.flac", tone(1000.0, rate_hz=rate_hz), rate_hz)

    samples = read_audio(tmp_path / "a.flac", RATE_HZ)

    assert samples.dtype == np.float32
    assert len(samples) == RATE_HZ
    assert frequency_of(samples) == pytest.approx(1000, abs=1)
    assert np.abs(samples[800:-800]).max() == pytest.approx(0.5, abs=0.005)


def test_what_lies_above_the_new_limit_is_gone(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(12000.0, rate_hz=44100), 44100)

    assert np.abs(read_audio(tmp_path / "a.wav", RATE_HZ)[800:-800]).max() < 1e-3


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "AIFF", "AU"])
@pytest.mark.parametrize("channels", [1, 2])
def test_integers_become_the_floats_that_libsndfile_makes_of_them(tmp_path, kind, channels):
    drawn = np.random.default_rng(0).integers(-(2**15), 2**15, (PIECE + 9, channels))
    path = tmp_path / "a.sound"
    soundfile.write(path, drawn.astype(np.int16), RATE_HZ, format=kind, subtype="PCM_16")
    with soundfile.SoundFile(path) as sound:
        found = read_between(sound, 5, PIECE + 7)
    wanted = soundfile.read(path, dtype="float32", always_2d=True)[0]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, wanted[5 : PIECE + 7])


def test_a_part_is_what_lies_there(tmp_path):
    signal = noise(1.0)
    soundfile.write(tmp_path / "a.wav", signal, RATE_HZ, subtype="FLOAT")

    np.testing.assert_array_equal(
        read_audio(tmp_path / "a.wav", RATE_HZ, 0.25, 0.5), signal[4000:8000]
    )
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav", RATE_HZ, 0.75), signal[12000:])
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav", RATE_HZ, 0.9, 5.0), signal[14400:])


def test_a_wav_written_to_a_pipe_promises_no_length(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(440.0), RATE_HZ, subtype="PCM_16")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[4:8] = content[40:44] = b"\xff" * 4
    (tmp_path / "a.wav").write_bytes(content)

    assert len(read_audio(tmp_path / "a.wav", RATE_HZ)) == RATE_HZ


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.caf"])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_cut_short(tmp_path, name, share):
    path = tmp_path / name
    soundfile.write(path, noise(3.0), RATE_HZ, subtype="PCM_16")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])

    with pytest.raises(UserError, match="a\\.") as caught:
        read_audio(path, RATE_HZ)

    assert re.search("cut short|found a damaged file; fetch it again", str(caught.value))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "zero bytes"),
        (b"words\n" * 100, r"libsndfile reads \(.*\), found text .*; install ffmpeg"),
        (b"RIFF\x00\x00", "libsndfile reads"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    ],
)
def test_no_audio(tmp_path, content, message, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # without ffmpeg
    (tmp_path / "a.wav").write_bytes(content)

    with pytest.raises(UserError, match=message):
        read_audio(tmp_path / "a.wav", RATE_HZ)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("notes.txt", b"words\n" * 100, "text"),
        ("table.csv", "file,emotion\nä.wav,anger\n".encode(), "text"),
        ("README", b"words", "text"),
        ("page.html", b"<!doctype html><html></html>", "a web page"),
        ("paper", b"%PDF-1.7\n\0", "a PDF"),
    ],
)
def test_what_is_no_sound_needs_no_other_program(tmp_path, name, content, found, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # without ffmpeg
    (tmp_path / name).write_bytes(content)
    for read in (read_mono, lambda path: list(file_blocks(path, 16000))):
        with pytest.raises(UserError, match=f"expected audio, found {found}; give") as error:
            read(tmp_path / name)
        assert "ffmpeg" not in str(error.value)


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_a_damaged_flac_is_not_taken_for_something_else(tmp_path, place):
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(3.0), RATE_HZ)
    content = path.read_bytes()
    start = int(place * len(content))
    path.write_bytes(content[:start] + bytes(300) + content[start + 300 :])

    with pytest.raises(UserError, match=r"a\.flac: expected audio, found a damaged file; fetch"):
        read_audio(path, RATE_HZ)


def test_a_wav_whose_format_is_damaged(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(1.0), RATE_HZ)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content.replace(b"data", b"dat\0"))

    with pytest.raises(UserError, match="found a damaged file; fetch it again"):
        read_audio(tmp_path / "a.wav", RATE_HZ)


@pytest.mark.parametrize(
    ("name", "place", "message"),
    [
        ("a.wav", 34, "found another one or a damaged header; convert the file, or fetch it again"),
        ("a.aiff", 26, "found another one or a damaged header"),
        ("a.caf", 28, "found another one or a damaged header"),
        ("a.flac", 21, "found a damaged file; fetch it again"),
    ],
)
def test_a_damaged_header_is_not_taken_for_something_else(
    tmp_path, monkeypatch, name, place, message
):
    """libsndfile says of all of these that it lacks the codec."""
    path = tmp_path / name
    soundfile.write(path, noise(1.0), RATE_HZ, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[place] ^= 16
    path.write_bytes(content)

    with pytest.raises(UserError, match=message):
        read_audio(path, RATE_HZ)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=message) as caught:
        list(file_blocks(path, RATE_HZ))
    assert "install ffmpeg" not in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(UserError, match="expected an audio file, found none; check the path"):
        read_audio(tmp_path / "a.wav", RATE_HZ)
    with pytest.raises(UserError, match="found a folder"):
        read_audio(tmp_path, RATE_HZ)


@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"]
)
def test_what_has_no_end_is_not_opened(tmp_path, make):
    path = tmp_path / "a.wav"
    make(path)

    with pytest.raises(UserError, match=r"a\.wav: expected an audio file, found a pipe, a device"):
        read_audio(path, RATE_HZ)
    with pytest.raises(UserError, match="found a pipe, a device"):
        list(file_blocks(path, RATE_HZ))


@pytest.mark.parametrize("seconds", [(0.0, None), (2.0, None), (0.0, 0.0)])
def test_no_samples(tmp_path, seconds):
    length = 0 if seconds == (0.0, None) else RATE_HZ
    soundfile.write(tmp_path / "a.wav", np.zeros(length), RATE_HZ)

    with pytest.raises(UserError, match="found no sample"):
        read_audio(tmp_path / "a.wav", RATE_HZ, *seconds)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(tmp_path, value):
    stereo = np.zeros((RATE_HZ, 2), np.float32)
    stereo[77, 1] = value
    soundfile.write(tmp_path / "a.wav", stereo, RATE_HZ, subtype="FLOAT")

    with pytest.raises(UserError, match="sample 77 is not a finite number"):
        read_audio(tmp_path / "a.wav", RATE_HZ)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("value", [2.0**16 + 1, -1e10, 2e19, 3e38])
def test_samples_that_cannot_be_sound(tmp_path, value, subtype):
    stereo = np.zeros((RATE_HZ, 2))
    stereo[8077, 1] = value
    soundfile.write(tmp_path / "a.wav", stereo, RATE_HZ, subtype=subtype)

    for start_s in (0.0, 0.25):
        with pytest.raises(
            UserError,
            match=rf"a\.wav: sample 8077 is {abs(value):.3g}.* \(at 0\.505 s;".replace("+", r"\+"),
        ):
            read_audio(tmp_path / "a.wav", RATE_HZ, start_s)
    assert not read_audio(tmp_path / "a.wav", RATE_HZ, 0.6).any()


@pytest.mark.parametrize("value", [2.0**16, -(2.0**15), 10.0, 1e-40])
def test_floats_over_full_scale_and_the_smallest_are_sound(tmp_path, value):
    samples = np.full(RATE_HZ, value, np.float32)
    soundfile.write(tmp_path / "a.wav", samples, RATE_HZ, subtype="FLOAT")

    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav", RATE_HZ), samples)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        *[("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("AU", "PCM_16"), ("NIST", "PCM_16")],
        *[("W64", "PCM_16"), ("RF64", "PCM_16"), ("WAV", "GSM610"), ("OGG", "OPUS")],
        ("OGG", "VORBIS"),
    ],
)
def test_each_container_is_read_whole_or_told_as_cut(tmp_path, kind, subtype):
    path = tmp_path / "a.sound"
    soundfile.write(path, noise(2.0), RATE_HZ, format=kind, subtype=subtype)
    content = path.read_bytes()
    assert 0 <= len(read_audio(path, RATE_HZ)) - 2 * RATE_HZ < 320

    for share in (0.6, 0.7, 0.95):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(UserError, match="cut short"):
            read_audio(path, RATE_HZ)


@pytest.mark.parametrize("kind", ["AIFF", "AU"])
@pytest.mark.parametrize("lost", [0, 2, 40])
def test_a_header_that_lies_by_little_is_told_and_the_sound_read(tmp_path, kind, lost):
    path = tmp_path / "a.sound"
    soundfile.write(path, noise(2.0), RATE_HZ, format=kind, subtype="PCM_16")
    content = path.read_bytes()
    assert describe_header(path) == ""
    path.write_bytes(content[: len(content) - lost])
    assert len(read_audio(path, RATE_HZ)) == 2 * RATE_HZ - lost // 2
    told = f"counts {lost} byte(s) of sound too many" if lost else ""
    assert told in describe_header(path)
    assert bool(told) == bool(describe_header(path))


@pytest.mark.parametrize("stated", [0, 30, 1 << 20, 0xFFFFFFFF])
def test_a_wav_whose_sound_is_counted_rightly_needs_no_remark(tmp_path, stated):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1.0), RATE_HZ, subtype="PCM_16")
    content = path.read_bytes()
    path.write_bytes(content[:4] + stated.to_bytes(4, "little") + content[8:])
    assert len(read_audio(path, RATE_HZ)) == RATE_HZ
    assert describe_header(path) == ""


def test_a_recording_that_may_not_be_read(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", noise(0.1), RATE_HZ)

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "a.wav")

    monkeypatch.setattr(audio._ForwardsFile, "__init__", refuse)
    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(UserError, match=r"a\.wav: .*cannot read it: Permission denied"):
        read_audio(tmp_path / "a.wav", RATE_HZ)


@pytest.mark.parametrize("rate_hz", [1, 999])
def test_a_rate_that_no_recording_has(tmp_path, rate_hz):
    soundfile.write(tmp_path / "a.wav", noise(1.0), rate_hz)

    with pytest.raises(UserError, match=f"at least 1000 Hz, the header says {rate_hz}"):
        read_audio(tmp_path / "a.wav", RATE_HZ)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 44100, 48000, 22050.5])
def test_another_rate_is_resampled_as_by_librosa_to_the_bit(rate_hz):
    import librosa

    for samples in (1, 7, 4321):
        draw = np.random.default_rng(samples).normal(0, 0.1, (samples, 1)).astype(np.float32)
        wanted = librosa.resample(
            draw[:, 0], orig_sr=rate_hz, target_sr=RATE_HZ, res_type="soxr_hq"
        )
        np.testing.assert_array_equal(change_rate(average_channels(draw), rate_hz, RATE_HZ), wanted)


# names that soundfile takes for a format


@pytest.mark.parametrize("name", ["a.raw", "a.RAW", "a.xyz", "a.", "a", "a.gsm", "a.pcm"])
def test_a_wav_is_read_by_its_content_whatever_it_is_called(tmp_path, name):
    samples = np.linspace(-0.5, 0.5, 1600, dtype=np.float32)
    soundfile.write(tmp_path / name, samples, 16000, format="WAV", subtype="FLOAT")

    np.testing.assert_array_equal(read_mono(tmp_path / name)[0], samples)
    assert read_header(tmp_path / name).samplerate == 16000
    (block,) = file_blocks(tmp_path / name, 16000)
    np.testing.assert_array_equal(block.signal, samples)


@pytest.mark.parametrize("name", ["a.raw", "a.xyz", "a"])
def test_samples_without_a_header_are_refused_by_name(tmp_path, name, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # without ffmpeg
    (tmp_path / name).write_bytes(np.arange(16000, dtype="<i2").tobytes())

    for read in (read_mono, lambda path: list(file_blocks(path, 16000))):
        with pytest.raises(
            UserError, match=rf"{name}: expected audio that libsndfile reads"
        ) as error:
            read(tmp_path / name)
        assert "object at" not in str(error.value)


@pytest.mark.parametrize("fault", [TypeError("no rate"), ValueError("unknown format")])
def test_what_soundfile_refuses_by_another_error_is_a_users_mistake(tmp_path, fault, monkeypatch):
    soundfile.write(tmp_path / "a.wav", np.zeros(1600), 16000)

    def refuse(*_, **__):
        raise fault

    monkeypatch.setattr("soundfile.SoundFile._open", refuse)
    monkeypatch.setenv("PATH", str(tmp_path))  # without ffmpeg
    for read in (read_mono, read_header, lambda path: list(file_blocks(path, 16000))):
        with pytest.raises(UserError, match=r"a\.wav: expected audio that libsndfile reads"):
            read(tmp_path / "a.wav")
