"""`ser-aae enrol`: remember a speaker's voice."""

import argparse

from ser_aae.commands.options import (
    Subparsers,
    add_channel,
    add_model,
    add_options,
    fetch_model,
    folder,
    new_file,
)
from ser_aae.progress import LOADING, show_line, show_to_person


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "enrol",
        help="remember a speaker's voice, for serve and verify",
        description="Average the d-vectors of a speaker's recordings and add them to a file. A "
        "name that is there already is enrolled anew.",
    )
    add_model(parser)
    parser.add_argument("files", type=folder, nargs="+", metavar="FILE", help="recordings")
    parser.add_argument("--speaker", required=True, metavar="NAME", help="who speaks in them")
    parser.add_argument(
        "--out", type=new_file, required=True, metavar="FILE", help="enrolled speakers (JSON)"
    )
    add_channel(parser)
    add_options(parser, "trust")
    parser.set_defaults(run=run, resumes=False, writes="out")


def run(arguments: argparse.Namespace) -> None:
    """Enrol, and say how many are."""
    show_to_person(LOADING.format(model=arguments.model))
    from ser_aae.inference.voices import Voices, enrol
    from ser_aae.results.text import count_of

    voices = Voices.load(fetch_model(arguments.model), arguments.trust)
    for remark in voices.recogniser.remarks:
        show_line(f"warning: {remark}")
    count = enrol(voices, arguments.speaker, arguments.files, arguments.out, arguments.channel)
    recordings = count_of(len(arguments.files), "recording")
    who = count_of(count, "speaker")
    print(f"{arguments.speaker}: {recordings}; {arguments.out} holds {who}")
