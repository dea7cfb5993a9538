"""`ser-aae verify-corpus`: a report on a corpus, its completeness and its content."""

import argparse
import json
import sys
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ser_aae.commands.options import Subparsers, add_options, count
from ser_aae.errors import UserError


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "verify-corpus",
        help="read all of a corpus: counts, sound, and what lies there twice",
        description="Read all of a corpus and report on it. Ends with 0 where every count is as "
        "expected, every file can be read and no speaker is spelt in two ways, with 2 where not; "
        "the report comes first. --allow-partial: with 0 whatever the report says.",
    )
    add_options(parser, "dataset", "data-root", "allow-partial")
    parser.add_argument(
        "--workers", type=count, default=1, metavar="N", help="threads that read (1)"
    )
    add_options(parser, "json")
    parser.set_defaults(run=run, resumes=False)


def run(arguments: argparse.Namespace) -> None:
    """Print the report.

    Raises:
        UserError: The corpus cannot be read at all, or is not as expected.
    """
    verify(
        arguments.dataset,
        arguments.data_root,
        arguments.workers,
        as_json=arguments.json,
        allow_partial=arguments.allow_partial,
    )


def verify(
    dataset: str,
    data_root: Path,
    workers: int = 1,
    as_json: bool = False,
    allow_partial: bool = False,
) -> None:
    """Read all of a corpus and print the report on it, as text or as one JSON document.

    Raises:
        UserError: The corpus cannot be read at all, or is not as expected.
    """
    from data_prep.corpus_check import check_corpus

    report = check_corpus(dataset, data_root, workers)
    report["speaker_only_unweighted_accuracy"] = _speaker_only_accuracy(report["speakers"])
    print(json.dumps(report, indent=2, allow_nan=False) if as_json else format_report(report))
    if not report["ok"] and not allow_partial:
        sys.stdout.flush()  # so that the error comes last where both go to one place
        raise UserError(_describe_difference(report))


def format_report(report: Mapping[str, Any]) -> str:
    """Return the report as text for people; every list in it is whole."""
    from ser_aae.protocols.spellings import describe_spellings

    durations, accuracy = report["durations"], report["speaker_only_unweighted_accuracy"]
    known = "none has a label" if accuracy is None else f"{100 * accuracy:.1f} %"
    sections = [
        ("counts", [_count_line(row) for row in report["counts"]]),
        ("classes", [f"{name}: {count}" for name, count in report["classes"].items()]),
        _list_speakers(report["speakers"]),
        *_section_of(
            "speakers who may be one person", map(describe_spellings, report["spellings"])
        ),
        (f"UA of a predictor that knows only the speaker: {known}", []),
        (
            f"duration: {durations['hours']:.2f} h; an utterance {durations['min_s']:.2f} to "
            f"{durations['max_s']:.2f} s, median {durations['median_s']:.2f} s",
            [],
        ),
        ("sampling rates, files", _files(report["sampling_rates_hz"], "Hz")),
        ("channels, files", _files(report["channels"], "channel(s)")),
        *_reading_sections(report),
        *_section_of(
            "the same sound under several names", map(_repeated_line, report["duplicates"])
        ),
        *_section_of(
            "a stretch of the same sound in both", map(_repeated_line, report["overlaps"])
        ),
        *_section_of("labels outside the vocabulary", report["unknown_labels"]),
        *_section_of("became no utterance", _dropped_lines(report["dropped"])),
    ]
    lines = [f"{report['dataset']} {report['version']} in {report['root']}"]
    for title, content in sections:
        lines += [title, *(f"  {line}" for line in content)]
    return "\n".join(lines)


def _list_speakers(speakers: Sequence[Mapping[str, Any]]) -> tuple[str, list[str]]:
    """Return the section of who speaks, those who are not known last."""
    named = [row for row in speakers if _short_name(row)]
    genders = Counter(row["gender"] for row in named)
    listed = ", ".join(f"{count} {name}" for name, count in sorted(genders.items()))
    names = [f"{_short_name(row)} {row['gender']} {row['utterances']}" for row in named]
    names += [f"nobody knows who {row['utterances']}" for row in speakers if not _short_name(row)]
    return f"speakers: {len(named)} ({listed})", _wrap(names)


def _short_name(row: Mapping[str, Any]) -> str:
    """Return a speaker's name without that of the corpus, `""` where nobody knows who it is."""
    return row["speaker"].partition(":")[2]


def _reading_sections(report: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    unread = [f"{row['file']}: {row['reason']}" for row in report["unreadable"]]
    remarks = [f"{row['utterance']}: {row['reason']}" for row in report["remarks"]]
    odd = [f"{row['utterance']}: {row['what']}" for row in report["odd"]]
    return [
        *_section_of("cannot be read", unread),
        *_section_of("odd sound", odd),
        *_section_of("read with a remark", remarks),
    ]


def _speaker_only_accuracy(speakers: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the accuracy over all labelled utterances, `None` where there is none."""
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


def _describe_difference(report: Mapping[str, Any]) -> str:
    from ser_aae.protocols.spellings import describe_spellings

    counts = [row for row in report["counts"] if not row["ok"]]
    found = [f"{row['what']}: expected {row['expected']}, found {row['found']}" for row in counts]
    found += [f"{row['file']} cannot be read" for row in report["unreadable"]]
    found += [f"{name} ends after its file" for name in report["past_end"]]
    found += [
        f"speakers {describe_spellings(group)} may be one person" for group in report["spellings"]
    ]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return (
        f"{report['root']}: this copy of {report['dataset']} is not as it should be: "
        f"{found[0]}{more}, see the report; mend it, fetch what is missing or damaged, or accept "
        "what is there with --allow-partial"
    )


def _count_line(row: Mapping[str, Any]) -> str:
    if row["expected"] is None:
        return f"{row['what']}: {row['found']}"
    if row["ok"]:
        return f"{row['what']}: {row['found']}, ok"
    return f"{row['what']}: expected {row['expected']}, found {row['found']}"


def _wrap(texts: Any) -> list[str]:
    # a text is not broken at its own blanks
    joined = ", ".join(text.replace(" ", "\0") for text in texts)
    lines = textwrap.wrap(joined, 98, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def _files(counts: Mapping[str, int], unit: str) -> list[str]:
    return [f"{value} {unit}: {count}" for value, count in counts.items()]


def _repeated_line(row: Mapping[str, Any]) -> str:
    seconds = f", at least {row['seconds']:.2f} s" if "seconds" in row else ""
    several = len(row["speakers"]) > 1
    speakers = f"; SPEAKERS DIFFER: {', '.join(row['speakers'])}" if several else ""
    return f"{', '.join(row['utterances'])}{seconds}{speakers}"


def _dropped_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{len(row['where'])}: {row['reason']}"
        + "".join(f"\n    {line}" for line in _wrap(row["where"]))
        for row in rows
    ]


def _section_of(title: str, content: Any) -> list[tuple[str, list[str]]]:
    lines = list(content)
    return [(f"{title}: {len(lines)}", lines)] if lines else []
