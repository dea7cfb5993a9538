"""`ser-aae devices`: what a training is computed on here, and why not on a GPU."""

import argparse
import json
import os
from collections.abc import Mapping
from typing import Any

from ser_aae.commands.options import Subparsers, add_options


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "devices",
        help="what TensorFlow computes on here, and why not on a GPU",
        description="Say what TensorFlow sees of this machine: GPUs, or what keeps them away and "
        "mends it, in the order in which to mend it; versions, processors, memory. Ends with 0 "
        "with a GPU and without.",
    )
    add_options(parser, "json")
    parser.set_defaults(run=run, resumes=False)


def run(arguments: argparse.Namespace) -> None:
    """Print the facts."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says
    from ser_aae.training.device_report import describe_devices

    found = describe_devices()
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(_lines(found)))


def _lines(found: Mapping[str, Any]) -> list[str]:
    """Return the facts as lines."""
    built = "built for CUDA" if found["cuda"] else "built for CPUs"
    abilities = ", ".join(found["abilities"]) or "vector instructions unknown"
    memory = f"{found['memory_bytes'] / 1e9:.1f} GB" if found["memory_bytes"] else "unknown"
    lines = [f"GPU         {name}" for name in found["gpus"]] or ["GPU         none is used"]
    for each in found["obstacles"]:
        lines += [f"  because   {each['cause']}", f"  mended by {each['mend']}"]
    return [
        *lines,
        f"CPU         {found['processors']} processors, {found['machine']}, {abilities}",
        f"memory      {memory}",
        f"TensorFlow  {found['version']}, package {found['wheel']}, {built}",
        f"Keras       {found['keras']}, Python {found['python']}",
    ]
