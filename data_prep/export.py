"""Writing what is known of a corpus' utterances as tables that other programs read.

Either one CSV, which `csv:FILE` reads, or an audformat database, which `audformat:DIR` reads.
Both only point to the recordings, by paths relative to the folder they are written to.
"""

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data_prep.audformat_files.export import write_database
from data_prep.corpora import Adapter, corpus_name, find_adapter
from data_prep.corpus import Corpus
from data_prep.csv_table import OPTIONAL, REQUIRED
from data_prep.manifest import write_atomically
from ser_aae.errors import UserError
from ser_aae.labels import UNKNOWN_GENDER
from ser_aae.utterance import Utterance

LOWEST, HIGHEST = 1.0, 5.0
"""The scale of ratings in what is written."""


@dataclass(frozen=True)
class Exported:
    """What `export_manifest` did.

    Attributes:
        dataset: What was written, as `--dataset` takes it.
        messages: What the user should know, a line each.
    """

    dataset: str
    messages: tuple[str, ...]


def export_manifest(
    dataset: str, data_root: Path, out: Path, form: str, allow_partial: bool = False
) -> Exported:
    """Write a corpus' utterances to a folder as a CSV or an audformat database.

    Speakers, genders, emotions, ratings, sessions, languages, segments and the further columns
    are the same when it is read again. Ratings beyond 1 to 5 are written as 1 or 5, because
    both formats refuse them, and stand as they were in a column `<dimension>_unclipped`.

    Args:
        dataset: A corpus' name, `csv:FILE` or `audformat:DIR`.
        data_root: The folder that holds the corpora.
        out: Where to write; made if need be.
        form: One of `FORMATS`.
        allow_partial: Accept an incomplete copy of the corpus.

    Raises:
        UserError: No such corpus or format, an incomplete copy, or something lies there that
            would be overwritten.
    """
    if form not in FORMATS:
        raise UserError(f"expected a format ({', '.join(FORMATS)}), got {form!r}")
    adapter = find_adapter(dataset)
    corpus = adapter.read(data_root, allow_partial=allow_partial)
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: expected a folder to write to, found a file; give another --out")
    folder = out.resolve()  # a link to a folder lies elsewhere than what its `..` leads to
    utterances = [portable(item, corpus.root.resolve(), folder) for item in corpus.utterances]
    folder.mkdir(parents=True, exist_ok=True)
    written = FORMATS[form](out, corpus_name(dataset), adapter, utterances)
    return Exported(written, (f"{len(utterances)} utterances: {written}", *_remarks(corpus)))


def portable(utterance: Utterance, root: Path, folder: Path) -> Utterance:
    """Return an utterance as it is written: what a reader adds or changes is taken back.

    The path becomes relative to `folder`, the speaker loses the corpus, and what the corpus
    itself calls the emotion goes to the further columns, as the canonical name is written.
    """
    extra = {_column(name): text for name, text in utterance.extra.items()}
    if utterance.emotion_raw != utterance.emotion:
        extra.setdefault("emotion_raw", utterance.emotion_raw)
    clipped = {}
    for dimension in ("activation", "valence"):
        rating = getattr(utterance, dimension)
        clipped[dimension] = rating if rating is None else min(max(rating, LOWEST), HIGHEST)
        if clipped[dimension] != rating:
            extra[f"{dimension}_unclipped"] = str(rating)
    return replace(
        utterance,
        path=Path(os.path.relpath(utterance.audio_path(root), folder)).as_posix(),
        speaker=utterance.speaker.removeprefix(f"{utterance.corpus}:"),
        gender="" if utterance.gender == UNKNOWN_GENDER else utterance.gender,
        extra=extra,
        **clipped,
    )


def write_csv(out: Path, name: str, _adapter: Adapter, utterances: Sequence[Utterance]) -> str:
    """Write one CSV, a row an utterance, and return it as `--dataset` takes it."""
    path = out / f"{name}.csv"
    if path.exists():
        raise UserError(f"{path}: is there already; remove it, or give another --out")
    rows = [_row(utterance) for utterance in utterances]
    filled = {column for row in rows for column, text in row.items() if text}
    others = sorted(filled - {*REQUIRED, *OPTIONAL})
    columns = [*REQUIRED, *(column for column in OPTIONAL if column in filled), *others]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue())
    return f"csv:{path}"


def write_audformat(out: Path, name: str, adapter: Adapter, utterances: Sequence[Utterance]) -> str:
    """Write an audformat database, and return it as `--dataset` takes it."""
    write_database(out, name, utterances, source=adapter.title, terms=adapter.license)
    return f"audformat:{out}"


FORMATS: Mapping[str, Callable[[Path, str, Adapter, Sequence[Utterance]], str]] = {
    "audformat": write_audformat,
    "csv": write_csv,
}
"""What can be written, and what writes it."""


def _column(name: str) -> str:
    """Return the column of an extra field; one that has a meaning of its own is renamed."""
    return f"extra_{name}" if name.lower() in (*REQUIRED, *OPTIONAL) else name


def _row(utterance: Utterance) -> dict[str, str]:
    is_part = utterance.start_s != 0.0 or utterance.end_s is not None
    numbers = {
        "start": utterance.start_s if is_part else None,
        "end": utterance.end_s,
        "activation": utterance.activation,
        "valence": utterance.valence,
    }
    return {
        "file": utterance.path,
        "speaker": utterance.speaker,
        "gender": utterance.gender,
        "emotion": utterance.emotion,
        "session": utterance.session,
        "language": utterance.language,
        **{name: "" if number is None else str(number) for name, number in numbers.items()},
        **utterance.extra,
    }


def _remarks(corpus: Corpus) -> list[str]:
    """Return what did not go over as it was."""
    reasons = Counter(item.reason for item in corpus.dropped)
    beyond = sum(
        rating is not None and not LOWEST <= rating <= HIGHEST
        for item in corpus.utterances
        for rating in (item.activation, item.valence)
    )
    clipped = f"clipped {beyond} ratings to 1..5; see the columns *_unclipped"
    return [
        *(f"dropped {count}: {reason}" for reason, count in sorted(reasons.items())),
        *([clipped] if beyond else []),
    ]
