"""The folder of a run: names, files, environment, and finding all of them."""

import json
import os
import subprocess
from dataclasses import replace
from importlib.metadata import PackageNotFoundError

import pandas as pd
import pytest

from ser_aae.config import ModelConfig, ProtocolConfig, RunConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import append_jsonl, read_json, read_jsonl, write_json
from ser_aae.results import (
    classes_of,
    environment,
    find_experiments,
    find_runs,
    is_complete,
    load_runs,
    read_predictions,
    run_folder,
    score,
    write_predictions,
)

CLASSES = ("anger", "neutral")


def predictions(count=8, speaker="demo:1"):
    """Every fourth answer is wrong; truths alternate."""
    truth = [CLASSES[row % 2] for row in range(count)]
    wrong = [row % 4 == 3 for row in range(count)]
    answers = [CLASSES[(row % 2) ^ wrong[row]] for row in range(count)]
    return pd.DataFrame(
        {
            "utterance_id": [f"{speaker}-{row}" for row in range(count)],
            "corpus": "demo",
            "speaker": speaker,
            "gender": "F",
            "truth": truth,
            "predicted": answers,
            "p_anger": [0.9 if name == "anger" else 0.2 for name in answers],
            "p_neutral": [0.1 if name == "anger" else 0.8 for name in answers],
            "segments": 2,
            "gender_predicted": ["M" if row == 0 else "F" for row in range(count)],
        }
    )


def test_json_comes_back_and_leaves_no_temporary_file(tmp_path):
    path = tmp_path / "new" / "result.json"
    write_json(path, {"ä": 0.1 + 0.2, "list": [1, None]})
    assert read_json(path) == {"ä": 0.1 + 0.2, "list": [1, None]}
    assert os.listdir(path.parent) == ["result.json"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    write_json(path, {"old": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"bad": float("nan")})

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_json(path, {"new": 2})
    assert os.listdir(tmp_path) == ["result.json"]
    assert read_json(path) == {"old": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "found none"), ("{", "not JSON"), ("[1]", "JSON object")],
)
def test_json_that_cannot_be_read_is_named(tmp_path, content, message):
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        read_json(path)
    assert str(path) in str(caught.value)


def test_lines_are_appended_and_a_cut_last_line_is_left_out(tmp_path):
    path = tmp_path / "run" / "epochs.jsonl"
    assert read_jsonl(path) == []
    append_jsonl(path, {"epoch": 0})
    append_jsonl(path, {"epoch": 1})
    with path.open("a") as file:
        file.write('{"epoch": 2')
    assert read_jsonl(path) == [{"epoch": 0}, {"epoch": 1}]
    path.write_text('{"epoch": 0}\nnonsense\n')
    with pytest.raises(UserError, match=r"epochs\.jsonl:2"):
        read_jsonl(path)


def test_the_run_folder_follows_the_layout(tmp_path):
    config = RunConfig(dataset="msp", seed=7, protocol=ProtocolConfig(name="loso", fold=3))
    folder = run_folder(tmp_path, config)
    assert folder == tmp_path / "msp-emotion-mtl-loso" / config.digest() / "fold03-rep07"
    assert not folder.exists()


def test_folds_and_seeds_share_a_folder_and_other_choices_do_not(tmp_path):
    config = RunConfig()
    folder = run_folder(tmp_path, config)
    other_fold = replace(config, seed=1, protocol=ProtocolConfig(fold=1))
    assert run_folder(tmp_path, other_fold).parent == folder.parent
    assert run_folder(tmp_path, replace(config, model=ModelConfig(alpha=1.0))).parent != (
        folder.parent
    )


def test_a_table_of_the_users_own_gives_a_folder_of_one_level(tmp_path):
    folder = run_folder(tmp_path, RunConfig(dataset="csv:/some where/../my calls.csv"))
    assert folder.parents[2] == tmp_path
    assert ":" not in folder.parents[1].name


def test_runs_are_found_begun_or_complete(tmp_path):
    folders = []
    for fold in (2, 0, 1):
        config = RunConfig(protocol=ProtocolConfig(fold=fold))
        folder = run_folder(tmp_path, config)
        write_json(folder / "config.json", config.to_dict())
        folders.append(folder)
    write_json(tmp_path / "elsewhere" / "config.json", {})
    write_json(folders[1] / "result.json", {"unweighted_accuracy": 0.5, "classes": ["a"]})
    assert find_runs(tmp_path) == [folders[1], folders[2], folders[0]]
    assert find_experiments(tmp_path) == [folders[0].parent]
    assert [is_complete(folder) for folder in folders] == [False, True, False]
    assert find_runs(tmp_path / "none") == []
    table = load_runs(tmp_path)
    assert len(table) == 1
    row = table.iloc[0]
    assert (row["fold"], row["repetition"], row["unweighted_accuracy"]) == (0, 0, 0.5)
    assert row["model.alpha"] == 0.4
    assert row["model.filters"] == "16,32"
    assert row["classes"] == "four"
    assert load_runs(tmp_path / "none").empty


def test_a_renamed_run_is_refused(tmp_path):
    config = RunConfig()
    folder = run_folder(tmp_path, config).with_name("fold04-rep00")
    write_json(folder / "config.json", config.to_dict())
    write_json(folder / "result.json", {})
    with pytest.raises(UserError, match="rename the folder to fold00-rep00"):
        load_runs(tmp_path)
    write_json(folder / "config.json", {"seed": 1})
    with pytest.raises(UserError, match="found no 'protocol'"):
        load_runs(tmp_path)


def test_the_environment_names_versions_and_the_commit(tmp_path):
    found = environment(tmp_path)
    assert found["git"] is None
    assert found["packages"]["numpy"].startswith("1.")
    assert found["cpu_count"] >= 1
    json.dumps(found)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert environment(tmp_path)["git"] is None  # a checkout without a commit
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "m"], check=True)
    clean = environment(tmp_path)["git"]
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "file").touch()
    assert environment(tmp_path)["git"] == {"commit": clean["commit"], "dirty": True}


def test_a_package_that_is_missing_has_no_version(tmp_path, monkeypatch):
    monkeypatch.setattr("ser_aae.results.provenance.PACKAGES", ("no-such-package",))
    assert environment(tmp_path)["packages"] == {"no-such-package": None}


def test_the_containers_wheel_of_tensorflow_has_a_version_too(tmp_path, monkeypatch):
    def version(name):
        if name == "tensorflow-cpu":
            return "2.99"
        raise PackageNotFoundError(name)

    monkeypatch.setattr("ser_aae.results.provenance.version", version)
    found = environment(tmp_path)["packages"]
    assert (found["tensorflow"], found["keras"]) == ("2.99", None)
    assert "tensorflow-cpu" not in found


def test_predictions_come_back(tmp_path):
    path = tmp_path / "run" / "predictions.parquet"
    frame = predictions()
    write_predictions(path, frame)
    back = read_predictions(path)
    assert back.to_dict("list") == frame.to_dict("list")
    assert classes_of(back) == CLASSES
    assert os.listdir(path.parent) == ["predictions.parquet"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="speaker"), "missing: speaker"),
        (lambda f: f.drop(columns=["p_anger", "p_neutral"]), "missing: p_<class>"),
        (lambda f: f.head(0), "found none"),
        (lambda f: f.assign(truth="fear"), "column truth: expected one of anger, neutral"),
        (lambda f: f.assign(gender=None), "column gender"),
        (lambda f: f.assign(utterance_id="same"), "found two of same"),
        (lambda f: f.assign(p_anger=0.9, p_neutral=0.9), "sum of 1"),
        (lambda f: f.assign(p_anger=-0.5, p_neutral=1.5), "from 0 to 1"),
        (lambda f: f.assign(p_anger=float("nan")), "from 0 to 1"),
        (lambda f: f.assign(predicted="anger"), "most probable class"),
    ],
)
def test_predictions_that_contradict_themselves_are_not_written(tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        write_predictions(tmp_path / "predictions.parquet", change(predictions()))
    assert not os.listdir(tmp_path)


def test_predictions_that_cannot_be_read_are_named(tmp_path):
    path = tmp_path / "predictions.parquet"
    with pytest.raises(UserError, match="found no file"):
        read_predictions(path)
    write_predictions(path, predictions())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r"predictions\.parquet: damaged"):
        read_predictions(path)


def test_the_score_by_hand():
    figures = score(predictions(), CLASSES)
    # anger 4 of 4, neutral 2 of 4; one gender of eight is wrong; one speaker, all "anger"
    assert figures["n"] == 8
    assert figures["weighted_accuracy"] == 6 / 8
    assert figures["unweighted_accuracy"] == 0.75
    assert figures["per_class_recall"] == {"anger": 1.0, "neutral": 0.5}
    assert figures["confusion"] == [[4, 0], [2, 2]]
    assert figures["gender_accuracy"] == 7 / 8
    assert figures["speaker_only_unweighted_accuracy"] == 0.5
    assert figures["chance"] == 0.5
    json.dumps(figures, allow_nan=False)


def test_the_digest_names_the_test_part_whatever_its_order():
    frame = predictions()
    digest = score(frame, CLASSES)["test_ids_digest"]
    assert score(frame[::-1], CLASSES)["test_ids_digest"] == digest
    assert score(frame.head(7), CLASSES)["test_ids_digest"] != digest
    assert score(frame.assign(corpus="other"), CLASSES)["test_ids_digest"] != digest


def test_gender_is_scored_only_where_it_is_known():
    frame = predictions()
    assert score(frame.drop(columns="gender_predicted"), CLASSES)["gender_accuracy"] is None
    assert score(frame.assign(gender="unknown"), CLASSES)["gender_accuracy"] is None
    half = frame.assign(gender=["F", "unknown"] * 4, gender_predicted=[None, "F"] + ["F"] * 6)
    assert score(half, CLASSES)["gender_accuracy"] == 1.0


def test_a_class_without_truth_is_said():
    frame = predictions().assign(p_fear=0.0)
    figures = score(frame, (*CLASSES, "fear"))
    assert figures["classes_scored"] == list(CLASSES)
    assert figures["per_class_recall"]["fear"] is None
    assert figures["chance"] == 0.5
