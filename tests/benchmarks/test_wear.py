"""The benchmark of how a model wears: each change does what it says, and tables count answers."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from benchmarks import wear
from ser_aae.errors import UserError

RATE_HZ = wear.RATE_HZ


def tone(hertz=500.0, seconds=2.0, level=0.1):
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)


VOICES = [tone(200 + 50 * number, 0.5) for number in range(8)]


def power_db(signal):
    return 10 * np.log10(np.mean(np.square(signal)))


def in_condition(condition, signal=None, name="a"):
    signal = tone() if signal is None else signal
    return signal, wear.changed(signal, condition, name, VOICES)


@pytest.mark.parametrize("condition", [c for c in wear.CONDITIONS if c != "a room"])
def test_a_change_is_of_16_bits_and_the_same_for_everybody(condition):
    _, found = in_condition(condition)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1
    np.testing.assert_array_equal(found * 32768, np.round(found * 32768))
    np.testing.assert_array_equal(found, in_condition(condition)[1])


def test_levels_are_shifted_and_clipped():
    signal, quiet = in_condition("20 dB quieter")
    assert power_db(quiet) - power_db(signal) == pytest.approx(-20, abs=0.1)
    signal, loud = in_condition("10 dB louder, clipped", tone(level=0.2))
    assert power_db(loud) - power_db(signal) == pytest.approx(10, abs=0.1)
    _, clipped = in_condition("10 dB louder, clipped", tone(level=0.9))
    assert (np.abs(clipped) > 0.999).mean() > 0.5


@pytest.mark.parametrize("kind", ["noise", "babble"])
@pytest.mark.parametrize("ratio", [20, 10, 0])
def test_noise_is_added_at_its_ratio_and_another_for_each_recording(kind, ratio):
    condition = f"{kind}, {ratio} dB"
    signal, found = in_condition(condition)
    assert power_db(signal) - power_db(found - signal) == pytest.approx(ratio, abs=0.2)
    other = in_condition(condition, name="b")[1]
    assert not np.array_equal(found, other)


def test_a_telephone_lets_a_band_pass():
    for hertz, passes in ((100, False), (1000, True), (5000, False)):
        signal, found = in_condition("telephone", tone(hertz))
        assert (power_db(found) - power_db(signal) > -3) == passes, hertz
        assert len(found) == len(signal)


def test_mp3_has_its_rate_and_keeps_the_sound(monkeypatch):
    sizes = []
    written = soundfile.write

    def write(file, *rest, **options):
        written(file, *rest, **options)
        sizes.append(len(file.getvalue()))

    monkeypatch.setattr(soundfile, "write", write)
    signal = np.random.default_rng(0).normal(0, 0.05, 10 * RATE_HZ)
    found = in_condition("MP3, 64 kbit/s", signal)[1]
    assert sizes[0] * 8 / 10 == pytest.approx(64000, rel=0.05)
    assert len(found) == pytest.approx(len(signal), abs=3000)


def test_a_room_rings_on():
    pytest.importorskip("pyroomacoustics", reason="of the extra bench")
    click = np.zeros(RATE_HZ)
    click[100] = 0.9
    heard = in_condition("a room", click)[1]
    energy = np.cumsum(heard[::-1].astype(float) ** 2)[::-1]
    decay = 10 * np.log10(energy / energy[0] + 1e-12)
    seconds = np.searchsorted(-decay, 30) / RATE_HZ
    assert 0.2 < 2 * seconds < 1.0


def test_the_second_is_where_the_sound_is_and_tempo_is_length():
    signal = np.concatenate([np.zeros(3 * RATE_HZ), tone(seconds=1.0), np.zeros(RATE_HZ)])
    _, second = in_condition("one second", signal)
    assert len(second) == RATE_HZ
    assert power_db(second) == pytest.approx(power_db(tone(seconds=1.0)), abs=0.5)
    assert len(in_condition("one second", tone(seconds=0.5))[1]) == RATE_HZ // 2
    for condition, factor in (("half as fast", 2), ("twice as fast", 0.5)):
        signal, found = in_condition(condition)
        assert len(found) == pytest.approx(factor * len(signal), rel=0.01)


def test_the_table_has_the_unweighted_accuracy_of_each():
    rows = [
        ("model", "as it is", "s", "a", "a"),
        ("model", "as it is", "s", "b", "b"),
        ("model", "telephone", "s", "a", "a"),
        ("model", "telephone", "s", "a", "a"),
        ("model", "telephone", "s", "b", ""),
    ]
    frame = pd.DataFrame(rows, columns=["who", "condition", "speaker", "truth", "answer"])
    table = wear.summarise(frame, ["a", "b"])
    assert table["model"].to_dict() == {"as it is": 1.0, "telephone": 0.5}


def test_a_run_answers_its_own_recordings(recorded_run, capsys, tmp_path, monkeypatch):
    def find_adapter(name):
        corpus = SimpleNamespace(root=recorded_run.recordings)
        return SimpleNamespace(read=lambda root: corpus)

    monkeypatch.setattr(wear, "find_adapter", find_adapter)
    picture, csv = tmp_path / "wear.png", tmp_path / "wear.csv"
    words = [str(recorded_run.folder.parent), "--data-root", str(tmp_path), "--store"]
    words += [str(recorded_run.store), "--only", "20 dB quieter", "noise, 0 dB"]
    assert wear.main([*words, "--csv", str(csv), "--picture", str(picture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:12].strip() for line in lines[1:]] == ["as it is", "20 dB quiete", "noise, 0 dB"]
    table = pd.read_csv(csv, index_col=0)["model"]
    (run,) = wear.read_folds(recorded_run.folder, recorded_run.store, "test")
    known = json.loads((recorded_run.folder / "result.json").read_text())["unweighted_accuracy"]
    assert table["as it is"] == pytest.approx(known, abs=1e-4)
    assert picture.read_bytes().startswith(b"\x89PNG")
    validation = wear.read_folds(recorded_run.folder, recorded_run.store, "validation")[0]
    assert not {i.utterance_id for i in validation.utterances} & {
        i.utterance_id for i in run.utterances
    }


def test_silence_is_a_wrong_answer_and_each_condition_is_heard(recorded_run, monkeypatch):
    heard = []

    def listen(samples, rate_hz):
        heard.append(samples)
        return SimpleNamespace(best={} if power_db(samples + 1e-9) < -25 else {"emotion": "anger"})

    recogniser = SimpleNamespace(load=lambda run: listen)
    monkeypatch.setattr(wear, "Recogniser", recogniser)
    folds = wear.read_folds(recorded_run.folder, recorded_run.store, "test")
    conditions = ["as it is", "20 dB quieter"]
    answers = wear.answer_by_model(folds, recorded_run.recordings, conditions, [])
    count = len(folds[0].utterances)
    assert answers["condition"].value_counts().to_dict() == dict.fromkeys(conditions, count)
    pairs = zip(heard[::2], heard[1::2], strict=True)
    assert all(power_db(quiet) - power_db(loud) < -19 for loud, quiet in pairs)
    table = wear.summarise(answers, sorted(set(folds[0].truths)))["model"]
    assert table.to_dict() == {"as it is": 0.25, "20 dB quieter": 0.0}


def test_two_runs_of_a_fold_are_refused(recorded_run, tmp_path, capsys):
    assert wear.main([str(tmp_path), "--data-root", str(tmp_path)]) == 2
    assert "expected complete runs, one a fold" in capsys.readouterr().err


def test_an_svm_beside_it_needs_every_fold(recorded_run, monkeypatch):
    functionals = SimpleNamespace(
        process_signal=lambda samples, rate: pd.DataFrame([[power_db(samples), len(samples)]])
    )
    stub = SimpleNamespace(
        Smile=lambda *_: functionals,
        FeatureSet={"ComParE_2016": ""},
        FeatureLevel=SimpleNamespace(Functionals=""),
    )
    monkeypatch.setitem(sys.modules, "opensmile", stub)
    folds = wear.read_folds(recorded_run.folder, recorded_run.store, "test")
    with pytest.raises(UserError, match="expected complete runs of all 4 folds, found 1"):
        wear.answer_by_svm(folds, recorded_run.recordings, ["as it is"], [], recorded_run.store)
