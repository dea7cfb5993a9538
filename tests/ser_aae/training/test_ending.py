"""Endings of a run: without its test part, and with it later."""

import re
import shutil
from dataclasses import replace

import pytest
from stored import forget_digests
from tiny import DATA, MODEL, append, sounds_of, speakers_of, write_corpus

from reports.summary import evaluate_all
from ser_aae.config import TrainingConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json, read_jsonl, write_json
from ser_aae.inference.exported_model import load_exported as load_model
from ser_aae.inference.start_source import read_source
from ser_aae.results.complete_run import read_config
from ser_aae.results.evaluation import evaluate
from ser_aae.results.folder import (
    VALIDATION,
    find_runs,
    is_complete,
    is_validated,
    load_runs,
    run_folder,
)
from ser_aae.results.predictions import read_predictions
from ser_aae.store.corpus import load_corpus
from ser_aae.training import run as train
from ser_aae.training import scoring
from ser_aae.training import stage as stages
from ser_aae.training.ending import validation_accuracy
from ser_aae.training.run import train_and_evaluate

pytestmark = pytest.mark.usefixtures("few_steps")


@pytest.fixture(scope="module")
def config(kfold_config):
    return replace(
        kfold_config,
        data=DATA,
        model=replace(MODEL, kind="cnn-mtl"),  # it trains faster than the method
        training=replace(TrainingConfig(), epochs=2, batch_size=64, average_decay=0.5),
    )


@pytest.fixture(scope="module")
def unscored(config, tiny_store, tmp_path_factory):
    """Return the runs with a run that ended after validation, and its folder; not to be changed."""
    runs = tmp_path_factory.mktemp("unscored")
    return runs, train_and_evaluate(config, tiny_store, runs, score_test=False)


@pytest.fixture(scope="module")
def scored(config, tiny_store, tmp_path_factory):
    """Return the folder of the same run, trained and scored in one go; not to be changed."""
    return train_and_evaluate(config, tiny_store, tmp_path_factory.mktemp("scored"))


def test_a_run_that_is_not_scored_is_not_complete(unscored):
    runs, folder = unscored
    assert is_validated(folder)
    assert not is_complete(folder)
    left = {path.name for path in folder.iterdir()}
    assert not left & {"result.json", "predictions.parquet", "examples.npz", "verification.parquet"}
    assert not [name for name in left if name.startswith(("backup", "."))]
    assert {"best.weights.h5", "epochs.jsonl", "config.json", VALIDATION} <= left
    assert find_runs(runs) == [folder]
    assert load_runs(runs).empty
    for place in (folder, folder.parent):
        with pytest.raises(UserError, match="complete"):
            evaluate(place)


def test_what_validation_showed_is_what_the_result_says_later(unscored, scored):
    validation = read_json(unscored[1] / VALIDATION)
    result = read_json(scored / "result.json")
    assert not {"unweighted_accuracy", "confusion", "n"} & set(validation)
    changing = ("seconds", "files_sha256")
    assert {k: v for k, v in validation.items() if k not in changing} == {
        key: result[key] for key in validation if key not in changing
    }
    rows = [row["validation"] for row in read_jsonl(unscored[1] / "epochs.jsonl")]
    best = max(rows, key=lambda row: row["selection_unweighted_accuracy"])
    assert validation["kept_epoch"] == rows.index(best) + 1
    mean = best["running_unweighted_accuracy"]
    assert validation_accuracy(unscored[1]) == validation_accuracy(scored) == mean


@pytest.fixture
def looked_at(monkeypatch):
    """Collect the corpus and row of every utterance that is trained or scored on."""
    seen = set()

    def watch(build):
        def watched(given, *rest):
            mixed = isinstance(given, list)
            for part in [each for share in given for each in share.parts] if mixed else [given]:
                seen.update((part.corpus.name, int(row)) for row in part.rows)
            return build(given, *rest)

        return watched

    for module, name in ((scoring, "evaluation_dataset"), (stages, "training_dataset")):
        monkeypatch.setattr(module, name, watch(getattr(module, name)))
    return seen


def test_the_test_part_is_first_looked_at_when_it_is_scored_later(
    config, tiny_store, scored, tmp_path, monkeypatch, looked_at
):
    data = train.assemble(config, tiny_store)
    test = {(data.test.corpus.name, int(row)) for row in data.test.rows}
    folder = train_and_evaluate(config, tiny_store, tmp_path, score_test=False)
    assert looked_at
    assert not test & looked_at
    epochs = (folder / "epochs.jsonl").read_text()
    monkeypatch.setattr(train, "_train_stage_two", None)
    assert train_and_evaluate(config, tiny_store, tmp_path) == folder
    assert test <= looked_at
    assert is_complete(folder)
    assert not is_validated(folder)
    assert (folder / "epochs.jsonl").read_text() == epochs
    one, two = (read_predictions(each / "predictions.parquet") for each in (folder, scored))
    assert one.equals(two)
    evaluate(folder)


def test_weights_that_were_changed_before_are_not_scored(config, tiny_store, unscored, tmp_path):
    runs = shutil.copytree(unscored[0], tmp_path / "runs")
    folder = run_folder(runs, config)
    append(folder / "best.weights.h5")
    with pytest.raises(UserError, match=r"best\.weights\.h5: it is damaged.*record says"):
        train_and_evaluate(config, tiny_store, runs)
    assert not is_complete(folder)


def test_weights_of_before_digests_are_scored_and_said_to_be_unchecked(
    config, tiny_store, unscored, scored, tmp_path
):
    runs = shutil.copytree(unscored[0], tmp_path / "runs")
    folder = run_folder(runs, config)
    forget_digests(folder)
    shown = []
    train_and_evaluate(config, tiny_store, runs, shown.append)
    assert f"warning: {folder}: made before digests of weights were kept: not checked" in shown
    digests = [read_json(each / "result.json")["files_sha256"] for each in (folder, scored)]
    assert all(digests[0][name] == digests[1][name] for name in ("config.json", "best.weights.h5"))


def test_a_second_time_there_is_nothing_to_do(config, tiny_store, unscored, scored):
    for folder in (unscored[1], scored):
        before = sorted((path, path.stat().st_mtime_ns) for path in folder.iterdir())
        shown = []
        runs = folder.parents[2]
        train_and_evaluate(config, tiny_store, runs, shown.append, score_test=False)
        assert "complete already" in shown[0]
        assert sorted((path, path.stat().st_mtime_ns) for path in folder.iterdir()) == before


def test_other_sounds_of_test_speakers_change_nothing(config, tiny_store, unscored, tmp_path):
    utterances = speakers_of("tiny")
    sounds = sounds_of(utterances, config.frontend.bins)
    test = set(train.assemble(config, tiny_store).test.rows.tolist())
    changed = [-sound if row in test else sound for row, sound in enumerate(sounds)]
    other = write_corpus(tmp_path, utterances, changed)
    assert other.digest != load_corpus(tiny_store, "tiny", config.frontend).digest
    again = train_and_evaluate(config, tmp_path, tmp_path / "runs", score_test=False)
    figures = []
    for folder in (unscored[1], again):
        rows = [row["train"] | row["validation"] for row in read_jsonl(folder / "epochs.jsonl")]
        figures.append((validation_accuracy(folder), rows))
    assert figures[0] == figures[1]


def test_an_interrupted_run_without_its_test_part_goes_on(
    config, tiny_store, unscored, tmp_path, monkeypatch
):
    write = stages.Backup.on_epoch_end

    def interrupt(self, epoch, logs=None):
        write(self, epoch, logs)
        raise KeyboardInterrupt

    monkeypatch.setattr(stages.Backup, "on_epoch_end", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_and_evaluate(config, tiny_store, tmp_path, score_test=False)
    folder = run_folder(tmp_path, config)
    assert not is_validated(folder)
    with pytest.raises(UserError, match="found none"):
        validation_accuracy(folder)
    monkeypatch.undo()
    train_and_evaluate(config, tiny_store, tmp_path, score_test=False)
    assert validation_accuracy(folder) == validation_accuracy(unscored[1])


def test_what_a_kill_in_the_last_moment_leaves_goes_with_the_next_command(
    config, tiny_store, scored, tmp_path
):
    runs = shutil.copytree(scored.parents[2], tmp_path / "runs")
    folder = run_folder(runs, config)
    wanted = sorted(folder.iterdir())
    for name in (VALIDATION, "backup.json", "backup-stage2-0002.weights.h5"):
        (folder / name).touch()
    assert train_and_evaluate(config, tiny_store, runs) == folder
    assert sorted(folder.iterdir()) == wanted


@pytest.mark.parametrize(
    ("changes", "ended_by"),
    [
        ({"epochs": 3}, "epochs"),
        ({"epochs": 9, "stop_ratio": 0.9, "patience_epochs": 1}, "schedule"),
    ],
)
def test_a_run_says_whether_the_schedule_ended_it(config, tiny_store, tmp_path, changes, ended_by):
    training = replace(config.training, learning_rate=1e-9, **changes)
    lines = []
    folder = train_and_evaluate(
        replace(config, training=training),
        tiny_store,
        tmp_path,
        lines.append,
        score_test=False,
    )
    validation = read_json(folder / VALIDATION)
    assert validation["ended_by"] == ended_by
    assert (validation["epochs"] == changes["epochs"]) == (ended_by == "epochs")
    told = [line for line in lines if "before the schedule" in line]
    assert len(told) == (ended_by == "epochs")
    if told:
        assert "training.epochs = 3" in told[0]


def test_whatever_needs_the_test_part_says_how_a_run_without_one_is_scored(unscored, tmp_path):
    runs, folder = unscored
    said = "a test part is unread, and the same ser-aae train without --validation-only scores it"
    for refuse in (
        lambda: evaluate(folder),
        lambda: evaluate(folder.parent),
        lambda: read_config(folder),
        lambda: evaluate_all(runs),
    ):
        with pytest.raises(UserError, match=said):
            refuse()


def test_a_run_whose_test_part_is_unread_starts_another_as_it_does_later(unscored, scored):
    before, after = read_source(unscored[1]), read_source(scored)
    assert before.digest() == after.digest()
    assert (before.sounds, before.speakers) == (after.sounds, after.speakers)
    assert before.knows_speakers
    assert before.speakers


def test_a_validated_run_of_before_does_not_say_whom_it_has_heard(unscored, tmp_path):
    folder = shutil.copytree(unscored[1], tmp_path / unscored[1].parent.name / unscored[1].name)
    plain = read_json(folder / VALIDATION)
    del plain["leakage"]
    write_json(folder / VALIDATION, plain)
    assert not read_source(folder).knows_speakers


def test_a_folder_above_complete_runs_is_answered_with_one_of_them(scored, tmp_path):
    said = re.escape(f"name one of the runs in it: {scored}")
    for folder in (scored.parent, scored.parent.parent):
        for refuse in (read_config, read_source, load_model):
            with pytest.raises(UserError, match=said):
                refuse(folder)
