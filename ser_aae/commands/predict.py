"""`ser-aae predict`: emotion, gender and speaker in recordings by a trained model."""

import argparse
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_aae.commands.options import (
    EACH,
    Subparsers,
    add_channel,
    add_model,
    add_options,
    fetch_model,
    folder,
    new_table,
)
from ser_aae.errors import ModelError, UserError
from ser_aae.extras import explain_missing
from ser_aae.progress import (
    LOADING,
    move_bar,
    open_bar,
    show_line,
    show_result,
    show_to_person,
)

if TYPE_CHECKING:
    from tqdm import tqdm

    from ser_aae.frontend.channels import Channel
    from ser_aae.inference.recogniser import Observer, Recogniser

Row = dict[str, Any]


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "predict",
        help="emotion, gender and speaker in recordings, of the whole or every second",
        description="Print what a model says of recordings of any length, rate and container. "
        "One that cannot be read does not stop the others; exit code 2 then.",
    )
    add_model(parser)
    parser.add_argument(
        "files",
        type=folder,
        nargs="+",
        metavar="FILE|FOLDER",
        help="recordings, or folders of recordings at any depth",
    )
    add_options(parser, "json", "trust")
    parser.add_argument("--csv", type=new_table, metavar="FILE", help="write a table as well")
    parser.add_argument(
        "--timeline",
        type=_timeline_step,
        metavar="SECONDS",
        help="posteriors at every step of this length",
    )
    add_channel(parser, each=True)
    parser.set_defaults(run=run, resumes=False, writes="csv")


def _timeline_step(text: str) -> float:
    from ser_aae.inference.recogniser import check_step

    try:
        check_step(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a number of seconds, got {text}") from error
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return float(text)


def run(arguments: argparse.Namespace) -> None:
    """Recognise each file; print as it comes, or all at the end as JSON."""
    files, locked = list[Path](), dict[Path, str]()
    for given in arguments.files:
        files += _find_recordings(given, locked)
    show_to_person(LOADING.format(model=arguments.model))
    from ser_aae.inference.recogniser import Recogniser

    recogniser = Recogniser.load(fetch_model(arguments.model), arguments.trust)
    for warning in (*recogniser.remarks, *recogniser.signature.warnings):
        show_line(f"warning: {warning}")
    with open_bar(len(files), "predict", "recordings") as bar:
        rows, fault = _recognise(recogniser, files, arguments, bar)
    for place, message in locked.items():
        show_line(f"error: {message}")
        rows.append({"file": str(place), "error": message})
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False))
    if arguments.csv:
        _write_csv(arguments.csv, rows)
    if fault:
        raise fault
    if failed := sum("error" in row for row in rows):
        asked = f"{len(files) + len(locked)} recordings{' and folders' if locked else ''}"
        raise UserError(f"{failed} of {asked} could not be recognised, see above")


def _find_recordings(given: Path, locked: dict[Path, str]) -> list[Path]:
    """Return the recordings below a folder, sorted, and say what else lies there; or the file.

    A folder that cannot be read is added to `locked`, with the reason.

    Raises:
        UserError: A folder without a recording.
    """
    if not given.is_dir():
        return [given]
    from data_prep.corpus import files_below
    from ser_aae.frontend.audio import SUFFIXES
    from ser_aae.labels import list_some

    found, others = list[Path](), list[str]()
    for path in files_below(given, unreadable=locked.__setitem__):
        if path.suffix.lower() in SUFFIXES:
            found.append(given / path)
        elif not (given / path).is_dir():  # of an empty folder the name is listed too
            others.append(str(path))
    if not found and not locked:
        raise UserError(
            f"{given}: expected recordings in it (WAV, FLAC, OGG, MP3, M4A ...), found none among "
            f"{len(others)} files; name the folder of the recordings, or the files themselves"
        )
    if others:
        files = f"{len(others)} file{'s are' if len(others) > 1 else ' is'}"
        show_line(f"{given}: {files} no recording by name and left out: {list_some(others)}")
    return found


def _recognise(
    recogniser: "Recogniser", files: Sequence[Path], arguments: argparse.Namespace, bar: "tqdm"
) -> tuple[list[Row], Exception | None]:
    """Return rows of each recording, and the last fault of this program; show what comes."""
    rows: list[Row] = []
    fault = None
    for number, path in enumerate(files):

        def follow(_: Any, seconds: float, number: int = number, path: Path = path) -> None:
            move_bar(bar, number, lambda: f"{path.name} {_clock(seconds)}")

        error, first = None, len(rows)
        try:
            for row in _channel_rows(recogniser, path, arguments, follow):
                rows.append(row)  # those before an error are kept
        except ModelError:  # no other recording mends it
            raise
        except Exception as raised:
            if explain_missing(raised):
                raise
            error = raised
        # shown out here: a closed pipe and a full disk are no faults of a recording
        for row in rows[first:] if not arguments.json else ():
            show_result(_text(row))
        if error:
            message = str(error)
            if not isinstance(error, UserError):  # raised when the others are recognised
                fault, message = error, f"{path}: {type(error).__name__}: {error}"
            show_line(f"error: {message}")
            rows.append({"file": str(path), "error": message})
        move_bar(bar, number + 1)
    return rows, fault


def _channel_rows(
    recogniser: "Recogniser", path: Path, arguments: argparse.Namespace, follow: "Observer"
) -> Iterator[Row]:
    """Yield what is recognised in a recording: once, or in each of its channels."""
    from ser_aae.frontend.blocks import count_channels

    channels: Iterable[Channel] = [arguments.channel]
    if arguments.channel == EACH:
        channels = range(1, count_channels(path) + 1)
    for channel in channels:
        found = recogniser.recognise_file(path, arguments.timeline, follow, channel)
        named = {} if channel is None else {"channel": channel}
        yield {"file": str(path), **named, **found.to_dict()}


def _text(row: Row) -> str:
    """Return a recording's posteriors in per cent, the likeliest first."""
    from ser_aae.inference.wording import names_for_people

    part = f", channel {row['channel']}" if "channel" in row else ""
    head = f"{row['file']}{part}: {row['duration_s']:.1f} s"
    names = names_for_people({task: list(own) for task, own in row["posteriors"].items()})
    if row["silent"]:
        lines = [f"{head}, silence"]
    else:
        lines = [f"{head}, {row['speech_s']:.1f} s of it speech"]
        for task, values in row["posteriors"].items():
            shown = 3 if task == "speaker" else len(values)
            lines.append(f"  {task:<10}{_ranking(values, names.get(task, {}), shown)}")
    lines += [f"  odd: {sentence}" for sentence in row["oddities"]]
    for moment in row["timeline"]:
        likeliest = [
            _ranking(values, names.get(task, {}), 1)
            for task, values in moment["posteriors"].items()
        ]
        lines.append(f"  {_clock(moment['start_s'])}  {', '.join(likeliest) or 'silence'}")
    return "\n".join(lines)


def _ranking(values: Mapping[str, float], names: Mapping[str, str], count: int) -> str:
    """Return the likeliest classes by their names for people, with their posteriors."""
    ranked = sorted(values.items(), key=lambda item: -item[1])[:count]
    return ", ".join(f"{names.get(key, key)} {100 * value:.1f}" for key, value in ranked)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60)}:{int(minutes % 60):02d}:{rest:04.1f}"


def _write_csv(path: Path, rows: list[Row]) -> None:
    """Write one row a recording, or one a step where there is a timeline."""
    from ser_aae.files.atomic import write_bytes

    flat = [line for row in rows for line in _lines(row)]
    columns = list(dict.fromkeys(name for line in flat for name in line))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(flat)
    write_bytes(path, text.getvalue().encode())


def _lines(row: Row) -> Iterator[Row]:
    """Yield the lines of a recording: of the speakers, only the likeliest is named."""
    if "error" in row:
        yield {"file": row["file"], "error": row["error"]}
        return
    whole = {"start_s": 0.0, "end_s": row["duration_s"]} | row
    for each in row["timeline"] or [whole]:
        line = {key: row[key] for key in ("file", "channel") if key in row}
        line |= {key: each[key] for key in ("start_s", "end_s", "silent")}
        for task, values in each["posteriors"].items():
            line[task] = each["best"][task]
            if task == "speaker":
                line["p_speaker"] = max(values.values())
            else:
                line |= {f"p_{task}_{name}": value for name, value in values.items()}
        yield line | {"oddities": "; ".join(row["oddities"])}
