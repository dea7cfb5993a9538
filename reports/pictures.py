"""The pictures of one experiment in a report, drawn from what its runs left."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reports import figures, scatter
from reports.commands import train_command
from reports.det import draw_det
from reports.page import Section
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_jsonl
from ser_aae.results.folder import EPOCHS, EXAMPLES, VERIFICATION
from ser_aae.results.places import Places
from ser_aae.results.trials import det_curve, read_trials


def confusion(evaluation: Mapping[str, Any], path: Path) -> tuple[Path, str]:
    """Draw the confusion matrix of all runs together; return its path and caption."""
    matrix = np.sum([item["confusion"] for item in evaluation["repetitions"]], axis=0)
    figures.confusion_matrix(matrix, evaluation["classes"], path)
    count = len(evaluation["runs"])
    return path, f"Confusion over all {count} complete run(s), folds and repetitions together."


def draw_run(
    section: Section, run: Path, config: Mapping[str, Any], stem: Path, places: Places
) -> None:
    """Add the pictures of one run; say what fills those that cannot be drawn."""
    history = read_jsonl(run / EPOCHS)
    examples = _read_examples(run / EXAMPLES)
    fill = train_command(run, run, places)
    if history:
        path = stem.with_name(f"{stem.name}-learning-curves.png")
        figures.learning_curves(history, path)
        section.pictures.append((path, f"Learning curves by phase of {run.name}."))
    else:
        section.notes.append((f"No learning curves: {run.name} has no {EPOCHS}.", fill))
    if {"segment", "reconstruction"} <= examples.keys():
        path = stem.with_name(f"{stem.name}-segment.png")
        shift_ms = float(config["frontend"]["shift_ms"])
        figures.segment_and_reconstruction(
            examples["segment"], examples["reconstruction"], path, shift_ms
        )
        section.pictures.append((path, f"A segment and its reconstruction in {run.name}."))
    _draw_planes(section, run, config, stem, examples)
    if (run / VERIFICATION).is_file():
        path = stem.with_name(f"{stem.name}-det.png")
        draw_det({run.name: det_curve(read_trials(run / VERIFICATION))}, path, pdf=False)
        section.pictures.append((path, f"Errors of speaker verification in {run.name}."))
    if not examples:
        text = f"No picture of a segment and of the latent space: {run.name} has no {EXAMPLES}."
        section.notes.append((text, fill))


def _draw_planes(
    section: Section,
    run: Path,
    config: Mapping[str, Any],
    stem: Path,
    examples: Mapping[str, np.ndarray],
) -> None:
    """Add the pictures of points in a plane: the latent space, and clusters of ratings."""
    titles = {"class": config["task"], "gender": "gender", "speaker": "speaker"}
    labels = {
        title: examples[f"latent_{name}"].tolist()
        for name, title in titles.items()
        if f"latent_{name}" in examples
    }
    if "latent_2d" in examples and labels:
        path = stem.with_name(f"{stem.name}-latent-space.png")
        scatter.latent_space(examples["latent_2d"], labels, path)
        caption = f"Latent codes of {run.name} in two dimensions, one point an utterance."
        section.pictures.append((path, caption))
    if "centroids" in examples:
        path = stem.with_name(f"{stem.name}-clusters.png")
        names = examples["plane_class"].tolist()
        scatter.clusters(examples["plane"], names, examples["centroids"], path)
        caption = (
            f"Validation utterances of {run.name} in the valence-activation plane, and the "
            "centroids found on its training part."
        )
        section.pictures.append((path, caption))


def _read_examples(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    try:
        # opened here: NumPy leaves the file open where it is no archive
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as content:
            return dict(content)
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: damaged ({error}); remove it or train the run again") from error
