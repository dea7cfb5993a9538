"""Answers to the test utterances, one row each: the confident wrong ones, and recall by group.

Where several runs tested an utterance, as the repetitions of an experiment do, its posteriors are
their mean, as in the ensemble of `ser_aae.results.predictions`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from ser_aae.config import FrontEndConfig
from ser_aae.config.datasets import readable_name
from ser_aae.errors import UserError
from ser_aae.labels import GENDER_WORDS
from ser_aae.results.metrics import class_recalls, unweighted_accuracy
from ser_aae.results.predictions import POSTERIOR
from ser_aae.results.text import percent
from ser_aae.store.corpus import load_corpus
from ser_aae.utterance import Utterance

UTTERANCE = ["corpus", "utterance_id"]
_TOLD = [*UTTERANCE, "speaker", "gender", "truth"]
GROUPS = ("truth", "speaker", "gender")
"""Columns whose groups have a recall of their own."""


def average_runs(frames: Sequence[pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """Return one row for each utterance that was tested, in the order of corpora and ids.

    Args:
        frames: Predictions of one run or more, as `read_predictions` gives them.
        classes: The classes, in the order of the posteriors.

    Returns:
        `corpus`, `utterance_id`, `speaker`, `gender`, `truth`, the posteriors `p_<class>`, `answer`
        (the class of the largest one, in a single run the one that the run gave), `posterior` (of
        the answer), `posterior_of_truth`, `wrong` (how many runs answered wrongly) and `runs`.
    """
    posteriors = [f"{POSTERIOR}{name}" for name in classes]
    joined = pd.concat(frames)
    joined["wrong"] = joined["predicted"] != joined["truth"]
    joined["runs"] = 1
    how = dict.fromkeys(posteriors, "mean") | {"wrong": "sum", "runs": "sum", "predicted": "first"}
    found = joined.groupby(_TOLD, dropna=False).agg(how).reset_index()
    largest = found[posteriors].idxmax(axis=1).str.removeprefix(POSTERIOR)
    found["answer"] = found.pop("predicted").where(found["runs"] == 1, largest)
    rows = range(len(found))
    columns = {name: number for number, name in enumerate(classes)}
    values = found[posteriors].to_numpy()
    for name, of in (("posterior", "answer"), ("posterior_of_truth", "truth")):
        found[name] = values[rows, found[of].map(columns)]
    return found


def find_wrong(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `average_runs` whose answer is wrong, the most confident first."""
    wrong = answers[answers["answer"] != answers["truth"]]
    return wrong.sort_values(["posterior", *UTTERANCE], ascending=[False, True, True])


def recall_by(answers: pd.DataFrame, group: str, classes: Sequence[str]) -> pd.DataFrame:
    """Return what is right of the utterances of each group, shares in [0, 1].

    Args:
        answers: Rows of `average_runs`.
        group: One of `GROUPS`.
        classes: The classes, in the order of the posteriors.

    Returns:
        The group's column, `n`, `right` (share of the utterances) and, where a group is no class,
        `unweighted_accuracy`: the mean recall of the classes that it has utterances of.
    """
    rows = []
    there = set(answers[group].dropna())
    names = [name for name in classes if name in there] if group == "truth" else sorted(there)
    for name in names:
        own = answers[answers[group] == name]
        truth, answer = list(own["truth"]), list(own["answer"])
        if group == "truth":
            rows.append([name, len(own), class_recalls(truth, answer, classes)[name]])
        else:
            right = float((own["truth"] == own["answer"]).mean())
            rows.append([name, len(own), right, unweighted_accuracy(truth, answer, classes)[0]])
    heads = [group, "n", "right", "unweighted_accuracy"]
    return pd.DataFrame(rows, columns=heads[: 3 if group == "truth" else 4])


def find_utterances(
    answers: pd.DataFrame,
    store: Path,
    frontend: FrontEndConfig,
    advised: Mapping[str, str] = MappingProxyType({}),
) -> tuple[dict[tuple[str, str], Utterance], list[str]]:
    """Return what the store has of the corpora in rows of `average_runs`, by corpus and id.

    Args:
        answers: Rows of `average_runs`.
        store: Prepared corpora.
        frontend: The front end that the run was trained with.
        advised: Name of a corpus to the value of `--dataset` that prepares it, where they differ.

    Returns:
        The utterances, and a sentence for each corpus that the store does not have.
    """
    found, absent = {}, []
    for name in sorted(set(answers["corpus"])):
        try:
            corpus = load_corpus(store, name, frontend, advised.get(name, ""))
        except UserError as error:
            absent.append(str(error))
            continue
        found |= {(item.corpus, item.utterance_id): item for item in corpus.utterances}
    return found, absent


def name_files(
    answers: pd.DataFrame, utterances: Mapping[tuple[str, str], Utterance]
) -> pd.DataFrame:
    """Return the rows with the columns `file`, `start_s` and `end_s` behind the utterance.

    `file` is relative to the corpus' root, `end_s` empty for the end of the file; all three are
    empty for an utterance that is not among those given by corpus and id.
    """
    found = [utterances.get(key) for key in zip(*(answers[k] for k in UTTERANCE), strict=True)]
    told = answers.copy()
    for place, (name, attribute) in enumerate(
        {"file": "path", "start_s": "start_s", "end_s": "end_s"}.items()
    ):
        values = [None if item is None else getattr(item, attribute) for item in found]
        told.insert(len(UTTERANCE) + place, name, values)
    return told


def wrong_rows(wrong: pd.DataFrame, most: int) -> list[list[str]]:
    """Return a head and the first rows of `find_wrong` as text, posteriors in per cent.

    Utterances are named by their files where `name_files` has found them; how many runs answered
    wrongly stands where an utterance was tested by several.
    """
    several = bool((wrong["runs"] > 1).any())
    has_files = "file" in wrong and bool(wrong["file"].notna().any())
    named = "file" if has_files else "utterance"
    head = [named, "speaker", "truth", "answer", "posterior", "of the truth"]
    rows = [head + ["wrong in"] * several]
    for row in wrong.head(most).to_dict("records"):
        shares = [percent(row["posterior"]), percent(row["posterior_of_truth"])]
        cells = [_name_of(row), readable_name(row["speaker"]), row["truth"], row["answer"], *shares]
        rows.append(cells + [f"{row['wrong']} of {row['runs']}"] * several)
    return rows


def recall_rows(answers: pd.DataFrame, group: str, classes: Sequence[str]) -> list[list[str]]:
    """Return a head and the rows of `recall_by` as text, shares in per cent."""
    found = recall_by(answers, group, classes)
    if group == "truth":
        return [["class", "n", "recall"], *_texts(found)]
    if group == "gender":
        found = found.assign(gender=found["gender"].map(lambda code: GENDER_WORDS.get(code, code)))
    return [[group, "n", "WA", "UA"], *_texts(found)]


def _texts(found: pd.DataFrame) -> list[list[str]]:
    return [
        [readable_name(str(name)), str(count), *map(percent, shares)]
        for name, count, *shares in found.itertuples(index=False)
    ]


def _name_of(row: Mapping[str, Any]) -> str:
    """Return the file of a row with its part, or the utterance's id where no file is known."""
    if not isinstance(row.get("file"), str):
        return str(row["utterance_id"])
    is_part = row["start_s"] > 0 or not pd.isna(row["end_s"])
    end = "" if pd.isna(row["end_s"]) else f"{row['end_s']:g}"
    return f"{row['file']} [{row['start_s']:g}, {end}] s" if is_part else str(row["file"])
