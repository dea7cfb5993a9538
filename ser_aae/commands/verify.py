"""`ser-aae verify`: whether one speaker speaks in two recordings."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_aae.commands.options import (
    Subparsers,
    add_channel,
    add_model,
    add_options,
    fetch_model,
    folder,
)
from ser_aae.errors import UserError
from ser_aae.progress import LOADING, show_line, show_to_person

if TYPE_CHECKING:
    from ser_aae.inference.signature import Threshold


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "verify",
        help="whether two recordings are of one speaker",
        description="Compare two voices by the cosine of their d-vectors. Yes or no is said from "
        "the threshold on at which the run's own verification trials err as often on either side.",
    )
    add_model(parser)
    parser.add_argument("first", metavar="A", help="a recording; with --speakers, a name in it")
    parser.add_argument("second", type=folder, metavar="B", help="a recording")
    parser.add_argument(
        "--speakers", type=folder, metavar="FILE", help="enrolled speakers, of whom A is one"
    )
    add_channel(parser)
    add_options(parser, "json", "trust")
    parser.set_defaults(run=run, resumes=False)


def run(arguments: argparse.Namespace) -> None:
    """Print the cosine, and the decision where the run has trials."""
    show_to_person(LOADING.format(model=arguments.model))
    from ser_aae.inference.voices import Voices, cosine, read_enrolled

    voices = Voices.load(fetch_model(arguments.model), arguments.trust)
    for remark in voices.recogniser.remarks:
        show_line(f"warning: {remark}")
    threshold = voices.threshold()
    if arguments.speakers:
        enrolled = read_enrolled(arguments.speakers, voices)
        if arguments.first not in enrolled:
            raise UserError(
                f"{arguments.speakers}: expected an enrolled speaker ({', '.join(enrolled)}), got "
                f"{arguments.first!r}; see: ser-aae enrol"
            )
        vector = enrolled[arguments.first]
    else:
        vector = voices.d_vector(Path(arguments.first).expanduser(), arguments.channel)
    score = cosine(vector, voices.d_vector(arguments.second, arguments.channel))
    if arguments.json:
        print(json.dumps(_plain_values(score, threshold), indent=2))
    else:
        print(_text(score, threshold))


def _plain_values(score: float, threshold: "Threshold | None") -> dict[str, Any]:
    keys = ("false_match_rate", "false_non_match_rate", "trials", "enrolment_utterances")
    return {
        "cosine": score,
        "threshold": threshold.cosine if threshold else None,
        "same_speaker": score >= threshold.cosine if threshold else None,
        **{key: getattr(threshold, key) if threshold else None for key in keys},
    }


def _text(score: float, threshold: "Threshold | None") -> str:
    if threshold is None:
        return (
            f"cosine {score:.3f}; no yes or no: the run has no verification trials to take a "
            "threshold from. Train it with --set verification=CORPUS (speakers that take part in "
            "nothing else, as librispeech)"
        )
    answer = "yes, one speaker" if score >= threshold.cosine else "no, two speakers"
    return (
        f"{answer}: cosine {score:.3f}, threshold {threshold.cosine:.3f}\n"
        f"in the run's {threshold.trials} trials, each of one recording and a speaker enrolled "
        f"with {threshold.enrolment_utterances}, it took {100 * threshold.false_match_rate:.1f} % "
        "of impostors for the speaker and missed "
        f"{100 * threshold.false_non_match_rate:.1f} % of the speakers; with fewer, shorter or "
        "noisier recordings it errs more often"
    )
