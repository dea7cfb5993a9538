"""Programs in processes of their own: the command line, and a few lines of Python."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run_program(*words, check=True, env=None, **named):
    """Run `ser-aae` of this tree with these words, without what a developer may have set.

    `env` is set beside the other variables; the two streams are kept.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith("SER_AAE_")}
    named = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **named}
    command = [sys.executable, "-m", "ser_aae", *map(str, words)]
    environment = {**kept, "PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.run(command, check=check, text=True, env=environment, **named)


def run_code(code, *words, check=True, **named):
    """Run lines of Python in the root of this tree; return what they printed."""
    command = [sys.executable, "-c", code, *map(str, words)]
    named = {"cwd": ROOT, "timeout": 120, **named}
    return subprocess.run(command, capture_output=True, text=True, check=check, **named)
