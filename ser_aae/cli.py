"""The command line: its commands, and the exit code that an error of theirs becomes.

Exit codes: 0 done; 2 the user can mend it (a mistake, a full disk, a place that cannot be
written, a package that is not installed); 1 a fault of this program; 130 interrupted; 141 the
reader of the output went away.
SIGTERM ends it as SIGTERM.
"""

import argparse
import logging
import os
import re
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from ser_aae import __version__
from ser_aae.commands.options import places_of
from ser_aae.errors import UserError
from ser_aae.extras import explain_missing
from ser_aae.files.container import explain_repeat, tell_where_results_are
from ser_aae.files.refusals import explain_refusal
from ser_aae.processes.quiet_tensorflow import quieten_tensorflow
from ser_aae.processes.termination import TerminatedError, termination_raised

_COMMANDS = (
    *("corpora", "download", "verify_corpus", "synthesise", "export_manifest", "prepare", "folds"),
    *("devices", "train", "evaluate", "errors", "reproduce", "tune", "report"),
    *("predict", "enrol", "verify", "serve", "export", "card", "completion"),
)
"""Modules of `ser_aae.commands` in the order of the help."""


_SAME = "the same command goes on where it stopped"
_AGAIN = re.compile(r"\bsame command\b|\bcommand again\b")
"""Words of errors that a repeated command mends."""

_TERMINATED = 128 + signal.SIGTERM
"""Exit code of a command that was ended by SIGTERM, as a shell gives it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, by default that of this process' arguments, and return its exit code.

    A command that SIGTERM has ended ends this process by it, as if it had not been caught. Only the
    first process of a container outlives that, and gets the code.
    """
    try:
        with termination_raised():  # until the exception is gone, and what it held
            code = _run(argv)
    except TerminatedError:  # at the very end of a command
        code = _TERMINATED
    if code == _TERMINATED:  # here, where all that the command had is gone
        sys.stdout.flush()
        signal.raise_signal(signal.SIGTERM)
    return code


def _run(argv: Sequence[str] | None) -> int:
    """Run a command and return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    arguments = argparse.Namespace(verbose=False, words=words)
    try:
        build_parser().parse_args(words, arguments)
        _set_verbosity(arguments.verbose)
        arguments.run(arguments)
        sys.stdout.flush()  # here, where a closed pipe is still caught
        _tell_results(arguments)
    except UserError as error:
        return _fail(str(error), 2, arguments)
    except KeyboardInterrupt as error:
        if not getattr(arguments, "child", False):  # the parent says it
            resumes = getattr(arguments, "resumes", True)
            told = (explain_repeat(places_of(arguments), words) or _SAME) if resumes else ""
            print("; ".join(filter(None, ["interrupted", told])), file=sys.stderr)
        return _TERMINATED if isinstance(error, TerminatedError) else 130
    except BrokenPipeError:
        # Python flushes once more at its end, and would complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        return _explain(error, arguments)
    return 0


def _tell_results(arguments: argparse.Namespace) -> None:
    """Say where the results of a container are, which are gone with it."""
    written = getattr(arguments, getattr(arguments, "writes", ""), None)
    if written is not None and "://" not in str(written):
        places = places_of(arguments)
        for line in tell_where_results_are(Path(written), places, arguments.words):
            print(line, file=sys.stderr)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    shared: dict[str, Any] = {
        "action": "store_true",
        "help": "tell all: warnings, log messages, tracebacks",
    }
    parser = _Parser(
        prog="ser-aae",
        description="Speech emotion recognition with a multi-task semi-supervised adversarial "
        "autoencoder (arXiv 1907.06078).",
        allow_abbrev=False,
    )
    parser.add_argument("-v", "--verbose", default=False, **shared)
    parser.add_argument("--version", action="version", version=f"ser-aae {__version__}")
    parser.set_defaults(program=parser)  # which one command has to look at as a whole
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in _COMMANDS:
        import_module(f"ser_aae.commands.{name}").add_parser(commands)
    for each in commands.choices.values():
        each.allow_abbrev = False
        # without a default, so that it does not undo a -v before the command
        each.add_argument("-v", "--verbose", default=argparse.SUPPRESS, **shared)
    return parser


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like all others."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what this parser does not know here, where its command is known."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see: {self.prog} --help")


def _set_verbosity(verbose: bool) -> None:
    """Show warnings and the libraries' messages, or keep them quiet.

    It has to be done before TensorFlow is imported, which reads its level from the environment.
    What its C++ code prints is quiet in any case: on a healthy machine that is lines about cuFFT
    that look like errors, and a real error comes as an exception.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3":
        quieten_tensorflow()
    if verbose:
        logging.basicConfig(level=logging.INFO)
        return
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # what it refuses comes as an exception
    warnings.simplefilter("ignore")
    for name in (None, "absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _explain(error: Exception, arguments: argparse.Namespace) -> int:
    """Print an exception that no command has expected; return the exit code."""
    if arguments.verbose:
        traceback.print_exc()
    message = explain_refusal(error, getattr(arguments, getattr(arguments, "writes", ""), ""))
    if message := message or explain_missing(error, getattr(arguments, "extra", "")):
        return _fail(message, 2, arguments)
    if arguments.verbose:
        return 1
    first_line = (str(error).splitlines() or [""])[0]
    return _fail(
        f"{type(error).__name__}: {first_line} (a fault of this program: run it again with -v "
        "and report what it prints)",
        1,
        arguments,
    )


def _fail(message: str, code: int, arguments: argparse.Namespace) -> int:
    """Print an error; in a container also what "again" means there. Return the exit code."""
    print(f"ser-aae: error: {message}", file=sys.stderr)
    if _AGAIN.search(message) and (told := explain_repeat(places_of(arguments), arguments.words)):
        print(told, file=sys.stderr)
    return code
