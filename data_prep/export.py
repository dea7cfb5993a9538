"""Writing the labels of a corpus' utterances as tables that other programs read.

Either one CSV, which `csv:FILE` reads, or an audformat database, which `audformat:DIR` reads.
Both point to the recordings by paths relative to the folder that the table is written to.
"""

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data_prep.audformat_files.export import write_database
from data_prep.corpora import Adapter, corpus_name, find_adapter
from data_prep.corpus import EVERYWHERE, GLOBAL_SPEAKER, Corpus, describe_dropped, split_lines
from data_prep.csv_table import HIGHEST, LOWEST, OPTIONAL, REQUIRED
from ser_aae.errors import UserError
from ser_aae.files.atomic import write_bytes
from ser_aae.labels import UNKNOWN_GENDER
from ser_aae.utterance import Utterance

UNKNOWN_SPEAKER = "unknown"
"""Name that is written for a speaker whom the corpus does not know, and read as nobody's again."""


@dataclass(frozen=True)
class Exported:
    """The result of `export_manifest`.

    Attributes:
        dataset: The written table or database, as `--dataset` takes it.
        messages: Lines for the user.
    """

    dataset: str
    messages: tuple[str, ...]


def export_manifest(
    dataset: str, data_root: Path, out: Path, form: str, allow_partial: bool = False
) -> Exported:
    """Write a corpus' utterances to a folder as a CSV or an audformat database.

    Speakers, genders, emotions, ratings, sessions, languages, segments and the further columns
    are the same when the table is read again. Ratings beyond 1 to 5 are written as 1 or 5, because
    both formats refuse them, and stand as they were in a column `<dimension>_unclipped`. The
    format `form` is one of `FORMATS`; the folder `out` is made if need be.

    Raises:
        UserError: No such corpus or format, an incomplete copy, or a file that would be
            overwritten.
    """
    if form not in FORMATS:
        raise UserError(f"expected a format ({', '.join(FORMATS)}), got {form!r}")
    adapter = find_adapter(dataset)
    corpus = adapter.read(data_root, allow_partial=allow_partial)
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: expected a folder to write to, found a file; give another --out")
    folder = out.resolve()  # a link to a folder lies elsewhere than what its `..` leads to
    utterances = [make_portable(item, corpus.root.resolve(), folder) for item in corpus.utterances]
    folder.mkdir(parents=True, exist_ok=True)
    written = FORMATS[form](out, corpus_name(dataset), adapter, utterances)
    return Exported(written, (f"{len(utterances)} utterances: {written}", *_remarks(corpus)))


def make_portable(utterance: Utterance, root: Path, folder: Path) -> Utterance:
    """Return an utterance as it is written, without the additions and changes of a reader.

    The path becomes relative to `folder` and the speaker loses the corpus' name; who is known in
    all tables keeps that name in a column, and who is not known gets `UNKNOWN_SPEAKER`. The emotion
    is written by its canonical name; the corpus' own name of it goes to the further columns, in
    which a line end is written as a blank: a row of a table is a line.
    """
    extra = {_column(name): " ".join(split_lines(text)) for name, text in utterance.extra.items()}
    if utterance.emotion_raw != utterance.emotion:
        extra.setdefault("emotion_raw", utterance.emotion_raw)
    if utterance.speaker.startswith(EVERYWHERE):
        extra[GLOBAL_SPEAKER] = utterance.speaker.removeprefix(EVERYWHERE)
    clipped = {}
    for dimension in ("activation", "valence"):
        rating = getattr(utterance, dimension)
        clipped[dimension] = rating if rating is None else min(max(rating, LOWEST), HIGHEST)
        if clipped[dimension] != rating:
            extra[f"{dimension}_unclipped"] = str(rating)
    return replace(
        utterance,
        path=Path(os.path.relpath(utterance.audio_path(root), folder)).as_posix(),
        speaker=utterance.speaker.removeprefix(f"{utterance.corpus}:") or UNKNOWN_SPEAKER,
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
    write_bytes(path, text.getvalue().encode())
    return f"csv:{path}"


def write_audformat(out: Path, name: str, adapter: Adapter, utterances: Sequence[Utterance]) -> str:
    """Write an audformat database, and return it as `--dataset` takes it."""
    if any(item.channel is not None for item in utterances):
        raise UserError(
            "--format: expected csv for utterances that are one channel of their file, which "
            "audformat cannot say, got audformat"
        )
    write_database(out, name, utterances, source=adapter.title, terms=adapter.license)
    return f"audformat:{out}"


FORMATS: Mapping[str, Callable[[Path, str, Adapter, Sequence[Utterance]], str]] = {
    "audformat": write_audformat,
    "csv": write_csv,
}
"""The formats, each with the function that writes it."""


def _column(name: str) -> str:
    """Return the column of an extra field; one that has a meaning of its own is renamed."""
    return f"extra_{name}" if name.lower() in (*REQUIRED, *OPTIONAL) else name


def _row(utterance: Utterance) -> dict[str, str]:
    is_part = utterance.start_s != 0.0 or utterance.end_s is not None
    numbers = {
        "start": utterance.start_s if is_part else None,
        "end": utterance.end_s,
        "channel": utterance.channel,
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
    """Return lines about recordings and ratings that are not written as they are."""
    beyond = sum(
        rating is not None and not LOWEST <= rating <= HIGHEST
        for item in corpus.utterances
        for rating in (item.activation, item.valence)
    )
    clipped = f"clipped {beyond} ratings to 1..5; see the columns *_unclipped"
    unknown = sum(not item.has_known_speaker for item in corpus.utterances)
    one = (
        f"{unknown} utterances of nobody knows whom have the speaker {UNKNOWN_SPEAKER!r}, who may "
        "be one person to other programs"
    )
    remarks = [*([clipped] if beyond else []), *([one] if unknown else [])]
    return [*describe_dropped(corpus.dropped), *remarks]
