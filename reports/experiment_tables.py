"""Tables of one experiment: its runs, its folds together, its leakage checks, its settings."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from reports.commands import train_command
from reports.settings import preset_settings
from reports.titles import corpus_title
from ser_aae.config import UNSTATED, RunConfig, without_idle
from ser_aae.config.fields import settings
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.results.folder import flatten
from ser_aae.results.kept_epochs import epochs_of_stages, kept_epoch
from ser_aae.results.places import Places
from ser_aae.results.run_kinds import (
    ALONE,
    ERROR_RATE,
    ERROR_RATES,
    NUM_TRIALS,
    OVER_CORPORA,
    UA_OVER_CORPORA,
)
from ser_aae.results.text import FIGURES, count_of, figures_of, mean_and_std, percent

Evaluation = Mapping[str, Any]

_RUN_SETTINGS = ("dataset", "joined", "seed", "protocol.fold")
"""Settings that identify a run, and are no choice of method."""


def has_verification(evaluation: Evaluation) -> bool:
    """Return whether a run of an experiment verified speakers."""
    return _has_score(evaluation, ERROR_RATE)


def has_two_populations(evaluation: Evaluation) -> bool:
    """Return whether a run of an experiment verified speakers of its test part too."""
    return any(_has_score(evaluation, name) for name in ERROR_RATES[1:])


def run_table(evaluation: Evaluation) -> pd.DataFrame:
    """Return one row a complete run; figures in per cent."""
    figures = _figures_of(evaluation)
    rows = []
    for run in evaluation["runs"]:
        stored = run["stored"]
        row = {"fold": run["fold"], "rep": run["repetition"], "n": run["n"]}
        row |= {title: percent(run.get(key)) for key, title in figures.items()}
        if has_verification(evaluation):
            row["trials"] = _dash_for_none(run.get(NUM_TRIALS))
        if has_two_populations(evaluation):
            tested = run.get("verification_test_speakers")
            row["test speakers verified"] = _dash_for_none(tested)
        row["validation UA"] = percent(stored.get("validation_unweighted_accuracy"))
        row["adversary"] = (stored.get("adversary") or {}).get("state", "-")
        row["epoch kept"] = _kept_of_epochs(stored)
        seconds = stored.get("seconds")
        row["seconds"] = "-" if seconds is None else f"{seconds:.0f}"
        rows.append(row)
    return pd.DataFrame(rows).astype(str)


def recall_tables(evaluation: Evaluation) -> dict[str, pd.DataFrame]:
    """Return a table of what is right by class, by speaker and by gender; in per cent."""
    return {
        head[0]: pd.DataFrame(rows, columns=head)
        for head, *rows in evaluation["recall_rows"].values()
    }


def pooled_table(evaluation: Evaluation) -> pd.DataFrame:
    """Return the pooled figures of each repetition, their spread, and those of all as one."""
    figures = _figures_of(evaluation)

    def make_row(
        name: str, values: Mapping[str, Any], show: Callable[[Any], str] = percent
    ) -> dict[str, str]:
        return {"": name} | {title: show(values.get(key)) for key, title in figures.items()}

    rows = []
    for item in evaluation["repetitions"]:
        name = f"repetition {item['repetition']}"
        total = evaluation["folds_expected"]
        whole = count_of(total, "fold") if total else "? folds"
        rows.append(make_row(f"{name}, {item['folds']} of {whole} pooled", item))
        if item["folds"] > 1:
            spread = item["over_folds"]
            show = partial(mean_and_std, whole=item["folds"])
            rows.append(make_row(f"{name}, mean ± deviation over folds", spread, show))
    over, together = evaluation["over_repetitions"], evaluation["ensemble"]
    if (count := over["unweighted_accuracy"]["n"]) > 1:
        name = f"mean ± deviation over {count} complete repetitions"
        rows.append(make_row(name, over, mean_and_std))
    if together:
        rows.append(make_row(f"ensemble of {together['members']} repetitions", together))
    return pd.DataFrame(rows).astype(str)


def corpora_table(
    evaluation: Evaluation, corpora: Mapping[str, CorpusFacts] | None = None
) -> pd.DataFrame:
    """Return the figures of each corpus of test parts of several, and their mean; else no row.

    `corpora` are facts by names in the store, for the titles of corpora.
    """
    rows, facts = [], corpora or {}
    for item in evaluation["repetitions"]:
        name = f"repetition {item['repetition']}"
        for corpus, own in item.get("by_corpus", {}).items():
            rows.append(_corpus_row(f"{name}, {corpus_title(corpus, facts)}", own, own, percent))
        if "by_corpus" in item:
            mean = {key: item[over] for over, key in OVER_CORPORA.items()}
            rows.append(_corpus_row(f"{name}, mean of the corpora", {}, mean, percent))
    over = evaluation["over_repetitions"]
    if over.get(UA_OVER_CORPORA, {}).get("n", 0) > 1:
        name = "mean ± deviation over repetitions"
        for corpus, own in evaluation["corpora_over_repetitions"].items():
            titled = f"{name}, {corpus_title(corpus, facts)}"
            rows.append(_corpus_row(titled, {}, own, mean_and_std))
        mean = {key: over[each] for each, key in OVER_CORPORA.items()}
        rows.append(_corpus_row(f"{name}, mean of the corpora", {}, mean, mean_and_std))
    return pd.DataFrame(rows).astype(str)


def _corpus_row(
    name: str, counts: Mapping[str, Any], scores: Mapping[str, Any], show: Callable[[Any], str]
) -> dict[str, Any]:
    counted = {key: counts.get(key, "") for key in ("n", "speakers")}
    return {"": name} | counted | {FIGURES[key]: show(scores[key]) for key in OVER_CORPORA.values()}


def leakage_table(evaluation: Evaluation) -> pd.DataFrame:
    """Return the counts of each run's leakage check: utterances (speakers) by part."""
    rows = [
        {"run": run["name"]} | _leakage_row(check)
        for run in evaluation["runs"]
        if (check := run["stored"].get("leakage"))
    ]
    return pd.DataFrame(rows).astype(str)


def missing_table(evaluation: Evaluation, like: Path, places: Places) -> pd.DataFrame:
    """Return the runs that an experiment lacks, each with the command to train it as `like` was."""
    rows = [
        {"run": name, "command": train_command(Path(evaluation["folder"]) / name, like, places)}
        for name in (*evaluation["missing"], *evaluation["incomplete"])
    ]
    return pd.DataFrame(rows)


def choices_table(config: Mapping[str, Any]) -> pd.DataFrame:
    """Return every field of a config: value, the presets' values, source and meaning.

    A setting that has no effect on the run is left out. `departs` is `"*"` where the value is not
    that of the preset `default`.
    """
    values, known = flatten(without_idle(config, RunConfig)), settings()
    paper = preset_settings("paper")
    rows = []
    for name, usual in preset_settings("default").items():
        if name in values and name not in _RUN_SETTINGS:
            metadata = known[name][0].metadata
            stated = metadata["source"] != UNSTATED
            rows.append(
                {
                    "choice": name,
                    "value": values[name],
                    "departs": "*" if values[name] != usual else "",
                    "default": usual,
                    "paper": paper[name],
                    "source": metadata["source"] if stated else "chosen here",
                    "meaning": metadata["doc"],
                }
            )
    return pd.DataFrame(rows).astype(str)


def _figures_of(evaluation: Evaluation) -> dict[str, str]:
    rates = {ERROR_RATE: "EER"} | {ERROR_RATE + e: f"EER, {words}" for e, words in ALONE.items()}
    rates = {name: title for name, title in rates.items() if _has_score(evaluation, name)}
    return figures_of(evaluation["runs"][0]) | rates


def _kept_of_epochs(stored: Mapping[str, Any]) -> str:
    """Return the epoch of stage 2 that was kept, and of how many, with those of stage 1 apart."""
    kept, (first, second) = kept_epoch(stored), epochs_of_stages(stored)
    if kept is None:
        return "-"
    of_all = str(kept) if second is None else f"{kept} of {second}"
    return f"{of_all} (stage 1: {first})" if first else of_all


def _has_score(evaluation: Evaluation, name: str) -> bool:
    return any(run.get(name) is not None for run in evaluation["runs"])


def _dash_for_none(value: object) -> str:
    return "-" if value is None else str(value)


def _leakage_row(check: Mapping[str, Any]) -> dict[str, str]:
    counts, speakers = check.get("utterances", {}), check.get("speakers", {})
    row = {
        part: f"{counts[part]} ({speakers.get(part, '-')})"
        for part in ("train", "validation", "test", "auxiliary")
        if part in counts
    }
    if "unlabelled" in counts:
        row["train without labels"] = str(counts["unlabelled"])
    for pair, names in check.get("shared_speakers", {}).items():
        row[f"speakers in {pair.replace('-', ' and ')}"] = str(len(names))
    row["utterances shared"] = _dash_for_none(check.get("shared_utterances"))
    row["files shared"] = _dash_for_none(check.get("shared_files"))
    sentences = check.get("shared_sentences")
    row["sentences of test in train"] = "-" if sentences is None else f"{sentences:.0%}"
    copies = check.get("copies") or {}
    left_out = [copies[kind] for kind in ("separated", "contradicting") if kind in copies]
    row["copies left out"] = str(sum(left_out)) if left_out else "-"
    return row
