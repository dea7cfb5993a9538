"""The table of the preset `default` on RAVDESS says what the committed records of its runs say."""

import re
from pathlib import Path

import pandas as pd
import pytest

from ser_aae.config.build import build_config

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIGURES = {"UA": "unweighted_accuracy", "WA": "weighted_accuracy"}
SEEDS = (0, 1, 2)
MEAN = "multi-task AAE, mean"


@pytest.fixture(scope="module")
def records():
    """The runs, figures in per cent."""
    frame = pd.read_csv(DOCS / "data/ravdess-default.csv")
    shares = [*FIGURES.values(), "macro_f1", "gender_accuracy", "validation_unweighted_accuracy"]
    return frame.assign(**{name: 100 * frame[name] for name in shares})


@pytest.fixture(scope="module")
def section():
    """The text from the first heading to the next one of its level."""
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    return text.partition("\n## RAVDESS, four")[2].partition("\n## ")[0]


@pytest.fixture(scope="module")
def tables(section):
    """Figure to row to cells, as the page has them."""
    found = {}
    for figure in FIGURES:
        lines = re.search(rf"^\| {figure} \| fold 0 .*\n\| ---.*\n((?:\|.*\n)+)", section, re.M)
        rows = [[cell.strip(" *|") for cell in line.split(" | ")] for line in lines[1].splitlines()]
        found[figure] = {row[0]: row[1:] for row in rows}
    return found


def test_every_fold_was_run_with_every_seed_and_the_settings_of_the_preset(records):
    assert sorted(zip(records["seed"], records["fold"], strict=True)) == [
        (seed, fold) for seed in SEEDS for fold in range(6)
    ]
    assert records["experiment"].nunique() == 1
    assert set(records["preset"]) == {"default"}
    assert records["settings"].isna().all()
    assert records["commit"].nunique() == 1


def test_test_speakers_were_in_no_other_part_and_nothing_names_a_machine(records):
    assert records["speaker_independent"].all()
    assert (records[["shared_speakers", "shared_utterances", "shared_files"]] == 0).all(axis=None)
    assert set(records["speaker_only_unweighted_accuracy"]) == {0.25}
    text = (DOCS / "data/ravdess-default.csv").read_text(encoding="utf-8")
    assert not re.search(r"/(home|work|tmp|root)/", text)


@pytest.mark.parametrize("figure", FIGURES)
def test_the_figures_are_those_of_the_records(records, tables, figure):
    by_fold = records.pivot(index="seed", columns="fold", values=FIGURES[figure])
    for seed in SEEDS:
        said = [float(cell) for cell in tables[figure][f"multi-task AAE, seed {seed}"][:7]]
        # pooling equals the mean over folds, which have as many utterances of each class
        wanted = [*by_fold.loc[seed], by_fold.loc[seed].mean()]
        assert said == pytest.approx(wanted, abs=0.051)
    said = [float(cell) for cell in tables[figure][MEAN][:7]]
    assert said == pytest.approx([*by_fold.mean(), by_fold.mean(axis=None)], abs=0.051)


def test_spreads_are_those_of_the_records(records, tables, section):
    by_fold = records.pivot(index="seed", columns="fold", values="unweighted_accuracy")
    for seed in SEEDS:
        row = by_fold.loc[seed]
        said = tables["UA"][f"multi-task AAE, seed {seed}"][7]
        assert said == f"{row.mean():.1f} ± {row.std():.1f}"
    over_seeds = by_fold.mean(axis=1).std()
    assert f"± {over_seeds:.1f} over seeds" in " ".join(section.split())


def test_what_is_said_beside_the_table_is_in_the_records(records, section):
    said = " ".join(section.split())
    assert f"gender is right in {records['gender_accuracy'].mean():.1f} %" in said
    assert set(records["adversary"]) == {"alive"}


def test_the_runs_can_be_trained_again_by_name():
    config = build_config(file=DOCS / "data/ravdess-default.json")
    assert config.digest() == "863258da"


@pytest.fixture(scope="module")
def drawn():
    """The runs of the preset as it is now, on folds that are drawn, figures in per cent."""
    frame = pd.read_csv(DOCS / "data/ravdess-stratified.csv")
    shares = [*FIGURES.values(), "validation_unweighted_accuracy"]
    return frame.assign(**{name: 100 * frame[name] for name in shares}).set_index("fold")


@pytest.mark.parametrize(
    ("row", "figure"),
    [
        ("multi-task AAE, preset of today, seed 0", "unweighted_accuracy"),
        ("its validation speakers", "validation_unweighted_accuracy"),
    ],
)
def test_the_figures_of_the_preset_of_today_are_those_of_its_records(section, drawn, row, figure):
    line = re.search(rf"^\| {row} \| (.*) \|$", section, re.M)
    assert line is not None
    *folds, pooled, spread = [cell.strip(" *") for cell in line[1].split(" | ")]
    values = drawn[figure].sort_index()
    assert list(values.index) == list(range(6))
    assert [*map(float, folds), float(pooled)] == pytest.approx([*values, values.mean()], abs=0.051)
    assert spread == f"{values.mean():.1f} ± {values.std():.1f}"


def test_the_runs_of_today_have_the_preset_of_today_but_for_the_start_of_the_choice(drawn):
    config = build_config(assignments=["dataset=ravdess", "training.selection_start=left-out"])
    assert set(drawn["experiment"]) == {config.digest()}
    assert drawn["speaker_independent"].all()
    text = (DOCS / "data/ravdess-stratified.csv").read_text(encoding="utf-8")
    assert not re.search(r"/(home|work|tmp|root)/", text)
