"""One model for all: in turn, within limits, and without our paths in what is said."""

import asyncio
import io
import threading

import numpy as np
import PIL.Image
import pytest
import soundfile
from matplotlib.figure import Figure
from matplotlib.text import Text

from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.frontend import blocks
from ser_aae.frontend.audio import read_channels
from ser_aae.frontend.spectrogram import log_spectrogram
from ser_aae.inference.recognition import Moment, Recognition
from ser_aae.server import pictures
from ser_aae.server.limits import Limits
from ser_aae.server.pictures import (
    SpectrogramColumns,
    _draw_posteriors,
    _draw_spectrogram,
    draw_timeline,
)
from ser_aae.server.queue import RecognitionQueue

RATE_HZ = 16000


@pytest.fixture
def queue(toy_recogniser):
    found = RecognitionQueue(toy_recogniser, Limits(seconds=20.0))
    yield found
    found.close()


def write(path, seconds, rate_hz=RATE_HZ, channels=1, **kinds):
    draw = np.random.default_rng(0).normal(0, 0.1, (round(seconds * rate_hz), channels))
    soundfile.write(path, draw, rate_hz, **kinds)
    return path


def test_a_recording_is_answered_with_timeline_picture_and_neighbours(toy_recogniser, recording):
    asked = []

    def neighbours(d_vector):
        asked.append(d_vector.tolist())
        return [("Anna", 0.5)]

    queue = RecognitionQueue(toy_recogniser, Limits(), neighbours)
    answer = asyncio.run(queue.ask(recording, 0.5, picture="light"))
    queue.close()
    assert answer.recognition == toy_recogniser.recognise_file(recording, 0.5)
    wanted = toy_recogniser.recognise_file(recording).d_vector.tolist()
    assert (answer.speakers, asked) == ([("Anna", 0.5)], [wanted])
    assert answer.picture.startswith(b"\x89PNG")


def test_names_of_classes_are_drawn_as_they_are_written(toy_recogniser, recording, monkeypatch):
    written, save = [], Figure.savefig

    def read_and_save(figure, *arguments, **options):
        written.extend(
            each.get_text() for each in figure.findobj(Text) if not each.get_parse_math()
        )
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", read_and_save)
    recognition = toy_recogniser.recognise_file(recording, 0.5)
    first, second, *_ = recognition.posteriors["emotion"]
    names = {"emotion": {first: r"cost $5 \zz and $6", second: r"a\b $y$ #1"}}
    columns = SpectrogramColumns(FrontEndConfig())
    columns.add(np.random.default_rng(0).normal(0, 0.1, RATE_HZ))
    assert draw_timeline(columns, recognition, "light", names).startswith(b"\x89PNG")
    assert set(names["emotion"].values()) <= set(written)


@pytest.mark.parametrize("seconds", [3, 61])
def test_a_recording_is_read_once_whatever_is_asked(toy_recogniser, tmp_path, monkeypatch, seconds):
    path, ends = write(tmp_path / "a.wav", seconds), []

    def watched(path, start_s=0.0, end_s=None):
        ends.append((start_s, end_s))
        return read_channels(path, start_s, end_s)

    monkeypatch.setattr(blocks, "read_channels", watched)
    queue = RecognitionQueue(toy_recogniser, Limits(), lambda _: [("Anna", 0.5)])
    answer = queue.answer(path, 1.0, picture="light")
    assert answer.picture
    assert answer.speakers
    # each part of it once
    assert len(ends) == len(set(ends)) == (1 if seconds == 3 else 6)


def test_of_silence_no_neighbour_is_sought(toy_recogniser, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(RATE_HZ), RATE_HZ)
    answer = RecognitionQueue(toy_recogniser, Limits(), lambda _: pytest.fail("asked")).answer(
        path, 1.0, "dark"
    )
    assert answer.recognition.silent
    assert answer.speakers == []
    assert answer.picture


def test_two_never_use_the_model_at_once(queue, recording, monkeypatch):
    inside, most = [], []
    forward = queue.recogniser.forward

    def watched(segments):
        inside.append(threading.get_ident())
        most.append(len(inside))
        found = forward(segments)
        inside.pop()
        return found

    monkeypatch.setattr(queue.recogniser, "forward", watched)

    async def ask_all():
        return await asyncio.gather(*(queue.ask(recording, None) for _ in range(10)))

    answers = asyncio.run(ask_all())
    assert len(answers) == 10
    assert all(answer == answers[0] for answer in answers)
    assert set(most) == {1}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"no sound at all", "text"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "a damaged WAV file"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "an MP4 or M4A file"),
    ],
)
def test_what_is_no_sound_is_said_without_our_path(queue, tmp_path, content, found):
    path = tmp_path / "recording.wav"
    path.write_bytes(content)
    with pytest.raises(
        UserError, match=rf"the recording: expected sound .* found {found};"
    ) as caught:
        queue.answer(path, None)
    assert str(tmp_path) not in str(caught.value)


def test_a_wav_that_was_cut_short_is_said_without_our_path(queue, tmp_path):
    path = write(tmp_path / "cut.wav", 2)
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(UserError, match=r"the recording: .*cut short") as caught:
        queue.answer(path, None)
    assert str(tmp_path) not in str(caught.value)


def test_a_playlist_is_not_followed(queue, tmp_path, recording):
    path = tmp_path / "recording.wav"
    path.write_text(f"#EXTM3U\n#EXTINF:4,\n{recording}\n#EXT-X-ENDLIST\n")
    with pytest.raises(UserError, match="expected sound"):
        queue.answer(path, None)


def test_too_long_is_refused_before_anything_is_read(queue, tmp_path, monkeypatch):
    path = write(tmp_path / "long.flac", 21)
    monkeypatch.setattr(queue.recogniser, "recognise_file", lambda *_: pytest.fail("read"))
    with pytest.raises(UserError, match="at most 20 seconds, found 21"):
        queue.answer(path, None)


def test_a_header_that_lies_about_the_length_does_not_help(queue, tmp_path, monkeypatch):
    path = write(tmp_path / "long.wav", 100)
    monkeypatch.setattr(queue, "_check", lambda _: None)
    with pytest.raises(UserError, match="at most 20 seconds, found 30 or more"):
        queue.answer(path, None)


@pytest.mark.parametrize("seconds", [3, 100])
def test_flac_that_was_written_to_a_pipe_is_taken_within_the_limit(queue, tmp_path, seconds):
    path = write(tmp_path / "piped.flac", seconds)
    content = bytearray(path.read_bytes())
    content[22:26] = bytes(4)  # the number of samples, and 4 bits more of it that are 0 already
    path.write_bytes(content)
    if seconds == 3:
        assert queue.answer(path, None).recognition.duration_s == 3
        return
    with pytest.raises(UserError, match="at most 20 seconds, found 30 or more"):
        queue.answer(path, None)


def test_more_samples_a_second_than_anyone_records_are_refused(queue, tmp_path):
    path = write(tmp_path / "wide.wav", 0.1, rate_hz=192000, channels=3)
    with pytest.raises(UserError, match=r"at most 400000 samples a second .* found 576000"):
        queue.answer(path, None)


def test_the_columns_of_a_picture_are_means_of_frames_over_the_whole(toy_recogniser):
    frontend = toy_recogniser.signature.frontend
    sound = np.zeros(30 * RATE_HZ, np.float32)
    sound[20 * RATE_HZ :] = np.sin(2 * np.pi * 3000 * np.arange(10 * RATE_HZ) / RATE_HZ)
    spectrogram = SpectrogramColumns(frontend)
    spectrogram.add(sound)
    columns = spectrogram.columns()
    # 2998 frames, three to a column, and one is left
    assert columns.shape == (1000, 32)
    frames = log_spectrogram(sound, frontend)
    np.testing.assert_allclose(columns[:999], frames[:2997].reshape(999, 3, 32).mean(axis=1), 1e-5)
    np.testing.assert_allclose(columns[999], frames[2997], 1e-5)
    # 32 bands of 250 Hz: the tone lies on the edge of the twelfth
    assert columns[800].argmax() in (11, 12)
    assert columns[800].max() - columns[300].max() > 60


def test_the_columns_of_an_hour_are_no_more_than_a_screen_has(monkeypatch):
    monkeypatch.setattr(pictures, "_MOST_COLUMNS", 100)
    monkeypatch.setattr(pictures, "_SPARE_COLUMNS", 350)
    frontend = FrontEndConfig(sample_rate_hz=1600, bins=16, fft_size=64, scale="linear")
    spectrogram, frames = SpectrogramColumns(frontend), []
    for number in range(41):
        signal = np.random.default_rng(number).normal(0, 0.1 + number, 1600).astype(np.float32)
        spectrogram.add(signal)
        assert len(spectrogram._sums) <= 350
        frames.append(log_spectrogram(signal, frontend))
    columns, whole = spectrogram.columns(), np.concatenate(frames)
    assert 50 < len(columns) <= 100
    each = -(-len(whole) // len(columns))
    starts = np.arange(0, len(whole), each)
    sizes = np.diff(np.append(starts, len(whole)))
    wanted = np.add.reduceat(whole.astype(np.float64), starts) / sizes[:, None]
    wanted = np.maximum(wanted, wanted.max() - frontend.floor_db)
    np.testing.assert_allclose(columns, wanted, rtol=1e-9)


def test_the_posteriors_of_any_number_of_steps_are_one_shape_a_class():
    """A bar for each step takes a minute for the most steps."""
    said = {"emotion": {"anger": 0.25, "sadness": 0.75}}
    moments = tuple(
        Moment(step, step + 1.0, {} if step in (40, 60) else said) for step in range(100)
    )
    axes = Figure().subplots()
    _draw_posteriors(axes, Recognition(100.0, 98.0, 98, said, moments, ()), "#000000")

    assert [each.get_label() for each in axes.collections] == ["anger", "sadness"]
    assert not axes.patches
    for shape, low, high in zip(axes.collections, (0.0, 0.25), (0.25, 1.0), strict=True):
        boxes = [path.get_extents().extents.tolist() for path in shape.get_paths()]
        assert boxes == [[0, low, 40, high], [41, low, 60, high], [61, low, 100, high]]


def test_of_many_speakers_the_likeliest_are_drawn():
    values = {f"s{number:02d}": float(number) / 780 for number in range(40)}
    said = {"speaker": values}
    axes = Figure().subplots()
    moments = (Moment(0.0, 1.0, said), Moment(1.0, 2.0, said))
    _draw_posteriors(axes, Recognition(2.0, 2.0, 2, said, moments, ()), "#000000")
    assert [each.get_label() for each in axes.collections] == list(values)[-16:]


def test_a_picture_has_the_names_for_people():
    said = {"gender": {"F": 0.4, "M": 0.6}}
    axes = Figure().subplots()
    found = Recognition(1.0, 1.0, 1, said, (Moment(0.0, 1.0, said),), ())
    _draw_posteriors(axes, found, "#000000", {"gender": {"F": "female", "M": "male"}})
    assert [each.get_label() for each in axes.collections] == ["female", "male"]


@pytest.mark.parametrize("scale", ["linear", "mel"])
def test_ticks_are_right_and_never_over_each_other(scale):
    frontend = FrontEndConfig(bins=128, scale=scale)
    axes = Figure().subplots()
    _draw_spectrogram(axes, np.zeros((10, 128)), frontend, 1.0)
    ticks = dict(
        zip([each.get_text() for each in axes.get_yticklabels()], axes.get_yticks(), strict=True)
    )
    assert list(ticks)[-3:] == ["2", "4", "8"]
    assert np.diff(list(ticks.values())).min() > 7
    # bands of 62.5 Hz; in mels (Slaney) 4 kHz are 35.2 and 8 kHz 45.2
    assert ticks["4"] == pytest.approx(
        {"linear": 63.5, "mel": 128 * 35.2 / 45.2 - 0.5}[scale], abs=0.5
    )


@pytest.mark.parametrize(("scheme", "ink"), [("light", (0, 0, 0)), ("dark", (255, 255, 255))])
def test_a_picture_is_wide_enough_to_read_and_shows_colours(queue, recording, scheme, ink):
    content = queue.answer(recording, 0.5, picture=scheme).picture
    picture = PIL.Image.open(io.BytesIO(content))
    assert picture.width >= 900
    # it is seen on the page's own ground, which its letters differ from
    seen = np.asarray(picture).reshape(-1, 4).astype(int)
    colours = seen[seen[:, 3] == 255, :3]
    assert np.mean(seen[:, 3] == 0) > 0.1
    # the first class' blue and the map's black
    for wanted in ((0x00, 0x72, 0xB2), (0, 0, 4)):
        assert (np.abs(colours - wanted).sum(axis=1) < 8).sum() > 500
    written = np.asarray(picture)[picture.height // 2 :, : picture.width // 20]
    letters = written[written[..., 3] == 255][:, :3].astype(int)
    assert len(letters) > 50
    assert (np.abs(letters - ink).sum(axis=1) < 3 * 96).all()
