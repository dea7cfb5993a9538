"""An evaluation as aligned text for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

_COLUMNS = {
    "n": "n",
    "weighted_accuracy": "WA",
    "unweighted_accuracy": "UA",
    "macro_f1": "F1",
    "gender_accuracy": "gender",
    "speaker_only_unweighted_accuracy": "speaker-only UA",
}


def percent(value: float | None) -> str:
    """Return a share in [0, 1] as per cent with one decimal, `-` for none."""
    return "-" if value is None else f"{100 * value:.1f}"


def mean_and_std(entry: Mapping[str, Any]) -> str:
    """Return `mean ± deviation` in per cent, the deviation only where there is one."""
    if entry["std"] is None:
        return percent(entry["mean"])
    return f"{percent(entry['mean'])} ± {percent(entry['std'])}"


def format_evaluation(evaluation: Mapping[str, Any]) -> str:
    """Return what `ser-aae evaluate` prints: figures in per cent, recomputed."""
    if evaluation["kind"] == "run":
        return _format_run(evaluation)
    return _format_folds(evaluation)


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, the first column to the left and the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [str(row["n"]), *(percent(row.get(key)) for key in _COLUMNS if key != "n")]


def _format_run(run: Mapping[str, Any]) -> str:
    rows = [["", *_COLUMNS.values()], [run["name"], *_cells(run)]]
    recalls = run["per_class_recall"]
    table = [["true \\ predicted", *run["classes"], "recall"]]
    for name, counts in zip(run["classes"], run["confusion"], strict=True):
        table.append([name, *(str(count) for count in counts), percent(recalls[name])])
    lines = [*align(rows), "", *align(table)]
    if run.get("equal_error_rate") is not None:
        lines += _verified(percent(run["equal_error_rate"]), f"{run['verification_trials']} trials")
    return "\n".join([*lines, *_unscored(run), *_closing(run["chance"])])


def _format_folds(folds: Mapping[str, Any]) -> str:
    title = "{dataset}, {task}, {model}, {protocol}".format(**folds)
    rows = [["", *_COLUMNS.values()]]
    rows += [[run["name"], *_cells(run)] for run in folds["runs"]]
    for item in folds["repetitions"]:
        total = folds["folds_expected"] or "?"
        rows.append([f"rep{item['repetition']:02d}, {item['folds']} of {total} folds pooled"])
        rows[-1] += _cells(item)
        spread = [mean_and_std(item["over_folds"][key]) for key in list(_COLUMNS)[1:]]
        rows.append([f"rep{item['repetition']:02d}, over folds", "", *spread])
    over = folds["over_repetitions"]
    count = over["unweighted_accuracy"]["n"]
    if count:
        means = [mean_and_std(over[key]) for key in list(_COLUMNS)[1:]]
        rows.append([f"over {count} repetition{'s' * (count > 1)}", "", *means])
    together = folds["ensemble"]
    if together:
        rows.append([f"ensemble of {together['members']} repetitions", *_cells(together)])
    lines = [f"{title} ({folds['independence']})", *align(rows)]
    for word in ("missing", "incomplete"):
        if folds[word]:
            lines.append(f"{word}: {', '.join(folds[word])}")
    if not count:
        lines.append("no repetition has all its folds: its pooled figures cover a part")
    verified = over.get("equal_error_rate")
    if verified and verified["n"]:
        lines += _verified(mean_and_std(verified), f"{verified['n']} repetitions")
    first = folds["repetitions"][0]
    return "\n".join([*lines, *_unscored(first), *_closing(first["chance"])])


def _verified(rate: str, over: str) -> list[str]:
    return [f"speaker verification: equal error rate {rate} over {over}"]


def _unscored(row: Mapping[str, Any]) -> list[str]:
    absent = [name for name in row["classes"] if name not in row["classes_scored"]]
    return [f"without truth, left out of UA and F1: {', '.join(absent)}"] if absent else []


def _closing(chance: float) -> list[str]:
    return [
        f"per cent; recomputed from the predictions; UA of guessing {percent(chance)}; "
        "speaker-only UA: knowing the speaker alone"
    ]
