"""Settings that were given to a setup count, also where they equal a default."""

import json
from pathlib import Path

import pytest
from stored import read_unsealed

from data_prep.corpora import known_facts
from reports.commands import Places, reproduce_command
from ser_aae.cli import build_parser
from ser_aae.commands.reproduce_setup import read_setup
from ser_aae.config.datasets import stored_name
from ser_aae.experiments.artefacts import choose
from ser_aae.experiments.cells import cell_config
from ser_aae.experiments.setup import read_setups, setup_folder, write_setup


def setup_of(*words):
    return read_setup(build_parser().parse_args(["reproduce", "table-3", *words]))


def given(*settings, preset="paper"):
    words = [word for text in settings for word in ("--set", text)]
    return setup_of("--preset", preset, *words)


@pytest.mark.parametrize(
    ("settings", "weights"),
    [((), (0.3, 0.7)), (("model.alpha=0.4",), (0.4, 0.6)), (("model.alpha=0.41",), (0.41, 0.6)),
     (("model.beta=0.6",), (0.4, 0.6)), (("training.epochs=9",), (0.3, 0.7))],
)  # fmt: skip
def test_a_given_weight_takes_the_place_of_the_papers(settings, weights):
    model = cell_config(given(*settings), "iemocap", "ae").model
    assert (model.alpha, model.beta) == weights


@pytest.mark.parametrize(
    ("setting", "name", "papers"),
    [("data.auxiliary_speakers=0", "auxiliary_speakers", 600),
     ("data.auxiliary_subset=", "auxiliary_subset", "train-clean-360")],
)  # fmt: skip
def test_a_selection_that_is_given_as_none_is_none(setting, name, papers):
    assert getattr(cell_config(given(), "iemocap").data, name) == papers
    assert not getattr(cell_config(given(setting), "iemocap").data, name)


def test_a_verification_subset_that_is_given_as_all_is_all():
    def subsets(setup):
        (figure,) = choose(["figure-4"], setup)
        return {cell.config.verification_subset for cell in figure.cells}

    assert subsets(given()) == {"", "test-clean"}
    assert subsets(given("verification_subset=")) == {""}


def test_only_what_decides_something_makes_another_setup(tmp_path):
    def folder(*settings, preset="paper"):
        return setup_folder(tmp_path, given(*settings, preset=preset))

    assert folder("model.alpha=0.4") != folder()
    assert folder("training.batch_size=32") == folder()
    assert folder("model.alpha=0.4", preset="default") == folder(preset="default")


def test_what_was_given_comes_back_and_a_command_gives_it_again(tmp_path):
    setup = given("model.alpha=0.4", "data.auxiliary_subset=")
    write_setup(tmp_path, setup)
    (back,) = read_setups(tmp_path, known_facts())
    assert back == setup
    command = reproduce_command("table-3", back, Places(runs=tmp_path))
    again = read_setup(build_parser().parse_args(command.split()[1:]))
    assert setup_folder(tmp_path, again) == setup_folder(tmp_path, setup)


def test_setups_of_before_do_not_say_what_was_given(tmp_path):
    folder = write_setup(tmp_path, given())
    rest = read_unsealed(folder / "setup.json")
    del rest["given"], rest["tables"]
    (folder / "setup.json").write_text(json.dumps(rest))
    (back,) = read_setups(tmp_path, known_facts())
    assert back.given == ()
    assert setup_folder(tmp_path, back) == folder


def test_an_alias_names_the_same_cells():
    one, other = (setup_of("--datasets", "iemocap", name) for name in ("MSP-IMPROV", "msp"))
    digests = [
        [cell.config.digest() for item in choose(["all"], setup) for cell in item.cells]
        for setup in (one, other)
    ]
    assert digests[0] == digests[1]
    assert one.title_of("msp_improv") == "MSP-IMPROV"


def test_tables_of_a_setup_are_found_from_another_folder(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    setup = setup_of("--datasets", "csv:Calls.csv", "csv:b.csv", "--auxiliary", "none")
    write_setup(Path("runs"), setup)
    name, other = stored_name("csv:Calls.csv"), stored_name("csv:b.csv")
    monkeypatch.chdir(tmp_path / "elsewhere")
    (back,) = read_setups(tmp_path / "runs", known_facts())
    config = cell_config(back, "csv:Calls.csv")
    assert config.dataset == config.stored_name(config.dataset) == name
    assert config.source(name) == f"csv:{tmp_path}/Calls.csv"
    (table,) = choose(["table-4"], back)
    target = table.cells[0].config
    assert target.stored_name(target.protocol.target) == other
    command = reproduce_command("table-3", back, Places(runs=tmp_path / "runs"))
    assert f"--datasets csv:{tmp_path}/Calls.csv csv:{tmp_path}/b.csv" in command
