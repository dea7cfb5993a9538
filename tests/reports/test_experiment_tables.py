"""Tables of runs and experiments."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pandas as pd
import pytest

from reports import experiment_tables as tables
from reports.table_formats import to_html, to_markdown
from ser_aae.config import UNSTATED, RunConfig
from ser_aae.config.fields import with_settings
from ser_aae.config.presets import PRESETS
from ser_aae.results.folder import flatten
from ser_aae.results.places import Places
from ser_aae.results.text import FIGURES

NAMES = tuple(FIGURES)


def run(fold, **stored):
    figures = dict.fromkeys(NAMES, 0.5) | {"unweighted_accuracy": 0.6 + fold / 100}
    place = {"name": f"fold{fold:02d}-rep00", "fold": fold, "repetition": 0, "n": 12}
    return {**place, **figures, "stored": stored}


def evaluation(runs, complete=True, **more):
    spread = {name: {"mean": 0.61, "std": 0.01, "n": len(runs)} for name in NAMES}
    none = {name: {"mean": None, "std": None, "n": 0} for name in NAMES}
    repetition = dict.fromkeys(NAMES, 0.62) | {
        "repetition": 0,
        "folds": len(runs),
        "over_folds": spread,
    }
    return {
        "folder": "runs/demo/0123abcd",
        "runs": runs,
        "repetitions": [repetition],
        "over_repetitions": spread if complete else none,
        "folds_expected": len(runs) if complete else None,
        "ensemble": None,
        "missing": [],
        "incomplete": [],
    } | more


def test_a_run_is_a_row_with_what_it_wrote():
    full = run(
        0,
        validation_unweighted_accuracy=0.655,
        adversary={"state": "alive"},
        kept_epoch=8,
        epochs=14,
        pretraining_epochs=2,
        seconds=61.7,
    )
    table = tables.run_table(evaluation([full, run(1)]))
    assert table.iloc[0][
        ["UA", "validation UA", "adversary", "epoch kept", "seconds"]
    ].tolist() == [
        "60.0",
        "65.5",
        "alive",
        "8 of 12 (stage 1: 2)",
        "62",
    ]
    # what a run did not write is a dash, never an empty cell or "nan"
    optional = table.iloc[1][["validation UA", "adversary", "epoch kept", "seconds"]]
    assert optional.tolist() == ["-"] * 4


@pytest.mark.parametrize("adversary", [None, {}])
def test_a_model_without_adversary_has_a_dash(adversary):
    table = tables.run_table(evaluation([run(0, adversary=adversary)]))
    assert table["adversary"].tolist() == ["-"]


def test_the_pooled_table_tells_pooled_figures_from_means():
    table = tables.pooled_table(evaluation([run(0), run(1)]))
    assert table[""].tolist() == [
        "repetition 0, 2 of 2 folds pooled",
        "repetition 0, mean ± deviation over folds",
        "mean ± deviation over 2 complete repetitions",
    ]
    assert table["UA"].tolist() == ["62.0", "61.0 ± 1.0", "61.0 ± 1.0"]


def test_nothing_is_averaged_over_incomplete_repetitions():
    table = tables.pooled_table(evaluation([run(0)], complete=False))
    assert len(table) == 1
    assert "1 of ? folds" in table[""][0]


def test_the_leakage_table_has_parts_and_what_they_share():
    check = {
        "utterances": {"train": 40, "validation": 10, "test": 12, "unused": 0, "auxiliary": 99},
        "speakers": {"train": 4, "validation": 1, "test": 1, "auxiliary": 9},
        "shared_speakers": {"train-test": ["a", "b"]},
        "shared_utterances": 0,
        "shared_files": 0,
    }
    table = tables.leakage_table(evaluation([run(0, leakage=check), run(1)]))
    assert len(table) == 1
    row = table.iloc[0]
    assert row["run"] == "fold00-rep00"
    assert row[["train", "test", "auxiliary"]].tolist() == ["40 (4)", "12 (1)", "99 (9)"]
    assert row["speakers in train and test"] == "2"
    assert row["files shared"] == "0"
    assert row["sentences of test in train"] == "-"  # an earlier version did not count them
    assert row["copies left out"] == "-"  # an earlier version did not know recordings by sound
    assert "train without labels" not in table  # runs of an earlier version did not count them
    check["utterances"]["unlabelled"] = 7
    check["shared_sentences"] = 0.985
    check["copies"] = {"together": 1, "separated": 2, "contradicting": 4}
    assert tables.leakage_table(evaluation([run(0, leakage=check)]))["copies left out"][0] == "6"
    table = tables.leakage_table(evaluation([run(0, leakage=check)]))
    assert table["train without labels"].tolist() == ["7"]
    assert table["sentences of test in train"].tolist() == ["98%"]
    assert tables.leakage_table(evaluation([run(1)])).empty


def test_missing_runs_have_a_command_each():
    found = evaluation([run(0)], missing=["fold02-rep00"], incomplete=["fold01-rep00"])
    table = tables.missing_table(
        found, Path("runs/demo/0123abcd/fold00-rep00"), Places(runs=Path("runs"))
    )
    assert table["run"].tolist() == ["fold02-rep00", "fold01-rep00"]
    folds = [re.search(r"protocol\.fold=(\d+)", command)[1] for command in table["command"]]
    assert folds == ["2", "1"]
    assert tables.missing_table(evaluation([run(0)]), Path("x"), Places(runs=Path("y"))).empty


def every_setting(group=RunConfig, prefix=""):
    for item in fields(group):
        if is_dataclass(item.default_factory):
            yield from every_setting(item.default_factory, f"{prefix}{item.name}.")
        else:
            yield f"{prefix}{item.name}", item


def test_every_setting_of_the_config_is_in_the_table_of_choices():
    table = tables.choices_table(RunConfig().to_dict()).set_index("choice")
    settings = dict(every_setting())
    left_out = set(settings) - set(table.index)
    # and what has no effect on a joint run of emotions on one corpus without others
    idle = {
        "data.clusters",
        "data.corpus_balance",
        "data.masks",
        "data.normalisation",
        "training.pretraining",
        "training.pretraining_steps",
        "training.auxiliary_phases",
        "training.generator_rate_ratio",
        "verification_test_part",
        "protocol.test_partition",
    }
    assert left_out == {"dataset", "joined", "seed", "protocol.fold", "tables"} | idle
    assert not (table["departs"] == "*").any()
    for name, row in table.iterrows():
        source = settings[name].metadata["source"]
        assert row["source"] == ("chosen here" if source == UNSTATED else source)


def test_the_column_of_the_paper_is_its_preset():
    with_auxiliary = RunConfig(auxiliary=("librispeech",))
    serial = with_settings(with_auxiliary, {"training.update": "serial"})
    table = tables.choices_table(serial.to_dict()).set_index("choice")
    for name, value in flatten(dict(PRESETS["paper"])).items():
        assert table.loc[name, "paper"] == str(value)
    unchanged = set(table.index) - set(PRESETS["paper"])
    assert (table.loc[sorted(unchanged), "paper"] == table.loc[sorted(unchanged), "default"]).all()


def verified(fold):
    return run(fold) | {"equal_error_rate": 0.1 + fold / 10, "verification_trials": 360}


def test_an_experiment_that_verified_speakers_has_its_error_rate():
    found = evaluation([verified(0), verified(1)])
    rates = {"mean": 0.15, "std": 0.0707, "n": 2}
    for over in (found["repetitions"][0]["over_folds"], found["over_repetitions"]):
        over["equal_error_rate"] = rates
    found["repetitions"][0]["equal_error_rate"] = 0.15
    runs = tables.run_table(found)
    assert runs["EER"].tolist() == ["10.0", "20.0"]
    assert runs["trials"].tolist() == ["360", "360"]
    assert tables.pooled_table(found)["EER"].tolist() == ["15.0", "15.0 ± 7.1", "15.0 ± 7.1"]


def test_another_has_no_column_for_it():
    found = evaluation([run(0), run(1)])
    assert not {"EER", "trials"} & set(tables.run_table(found))
    assert "EER" not in tables.pooled_table(found)


def test_html_cells_are_escaped_and_the_table_scrolls():
    page = to_html(pd.DataFrame({"<th>": ["a & b", "<script>"], "n": [1, 2]}))
    assert page.startswith('<div class="scroll"><table>')
    assert "<th>&lt;th&gt;</th><th>n</th>" in page
    assert '<td data-head="&lt;th&gt;">a &amp; b</td><td data-head="n">1</td>' in page
    assert "<script>" not in page


def test_markdown_has_as_many_cells_in_every_line():
    frame = pd.DataFrame({"a": ["x|y", "z"], "b": [1, 2]})
    lines = to_markdown(frame).splitlines()
    assert lines[:3] == ["| a | b |", "| --- | --- |", "| x\\|y | 1 |"]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_an_ensemble_is_a_row_below_the_mean():
    runs = [run(fold) for fold in range(2)]
    assert len(tables.pooled_table(evaluation(runs))) == 3
    together = dict.fromkeys(NAMES, 0.66) | {"members": 2, "gender_accuracy": None}
    table = tables.pooled_table(evaluation(runs, ensemble=together))
    last = table.iloc[-1]
    assert last[""] == "ensemble of 2 repetitions"
    assert (last["UA"], last["gender"]) == ("66.0", "-")
