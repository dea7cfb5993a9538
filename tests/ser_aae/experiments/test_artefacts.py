"""Every table and figure as its cells: which there are, and what each is trained with."""

from dataclasses import replace

import pandas as pd
import pytest

from data_prep.corpora import known_facts
from ser_aae.config import ModelConfig, RunConfig
from ser_aae.config.build import build_config
from ser_aae.config.fields import with_settings
from ser_aae.errors import UserError
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.cells import PAPERS_WEIGHTS, cell_config
from ser_aae.experiments.setup import BUDGETS, Budget, Setup, compare_fairly, compared_settings
from ser_aae.labels import PRIMARY_TASKS
from ser_aae.results.predictions import score
from ser_aae.training.pretraining_key import config_of_stage_one

SETUP = Setup(budget=Budget("few"), max_auxiliary_speakers=900, corpora=known_facts())
PAPER = replace(SETUP, base=build_config("paper"))


def cells_of(name, setup=SETUP):
    return ARTEFACTS[name](setup).cells


def by_place(name, setup=SETUP):
    return {(cell.panel, cell.row, cell.column): cell for cell in cells_of(name, setup)}


@pytest.mark.parametrize("name", ARTEFACTS)
def test_an_artefact_says_its_name_and_places_each_cell_once(name):
    artefact = ARTEFACTS[name](SETUP)
    assert artefact.name == name
    assert artefact.title
    assert len(by_place(name)) == len(artefact.cells)


@pytest.mark.parametrize("name", ARTEFACTS)
def test_every_cell_names_fold_0_seed_0_and_a_task_that_there_is(name):
    for cell in cells_of(name):
        assert (cell.config.protocol.fold, cell.config.seed) == (0, 0)
        assert cell.config.task in PRIMARY_TASKS


@pytest.mark.parametrize("name", ARTEFACTS)
def test_two_cells_of_one_figure_that_differ_in_place_differ_in_what_is_trained(name):
    """Panels of Fig. 4 show other figures of one run; anything else that is shared is a slip."""
    seen = {}
    for cell in cells_of(name):
        key = (cell.config.digest(), cell.score)
        assert key not in seen or name == "figure-5", f"{cell.row} {cell.column} is {seen[key]}"
        seen[key] = (cell.row, cell.column)


def test_the_figures_are_those_of_a_result():
    frame = pd.DataFrame(
        {
            "utterance_id": ["a", "b"],
            "corpus": "c",
            "speaker": "s",
            "gender": "F",
            "gender_predicted": "F",
            "truth": ["x", "y"],
            "predicted": ["x", "y"],
        }
    )
    known = {*score(frame, ("x", "y")), "speaker_accuracy", "equal_error_rate"}
    used = {cell.score for name in ARTEFACTS for cell in cells_of(name)}
    assert used <= known
    assert "weighted_accuracy" in used


def test_table_2_trains_nothing():
    assert cells_of("table-2") == ()


def test_table_3_has_the_papers_own_rows_under_both_protocols():
    rows = list(dict.fromkeys((cell.panel, cell.config.model.kind) for cell in cells_of("table-3")))
    assert rows == [
        ("10-fold", "cnn-mtl"),
        ("10-fold", "ae-mtl"),
        ("10-fold", "mtl"),
        ("loso", "mtl"),
        ("loso", "stl"),
    ]
    for cell in cells_of("table-3"):
        assert cell.config.protocol.name == cell.panel
        assert SETUP.title_of(cell.config.dataset) == cell.column


def test_table_4_goes_from_the_first_corpus_to_the_second_in_both_readings():
    shared, apart = (cell.config for cell in cells_of("table-4"))
    for config in (shared, apart):
        assert config.protocol.name == "cross-corpus"
        assert (config.dataset, config.protocol.target) == ("iemocap", "msp")
        assert config.protocol.selection_fraction == pytest.approx(0.3)
    assert (shared.protocol.target_speakers, apart.protocol.target_speakers) == ("shared", "apart")


def test_table_4_needs_two_corpora():
    with pytest.raises(UserError, match=r"table-4: expected two corpora.*got demo"):
        ARTEFACTS["table-4"](replace(SETUP, datasets=("demo",)))


def test_table_5_shows_both_figures_of_one_run_with_none_one_or_both_tasks():
    places = by_place("table-5")
    assert len(places) == 4 * 4
    wa, ua = (places["", "Gender", f"IEMOCAP {short}"] for short in ("WA", "UA"))
    assert wa.config == ua.config
    assert (wa.score, ua.score) == ("weighted_accuracy", "unweighted_accuracy")
    tasks = {
        row: places["", row, "IEMOCAP UA"].config.model.auxiliary_tasks
        for row in ("Gender", "Speaker", "Both")
    }
    assert tasks == {
        "Gender": ("gender",),
        "Speaker": ("speaker",),
        "Both": ("gender", "speaker"),
    }
    assert places["", "None", "IEMOCAP UA"].config.model.kind == "stl"


def test_table_6_parts_levels_from_clusters():
    cells = cells_of("table-6")
    assert len(cells) == 4 * 8
    tasks = {cell.panel: set() for cell in cells}
    for cell in cells:
        tasks[cell.panel].add(cell.config.task)
    assert list(tasks.values()) == [{"activation", "valence"}, {"clusters-3", "clusters-5"}]


def test_tables_share_the_runs_they_have_in_common():
    single = by_place("table-3")["loso", "AAE, single task", "IEMOCAP"].config
    assert by_place("table-5")["", "None", "IEMOCAP UA"].config == single
    both = by_place("table-3")["loso", "AAE, multi-task", "MSP-IMPROV"].config
    assert by_place("table-5")["", "Both", "MSP-IMPROV UA"].config == both


def test_figure_2_is_of_the_last_corpus_and_shared_with_table_6():
    (cell,) = cells_of("figure-2")
    assert (cell.config.dataset, cell.config.task) == ("msp", "clusters-3")
    place = ("joint activation-valence space", "Both", "MSP-IMPROV 3 clusters")
    assert by_place("table-6")[place].config == cell.config


def test_figure_3_has_four_bars_in_four_groups_for_each_corpus():
    cells = cells_of("figure-3")
    assert len(cells) == 2 * 4 * 4
    assert list(dict.fromkeys(cell.column for cell in cells)) == ["CNN", "AE", "STL", "MTL"]
    assert {cell.config.protocol.name for cell in cells} == {"loso"}


def test_figure_4_goes_up_in_hundreds_and_zero_is_no_auxiliary_corpus():
    emotion = [cell for cell in cells_of("figure-4") if cell.panel == "emotion recognition"]
    own = [cell for cell in emotion if cell.column == "IEMOCAP"]
    assert [cell.x for cell in own] == [100.0 * step for step in range(10)]
    assert own[0].config.auxiliary == ()
    assert [cell.config.data.auxiliary_speakers for cell in own[1:]] == list(range(100, 1000, 100))
    assert all(cell.config.auxiliary == ("librispeech",) for cell in own[1:])


def test_figure_4_measures_gender_and_speaker_in_the_single_tasks():
    panels = {cell.panel: cell for cell in cells_of("figure-4")}
    found = {
        name: (cell.config.model.kind, cell.config.task, cell.config.protocol.name, cell.score)
        for name, cell in panels.items()
    }
    assert found == {
        "emotion recognition": ("mtl", "emotion", "loso", "unweighted_accuracy"),
        "gender classification": ("stl", "gender", "speaker-kfold", "weighted_accuracy"),
        "speaker identification": ("stl", "speaker", "10-fold", "weighted_accuracy"),
        "speaker verification": ("stl", "speaker", "10-fold", "equal_error_rate"),
    }
    assert panels["gender classification"].config.protocol.folds == 5
    assert not any(cell.config.tasks for cell in panels.values() if cell.config.task != "emotion")
    # one training shows both
    one, other = (panels[f"speaker {name}"].config for name in ("identification", "verification"))
    assert one == other
    assert one.verification_subset == "test-clean"


def test_both_readings_of_figure_4_have_the_same_points_and_runs_of_emotion():
    one, other = (cells_of(name) for name in ("figure-4", "figure-4-multitask"))
    places = [(cell.panel, cell.row, cell.column, cell.x) for cell in one]
    assert places == [(cell.panel, cell.row, cell.column, cell.x) for cell in other]
    of_emotion = [cell for cell in one if cell.panel == "emotion recognition"]
    assert of_emotion == [cell for cell in other if cell.panel == "emotion recognition"]


@pytest.mark.parametrize("task", ["gender", "speaker"])
def test_weights_of_the_single_tasks_are_those_of_categories(task):
    cells = [cell for cell in cells_of("figure-4", PAPER) if cell.config.task == task]
    weights = {(cell.config.model.alpha, cell.config.model.beta) for cell in cells}
    assert weights == {PAPERS_WEIGHTS["categorical", "aae"]}


def test_the_multi_task_figure_4_identifies_known_speakers_and_verifies_unknown_ones():
    panels = {cell.panel: cell for cell in cells_of("figure-4-multitask")}
    assert {cell.config.model.kind for cell in panels.values()} == {"mtl"}
    identified, verified = panels["speaker identification"], panels["speaker verification"]
    assert identified.config.protocol.name == "10-fold"
    assert identified.config.verification == ""
    assert verified.config.protocol.name == "loso"
    assert verified.config.verification == "librispeech"
    assert verified.config.verification_subset == "test-clean"
    assert verified.config.data.auxiliary_subset == "train-clean-360"


def test_figure_4_verifies_the_corpus_that_the_base_names():
    base = with_settings(RunConfig(), {"verification": "demo"})
    cells = cells_of("figure-4", replace(SETUP, base=base))
    own = {cell.config.verification for cell in cells if cell.score == "equal_error_rate"}
    assert own == {"demo"}
    assert {cell.config.verification_subset for cell in cells} == {""}
    assert {
        cell.config.verification for cell in cells_of("table-3", replace(SETUP, base=base))
    } == {""}


def test_figure_4_takes_few_steps_where_there_are_few_speakers():
    few = replace(SETUP, max_auxiliary_speakers=4)
    counts = [cell.x for cell in cells_of("figure-4", few)]
    assert sorted(set(counts)) == [0, 1, 2, 3, 4]


def test_figure_5_sweeps_alpha_at_beta_half_then_beta_at_alpha_one():
    cells = [
        c for c in cells_of("figure-5") if c.column.startswith("IEMOCAP") and c.panel == "valence"
    ]
    alpha = [c.config.model for c in cells if c.column.endswith("alpha")]
    beta = [c.config.model for c in cells if c.column.endswith("beta")]
    assert [m.alpha for m in alpha] == pytest.approx([n / 10 for n in range(1, 11)])
    assert {m.beta for m in alpha} == {0.5}
    assert [m.beta for m in beta] == pytest.approx([n / 10 for n in range(1, 10)])
    assert {m.alpha for m in beta} == {1.0}
    assert len(cells_of("figure-5")) == 3 * 2 * 19


def test_the_semi_supervised_curve_hides_the_same_labels_from_both_models():
    cells = cells_of("semi-supervised")
    for kind in ("cnn", "mtl"):
        own = [c for c in cells if c.config.model.kind == kind and c.panel == "IEMOCAP"]
        assert [c.config.data.labelled_fraction for c in own] == [c.x for c in own]
    assert max(c.x for c in cells) == 1.0


def test_ravdess_gives_all_but_the_last_row_the_same_data():
    cells = [cell for cell in cells_of("ravdess") if cell.column == "UA"]
    assert [cell.config.model.kind for cell in cells] == ["cnn", "ae", "stl", "mtl", "mtl"]
    assert {cell.config.auxiliary for cell in cells[:-1]} == {()}
    assert cells[-1].config.auxiliary == ("urdu",)
    assert [cell.config.data.unlabelled_rest for cell in cells] == [False] * 4 + [True]
    assert {(c.config.protocol.name, c.config.protocol.folds) for c in cells} == {
        ("speaker-kfold", 6)
    }


def test_on_ravdess_all_models_can_have_one_stage_1():
    base = compare_fairly(RunConfig(), (), BUDGETS["full"])
    cells = [c for c in cells_of("ravdess-baved", replace(SETUP, base=base)) if c.column == "UA"]
    configs = [cell.config for cell in cells]
    assert [config.model.kind for config in configs] == ["cnn", "ae", "stl", "mtl"]
    assert {config.auxiliary for config in configs} == {("baved",)}
    assert all(config.is_pretrained_supervised for config in configs)
    assert len({(config.training, config.data, config.protocol) for config in configs}) == 1
    notes = " ".join(ARTEFACTS["ravdess-baved"](replace(SETUP, base=base)).notes)
    assert "gender and speaker classification on BAVED alone (Sec. 4.3)" in notes


def test_ravdess_gives_all_models_the_same_budget():
    for name in ("smoke", "small"):
        budget = BUDGETS[name]
        configs = [cell.config for cell in cells_of("ravdess", replace(SETUP, budget=budget))]
        assert len({config.training for config in configs}) == 1
        assert configs[0].training.epochs == budget.epochs


def test_what_the_others_are_compared_with_is_a_row_or_a_column():
    for name in ARTEFACTS:
        artefact = ARTEFACTS[name](SETUP)
        places = {name for cell in artefact.cells for name in (cell.row, cell.column)}
        assert not artefact.reference or artefact.reference in places
        assert bool(artefact.reference) == (
            name not in ("table-2", "table-4", "figure-2", "figure-5")
        )


@pytest.mark.parametrize("name", ["figure-3", "table-3", "table-5", "table-6"])
def test_in_comparisons_all_models_begin_with_the_same_stage_1(name):
    setup = replace(SETUP, base=compare_fairly(SETUP.base, (), BUDGETS["full"]))
    cells = ARTEFACTS[name](setup).cells
    assert all(cell.config.auxiliary == ("librispeech",) for cell in cells)
    models = {config_of_stage_one(cell.config).model for cell in cells}
    assert len(models) == len({cell.config.model.traits.trunk for cell in cells})
    assert "the same data, loss and number of updates" in " ".join(ARTEFACTS[name](setup).notes)
    # a setup of before has what it had
    assert "number of updates. " in " ".join(ARTEFACTS["figure-3"](SETUP).notes)
    assert "the same data, loss" not in " ".join(ARTEFACTS[name](SETUP).notes)


def test_a_stage_1_that_is_given_stays():
    given = compare_fairly(SETUP.base, ["training.pretraining"], BUDGETS["full"])
    assert given.training.pretraining == SETUP.base.training.pretraining
    names = compared_settings(SETUP.base, BUDGETS["full"])
    assert compare_fairly(SETUP.base, names, BUDGETS["full"]) == SETUP.base


@pytest.mark.parametrize("size", [1, 8, 32, 33])
def test_half_a_batch_has_labels_in_a_comparison(size):
    base = with_settings(SETUP.base, {"training.batch_size": size})
    compared = compare_fairly(base, (), BUDGETS["full"])
    assert compared.data.labelled_rows == max(1, size // 2)


def test_without_a_supervised_stage_1_the_cnn_gets_no_corpus_without_emotions():
    assert cell_config(SETUP, "iemocap", "cnn").auxiliary == ()
    assert cell_config(SETUP, "iemocap", "cnn-mtl").auxiliary == ("librispeech",)


def test_the_auxiliary_speakers_are_the_papers_unless_the_base_or_the_corpus_says_otherwise():
    def speakers(setup):
        return cell_config(setup, "msp").data.auxiliary_speakers

    assert speakers(SETUP) == 600
    assert speakers(replace(SETUP, max_auxiliary_speakers=9)) == 9
    assert speakers(replace(SETUP, max_auxiliary_speakers=0)) == 600
    base = with_settings(RunConfig(), {"data.auxiliary_speakers": 50})
    assert speakers(replace(SETUP, base=base)) == 50
    assert speakers(replace(SETUP, auxiliary="urdu")) == 0


def test_the_budget_changes_a_cell_and_the_cell_has_the_last_word():
    budget = Budget("own", epochs=7, overrides={"model.alpha": 0.2, "model.dropout": 0.1})
    setup = replace(SETUP, budget=budget)
    config = cell_config(setup, "msp", own={"model.alpha": 0.9})
    assert config.training.epochs == 7
    assert config.training.pretraining_epochs == RunConfig().training.pretraining_epochs
    assert (config.model.alpha, config.model.dropout) == (0.9, 0.1)


@pytest.mark.parametrize(
    ("kind", "task", "weights"),
    [
        ("mtl", "emotion", PAPERS_WEIGHTS["categorical", "aae"]),
        ("stl", "valence", PAPERS_WEIGHTS["dimensional", "aae"]),
        ("ae", "emotion", PAPERS_WEIGHTS["categorical", "ae"]),
        ("ae-mtl", "clusters-3", PAPERS_WEIGHTS["dimensional", "ae"]),
    ],
)
def test_a_base_that_follows_the_paper_takes_its_weights(kind, task, weights):
    model = cell_config(PAPER, "iemocap", kind, {"task": task}).model
    assert (model.alpha, model.beta) == weights


def test_weights_that_were_chosen_stay_and_so_do_those_of_another_base():
    chosen = replace(PAPER, base=build_config("paper", assignments=["model.alpha=0.5"]))
    model = cell_config(chosen, "iemocap", own={"task": "valence"}).model
    assert (model.alpha, model.beta) == (0.5, ModelConfig().beta)
    own = cell_config(SETUP, "iemocap", "ae", own={"task": "valence"}).model
    assert (own.alpha, own.beta) == (ModelConfig().alpha, ModelConfig().beta)


def test_a_smoke_run_thins_the_sweeps_to_three_points_with_both_ends():
    smoke = replace(SETUP, budget=BUDGETS["smoke"], max_auxiliary_speakers=9)
    assert sorted({cell.x for cell in cells_of("figure-4", smoke)}) == [0, 4, 9]
    alphas = {c.x for c in cells_of("figure-5", smoke) if c.column.endswith("alpha")}
    assert {min(alphas), max(alphas)} == {0.1, 1.0}
    assert len(alphas) == 3
