"""The folder of a run: names, files, environment, and finding all of them."""

import json
import os
import subprocess
from dataclasses import replace
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from ser_aae.config import ModelConfig, ProtocolConfig, RunConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import append_jsonl, read_json, read_jsonl, write_json
from ser_aae.results.folder import find_experiments, find_runs, is_complete, load_runs, run_folder
from ser_aae.results.provenance import environment
from ser_aae.results.search_folder import find_searches


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
    with pytest.raises(UserError, match=r"config\.json: dataset: expected one text, found none"):
        load_runs(tmp_path)


def test_the_environment_names_versions_and_the_commit(tmp_path):
    found = environment(tmp_path)
    assert found["git"] is None
    assert found["packages"]["numpy"] == np.__version__
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


@pytest.mark.parametrize("find", [find_runs, find_searches])
def test_a_folder_that_may_not_be_read_is_told_and_not_passed_over(tmp_path, monkeypatch, find):
    scandir = os.scandir

    def refuse_some(path):
        if os.path.basename(path) in ("locked", "lost+found"):
            raise PermissionError(13, "Permission denied", str(path))
        if os.path.basename(path) == "gone":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse_some)
    write_json(tmp_path / "search" / "search.json", {})
    for name in ("lost+found", "gone"):
        (tmp_path / name).mkdir()
    find(tmp_path)
    (tmp_path / "deeper" / "locked").mkdir(parents=True)
    with pytest.raises(UserError, match=r"deeper/locked: expected a folder that may be read, .*"):
        find(tmp_path)
