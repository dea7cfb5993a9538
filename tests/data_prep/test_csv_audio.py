"""Tables of recordings in other containers than WAV, by any path, whole and in parts."""

import numpy as np
import pytest
import soundfile
from corpus_layouts.sound import tone

from data_prep.csv_table import read_table
from ser_aae.errors import UserError
from ser_aae.frontend.audio import MP3_LEAD_S, read_audio

RATE_HZ = 24000
SECONDS = 6.0
CONTAINERS = ("flac", "mp3", "ogg", "wav")


def voice(rate_hz=RATE_HZ, seconds=SECONDS):
    """Return a tone that swells from second to second, with noise in every other one."""
    samples = tone(seconds=seconds, rate_hz=rate_hz, frequency_hz=300)
    second = np.arange(samples.size) // rate_hz
    noise = np.random.default_rng(0).normal(size=samples.size) * 0.05
    return samples * (1 + second) / seconds + noise * (second % 2)


def listed(folder, file, times=""):
    """Return the utterances of a table in a folder that lists one file."""
    folder.mkdir(exist_ok=True)
    table = folder / "table.csv"
    rows = f"file,speaker,gender,emotion,start,end\n{file},1,f,sad,{times or ','}\n"
    table.write_text(rows, encoding="utf-8")
    return read_table(table, "x").utterances


def sound_of(folder, utterance):
    return read_audio(utterance.audio_path(folder), 16000, utterance.start_s, utterance.end_s)


@pytest.mark.parametrize("suffix", [*CONTAINERS, "MP3", "Flac"])
def test_all_containers_are_read(tmp_path, suffix):
    soundfile.write(tmp_path / f"a.{suffix}", voice(), RATE_HZ)
    soundfile.write(tmp_path / "plain.wav", voice(), RATE_HZ)

    (utterance,) = listed(tmp_path, f"a.{suffix}")
    sound = sound_of(tmp_path, utterance)

    assert sound.shape == (SECONDS * 16000,)
    plain = read_audio(tmp_path / "plain.wav", 16000)
    assert np.corrcoef(sound, plain)[0, 1] > 0.98  # encoded with loss, but in step


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize("kind", ["below", "beside", "full"])
def test_paths_are_relative_to_the_table_or_full(tmp_path, kind, suffix):
    name = f"mein klang.{suffix}"
    place, written = {
        "below": (tmp_path / "tables" / "sub" / name, f"sub/{name}"),
        "beside": (tmp_path / "sounds" / name, f"../sounds/{name}"),
        "full": (tmp_path / "sounds" / name, str(tmp_path / "sounds" / name)),
    }[kind]
    place.parent.mkdir(parents=True)
    soundfile.write(place, voice(), RATE_HZ)

    (utterance,) = listed(tmp_path / "tables", written)

    assert utterance.audio_path(tmp_path / "tables").samefile(place)
    assert sound_of(tmp_path / "tables", utterance).size == SECONDS * 16000


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize(("start_s", "end_s"), [(0.0, 1.0), (1.5, 2.0), (4.25, 5.0), (5.5, None)])
def test_a_part_is_cut_from_the_whole(tmp_path, suffix, start_s, end_s):
    """Seeking in an MP3 of a variable bit rate brings up to 0.2 s of noise, if one lets it."""
    path = tmp_path / f"a.{suffix}"
    loss = {"bitrate_mode": "VARIABLE", "compression_level": 0.9} if suffix == "mp3" else {}
    soundfile.write(path, voice(), RATE_HZ, **loss)
    whole = read_audio(path, RATE_HZ)
    last = whole.size if end_s is None else round(end_s * RATE_HZ)

    part = read_audio(path, RATE_HZ, start_s, end_s)

    np.testing.assert_allclose(part, whole[round(start_s * RATE_HZ) : last], atol=1e-6)


def test_what_an_mp3_is_led_in_with_is_needed(tmp_path, monkeypatch):
    path = tmp_path / "a.mp3"
    loss = {"bitrate_mode": "VARIABLE", "compression_level": 0.9}
    soundfile.write(path, voice(), RATE_HZ, **loss)
    part = read_audio(path, RATE_HZ, 4.25, 5.0)
    assert MP3_LEAD_S > 1.1  # 511 bytes of 8 kbit/s, and the frame itself

    monkeypatch.setattr("ser_aae.frontend.audio.MP3_LEAD_S", 0.0)

    assert np.abs(read_audio(path, RATE_HZ, 4.25, 5.0) - part).max() > 0.01


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_two_channels_are_averaged(tmp_path, suffix):
    left = voice()
    soundfile.write(tmp_path / f"a.{suffix}", np.stack([left, 0 * left], axis=1), RATE_HZ)

    sound = read_audio(tmp_path / f"a.{suffix}", RATE_HZ)

    assert np.abs(sound - left / 2).mean() < 0.02


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_a_file_that_was_cut_short_is_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, voice(), RATE_HZ)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    with pytest.raises(UserError, match=rf"a\.{suffix}: "):
        read_audio(path, 16000)


def test_other_containers_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # without ffmpeg
    (tmp_path / "a.m4a").write_bytes(b"\x00\x00\x00\x20ftypM4A " + bytes(2000))
    (utterance,) = listed(tmp_path, "a.m4a")

    with pytest.raises(UserError, match="WAV, FLAC, OGG, MP3"):
        sound_of(tmp_path, utterance)


def test_a_folder_in_place_of_the_table_is_refused(tmp_path):
    with pytest.raises(UserError, match="expected a table, found a folder"):
        read_table(tmp_path, "x")
