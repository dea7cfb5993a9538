"""Fixtures of the tests of reports: a look at pictures, runs that fill cells, and searches."""

import hashlib
import json

import pandas as pd
import pytest
from answers import predictions
from matplotlib.image import imread

from data_prep.corpora import known_facts
from reports import curves, run_plots, scatter, search_sections, summary
from reports.filling import fill
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import BUDGETS, Setup
from ser_aae.files.atomic import write_json
from ser_aae.labels import CLUSTERS, FOUR, GENDERS, LEVELS
from ser_aae.results.folder import find_runs, run_folder
from ser_aae.results.places import Places
from ser_aae.results.predictions import score, write_predictions
from ser_aae.results.trials import TEST, VERIFIED, score_trials, write_trials


@pytest.fixture
def pixels():
    """A function: path of a PNG, which must show something, to its pixels."""

    def read(path):
        image = imread(path)
        assert image.std() > 0.01
        return image

    return read


@pytest.fixture
def figure_spy(monkeypatch):
    """Keep the figures that are drawn, to look at what is in them."""
    kept = []
    inner = run_plots.drawn_to

    def spy(*arguments, **options):
        manager = inner(*arguments, **options)
        enter = manager.__enter__

        class Kept:
            def __enter__(self):
                kept.append(enter())
                return kept[-1]

            def __exit__(self, *error):
                return manager.__exit__(*error)

        return Kept()

    for module in (curves, run_plots, scatter, search_sections):
        monkeypatch.setattr(module, "drawn_to", spy)
    return kept


@pytest.fixture
def check_nothing_is_cut_off():
    """A function: a figure, none of whose texts may reach over its edge."""

    def check(figure):
        whole = figure.bbox
        for axes in figure.axes:
            texts = [*axes.texts, axes.title, axes._left_title]
            boxes = [text.get_window_extent() for text in texts if text.get_text()]
            if axes.get_legend():
                boxes.append(axes.get_legend().get_window_extent())
            for box in boxes:
                assert box.x0 >= whole.x0 - 1
                assert box.x1 <= whole.x1 + 1
                assert box.y1 <= whole.y1 + 1

    return check


_PARTS = (VERIFIED, VERIFIED, TEST)


def _classes(config):
    if config.task in CLUSTERS:
        return tuple(f"cluster {number + 1}" for number in range(CLUSTERS[config.task]))
    voices = {"gender": GENDERS, "speaker": tuple(f"demo:{number:02d}" for number in range(30))}
    return {**LEVELS, **voices}.get(config.task, FOUR)


def _leave_cell(runs, config, right=3, folds=10, synthetic=(), speakers=5, **result):
    """Leave a complete run of which `right` of 4 utterances of each class are right."""
    classes = _classes(config)
    fold = config.protocol.fold
    rows = [(truth, number) for truth in classes for number in range(4)]
    predicted = [
        truth if number < right else classes[(classes.index(truth) + 1) % len(classes)]
        for truth, number in rows
    ]
    frame = predictions(
        [truth for truth, _ in rows],
        predicted,
        classes,
        utterance_id=[f"{fold}-{truth}-{number}" for truth, number in rows],
        corpus=config.dataset,
        speaker=[f"{config.dataset}:{fold}{place % speakers}" for place, _ in enumerate(rows)],
        gender_predicted="F",
    )
    folder = run_folder(runs, config)
    write_json(folder / "config.json", config.to_dict())
    write_predictions(folder / "predictions.parquet", frame)
    content = (folder / "predictions.parquet").read_bytes()
    leakage = {"speaker_independent": config.protocol.name != "10-fold", "folds": folds}
    figures = score(frame, classes) | {
        "leakage": leakage,
        "synthetic": list(synthetic),
        "corpora": {config.dataset: "0123"},
        "predictions_sha256": hashlib.sha256(content).hexdigest(),
    }
    if config.verification:
        trials = _trials(two=config.verification_test_part)
        write_trials(folder / "verification.parquet", trials)
        figures |= score_trials(trials)
    write_json(folder / "result.json", figures | result)
    return folder


def _trials(two):
    """Return trials of three speakers, of whom one is the test part's where there are `two`."""
    rows = [
        {
            "enrolled": f"v{enrolled}",
            "corpus": "voices",
            "utterance_id": f"{speaker}-{number}",
            "speaker": f"v{speaker}",
            "score": 0.9 * (enrolled == speaker) - 0.3 * number,
            "target": enrolled == speaker,
            **({"enrolled_part": _PARTS[enrolled], "tested_part": _PARTS[speaker]} if two else {}),
        }
        for enrolled in range(3)
        for speaker in range(3)
        for number in range(4)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def leave_cell():
    """A function: runs, config (right of 4, folds, synthetic, more) -> folder of a complete run."""
    return _leave_cell


@pytest.fixture(scope="session")
def evaluate_all():
    """A function: runs -> folder of each experiment to its evaluation."""
    return lambda runs: summary.evaluate_all(runs) if find_runs(runs) else {}


@pytest.fixture(scope="session")
def smoke():
    """A setup with budget smoke and nine auxiliary speakers."""
    return Setup(budget=BUDGETS["smoke"], max_auxiliary_speakers=9, corpora=known_facts())


@pytest.fixture(scope="session")
def fill_all(leave_cell, evaluate_all):
    """A function: artefact's name, setup, runs (more of `leave_cell`) -> all its cells filled."""

    def make(name, setup, runs, **options):
        artefact = ARTEFACTS[name](setup)
        for config in {cell.config.digest(): cell.config for cell in artefact.cells}.values():
            leave_cell(runs, config, **options)
        return fill(artefact, setup, Places(runs=runs), evaluate_all(runs))

    return make


@pytest.fixture
def leave_search(tmp_path):
    """A function: rows, dimensions (digest, task, space, kind, more) -> the folder of a search."""

    def write(
        rows, values, *, digest="0123abcd", task="emotion", space="latent", kind="mtl", **more
    ):
        folder = tmp_path / "runs" / "searches" / "tiny-mtl" / digest
        folder.mkdir(parents=True)
        definition = {
            "space": space,
            "algorithm": "bayesian",
            "dimensions": {name: {"values": own} for name, own in values.items()},
            "folds": [0, 3],
            "executions": 1,
            "config": {
                "task": task,
                "dataset": "csv:/home/me/tiny.csv",
                "model": {"kind": kind},
                "training": {"epochs": 10},
            },
        }
        (folder / "search.json").write_text(json.dumps(definition | more))
        if rows:
            (folder / "trials.json").write_text(json.dumps({"trials": rows}))
        return folder

    return write
