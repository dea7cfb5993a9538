"""The section of one experiment, all its folds and repetitions, and its pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from reports import tables
from reports.aggregate import synthetic_corpora
from reports.commands import evaluate_command
from reports.page import Section
from reports.pictures import confusion, draw_run
from reports.summary import interval_text
from ser_aae.files.atomic import read_json
from ser_aae.protocols.leakage import VOICES, shared_voices
from ser_aae.results.folder import ENVIRONMENT, EXAMPLES, RESULT, flatten, read_plain_config
from ser_aae.results.places import Places
from ser_aae.results.text import mean_and_std, percent

_NOT_DEAD = (None, "alive", "strayed", "not settled")
"""States of an adversary that has not died; `None`: the model has none."""

_VERIFICATION_NOTE = (
    "EER: equal error rate of speaker verification, low is good. It is averaged over folds and not "
    "pooled, for the scores of two models have no common scale."
)


def draw_experiment(
    folder: Path, evaluation: Mapping[str, Any], places: Places, out: Path
) -> Section:
    """Write the pictures of an experiment and return its section.

    Args:
        folder: Of its folds and repetitions.
        evaluation: What `evaluate_experiment` says of it.
        places: Where run folders lie, and what commands are to name.
        out: Folder for the pictures.
    """
    complete = [Path(run["folder"]) for run in evaluation["runs"]]
    shown = next((run for run in complete if (run / EXAMPLES).is_file()), complete[0])
    config = read_plain_config(shown)
    command = evaluate_command(str(folder))
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
    section.notes.append((leakage_sentence(evaluation), ""))
    if tables.has_verification(evaluation):
        section.notes.append((_VERIFICATION_NOTE, ""))
    stem = f"{folder.parent.name}-{folder.name}"
    section.pictures.append(confusion(evaluation, out / f"{stem}-confusion.png"))
    draw_run(section, shown, config, out / stem, places)
    choices = tables.choices_table(config)
    section.details = [
        ("Leakage check: utterances (speakers) by part", tables.leakage_table(evaluation)),
        (_choices_heading(choices), choices),
        *_provenance(shown),
    ]
    missing = tables.missing_table(evaluation, shown, places)
    if len(missing):
        heading = f"{len(missing)} runs are missing or not complete, and what fills them"
        section.details.insert(0, (heading, missing))
    return section


def _badges(evaluation: Mapping[str, Any]) -> list[str]:
    synthetic = ["synthetic"] if synthetic_corpora(evaluation) else []
    return [*synthetic, evaluation["protocol"], evaluation["independence"]]


def _lead(evaluation: Mapping[str, Any]) -> str:
    over = evaluation["over_repetitions"]["unweighted_accuracy"]
    first = evaluation["repetitions"][0]
    interval = evaluation["interval"]
    sure = f" (95 % interval {interval_text(interval)})" if interval else ""
    if over["n"]:
        figure = (
            f"UA {mean_and_std(over)}{sure} over {over['n']} complete repetition(s), folds pooled"
        )
    else:
        figure = (
            f"UA {percent(first['unweighted_accuracy'])}{sure} over {first['folds']} of "
            f"{evaluation['folds_expected'] or 'an unknown number of'} folds: not yet a result"
        )
    return (
        f"{figure}. Guessing gives {percent(first['chance'])}, knowing only the speaker "
        f"{percent(first['speaker_only_unweighted_accuracy'])}."
    )


def _warnings(evaluation: Mapping[str, Any]) -> list[str]:
    """Return what makes the figures say less than they seem to, most general first."""
    found = []
    synthetic = synthetic_corpora(evaluation)
    if synthetic:
        found.append(
            f"Synthetic: no person spoke in {', '.join(synthetic)}. The figures show that the "
            "program works, and nothing about emotion in speech."
        )
    found += _voices_warnings(evaluation)
    first = evaluation["repetitions"][0]
    if first["speaker_only_unweighted_accuracy"] >= first["unweighted_accuracy"]:
        found.append(
            "A predictor that knows only the speaker scores as well or better: on this corpus "
            "emotion and speaker go together, and UA says little about emotion."
        )
    absent = [name for name in first["classes"] if name not in first["classes_scored"]]
    if absent:
        found.append(f"Without truth in the test part, left out of UA and F1: {', '.join(absent)}.")
    # said above, by what was counted: older runs called every shared speaker trained on
    voices = tuple(VOICES.values())
    own = [text for text in _stored_warnings(evaluation) if not text.startswith(voices)]
    return found + _adversary_warning(evaluation) + own


def _voices_warnings(evaluation: Mapping[str, Any]) -> list[str]:
    """Return what shared speakers mean for the test parts, and of how many runs."""
    said = Counter(shared_voices(run["stored"].get("leakage") or {}) for run in evaluation["runs"])
    total = len(evaluation["runs"])
    return [
        f"{words[0].upper()}{words[1:]} ({said[words]} of {total} runs)."
        for words in VOICES.values()
        if said[words]
    ]


def _adversary_warning(evaluation: Mapping[str, Any]) -> list[str]:
    """Return a sentence on the runs whose adversary has died, and one on those where it strayed."""
    states = {run["name"]: _adversary(run).get("state") for run in evaluation["runs"]}
    dead = [f"{name} ({state})" for name, state in states.items() if state not in _NOT_DEAD]
    strayed = [name for name, state in states.items() if state == "strayed"]
    sentences = []
    if dead:
        sentences.append(
            f"The adversary is dead in {len(dead)} of {len(states)} runs: {', '.join(dead)}. What "
            "was trained there is an autoencoder, not an adversarial one."
        )
    if strayed:
        sentences.append(
            f"The discriminator's loss left its band for a few epochs in {len(strayed)} of "
            f"{len(states)} runs and came back: {', '.join(strayed)}."
        )
    return sentences


def _stored_warnings(evaluation: Mapping[str, Any]) -> list[str]:
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


def leakage_sentence(evaluation: Mapping[str, Any]) -> str:
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
        rows = [(name, str(value)) for name, value in flatten(read_json(run / ENVIRONMENT)).items()]
        found.append((f"Made with ({run.name})", pd.DataFrame(rows, columns=["what", "value"])))
    corpora = read_json(run / RESULT).get("corpora") or {}
    if corpora:
        frame = pd.DataFrame(list(corpora.items()), columns=["corpus", "digest"])
        found.append((f"Corpora ({run.name})", frame.astype(str)))
    return found
