"""`ser-aae card`: the model card of a run."""

import argparse

from ser_aae.commands.options import Subparsers, folder
from ser_aae.progress import show_line


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "card",
        help="a run's model card in the format of Hugging Face",
        description="Write a model card from a run's own files: figures, spread over speakers, "
        "protocol, limits, settings and the terms of its corpora.",
    )
    parser.add_argument("run_folder", type=folder, metavar="RUN", help="the folder of one run")
    parser.add_argument(
        "--out", type=folder, metavar="FILE", help="write it there, as README.md (else printed)"
    )
    parser.set_defaults(run=run, resumes=False, writes="out")


def run(arguments: argparse.Namespace) -> None:
    """Print or write the card."""
    from data_prep.corpora import find_adapter
    from reports.card import Terms, build_card, corpora_of
    from ser_aae.errors import UserError
    from ser_aae.files.atomic import write_bytes
    from ser_aae.results.model_files import remarks_on

    terms = {}
    for name, given in corpora_of(arguments.run_folder).items():
        try:
            adapter = find_adapter(given)
        except UserError:  # a run on what another version knew
            continue
        terms[name] = Terms(adapter.title, adapter.license, adapter.language, adapter.bibtex)
    card = build_card(arguments.run_folder, terms)
    for remark in remarks_on(arguments.run_folder):
        show_line(f"warning: {remark}")
    if arguments.out:
        write_bytes(arguments.out, card.encode())
        print(arguments.out)
    else:
        print(card, end="")
