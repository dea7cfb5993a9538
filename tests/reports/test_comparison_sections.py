"""Experiments that can be compared, whoever ran them, each against the multi-task model."""

from dataclasses import replace

import pytest

from data_prep.corpora import known_facts
from reports.build import build_report
from reports.comparison_sections import compared_sections, experiments_section
from ser_aae.config import DataConfig, ModelConfig, ProtocolConfig, RunConfig, TrainingConfig
from ser_aae.config.build import build_config


@pytest.fixture
def sections(tmp_path, leave_cell, evaluate_all):
    """A function: configs to how many of 4 are right -> the sections that compare them."""

    def make(right, **options):
        for config, count in right.items():
            for fold in range(2):
                placed = replace(config, protocol=replace(config.protocol, fold=fold))
                leave_cell(tmp_path / "runs", placed, count, folds=2, **options)
        return compared_sections(evaluate_all(tmp_path / "runs"), corpora=known_facts())

    return make


def of_kind(kind, **settings):
    return RunConfig(model=ModelConfig(kind=kind), **settings)


def test_models_of_one_data_set_stand_in_one_table(sections):
    (section,) = sections({of_kind("mtl"): 4, of_kind("stl"): 3, of_kind("cnn"): 2})
    assert section.title == "Compared: demo, four emotions, 6 folds of speakers"
    ((_, frame, _),) = section.tables
    frame = frame.set_index("model")
    assert set(frame.index) == {"AAE, multi-task", "AAE, single task", "CNN"}
    assert frame.loc["CNN", "UA"] == "50.0 (folds ± 0.0)"
    assert frame.loc["CNN", "difference"] == "-50.0"
    assert frame.loc["AAE, single task", "difference"] == "-25.0"
    assert frame.loc["AAE, multi-task", "difference"] == "reference"
    assert list(frame.columns[-2:]) == ["difference", "p over folds"]
    ((_, behind),) = section.details  # folded away, for all of it in one table would scroll
    row = behind.set_index("model").loc["CNN"]
    assert row["pairs"] == "2"
    assert (row["n"], row["speakers"], row["folds run"], row["repetitions"]) == (
        "32",
        "10",
        "2 of 2",
        "1",
    )
    assert row["spread"].startswith("over 2 folds of one repetition")
    assert row["command"].startswith("ser-aae evaluate ")
    low, high = (float(edge) for edge in frame.loc["CNN", "95 % interval of UA"].split(" to "))
    assert low <= 50 <= high


def test_the_first_table_has_every_experiment_and_what_it_is_compared_with(
    tmp_path, leave_cell, evaluate_all
):
    urdu = replace(of_kind("cnn"), dataset="urdu")
    for config, count in {of_kind("mtl"): 4, of_kind("stl"): 3, urdu: 2}.items():
        for fold in range(2):
            placed = replace(config, protocol=replace(config.protocol, fold=fold))
            leave_cell(tmp_path / "runs", placed, count, folds=2)
    section = experiments_section(evaluate_all(tmp_path / "runs"), known_facts())
    ((_, frame, _),) = section.tables
    frame = frame.set_index("experiment")
    ours = "demo, four emotions, AAE, {}, 6 folds of speakers"
    assert frame.loc[ours.format("multi-task"), "difference"] == "reference"
    assert frame.loc[ours.format("single task"), "difference"] == "-25.0"
    alone = frame.loc["URDU, four emotions, CNN, 6 folds of speakers"]
    assert (alone["UA"], alone["difference"], alone["p"]) == ("50.0 (folds ± 0.0)", "-", "-")
    assert (alone["n"], alone["speakers"]) == ("32", "10")


def test_settings_that_differ_stand_in_the_row_and_others_below(sections):
    short = TrainingConfig(epochs=3)
    plain = of_kind("mtl", training=short)
    fewer = replace(plain, data=DataConfig(labelled_fraction=0.5))
    (section,) = sections({fewer: 2, plain: 3, of_kind("cnn", training=short): 3})
    ((_, frame, _),) = section.tables
    own = dict(zip(frame["settings of its own"], frame["model"], strict=True))
    assert own["data.labelled_fraction=0.5"] == "AAE, multi-task"
    assert section.notes == [("All with training.epochs=3.", "")]
    assert section.lead.endswith("each against AAE, multi-task.")


def test_the_multi_task_model_is_the_reference_even_with_more_settings_than_another(sections):
    more = of_kind("mtl", auxiliary=("urdu",))
    (section,) = sections({of_kind("cnn", task="valence"): 3, replace(more, task="valence"): 2})
    assert section.title == "Compared: demo, valence, 6 folds of speakers"
    assert section.lead.endswith("each against AAE, multi-task, auxiliary=urdu.")
    ((_, frame, _),) = section.tables
    assert frame.set_index("model").loc["CNN", "difference"] == "+25.0"


def test_without_it_the_reference_is_the_one_with_the_fewest_settings(sections):
    (section,) = sections({of_kind("cnn", auxiliary=("urdu",)): 3, of_kind("stl"): 2})
    assert section.lead.endswith("each against AAE, single task.")


def test_other_utterances_or_classes_are_not_compared(sections):
    others = {
        of_kind("mtl"): 4,
        of_kind("cnn", dataset="ravdess"): 4,
        of_kind("cnn", task="valence"): 4,
        of_kind("cnn", classes="anger,sadness,neutral,happiness"): 4,
        of_kind("cnn", improvised_only=True): 4,
        of_kind("cnn", protocol=ProtocolConfig(folds=5)): 4,
    }
    assert sections(others) == []


def test_a_preset_is_a_setting(sections):
    (section,) = sections({of_kind("mtl"): 4, build_config("paper"): 3})
    ((_, frame, _),) = section.tables
    assert "preset paper" in set(frame["settings of its own"])


def test_synthetic_speech_and_known_speakers_are_marked(sections):
    (section,) = sections({of_kind("mtl"): 4, of_kind("cnn"): 3})
    assert section.badges == ["synthetic", "speaker-independent"]


def test_the_page_and_the_markdown_have_the_table(sections, tmp_path):
    sections({of_kind("mtl"): 4, of_kind("cnn"): 2})
    page, markdown, *_ = build_report(
        tmp_path / "runs", tmp_path / "out", tmp_path / "store", corpora=known_facts()
    )
    for text in (page.read_text(), markdown.read_text()):
        assert "Compared: demo, four emotions, 6 folds of speakers" in text
        assert "-50.0" in text
        assert "bootstrap" in text
        assert "Wilcoxon" in text
