"""From run folders to a report: one page, its pictures, and the figures as CSV and Markdown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from reports import tables
from reports.page import Section, page
from reports.pictures import confusion, draw_run
from ser_aae.errors import UserError
from ser_aae.results import (
    evaluate_experiment,
    find_experiments,
    find_runs,
    is_complete,
    load_runs,
    read_json,
)
from ser_aae.results.folder import CONFIG, ENVIRONMENT, EXAMPLES, flatten, write_bytes
from ser_aae.results.text import mean_and_std, percent

SYNTHETIC = ("demo",)
"""Data sets without people in them: their figures say nothing about speech."""

_NOT_DEAD = (None, "alive", "not settled")
"""States of an adversary that are no cause for a warning; `None`: the model has none."""

_INTRODUCTION = (
    "Every figure is recomputed from the predictions of the runs and agrees with what each run "
    "wrote down itself; a report with a figure that does not is refused. Accuracies are in per "
    "cent, on utterances. WA: share of utterances that are right. UA: mean recall over the "
    "classes. Speaker-only UA: what a predictor gets that knows only who speaks."
)


def build_report(runs: Path, out: Path) -> list[Path]:
    """Write the report of all runs below a folder.

    Args:
        runs: Folder of run folders, at any depth.
        out: Folder for `index.html`, the pictures as PNG, `results.csv` and `results.md`.

    Returns:
        The files written, `index.html` first.

    Raises:
        UserError: No complete run, or a run whose files are damaged or disagree.
    """
    experiments = [
        folder
        for folder in find_experiments(runs)
        if any(is_complete(run) for run in find_runs(folder))
    ]
    if not experiments:
        begun = len(find_runs(runs))
        raise UserError(
            f"{runs}: expected runs, found {begun} begun and none complete; "
            "run: ser-aae train --dataset demo"
        )
    evaluations = [evaluate_experiment(folder) for folder in experiments]
    pictures: list[Path] = []
    sections = []
    for folder, evaluation in zip(experiments, evaluations, strict=True):
        section = _section(folder, evaluation, runs, out)
        sections.append(section)
        pictures += [path for path, _ in section.pictures]
    written = {
        "results.csv": load_runs(runs).to_csv(index=False, lineterminator="\n"),
        "results.md": _markdown(sections),
        "index.html": page("Speech emotion recognition: results", _INTRODUCTION, sections),
    }
    for name, text in written.items():
        write_bytes(out / name, text.encode())
    return [*(out / name for name in reversed(written)), *pictures]


def _section(folder: Path, evaluation: Mapping[str, Any], runs: Path, out: Path) -> Section:
    complete = [Path(run["folder"]) for run in evaluation["runs"]]
    shown = next((run for run in complete if (run / EXAMPLES).is_file()), complete[0])
    config = read_json(shown / CONFIG)
    command = tables.evaluate_command(str(folder))
    section = Section(
        title="{dataset}, {task}, {model}, {protocol} ({name})".format(
            **evaluation, name=folder.name
        ),
        badges=_badges(evaluation),
        lead=_lead(evaluation),
        warnings=_warnings(evaluation),
        tables=[
            ("All folds together", tables.pooled_table(evaluation), command),
            ("Each run", tables.run_table(evaluation), command),
        ],
    )
    section.notes.append((_leakage_sentence(evaluation), ""))
    stem = f"{folder.parent.name}-{folder.name}"
    section.pictures.append(confusion(evaluation, out / f"{stem}-confusion.png"))
    draw_run(section, shown, config, out / stem, runs)
    choices = tables.choices_table(config)
    section.details = [
        ("Leakage check: utterances (speakers) by part", tables.leakage_table(evaluation)),
        (_choices_heading(choices), choices),
        *_provenance(shown),
    ]
    missing = tables.missing_table(evaluation, shown, runs)
    if len(missing):
        heading = f"{len(missing)} runs are missing or not complete, and what fills them"
        section.details.insert(0, (heading, missing))
    return section


def _badges(evaluation: Mapping[str, Any]) -> list[str]:
    independent = {True: "speaker-independent", False: "speaker-dependent"}.get(
        evaluation["speaker_independent"], "speaker independence unknown"
    )
    synthetic = ["synthetic"] if evaluation["dataset"] in SYNTHETIC else []
    return [*synthetic, evaluation["protocol"], independent]


def _lead(evaluation: Mapping[str, Any]) -> str:
    over = evaluation["over_repetitions"]["unweighted_accuracy"]
    first = evaluation["repetitions"][0]
    if over["n"]:
        figure = f"UA {mean_and_std(over)} over {over['n']} complete repetition(s), folds pooled"
    else:
        figure = (
            f"UA {percent(first['unweighted_accuracy'])} over {first['folds']} of "
            f"{evaluation['folds_expected'] or 'an unknown number of'} folds: not yet a result"
        )
    return (
        f"{figure}. Guessing gives {percent(first['chance'])}, knowing only the speaker "
        f"{percent(first['speaker_only_unweighted_accuracy'])}."
    )


def _warnings(evaluation: Mapping[str, Any]) -> list[str]:
    """Return what makes the figures say less than they seem to, most general first."""
    found = []
    if evaluation["dataset"] in SYNTHETIC:
        found.append(
            f"{evaluation['dataset']} is synthetic: no person spoke. Its figures show that the "
            "program works, and nothing about emotion in speech."
        )
    if evaluation["speaker_independent"] is False:
        found.append("Not speaker-independent: speakers of the test part were heard before.")
    first = evaluation["repetitions"][0]
    if first["speaker_only_unweighted_accuracy"] >= first["unweighted_accuracy"]:
        found.append(
            "A predictor that knows only the speaker scores as well or better: on this corpus "
            "emotion and speaker go together, and UA says little about emotion."
        )
    absent = [name for name in first["classes"] if name not in first["classes_scored"]]
    if absent:
        found.append(f"Without truth in the test part, left out of UA and F1: {', '.join(absent)}.")
    return found + _adversary_warning(evaluation) + _own_warnings(evaluation)


def _adversary_warning(evaluation: Mapping[str, Any]) -> list[str]:
    """Return one sentence on all runs whose adversary has died, if any."""
    states = {run["name"]: _adversary(run).get("state") for run in evaluation["runs"]}
    dead = [f"{name} ({state})" for name, state in states.items() if state not in _NOT_DEAD]
    if not dead:
        return []
    return [
        f"The adversary is dead in {len(dead)} of {len(states)} runs: {', '.join(dead)}. What was "
        "trained there is an autoencoder, not an adversarial one."
    ]


def _own_warnings(evaluation: Mapping[str, Any]) -> list[str]:
    """Return what the runs wrote down themselves, each text once, with how many wrote it."""
    texts = Counter(
        text
        for run in evaluation["runs"]
        for text in run["stored"].get("warnings") or ()
        # each run words its own: `_adversary_warning` sums them up
        if text != _adversary(run).get("warning")
    )
    total = len(evaluation["runs"])
    return [f"{text} ({count} of {total} runs)" for text, count in texts.items()]


def _leakage_sentence(evaluation: Mapping[str, Any]) -> str:
    """Return what the leakage checks of all runs found, as far as they were written."""
    checks = [run["stored"].get("leakage") or {} for run in evaluation["runs"]]
    written = [check for check in checks if check]
    if len(written) < len(checks):
        return f"Leakage check: {len(checks) - len(written)} of {len(checks)} runs wrote none."
    clean = all(
        check.get("shared_utterances") == 0 and check.get("shared_files") == 0 for check in checks
    )
    shared = any(any((check.get("shared_speakers") or {}).values()) for check in checks)
    speakers = "share speakers, as the protocol has it," if shared else "share no speaker"
    rest = "and no utterance or file" if clean else "and utterances or files: do not trust them"
    return f"Leakage check of {len(checks)} runs: train, validation and test {speakers} {rest}."


def _adversary(run: Mapping[str, Any]) -> Mapping[str, Any]:
    return run["stored"].get("adversary") or {}


def _choices_heading(choices: pd.DataFrame) -> str:
    departing = int((choices["departs"] == "*").sum())
    return (
        "Stated by the paper, or chosen here: every setting "
        f"({departing} of {len(choices)} depart from the preset default, marked *)"
    )


def _provenance(run: Path) -> Sequence[tuple[str, pd.DataFrame]]:
    """Return the tables of versions and of corpora, where the run wrote them."""
    found = []
    if (run / ENVIRONMENT).is_file():
        rows = [(name, str(value)) for name, value in flatten(read_json(run / ENVIRONMENT))]
        found.append((f"Made with ({run.name})", pd.DataFrame(rows, columns=["what", "value"])))
    corpora = read_json(run / "result.json").get("corpora") or {}
    if corpora:
        frame = pd.DataFrame(list(corpora.items()), columns=["corpus", "digest"])
        found.append((f"Corpora ({run.name})", frame.astype(str)))
    return found


def _markdown(sections: Sequence[Section]) -> str:
    lines = ["# Speech emotion recognition: results", "", _INTRODUCTION, ""]
    for section in sections:
        lines += [f"## {section.title}", "", ", ".join(section.badges), "", section.lead, ""]
        lines += [f"> {text}\n" for text in section.warnings]
        for heading, frame, command in section.tables:
            lines += [f"### {heading}", "", tables.to_markdown(frame)]
            lines += [f"`{command}`", ""] if command else []
    return "\n".join(lines)
