"""`ser-aae export`: a run's model as one file, for other programs and other machines."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ser_aae.commands.options import Subparsers, add_options, folder, new_place, points
from ser_aae.progress import show_line


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "export",
        help="a run's model as one file: Keras, SavedModel, ONNX, LiteRT",
        description="Write a run's model as one file that needs none of this program, then score "
        "the run's test part with that file. A file that is more than --tolerance points of "
        "unweighted accuracy apart is not kept.",
    )
    parser.add_argument("run_folder", type=folder, metavar="RUN", help="the folder of one run")
    parser.add_argument(
        "--format",
        required=True,
        metavar="keras|saved-model|onnx|litert",
        help="kind of file; keras and onnx hold no program, a saved-model is one and is run by "
        "predict and serve with --trust alone",
    )
    parser.add_argument(
        "--quantise",
        default="none",
        metavar="none|float16|int8",
        help="weights in fewer bits, for onnx and litert; int8 takes spectrograms alone (none)",
    )
    parser.add_argument(
        "--input",
        default="spectrogram",
        metavar="waveform|spectrogram",
        help="what the model takes: segments of a log spectrogram, or a recording (spectrogram)",
    )
    parser.add_argument(
        "--tolerance",
        type=points,
        default=0.5,
        metavar="POINTS",
        help="of unweighted accuracy by which the file may differ from the run (0.5)",
    )
    parser.add_argument(
        "--out", type=new_place, required=True, metavar="FILE", help="the file to write"
    )
    add_options(parser, "store", "data-root")
    parser.set_defaults(run=run, resumes=False, writes="out", extra="export")


def run(arguments: argparse.Namespace) -> None:
    """Export, then print the accuracies and the file."""
    from ser_aae.export.choice import Choice, check_choice

    choice = Choice(arguments.format, arguments.quantise, arguments.input, arguments.tolerance)
    check_choice(choice, arguments.out)  # before TensorFlow is loaded, which takes its time
    from ser_aae.export.exporter import export
    from ser_aae.results.model_files import remarks_on

    rescored = export(
        arguments.run_folder,
        choice,
        arguments.out,
        arguments.store,
        lambda corpora: _recordings(corpora, arguments.run_folder, arguments.data_root),
    )
    for remark in remarks_on(arguments.run_folder):
        show_line(f"warning: {remark}")
    print(rescored.text)
    print(arguments.out)


def _recordings(corpora: Sequence[str], run_folder: Path, data_root: Path) -> dict[str, Path]:
    """Return the folders that the recordings of corpora of a run lie in."""
    from data_prep.corpora import find_adapter
    from ser_aae.results.complete_run import read_config

    config = read_config(run_folder)
    adapters = {name: find_adapter(config.source(name)) for name in corpora}
    return {
        name: adapter.read(data_root, allow_partial=True).root for name, adapter in adapters.items()
    }
