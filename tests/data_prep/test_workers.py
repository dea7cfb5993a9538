"""Computing spectrograms in one process and in several."""

import ctypes
import multiprocessing
import os

import numpy as np
import pytest
import tiny
from corpus_layouts.sound import write_tone

from data_prep import workers
from data_prep.corpora import find_adapter
from data_prep.workers import Task, compute_task, compute_tasks
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.processes import pool
from ser_aae.utterance import Utterance


def tasks_of(corpus, size=4, limit=12, *, skip_unreadable=False, frontend=None):
    frontend = frontend or FrontEndConfig()
    return [
        Task(corpus.utterances[start : start + size], corpus.root, frontend, skip_unreadable)
        for start in range(0, limit, size)
    ]


@pytest.fixture(scope="module")
def corpus(demo_root):
    return find_adapter("demo").read(demo_root)


def one(path, **keywords):
    return Utterance("x", "1", path.name, "x:1", "F", **keywords)


def test_outcome_is_the_front_end_as_float16(corpus):
    (task,) = tasks_of(corpus, limit=4)

    outcomes = compute_task(task)

    for utterance, outcome in zip(task.utterances, outcomes, strict=True):
        wanted = tiny.recording_to_spectrogram(utterance.audio_path(corpus.root), task.frontend)
        # a worker multiplies matrices on one thread: a last bit of float32 may round the other way
        np.testing.assert_array_max_ulp(outcome.spectrogram, wanted.astype(np.float16), maxulp=1)
        assert outcome.spectrogram.dtype == np.float16
        assert not outcome.is_silent


@pytest.mark.parametrize("skip_unreadable", [False, True])
def test_a_missing_package_is_no_fault_of_a_recording(corpus, monkeypatch, skip_unreadable):
    def lack(*_):
        raise ModuleNotFoundError("No module named 'librosa'", name="librosa")

    monkeypatch.setattr(workers, "signal_to_spectrogram", lack)
    (task,) = tasks_of(corpus, limit=4, skip_unreadable=skip_unreadable)
    with pytest.raises(ModuleNotFoundError):
        compute_task(task)


def test_start_and_end_take_a_part(tmp_path):
    path = write_tone(tmp_path / "a.wav", seconds=1.0)
    frontend = FrontEndConfig(remove_silence=False)
    part = Task((one(path, start_s=0.25, end_s=0.5),), tmp_path, frontend, False)

    (outcome,) = compute_task(part)

    assert len(outcome.spectrogram) == 1 + (4000 - 400) // 160


@pytest.mark.parametrize("offset", [0.0, 0.25])
def test_digital_silence_is_flagged_and_kept(tmp_path, offset):
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.full(8000, offset), 16000)
    task = Task((one(tmp_path / "a.wav"),), tmp_path, FrontEndConfig(), False)

    (outcome,) = compute_task(task)

    assert outcome.is_silent
    assert len(outcome.spectrogram) == 1 + (8000 - 400) // 160


def test_unreadable_files_are_raised_or_reported(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # without ffmpeg
    (tmp_path / "a.wav").write_text("this is no sound")
    utterances = (one(tmp_path / "a.wav"),)

    with pytest.raises(UserError, match=r"a\.wav: expected audio"):
        compute_task(Task(utterances, tmp_path, FrontEndConfig(), False))
    (outcome,) = compute_task(Task(utterances, tmp_path, FrontEndConfig(), True))

    assert outcome.spectrogram is None
    assert outcome.problem == "expected audio that libsndfile reads"


def test_two_processes_give_the_same_in_the_same_order(corpus):
    tasks = tasks_of(corpus)

    alone = list(compute_tasks(tasks, workers=1))
    together = list(compute_tasks(tasks, workers=2))

    assert [len(outcomes) for outcomes in together] == [4, 4, 4]
    for mine, theirs in zip(alone, together, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a.spectrogram, b.spectrogram)


def test_processes_end_when_the_generator_is_closed(corpus):
    computed = compute_tasks(tasks_of(corpus), workers=2)
    next(computed)
    assert multiprocessing.active_children()

    computed.close()

    assert not multiprocessing.active_children()


def test_few_tasks_are_in_flight(corpus, monkeypatch):
    submitted, most = [], []

    class Pool:
        """Computes at once, in this process, and counts what nobody has fetched yet."""

        def __init__(self, *_, **__):
            pass

        def submit(self, function, task):
            submitted.append(task)
            outcomes = function(task)

            class Done:
                def result(self):
                    most.append(len(submitted))
                    submitted.pop()
                    return outcomes

            return Done()

        def shutdown(self, **_):
            submitted.clear()

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Pool)

    assert len(list(compute_tasks(tasks_of(corpus, size=1, limit=12), workers=2))) == 12
    assert max(most) == 3


def test_error_in_a_process_reaches_the_user_with_its_path(tmp_path, corpus):
    (tmp_path / "a.wav").write_text("this is no sound")
    bad = Task((one(tmp_path / "a.wav"),), tmp_path, FrontEndConfig(), False)

    with pytest.raises(UserError, match=r"a\.wav: expected audio"):
        list(compute_tasks([*tasks_of(corpus, limit=4), bad], workers=2))

    assert not multiprocessing.active_children()


def test_a_process_that_dies_is_explained(corpus, monkeypatch):
    monkeypatch.setattr(workers, "compute_task", os._exit)
    # the task is the exit code, which no integer is: give one that is
    with pytest.raises(UserError, match="want of memory"):
        list(compute_tasks([3, 3], workers=2))

    assert not multiprocessing.active_children()


def test_what_ends_workers_has_no_lock(corpus, monkeypatch):
    """A worker that is killed while it holds one would hold up the parent for ever."""
    shared = []

    class Pool(pool.ProcessPoolExecutor):
        def __init__(self, *arguments, initargs, **keywords):
            shared.extend(initargs)
            super().__init__(*arguments, initargs=initargs, **keywords)

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Pool)
    computed = compute_tasks(tasks_of(corpus), 2)
    next(computed)
    computed.close()
    (stop,) = shared
    assert isinstance(stop, ctypes.c_bool)
    assert stop.value


def test_a_channel_is_prepared_as_the_recording_that_it_is(tmp_path):
    import soundfile

    draw = np.random.default_rng(0)
    sides = np.float32(draw.normal(0, 0.1, (16000, 2)))
    soundfile.write(tmp_path / "call.wav", sides, 16000, subtype="FLOAT")
    items = [one(tmp_path / "call.wav", channel=channel) for channel in (1, 2)]
    for number, side in enumerate(sides.T):
        soundfile.write(tmp_path / f"{number}.wav", side, 16000, subtype="FLOAT")
        items.append(one(tmp_path / f"{number}.wav"))
    outcomes = compute_task(Task(tuple(items), tmp_path, FrontEndConfig(), False))
    for channel, alone in ((outcomes[0], outcomes[2]), (outcomes[1], outcomes[3])):
        np.testing.assert_array_equal(channel.spectrogram, alone.spectrogram)
        assert channel.sound == alone.sound
    assert outcomes[0].sound != outcomes[1].sound


def test_channels_that_cancel_each_other_are_flagged_unless_one_is_taken(tmp_path):
    import soundfile

    signal = np.float32(np.random.default_rng(0).normal(0, 0.1, 16000))
    soundfile.write(tmp_path / "a.wav", np.stack([signal, -signal], axis=1), 16000)
    items = tuple(one(tmp_path / "a.wav", channel=channel) for channel in (None, 1, 2))
    outcomes = compute_task(Task(items, tmp_path, FrontEndConfig(), False))
    assert [outcome.is_cancelled for outcome in outcomes] == [True, False, False]
