"""An evaluation as aligned text for the terminal."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from ser_aae.config.datasets import readable_name
from ser_aae.labels import list_some
from ser_aae.results.run_kinds import ALONE, ERROR_RATE, OVER_CORPORA, SPEAKER_ONLY

FIGURES = {
    "weighted_accuracy": "WA",
    "unweighted_accuracy": "UA",
    "macro_f1": "F1",
    "gender_accuracy": "gender",
    SPEAKER_ONLY: "speaker-only UA",
}
"""Titles of the scores that tables show, where a run has them."""


def percent(value: float | None) -> str:
    """Return a share in [0, 1] as per cent with one decimal, `-` for none."""
    return "-" if value is None else f"{100 * value:.1f}"


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where there is not just one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def mean_and_std(entry: Mapping[str, Any], whole: int = 0) -> str:
    """Return `mean ± deviation` in per cent, the deviation only where there is one.

    A mean of fewer values than the `whole` says of how many: `mean ± deviation (of 2)`.
    """
    mean = percent(entry["mean"])
    text = mean if entry["std"] is None else f"{mean} ± {percent(entry['std'])}"
    return f"{text} (of {entry['n']})" if 0 < entry.get("n", whole) < whole else text


def format_evaluation(evaluation: Mapping[str, Any]) -> str:
    """Return the lines that `ser-aae evaluate` prints: recomputed scores in per cent."""
    if evaluation["kind"] == "run":
        return _format_run(evaluation)
    return _format_folds(evaluation)


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, the first column to the left and the others to the right."""
    columns = range(len(rows[0]))
    widths = [max(_width(row[column]) for row in rows) for column in columns]
    lines = []
    for row in rows:
        gaps = [" " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [row[0] + gaps[0], *(gaps[column] + row[column] for column in columns[1:])]
        lines.append("  ".join(cells).rstrip())
    return lines


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal: letters of some scripts take two."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def figures_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the titles of what is shown beside a row of scores."""
    return {key: title for key, title in FIGURES.items() if key != SPEAKER_ONLY or key in row}


def _header(figures: Mapping[str, str]) -> list[str]:
    return ["", "n", "speakers", *figures.values()]


def _cells(row: Mapping[str, Any], figures: Mapping[str, str]) -> list[str]:
    tested = str(row["n"]), str(row.get("speakers", "-"))
    return [*tested, *(percent(row.get(key)) for key in figures)]


def _corpus_rows(row: Mapping[str, Any], figures: Mapping[str, str]) -> list[list[str]]:
    """Return a row for each corpus of a test part of several, and one for their mean."""
    corpora = row.get("by_corpus", {})
    if not corpora:
        return []
    means = {name: row[over] for over, name in OVER_CORPORA.items()}
    shown = list(figures)[:2]
    empty = [""] * (len(figures) - len(shown))
    each = [
        [f"  {readable_name(name)}", *_cells(own, figures)[:4], *empty]
        for name, own in corpora.items()
    ]
    mean = ["", "", *(percent(means.get(key)) for key in shown)]
    return [*each, [f"  mean of {len(corpora)} corpora", *mean, *empty]]


def _format_run(run: Mapping[str, Any]) -> str:
    figures = figures_of(run)
    rows = [_header(figures), [run["name"], *_cells(run, figures)], *_corpus_rows(run, figures)]
    table = _recall_table(run)
    rate, trials = run.get(ERROR_RATE), run.get("verification_trials")
    verified = None if rate is None else f"{percent(rate)} over {count_of(trials, 'trial')}"
    verified = _add_rates_alone(verified, {e: percent(run.get(ERROR_RATE + e)) for e in ALONE})
    return "\n".join([*align(rows), "", *align(table), *_closing_lines(run, verified)])


def _recall_table(run: Mapping[str, Any]) -> list[list[str]]:
    """Return the recall of each class beside its row of the confusion matrix, if there is one."""
    recalls = run["per_class_recall"]
    if "confusion" not in run:
        tested = [[name, percent(recalls[name])] for name in run["classes_scored"]]
        return [["true", "recall"], *tested]
    table = [["true \\ predicted", *run["classes"], "recall"]]
    for name, counts in zip(run["classes"], run["confusion"], strict=True):
        table.append([name, *(str(count) for count in counts), percent(recalls[name])])
    return table


def _format_folds(folds: Mapping[str, Any]) -> str:
    title = "{dataset}, {task}, {model}, {protocol}".format(**folds)
    figures = figures_of(folds["runs"][0])
    rows = [_header(figures), *([run["name"], *_cells(run, figures)] for run in folds["runs"])]
    for item in folds["repetitions"]:
        name, total = f"rep{item['repetition']:02d}", folds["folds_expected"]
        whole = count_of(total, "fold") if total else "? folds"
        rows.append([f"{name}, {item['folds']} of {whole} pooled", *_cells(item, figures)])
        rows += _corpus_rows(item, figures)
        if item["folds"] > 1:
            spread = [mean_and_std(item["over_folds"][key], item["folds"]) for key in figures]
            rows.append([f"{name}, over folds", "", "", *spread])
    over = folds["over_repetitions"]
    count = over["unweighted_accuracy"]["n"]
    if count > 1:
        means = [mean_and_std(over[key]) for key in figures]
        rows.append([f"over {count} repetitions", "", "", *means])
    together = folds["ensemble"]
    if together:
        rows.append([f"ensemble of {together['members']} repetitions", *_cells(together, figures)])
    lines = [f"{title} ({folds['independence']})", *align(rows)]
    lines += [f"{w}: {', '.join(folds[w])}" for w in ("missing", "incomplete") if folds[w]]
    if not count:
        lines.append("no repetition has all its folds: its pooled figures cover a part")
    rate = over.get(ERROR_RATE)
    verified = (
        f"{mean_and_std(rate)} over {count_of(rate['n'], 'repetition')}"
        if rate and rate["n"]
        else None
    )
    alone = {e: mean_and_std(over[ERROR_RATE + e]) for e in ALONE if ERROR_RATE + e in over}
    verified = _add_rates_alone(verified, alone)
    return "\n".join([*lines, *_closing_lines(folds["repetitions"][0], verified)])


def _add_rates_alone(verified: str | None, alone: Mapping[str, str]) -> str | None:
    """Return the words on an error rate with those of either population alone, if there are any."""
    told = [f"{ALONE[ending]} {rate}" for ending, rate in alone.items() if rate != "-"]
    return f"{verified} ({', '.join(told)})" if verified and told else verified


def _closing_lines(row: Mapping[str, Any], verified: str | None) -> list[str]:
    absent = [name for name in row["classes"] if name not in row["classes_scored"]]
    lines = [f"speaker verification: equal error rate {verified}"] if verified else []
    lines += [f"without truth, left out of UA and F1: {list_some(absent)}"] if absent else []
    closing = f"per cent; recomputed from the predictions; UA of guessing {percent(row['chance'])}"
    if SPEAKER_ONLY in row:
        closing += "; speaker-only UA: knowing the speaker alone"
    return [*lines, closing]
