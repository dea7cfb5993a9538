"""`ser-aae verify-corpus`: whether a corpus is complete and whole, and what is in it."""

import argparse
import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from ser_aae.commands.options import add_place
from ser_aae.errors import UserError

_WIDTH = 98


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "verify-corpus",
        help="read all of a corpus: counts, sound, and what lies there twice",
        description="Read all of a corpus and report on it. Ends with 0 where every count is as "
        "expected and every file can be read, with 2 where not; the report comes first.",
    )
    parser.add_argument(
        "--dataset",
        required=True,
        metavar="NAME",
        help="see: ser-aae corpora; or csv:FILE, audformat:DIR",
    )
    add_place(parser, "data_root")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="threads that read (1)")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run, resumes=False)


def run(arguments: argparse.Namespace) -> None:
    """Print the report.

    Raises:
        UserError: The corpus cannot be read at all, or is not as expected.
    """
    from data_prep.corpus_check import check_corpus

    report = check_corpus(
        arguments.dataset, arguments.data_root, arguments.workers, progress=sys.stderr.isatty()
    )
    report["speaker_only_unweighted_accuracy"] = _speaker_only_accuracy(report["speakers"])
    print(
        json.dumps(report, indent=2, allow_nan=False) if arguments.json else format_report(report)
    )
    if not report["ok"]:
        sys.stdout.flush()  # so that the error comes last where both go to one place
        raise UserError(_what_differs(report))


def format_report(report: Mapping[str, Any]) -> str:
    """Return the report as text for people; every list in it is whole."""
    durations = report["durations"]
    accuracy = report["speaker_only_unweighted_accuracy"]
    known = "none has a label" if accuracy is None else f"{100 * accuracy:.1f} %"
    sections = [
        ("counts", [_count_line(row) for row in report["counts"]]),
        ("classes", [f"{name}: {count}" for name, count in report["classes"].items()]),
        (f"speakers: {_genders(report['speakers'])}", _wrap(map(_speaker, report["speakers"]))),
        (f"UA of a predictor that knows only the speaker: {known}", []),
        (
            f"duration: {durations['hours']:.2f} h; an utterance {durations['min_s']:.2f} to "
            f"{durations['max_s']:.2f} s, median {durations['median_s']:.2f} s",
            [],
        ),
        ("sampling rates, files", _files(report["sampling_rates_hz"], "Hz")),
        ("channels, files", _files(report["channels"], "channel(s)")),
        *_if_any("cannot be read", [f"{r['file']}: {r['reason']}" for r in report["unreadable"]]),
        *_if_any("the same sound under several names", map(_twice, report["duplicates"])),
        *_if_any("a stretch of the same sound in both", map(_twice, report["overlaps"])),
        *_if_any("labels outside the vocabulary", report["unknown_labels"]),
        *_if_any("became no utterance", _dropped(report["dropped"])),
    ]
    lines = [f"{report['dataset']} {report['version']} in {report['root']}"]
    for title, content in sections:
        lines += [title, *(f"  {line}" for line in content)]
    return "\n".join(lines)


def _speaker_only_accuracy(speakers: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the figure over all labelled utterances, `None` where there is none."""
    from data_prep.corpus_check import UNLABELLED_CLASS
    from ser_aae.results.metrics import speaker_only_unweighted_accuracy

    pairs = [
        (row["speaker"], emotion)
        for row in speakers
        for emotion, count in row["emotions"].items()
        if emotion != UNLABELLED_CLASS
        for _ in range(count)
    ]
    if not pairs:
        return None
    names, emotions = zip(*pairs, strict=True)
    return speaker_only_unweighted_accuracy(names, emotions, tuple(sorted(set(emotions))))


def _what_differs(report: Mapping[str, Any]) -> str:
    counts = [row for row in report["counts"] if not row["ok"]]
    found = [
        f"{row['what']}: expected {row['expected']}, found {row['found']}" for row in counts
    ] + [f"{row['file']} cannot be read" for row in report["unreadable"]]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return (
        f"{report['root']}: this copy of {report['dataset']} is not the complete one: "
        f"{found[0]}{more}, see the report; fetch what is missing or damaged"
    )


def _count_line(row: Mapping[str, Any]) -> str:
    if row["expected"] is None:
        return f"{row['what']}: {row['found']}"
    if row["ok"]:
        return f"{row['what']}: {row['found']}, ok"
    return f"{row['what']}: expected {row['expected']}, found {row['found']}"


def _genders(speakers: Sequence[Mapping[str, Any]]) -> str:
    genders = [row["gender"] for row in speakers]
    listed = ", ".join(f"{genders.count(name)} {name}" for name in sorted(set(genders)))
    return f"{len(speakers)} ({listed})"


def _speaker(row: Mapping[str, Any]) -> str:
    return f"{row['speaker'].partition(':')[2]} {row['gender']} {row['utterances']}"


def _wrap(texts: Any) -> list[str]:
    # a text is not broken at its own blanks
    joined = ", ".join(text.replace(" ", "\0") for text in texts)
    lines = textwrap.wrap(joined, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def _files(counts: Mapping[str, int], unit: str) -> list[str]:
    return [f"{value} {unit}: {count}" for value, count in counts.items()]


def _twice(row: Mapping[str, Any]) -> str:
    seconds = f", at least {row['seconds']:.2f} s" if "seconds" in row else ""
    several = len(row["speakers"]) > 1
    speakers = f"; SPEAKERS DIFFER: {', '.join(row['speakers'])}" if several else ""
    return f"{', '.join(row['utterances'])}{seconds}{speakers}"


def _dropped(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{len(row['where'])}: {row['reason']}"
        + "".join(f"\n    {line}" for line in _wrap(row["where"]))
        for row in rows
    ]


def _if_any(title: str, content: Any) -> list[tuple[str, list[str]]]:
    lines = list(content)
    return [(f"{title}: {len(lines)}", lines)] if lines else []
