"""`ser-aae card`: the model card of a run, printed, written, or pushed with exported files."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ser_aae.commands.options import Subparsers, folder, new_file
from ser_aae.errors import UserError
from ser_aae.progress import show_line

if TYPE_CHECKING:
    from reports.card import Terms

_CARD = "README.md"
"""Name of a card in a repository of the Hub."""


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "card",
        help="a run's model card in the format of Hugging Face; --push sends it there",
        description="Write a model card from a run's own files: figures, spread over speakers, "
        "protocol, limits, settings and the terms of its corpora. --push puts it on the Hugging "
        "Face Hub, with exported files of the run.",
    )
    parser.add_argument("run_folder", type=folder, metavar="RUN", help="the folder of one run")
    parser.add_argument(
        "--out", type=new_file, metavar="FILE", help="write it there, as README.md (else printed)"
    )
    parser.add_argument(
        "--push",
        metavar="OWNER/NAME",
        help="put it into this repository, which is made, private, where it is not there yet",
    )
    parser.add_argument(
        "--file",
        type=folder,
        action="append",
        default=[],
        metavar="FILE",
        help="with --push: a file of ser-aae export (Keras, ONNX, LiteRT) to put beside it; may be "
        "given several times",
    )
    parser.set_defaults(run=run, resumes=False, writes="out", extra="hub")


def run(arguments: argparse.Namespace) -> None:
    """Print, write or push the card."""
    from reports.card import Published, build_card
    from ser_aae.files.atomic import write_bytes
    from ser_aae.files.hub import check_push, push_files
    from ser_aae.results.model_files import remarks_on

    if arguments.file and not arguments.push:
        raise UserError("--file: goes with --push, which puts it on the Hub")
    names = tuple(path.name for path in arguments.file)
    if len(set(names)) < len(names) or _CARD in names:
        raise UserError(f"--file: expected files of different names, got {', '.join(names)}")
    if arguments.push:
        check_push(arguments.push)  # before a card is written
    published = Published(arguments.push, names) if arguments.push else None
    card = build_card(arguments.run_folder, _read_terms(arguments.run_folder), published)
    for path in arguments.file:
        _refuse_other_run(path, arguments.run_folder)
    for remark in remarks_on(arguments.run_folder):
        show_line(f"warning: {remark}")
    if arguments.out:
        write_bytes(arguments.out, card.encode())
        print(arguments.out)
    if arguments.push:
        files = dict(zip(names, arguments.file, strict=True))
        print(push_files(arguments.push, {_CARD: card.encode(), **files}, "Model card and files"))
    elif not arguments.out:
        print(card, end="")


def _read_terms(run_folder: Path) -> "dict[str, Terms]":
    """Return the terms of each corpus of a run, where its adapter is known."""
    from data_prep.corpora import find_adapter
    from reports.card import Terms, corpora_of

    terms = {}
    for name, given in corpora_of(run_folder).items():
        try:
            adapter = find_adapter(given)
        except UserError:  # a run on what another version knew
            continue
        terms[name] = Terms(adapter.title, adapter.license, adapter.language, adapter.bibtex)
    return terms


def _refuse_other_run(path: Path, run_folder: Path) -> None:
    """Refuse a file that is no whole export of a run, as well as its own description tells.

    Raises:
        UserError: No export or a damaged one, a SavedModel, or one of another run.
    """
    from ser_aae.inference.exported_model import FETCHED, load_exported
    from ser_aae.inference.run_model import identity_of
    from ser_aae.inference.signature import read_signature

    if path.suffix not in FETCHED:
        raise UserError(f"--file {path}: expected a file of ser-aae export ({', '.join(FETCHED)})")
    exported, own = load_exported(path)[0], read_signature(run_folder)
    is_alike = (exported.classes, exported.frontend) == (own.classes, own.frontend)
    if not is_alike or (exported.voice and exported.voice.identity != identity_of(run_folder)):
        raise UserError(
            f"{path}: expected an export of {run_folder}, found one of another run; export this "
            "one and name that file"
        )
