"""Command line: start-up, mistakes, ends of commands, and what options mean."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from processes import ROOT, run_code

from ser_aae import __version__
from ser_aae.cli import build_parser, main
from ser_aae.commands import evaluate, prepare, report, synthesise
from ser_aae.commands.run_config import read_config
from ser_aae.config import RunConfig

pytestmark = pytest.mark.usefixtures("empty_folder")
HEAVY = ("tensorflow", "keras", "pandas", "librosa", "numpy", "sklearn", "matplotlib", "scipy")


def arguments(*words):
    return build_parser().parse_args(words)


def failing(error):
    """Return a command that raises."""

    def run(_arguments):
        raise error

    return run


# start-up


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["--version"]])
def test_start_up_imports_nothing_heavy(words):
    code = (
        "import sys, ser_aae.cli\n"
        "try: ser_aae.cli.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if '.' not in name], file=sys.stderr)"
    )
    done = run_code(code, *words)
    loaded = done.stderr.splitlines()[-1]
    assert "'argparse'" in loaded
    assert not [name for name in HEAVY if f"'{name}'" in loaded]


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"ser-aae {__version__}\n"


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    for command in ("corpora", "synthesise", "prepare", "train", "evaluate", "report"):
        assert f"\n    {command}" in printed


# mistakes of the user


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "the following arguments are required: COMMAND; see: ser-aae --help"),
        (["trein"], "invalid choice: 'trein'"),
        (["prepare"], "the following arguments are required: --dataset"),
        (["prepare", "--dataset", "demo", "--workers", "two"], "expected 1 or more, got two"),
        (["prepare", "--dataset", "demo", "--workers", "0"], "expected 1 or more, got 0"),
        (["prepare", "--data", "demo"], "the following arguments are required: --dataset"),
        (["train"], "expected --dataset, or dataset in the file of --config"),
        (["train", "--dataset", "demo", "--fol", "1"], "unrecognized arguments: --fol 1"),
        (["report"], "the following arguments are required: --out"),
    ],
)
def test_a_command_line_that_says_nothing_sensible_is_refused(refused, words, expected):
    said = refused(*words)
    assert said.startswith("ser-aae: error: ")
    assert expected in said


@pytest.mark.parametrize("command", ["prepare", "train"])
@pytest.mark.parametrize("name", ["savvy", "nowhere"])
def test_an_unknown_corpus_is_refused_and_the_known_ones_named(refused, command, name):
    said = refused(command, "--dataset", name)
    assert f"got {name!r}" in said
    for known in ("demo", "librispeech", "ravdess", "urdu", "csv:FILE"):
        assert known in said


@pytest.mark.parametrize("command", ["prepare", "train"])
def test_a_corpus_that_is_not_there_is_told_with_where_and_how_to_get_it(refused, command):
    said = refused(command, "--dataset", "ravdess", "--data-root", "nowhere")
    assert "nowhere/ravdess" in said
    assert "zenodo.org" in said
    assert not Path("store").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--set", "model.alpa=1"], "did you mean model.alpha?"),
        (
            ["--model", "aae"],
            "--model: expected one of mtl, stl, ae, ae-mtl, cnn, cnn-mtl, got 'aae'",
        ),
        (["--epochs", "0"], "--epochs: expected a whole number from 1, got '0'"),
        (["--fold", "first"], "--fold: expected a whole number from 0, got 'first'"),
        (["--preset", "papre"], "--preset: expected one of default, paper"),
        (["--config", "absent.yaml"], "absent.yaml: cannot be read"),
        (["--protocol", "cross-corpus"], "protocol.target=NAME"),
        (["--protocol", "loso", "--folds", "5"], "--folds: goes with --protocol speaker-kfold"),
        (["--target", "urdu"], "--target: goes with --protocol cross-corpus"),
        (["--task", "arousal"], "--task: expected one of emotion, activation, valence"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_anything_is_done(refused, words, expected):
    assert expected in refused("train", "--dataset", "demo", *words)
    assert not Path("store").exists()


def test_prepare_takes_settings_of_the_front_end_alone(refused):
    said = refused("prepare", "--dataset", "demo", "--set", "model.alpha=1")
    assert "--set model.alpha=1: only settings of frontend" in said


@pytest.mark.parametrize("command", [["evaluate", "nowhere"], ["report", "--out", "out"]])
def test_no_run_is_told(refused, command):
    assert "expected" in refused(*command)
    assert not Path("out").exists()


def test_a_synthetic_corpus_does_not_replace_a_real_one(refused):
    Path("data", "demo").mkdir(parents=True)
    Path("data", "demo", "utterances.csv").write_text("mine\n")
    assert "not made by this program" in refused("synthesise")
    assert Path("data", "demo", "utterances.csv").read_text() == "mine\n"


# how commands end


def test_a_fault_of_the_program_is_one_line_and_a_traceback_with_v(capsys, monkeypatch):
    monkeypatch.setattr(evaluate, "run", failing(ValueError("odd\nmore")))
    assert main(["evaluate", "x"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("ser-aae: error: ValueError: odd (a fault of this program")
    assert len(said.splitlines()) == 1
    for words in (["-v", "evaluate", "x"], ["evaluate", "x", "-v"]):
        assert main(words) == 1
        assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_an_interrupt_says_that_it_goes_on(capsys, monkeypatch):
    monkeypatch.setattr(prepare, "run", failing(KeyboardInterrupt()))
    assert main(["prepare", "--dataset", "demo"]) == 130
    printed = capsys.readouterr()
    assert printed.err == "interrupted; the same command goes on where it stopped\n"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("can't write data (error message = 'No space left on device')"),
    ],
)
def test_a_full_disk_names_the_folder(refused, monkeypatch, error):
    monkeypatch.setattr(report, "run", failing(error))
    said = refused("report", "--out", "figures")
    assert said == (
        "ser-aae: error: figures: the disk is full; make room and give the same command again\n"
    )


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (errno.EROFS, "the file system is read-only; give another place"),
        (errno.EACCES, "not permitted to read or write it"),
        (errno.EPERM, "not permitted to read or write it"),
        (errno.ENAMETOOLONG, "the name is too long"),
        (errno.ENOSPC, "the disk is full; make room"),
        (errno.EDQUOT, "the disk is full; make room"),
        (errno.EMFILE, "too many files are open"),
    ],
)
def test_what_the_system_refuses_is_told_with_its_place(
    refused, monkeypatch, number, mend, wrapped
):
    error = OSError(number, os.strerror(number), "/closed/.17.part-result.json")
    if wrapped:
        error = wrap(error)
    monkeypatch.setattr(report, "run", failing(error))

    said = refused("report", "--out", "figures")

    assert said.startswith(f"ser-aae: error: /closed/result.json: {mend}")
    assert len(said.splitlines()) == 1


def wrap(error):
    outer = RuntimeError("a trial failed")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENAMETOOLONG, errno.ENOSPC])
@pytest.mark.parametrize(
    "text",
    [
        # as h5py, Arrow and TensorFlow put it
        "Unable to open file (name = '/closed/a.h5', errno = 0, error message = '{}', flags = 13)",
        "[Errno 0] Failed to open local file '/closed/a.h5'. Detail: [errno 0] {}",
        "/closed/a.h5; {}",
    ],
)
def test_what_libraries_tell_in_words_is_told_with_its_place(refused, monkeypatch, text, number):
    error = RuntimeError(text.format(os.strerror(number)))
    monkeypatch.setattr(report, "run", failing(error))

    assert refused("report", "--out", "figures").startswith("ser-aae: error: /closed/a.h5: ")


def test_other_errors_of_the_system_are_faults(capsys, monkeypatch):
    monkeypatch.setattr(report, "run", failing(OSError(errno.EIO, "Input/output error", "/a")))
    assert main(["report", "--out", "figures"]) == 1
    assert "a fault of this program" in capsys.readouterr().err


def test_a_folder_that_may_not_be_written_is_the_users_to_mend(refused, monkeypatch):
    error = PermissionError(errno.EACCES, "Permission denied", "/closed/data")
    monkeypatch.setattr(synthesise, "run", failing(error))
    assert "/closed/data: not permitted" in refused("synthesise")


def test_a_reader_that_goes_away_is_no_error():
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "ser_aae", "corpora"]
    with os.fdopen(write_end, "w") as closed:
        done = subprocess.run(
            command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT
        )
    assert done.returncode == 141
    assert done.stderr == ""


# what the options mean


def test_places_come_from_the_environment_or_stand_in_the_working_folder(monkeypatch):
    plain = arguments("train")
    assert (plain.data_root, plain.store, plain.runs) == (Path("data"), Path("store"), Path("runs"))
    for name in ("DATA", "STORE", "RUNS"):
        monkeypatch.setenv(f"SER_AAE_{name}", f"~/{name}")
    own = arguments("train")
    assert own.data_root == Path.home() / "DATA"
    assert (own.store, own.runs) == (Path.home() / "STORE", Path.home() / "RUNS")
    assert arguments("train", "--store", "here").store == Path("here")


def test_flags_stand_for_settings_and_set_comes_last():
    words = (
        "--dataset RAVDESS --auxiliary librispeech urdu --classes anger,fear --model stl "
        "--protocol speaker-kfold --folds 5 --fold 2 --epochs 3 --seed 4 --preset paper "
        "--set training.epochs=6 --set model.alpha=0.1"
    )
    config = read_config(arguments("train", *words.split()))
    assert (config.dataset, config.auxiliary) == ("ravdess", ("librispeech", "urdu"))
    assert (config.classes, config.model.kind, config.seed) == ("anger,fear", "stl", 4)
    assert (config.protocol.name, config.protocol.folds, config.protocol.fold) == (
        "speaker-kfold",
        5,
        2,
    )
    assert (config.training.epochs, config.training.optimiser) == (6, "sgd")
    assert config.model.alpha == 0.1


def test_flags_of_the_task_and_of_who_takes_part():
    words = (
        "--dataset msp --auxiliary librispeech --task clusters-5 --improvised-only "
        "--subset train-clean-360 --max-speakers 600"
    )
    config = read_config(arguments("train", *words.split()))
    assert (config.task, config.improvised_only) == ("clusters-5", True)
    assert config.data.auxiliary_subset == "train-clean-360"
    assert config.data.auxiliary_speakers == 600
    assert read_config(arguments("train", "--dataset", "msp")).improvised_only is False


def test_a_run_can_be_repeated_from_its_config_alone(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**RunConfig(dataset="urdu").to_dict(), "corpora": {"urdu": "1"}}))
    words = ["train", "--config", str(path), "--set", "protocol.fold=3"]
    config = read_config(arguments(*words))
    assert (config.dataset, config.protocol.fold) == ("urdu", 3)
    assert config.digest() == RunConfig(dataset="urdu").digest()


def test_corpora_as_json_is_one_document(capsys):
    Path("data", "ravdess", "Actor_01").mkdir(parents=True)
    assert main(["corpora", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert {"csv:FILE", "demo", "librispeech", "ravdess", "urdu"} <= rows.keys()
    assert rows["ravdess"]["found"] is True
    assert rows["ravdess"]["location"] == "data/ravdess"
    assert rows["demo"]["found"] is False
    assert rows["csv:FILE"]["found"] is None
    assert all(row["license"] and row["obtain"] and row["tree"] for row in rows.values())


def test_corpora_as_text_tells_terms_place_and_how_to_get_it(capsys):
    assert main(["corpora", "--data-root", "elsewhere"]) == 0
    text = capsys.readouterr().out
    assert "CC BY-NC-SA 4.0" in text
    assert "elsewhere/ravdess (not found)" in text
    assert "zenodo.org/records/1188976" in text
