"""Commands that a report prints, read back by the parser of the program."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.corpora import known_facts
from reports.commands import (
    evaluate_command,
    prepare_commands,
    reproduce_command,
    train_command,
    train_command_of,
    with_setup,
)
from reports.settings import shortest_settings
from ser_aae.cli import build_parser
from ser_aae.commands.reproduce import read_setup
from ser_aae.commands.run_config import read_config
from ser_aae.config import RunConfig
from ser_aae.config.build import build_config
from ser_aae.config.fields import choices
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import BUDGETS, Setup, compare_fairly
from ser_aae.results.places import Places

RUNS = Path("my runs")
PLACES = Places(runs=RUNS, store=Path("my store"))
PARSER = build_parser()
DEFAULT_DATA = PARSER.parse_args(["reproduce", "all"]).data_root
SETUPS = {
    "default": Setup(corpora=known_facts()),
    "smoke": Setup(budget=BUDGETS["smoke"], max_auxiliary_speakers=9, corpora=known_facts()),
    "paper": Setup(
        base=build_config("paper", assignments=["training.epochs=3"]),
        given=("training.epochs",),
        corpora=known_facts(),
    ),
    "other": Setup(("ravdess", "demo"), "urdu", corpora=known_facts()),
    "none": Setup(("ravdess",), "", corpora=known_facts()),
    "compared": Setup(base=compare_fairly(RunConfig(), (), BUDGETS["full"]), corpora=known_facts()),
    "in epochs": Setup(
        base=compare_fairly(
            build_config(assignments=["training.pretraining_epochs=3"]),
            ["training.pretraining_epochs"],
            BUDGETS["full"],
        ),
        given=("training.pretraining_epochs",),
        corpora=known_facts(),
    ),
    "compared in short": Setup(
        base=compare_fairly(RunConfig(), (), BUDGETS["small"]),
        budget=BUDGETS["small"],
        corpora=known_facts(),
    ),
    "by hand": Setup(
        budget=BUDGETS["small"],
        repetitions=3,
        data_root="/my corpora",
        allow_partial=True,
        corpora=known_facts(),
    ),
}


def parse(command):
    program, *words = shlex.split(command)
    assert program == "ser-aae"
    return PARSER.parse_args(words)


def assert_places(arguments, setup):
    # `reproduce` makes an absolute path of a folder, for its workers
    assert Path(arguments.runs) in (RUNS, RUNS.absolute())
    assert Path(arguments.store) in (PLACES.store, PLACES.store.absolute())
    assert arguments.data_root == Path(setup.data_root or DEFAULT_DATA)
    assert arguments.allow_partial == setup.allow_partial


def configs_of(setup):
    cells = [
        cell for name, make in ARTEFACTS.items() if name != "table-4" for cell in make(setup).cells
    ]
    if len(setup.datasets) > 1:
        cells += ARTEFACTS["table-4"](setup).cells
    known = choices("model.kind")
    return [cell.config for cell in cells if cell.config.model.kind in known]


@pytest.mark.parametrize("name", SETUPS)
def test_the_command_of_a_cell_trains_that_cell(name):
    setup = SETUPS[name]
    configs = configs_of(setup)
    assert len(configs) > 7
    for config in configs:
        arguments = parse(train_command_of(config, 1, with_setup(PLACES, setup)))
        assert read_config(arguments).digest() == config.digest()
        assert (arguments.fold, arguments.seed) == ("0", "0")
        assert_places(arguments, setup)


def test_the_command_of_a_run_of_several_corpora_names_them_all():
    settings = ("data.corpus_balance=even", "training.start=0123456789abcdef")
    names = ("dataset=urdu,ravdess", "protocol.name=leave-one-corpus-out")
    config = build_config(assignments=(*names, *settings))
    words = shlex.split(train_command_of(config, 0, PLACES))
    assert words[words.index("--dataset") + 1] == "urdu,ravdess"
    assert read_config(PARSER.parse_args(words[1:])) == config


@pytest.mark.parametrize(("most", "fold"), [(0, "all"), (1, "0"), (3, "all")])
def test_it_trains_one_fold_or_all(most, fold):
    assert parse(train_command_of(RunConfig(), most, PLACES)).fold == fold


def test_several_repetitions_are_a_loop_that_a_shell_runs():
    found = train_command_of(RunConfig(), 0, PLACES, (0, 2))
    said = found.replace("ser-aae", "echo ser-aae")
    done = subprocess.run(["sh", "-c", said], check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert [line.rpartition("--seed ")[2] for line in lines] == ["0", "2"]
    one = parse(train_command_of(RunConfig(), 0, PLACES, (2,)))
    assert (one.seed, one.fold) == ("2", "all")


def test_a_loop_ends_where_a_repetition_fails():
    found = train_command_of(RunConfig(), 0, PLACES, (0, 1)).replace("ser-aae", "false")
    found = found.replace("do ", "do echo tried; ")
    done = subprocess.run(["sh", "-c", found], check=False, capture_output=True, text=True)
    assert done.stdout == "tried\n"


@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.parametrize("artefact", ["table-3", "figure-4"])
def test_the_command_of_an_artefact_reads_as_its_setup(name, artefact):
    setup = SETUPS[name]
    arguments = parse(reproduce_command(artefact, setup, PLACES))
    assert arguments.artefacts == [artefact]
    known = setup if setup.data_root else replace(setup, data_root=str(DEFAULT_DATA.absolute()))
    assert read_setup(arguments) == known
    assert_places(arguments, setup)


def test_the_command_of_an_artefact_runs_as_many_repetitions_as_were_asked_for():
    small = Setup(budget=BUDGETS["small"], corpora=known_facts())
    assert "--repetitions" not in reproduce_command("table-3", small, PLACES)
    arguments = parse(reproduce_command("table-3", replace(small, repetitions=3), PLACES))
    assert read_setup(arguments).repetitions_asked == 3


def test_a_folder_below_the_current_one_is_named_from_there(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    setup = replace(Setup(corpora=known_facts()), data_root=str(tmp_path / "demo/data"))
    command = reproduce_command("table-3", setup, PLACES)
    assert "--data-root demo/data " in command
    assert read_setup(parse(command)) == setup


@pytest.mark.parametrize("name", SETUPS)
def test_corpora_are_prepared_where_they_lie(name):
    setup = SETUPS[name]
    commands = prepare_commands(("iemocap", "csv:my list.csv"), with_setup(PLACES, setup)).split(
        " && "
    )
    found = [parse(command) for command in commands]
    assert [arguments.dataset for arguments in found] == ["iemocap", "csv:my list.csv"]
    for arguments in found:
        assert arguments.store == PLACES.store
        assert arguments.allow_partial == setup.allow_partial
        assert arguments.data_root == Path(setup.data_root or DEFAULT_DATA)


def test_settings_are_told_from_the_nearest_preset():
    assert shortest_settings(build_config("paper").to_dict(), ()) == ("paper", {})
    changed = build_config("default", assignments=["model.alpha=0.7"]).to_dict()
    assert shortest_settings(changed, ()) == ("default", {"model.alpha": "0.7"})
    assert shortest_settings(changed, ("model.alpha",)) == ("default", {})


def test_several_values_are_written_as_set_reads_them():
    config = replace(RunConfig(), auxiliary=("urdu", "librispeech"))
    words = parse(train_command_of(config, 1, PLACES))
    assert words.auxiliary == ["urdu", "librispeech"]
    filters = build_config("default", assignments=["model.filters=4,8"])
    assert shortest_settings(filters.to_dict(), ())[1] == {"model.filters": "4,8"}


def test_the_commands_quote_what_a_shell_would_split():
    like = RUNS / "demo/0123abcd/fold00-rep00"
    command = train_command(like.with_name("fold12-rep03"), like, PLACES)
    assert command == (
        "ser-aae train --config 'my runs/demo/0123abcd/fold00-rep00/config.json' "
        "--set protocol.fold=12 --set seed=3 --store 'my store' --runs 'my runs'"
    )
    by_hand = with_setup(PLACES, SETUPS["by hand"])
    assert_places(parse(train_command(like, like, by_hand)), SETUPS["by hand"])
    assert evaluate_command(Path("runs/a;b")) == "ser-aae evaluate 'runs/a;b'"
    assert "--runs 'my runs'" in reproduce_command("table-3", Setup(corpora=known_facts()), PLACES)
