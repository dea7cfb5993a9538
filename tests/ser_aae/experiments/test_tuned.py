"""Settings that a search has chosen reach the cells that it was chosen for, and no others."""

from dataclasses import replace

import pytest

from data_prep.corpora import known_facts
from ser_aae.config.build import build_config
from ser_aae.config.kinds import KINDS
from ser_aae.errors import UserError
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.cells import cell_config
from ser_aae.experiments.setup import BUDGETS, TUNED, Setup, read_setups, setup_folder, write_setup
from ser_aae.experiments.tuned import Outcome, Tuned, read_tuned
from tuning.space import DIMENSIONS

CHOSEN = {"model.alpha": 0.4, "model.beta": 0.6, "model.latent_channels": 16}
SETUP = Setup(tuned=Tuned((Outcome("emotion", "mtl", CHOSEN),)), corpora=known_facts())


def weights(config):
    return config.model.alpha, config.model.beta


def test_it_takes_what_a_search_can_vary_and_all_of_it(tmp_path):
    values = {key: item.values[0] for item in DIMENSIONS.values() for key in item.keys}
    path = tmp_path / "best.yaml"
    path.write_text(Outcome(values=values).to_yaml() + "seed: 3\n")
    assert read_tuned(path) == Tuned((Outcome(values=values),))


def test_only_what_was_searched_is_read_of_a_file(tmp_path):
    path = tmp_path / "best.yaml"
    path.write_text(
        "dataset: ravdess\ntask: valence\nprotocol: {fold: 3}\n"
        "model: {kind: ae, alpha: 0.2}\ntraining: {epochs: 10, selection_epochs: 4}\n"
    )
    assert read_tuned(path) == Tuned((Outcome("valence", "ae", {"model.alpha": 0.2}),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("training: {epochs: 3}\n", "expected the best.yaml of ser-aae tune"),
        ("", "found none of them"),
        ("model: {alfa: 1}\n", "did you mean model.alpha"),
        ("model: {alpha: much}\n", "best.yaml:1"),
    ],
)
def test_another_file_is_refused(text, said, tmp_path):
    path = tmp_path / "best.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        read_tuned(path)


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("mtl", "aae"),
        ("stl", "aae"),
        ("ae", "ae"),
        ("ae-mtl", "ae"),
        ("cnn", "cnn"),
        ("cnn-mtl", "cnn"),
    ],
)
def test_alpha_and_beta_stay_in_the_family(kind, family):
    assert KINDS[kind].family == family
    chosen = Outcome("emotion", "mtl", CHOSEN | {"model.alpha": 0.9})
    other = replace(SETUP, tuned=Tuned((chosen,)))
    config = cell_config(other, "msp", kind)
    assert config.model.alpha == (0.9 if family == "aae" else 0.4)
    assert config.model.latent_channels == 16


def test_cells_of_another_task_have_nothing_of_it():
    assert cell_config(SETUP, "msp", own={"task": "valence"}).model.latent_channels == 32
    valence = replace(SETUP, tuned=Tuned((Outcome("valence", "mtl", CHOSEN),)))
    assert cell_config(valence, "msp", own={"task": "valence"}).model.latent_channels == 16
    assert cell_config(valence, "msp").model.latent_channels == 32


def test_each_kind_has_the_outcome_of_its_own_search():
    own = {"mtl": 0.9, "ae": 0.2, "cnn": 0.1}
    outcomes = [Outcome("emotion", kind, {"model.alpha": alpha}) for kind, alpha in own.items()]
    both = replace(SETUP, tuned=Tuned((*outcomes, Outcome("valence", "ae", {"model.alpha": 0.5}))))
    found = {kind: cell_config(both, "msp", kind).model.alpha for kind in KINDS}
    family = {
        kind: own[{"aae": "mtl"}.get(KINDS[kind].family, KINDS[kind].family)] for kind in KINDS
    }
    assert found == family
    assert cell_config(both, "msp", "ae-mtl", own={"task": "valence"}).model.alpha == 0.5


def test_several_searches_are_read_from_one_file(tmp_path):
    several = Tuned(
        (
            Outcome("emotion", "mtl", {"model.alpha": 0.9}),
            Outcome("emotion", "ae", {"model.alpha": 0.2}),
        )
    )
    path = tmp_path / "tuned.yaml"
    path.write_text(several.to_yaml())
    assert read_tuned(path) == several
    folder = write_setup(tmp_path, replace(SETUP, tuned=several))
    assert read_setups(tmp_path, corpora=known_facts())[0].tuned == several
    assert read_tuned(folder / TUNED) == several


def test_two_searches_of_one_model_are_refused(tmp_path):
    path = tmp_path / "tuned.yaml"
    path.write_text("model: {alpha: 0.1}\n---\nmodel: {kind: mtl, alpha: 0.2}\n")
    with pytest.raises(UserError, match="two searches of mtl for the task emotion; remove one"):
        read_tuned(path)
    with pytest.raises(UserError, match=r"tuned.yaml:3: expected one document of settings, got 2"):
        build_config(file=path)


def test_it_goes_over_the_papers_weights_and_the_budgets_sizes():
    paper = replace(SETUP, base=build_config("paper"), budget=BUDGETS["smoke"])
    dimensional = replace(paper, tuned=Tuned((Outcome("valence", "ae", CHOSEN),)))
    plain = replace(paper, tuned=Tuned())
    assert weights(cell_config(plain, "msp", "ae", own={"task": "valence"})) == (0.6, 0.4)
    assert weights(cell_config(dimensional, "msp", "ae", own={"task": "valence"})) == (0.4, 0.6)
    assert cell_config(plain, "msp").model.latent_channels == 4
    assert cell_config(paper, "msp").model.latent_channels == 16


def test_what_a_figure_varies_it_varies_still():
    points = ARTEFACTS["figure-5"](SETUP).cells
    found = {weights(cell.config) for cell in points if cell.config.task == "emotion"}
    assert (0.1, 0.5) in found
    assert len(found) > 10


def test_a_base_from_a_search_does_not_change_what_a_cell_is_about():
    base = build_config(assignments=["task=valence"])
    assert cell_config(replace(SETUP, base=base), "msp").task == "emotion"


def test_it_lies_beside_the_runs_and_is_another_setup(tmp_path):
    folder = write_setup(tmp_path, SETUP)
    assert folder == setup_folder(tmp_path, SETUP)
    assert read_setups(tmp_path, corpora=known_facts()) == [SETUP]
    assert read_tuned(folder / TUNED) == SETUP.tuned
    plain = write_setup(tmp_path, Setup(corpora=known_facts()))
    assert plain != folder
    assert not (plain / TUNED).exists()
