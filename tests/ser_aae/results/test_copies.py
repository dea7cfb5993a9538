"""Copies of experiments are told apart from experiments that were run twice."""

import os
import shutil

from ser_aae.files.atomic import write_json
from ser_aae.results.copies import find_copies
from ser_aae.results.folder import load_runs


def leave(runs, experiment, *folds, seconds=1.0):
    folder = runs / "demo-emotion" / experiment
    for fold in folds:
        run = folder / f"fold{fold:02d}-rep00"
        run.mkdir(parents=True)
        write_json(run / "config.json", {"fold": fold})
        write_json(run / "result.json", {"n": 4, "seconds": seconds + fold})
    return folder


def test_a_copy_of_all_or_some_runs_counts_once(tmp_path):
    whole = leave(tmp_path, "0a", 0, 1)
    renamed = shutil.copytree(whole, whole.with_name("0a-copy"))
    part = shutil.copytree(whole, tmp_path / "backup" / "0a")
    shutil.rmtree(part / "fold01-rep00")
    assert find_copies(tmp_path) == {renamed: whole, part: whole}


def test_of_equals_the_oldest_is_the_original(tmp_path):
    whole = leave(tmp_path, "0a", 0)
    earlier = shutil.copytree(whole, tmp_path / "backup" / "0a")
    os.utime(whole / "fold00-rep00/result.json", (1e9, 1e9))
    assert find_copies(tmp_path) == {earlier: whole}
    os.utime(earlier / "fold00-rep00/result.json", (5e8, 5e8))
    assert find_copies(tmp_path) == {whole: earlier}


def test_what_was_trained_again_or_has_a_fold_more_is_no_copy(tmp_path):
    first = leave(tmp_path, "0a", 0, 1)
    leave(tmp_path, "0b", 0, 1, seconds=2.0)
    more = shutil.copytree(first, tmp_path / "other" / "0a")
    leave(tmp_path / "further", "0a", 2)
    shutil.copytree(tmp_path / "further/demo-emotion/0a/fold02-rep00", more / "fold02-rep00")
    shutil.rmtree(tmp_path / "further")
    assert find_copies(tmp_path) == {first: more}


def test_runs_of_other_configs_are_none_whatever_their_results(tmp_path):
    leave(tmp_path, "0a", 0)
    other = leave(tmp_path, "0b", 0)
    write_json(other / "fold00-rep00/config.json", {"fold": 0, "alpha": 0.9})
    assert find_copies(tmp_path) == {}


def test_begun_runs_are_no_copies_of_each_other(tmp_path):
    for name in ("0a", "0b"):
        (leave(tmp_path, name, 0) / "fold00-rep00" / "result.json").unlink()
    assert find_copies(tmp_path) == {}
    assert load_runs(tmp_path).empty
