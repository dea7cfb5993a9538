"""A trained model on new recordings: as in the run where it can be, and told where not."""

import gc
import shutil
import weakref
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from stored import forget_digests, read_unsealed, write_unsealed

from ser_aae.errors import UserError
from ser_aae.frontend import blocks
from ser_aae.frontend.audio import change_rate
from ser_aae.frontend.channels import average_channels
from ser_aae.frontend.condition import measure
from ser_aae.inference import recogniser as module
from ser_aae.inference.recogniser import Recogniser
from ser_aae.inference.signature import read_signature
from ser_aae.results.predictions import read_predictions

RATE_HZ = 16000


@pytest.fixture(scope="module")
def recogniser(recorded_run):
    return Recogniser.load(recorded_run.folder)


@pytest.fixture
def speech(recorded_run):
    return soundfile.read(recorded_run.recordings / "00" / "anger-0.wav", dtype="float32")[0]


@pytest.fixture
def short_blocks(monkeypatch):
    """Blocks of two seconds, so that a recording of some seconds is a long one."""
    monkeypatch.setattr(blocks, "BLOCK_S", 2.0)
    monkeypatch.setattr(blocks, "WHOLE_S", 2.0 * 1.5)


def values_of(recognition, task="emotion"):
    return list(recognition.posteriors[task].values())


def test_every_test_utterance_gets_the_posteriors_of_the_run(recogniser, recorded_run):
    rows = read_predictions(recorded_run.folder / "predictions.parquet")
    assert len(rows) == 16
    columns = [f"p_{name}" for name in recogniser.signature.classes["emotion"]]
    for row in rows.to_dict("records"):
        speaker, name = row["utterance_id"].split("-", 1)
        path = recorded_run.recordings / speaker / f"{name}.wav"
        found = recogniser.recognise_file(path)
        wanted = [row[column] for column in columns]
        np.testing.assert_allclose(values_of(found), wanted, rtol=0, atol=1e-6)
        assert found.segments == row["segments"]
        gender = found.posteriors["gender"]
        assert max(gender, key=gender.get) == row["gender_predicted"]


def test_samples_and_file_agree_and_all_tasks_are_named(recogniser, recorded_run, speech):
    found = recogniser(speech, RATE_HZ)
    assert found == recogniser.recognise_file(recorded_run.recordings / "00" / "anger-0.wav")
    assert list(found.posteriors) == ["emotion", "gender", "speaker"]
    assert list(found.posteriors["gender"]) == ["F", "M"]
    # speakers of the training part, by name
    assert set(found.posteriors["speaker"]) <= {f"tones:{number:02d}" for number in range(8)}
    assert len(found.posteriors["speaker"]) == 4
    for values in found.posteriors.values():
        assert sum(values.values()) == pytest.approx(1.0)
    assert found.duration_s == pytest.approx(len(speech) / RATE_HZ)
    assert 0.1 < found.duration_s - found.speech_s < 0.3


def test_the_normalisation_of_the_run_is_applied(recorded_run, recogniser, speech, tmp_path):
    shutil.copytree(recorded_run.folder, tmp_path / "fold00-rep00")
    path = tmp_path / "fold00-rep00" / "normalisation.json"
    content = read_unsealed(path)
    # all bins are shifted
    write_unsealed(path, content | {"mean": [40.0, *content["mean"][:-1]]})
    other = Recogniser.load(tmp_path / "fold00-rep00")(speech, RATE_HZ)
    assert (
        np.abs(np.subtract(values_of(other), values_of(recogniser(speech, RATE_HZ)))).max() > 1e-3
    )


@pytest.mark.parametrize("rate_hz", [8000, 22050, 48000])
def test_any_rate_and_channels_are_brought_to_the_models_rate(recogniser, speech, rate_hz):
    channels = np.stack([speech, 0.5 * speech], axis=1)
    found = recogniser(channels, rate_hz)
    assert found.duration_s == pytest.approx(len(speech) / rate_hz, abs=1e-3)
    brought = change_rate(average_channels(channels), rate_hz, RATE_HZ)
    assert values_of(found) == values_of(recogniser(brought, RATE_HZ))


def test_silence_is_said_to_be_silence(recogniser):
    found = recogniser(np.zeros(40000, np.float32), RATE_HZ, timeline_seconds=1.0)
    assert found.silent
    assert found.posteriors == {}
    assert found.segments == 0
    assert [moment.silent for moment in found.timeline] == [True] * 3
    assert found.timeline[-1].end_s == 2.5


def test_a_timeline_covers_the_recording_and_says_where_nothing_is_said(recogniser, speech):
    pause = np.zeros(2 * RATE_HZ, np.float32)
    found = recogniser(np.concatenate([speech[:RATE_HZ], pause, speech[:8000]]), RATE_HZ, 0.5)
    assert [moment.start_s for moment in found.timeline] == [0.5 * step for step in range(7)]
    assert [moment.silent for moment in found.timeline] == [0, 0, 1, 1, 1, 1, 0]
    first = found.timeline[0]
    assert list(first.posteriors) == ["emotion", "gender"]
    assert sum(first.posteriors["emotion"].values()) == pytest.approx(1.0)


def test_a_step_is_the_segment_around_its_middle(recogniser, speech):
    long = np.concatenate([speech[:5000]] * 12)
    found = recogniser(long, RATE_HZ, timeline_seconds=1.0)
    assert len(found.timeline) == 4
    # 64 frames around 1.5 s, and their last window
    first = (150 - 32) * 160
    one = replace(recogniser.signature, fewest_segments=1)
    once = Recogniser(one, recogniser.forward)
    around = once(long[first : first + 63 * 160 + 400], RATE_HZ)
    assert around.segments == 1
    step = list(found.timeline[1].posteriors["emotion"].values())
    np.testing.assert_allclose(step, values_of(around), atol=1e-5)
    assert step != list(found.timeline[2].posteriors["emotion"].values())


def test_the_whole_is_the_mean_over_the_segments_of_all_blocks(recogniser, speech, short_blocks):
    long = np.tile(speech, 8)[: 6 * RATE_HZ]
    found = recogniser(long, RATE_HZ)
    parts = [recogniser(long[start : start + 2 * RATE_HZ], RATE_HZ) for start in (0, 32000, 64000)]
    assert found.segments == sum(part.segments for part in parts)
    assert len({part.segments for part in parts}) == 1  # blocks of a length count alike
    wanted = np.mean([values_of(part) for part in parts], axis=0)
    np.testing.assert_allclose(values_of(found), wanted, atol=1e-6)


def test_a_block_of_background_is_a_pause_of_the_recording(recogniser, speech, short_blocks):
    loud = np.tile(speech, 3)[: 2 * RATE_HZ]
    background = np.random.default_rng(0).normal(0, 1e-4, 2 * RATE_HZ).astype(np.float32)
    found = recogniser(np.concatenate([background, loud]), RATE_HZ, timeline_seconds=1.0)
    assert values_of(found) == pytest.approx(values_of(recogniser(loud, RATE_HZ)))
    assert [moment.silent for moment in found.timeline] == [True, True, False, False]
    # by itself it is all there is
    assert not recogniser(background, RATE_HZ).silent


def test_no_block_is_kept_when_the_next_is_read(recogniser, speech, monkeypatch):
    alive = []

    def watched(*_):
        for number in range(6):
            gc.collect()
            assert sum(reference() is not None for reference in alive) <= 1
            signal = np.tile(speech, 2)
            alive.append(weakref.ref(signal))
            condition = measure(signal[:, None], signal, RATE_HZ)
            yield blocks.Block(2.0 * number, signal, condition)
            del signal

    monkeypatch.setattr(module, "sample_blocks", watched)
    assert recogniser(speech, RATE_HZ, 1.0).segments > 6
    assert len(alive) == 6


def test_the_warning_names_what_it_was_trained_on(recogniser, speech, recorded_run):
    (warning, *_) = recogniser(speech, RATE_HZ).warnings
    assert "one corpus (tones)" in warning
    assert "may not hold" in warning
    assert read_signature(recorded_run.folder).warnings[0] == warning


@pytest.mark.parametrize("step", [0.0, 0.01, -1.0, 10.5])
def test_a_step_that_cannot_be_is_refused(recogniser, speech, step):
    with pytest.raises(UserError, match=r"expected a step of 0\.1 to 10 seconds"):
        recogniser(speech, RATE_HZ, timeline_seconds=step)


def test_progress_is_told_after_each_block(recogniser, speech, short_blocks, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.tile(speech, 9)[: 5 * RATE_HZ], RATE_HZ)
    told = []
    recogniser.recognise_file(tmp_path / "a.wav", observe=lambda _, end_s: told.append(end_s))
    assert told == [2.0, 4.0, 5.0]


def test_what_is_no_model_is_refused(tmp_path, recorded_run):
    with pytest.raises(UserError, match=r"expected the folder of a run .* found a folder"):
        Recogniser.load(tmp_path)
    shutil.copytree(recorded_run.folder, tmp_path / "fold00-rep00")
    (tmp_path / "fold00-rep00" / "best.weights.h5").write_bytes(b"cut")
    forget_digests(tmp_path / "fold00-rep00")
    with pytest.raises(UserError, match=r"best\.weights\.h5: expected the weights"):
        Recogniser.load(tmp_path / "fold00-rep00")
    (tmp_path / "fold00-rep00" / "result.json").unlink()
    with pytest.raises(UserError, match="expected the folder of a complete run"):
        Recogniser.load(tmp_path / "fold00-rep00")
