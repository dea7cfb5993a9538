"""Commands that a report prints, read back by the parser of the program."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from reports.commands import (
    evaluate_command,
    reproduce_command,
    shortest_settings,
    train_command,
    train_command_of,
)
from ser_aae.cli import build_parser
from ser_aae.commands.reproduce import read_setup
from ser_aae.commands.train import read_config
from ser_aae.config import RunConfig
from ser_aae.config_fields import choices
from ser_aae.config_file import build_config
from ser_aae.experiments import ARTEFACTS, BUDGETS, Setup

RUNS = Path("my runs")
PARSER = build_parser()
SETUPS = {
    "default": Setup(),
    "smoke": Setup(budget=BUDGETS["smoke"], max_auxiliary_speakers=9),
    "paper": Setup(base=build_config("paper", assignments=["training.epochs=3"])),
    "other": Setup(("ravdess", "demo"), "urdu"),
    "none": Setup(("ravdess",), ""),
}


def parse(command):
    program, *words = shlex.split(command)
    assert program == "ser-aae"
    return PARSER.parse_args(words)


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
        arguments = parse(train_command_of(config, 1, RUNS))
        assert read_config(arguments).digest() == config.digest()
        assert (arguments.fold, arguments.runs) == ("0", RUNS)


@pytest.mark.parametrize(("most", "fold"), [(0, "all"), (1, "0"), (3, "all")])
def test_it_trains_one_fold_or_all(most, fold):
    assert parse(train_command_of(RunConfig(), most, RUNS)).fold == fold


@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.parametrize("artefact", ["table-3", "figure-4"])
def test_the_command_of_an_artefact_reads_as_its_setup(name, artefact):
    setup = SETUPS[name]
    arguments = parse(reproduce_command(artefact, setup, RUNS))
    assert arguments.artefacts == [artefact]
    assert read_setup(arguments) == setup


def test_settings_are_told_from_the_nearest_preset():
    assert shortest_settings(build_config("paper").to_dict(), ()) == ("paper", {})
    changed = build_config("default", assignments=["model.alpha=0.7"]).to_dict()
    assert shortest_settings(changed, ()) == ("default", {"model.alpha": "0.7"})
    assert shortest_settings(changed, ("model.alpha",)) == ("default", {})


def test_several_values_are_written_as_set_reads_them():
    config = replace(RunConfig(), auxiliary=("urdu", "librispeech"))
    words = parse(train_command_of(config, 1, RUNS))
    assert words.auxiliary == ["urdu", "librispeech"]
    filters = build_config("default", assignments=["model.filters=4,8"])
    assert shortest_settings(filters.to_dict(), ())[1] == {"model.filters": "4,8"}


def test_the_commands_quote_what_a_shell_would_split():
    like = RUNS / "demo/0123abcd/fold00-rep00"
    command = train_command(like.with_name("fold12-rep03"), like, RUNS)
    assert command == (
        "ser-aae train --config 'my runs/demo/0123abcd/fold00-rep00/config.json' "
        "--set protocol.fold=12 --set seed=3 --runs 'my runs'"
    )
    assert evaluate_command("runs/a;b") == "ser-aae evaluate 'runs/a;b'"
    assert "--runs 'my runs'" in reproduce_command("table-3", Setup(), RUNS)
