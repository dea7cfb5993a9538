"""Programs in processes of their own: the command line, lines of Python, and waiting for both."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

MOST_SECONDS = 900
"""For whatever is waited for; longer means that it will not come."""


def take_interrupts():
    """Take Ctrl-C where this process was told to ignore it, and have what it starts take it too.

    A shell has all ignore it that it runs in the background, and a child inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def run_program(*words, check=True, env=None, **named):
    """Run `ser-aae` of this tree with these words, without what a developer may have set.

    `env` is set beside the other variables; the two streams are kept.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith("SER_AAE_")}
    named = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **named}
    command = [sys.executable, "-m", "ser_aae", *map(str, words)]
    environment = {**kept, "PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.run(command, check=check, text=True, env=environment, **named)


def run_here(*words):
    """Do what `run_program` does in this process, for its start takes longer than most commands."""
    from ser_aae.cli import main

    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = main([str(word) for word in words])
    return subprocess.CompletedProcess(words, code, out.getvalue(), errors.getvalue())


def run_code(code, *words, check=True, **named):
    """Run lines of Python in the root of this tree; return what they printed."""
    command = [sys.executable, "-c", code, *map(str, words)]
    named = {"cwd": ROOT, "timeout": MOST_SECONDS, **named}
    return subprocess.run(command, capture_output=True, text=True, check=check, **named)


def wait_for(found, process=None, seconds=MOST_SECONDS):
    """Return the first thing that `found` finds; nothing comes of a process that has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := found():
            return result
        if process is not None and process.poll() is not None:
            pytest.fail(f"ended with {process.returncode} too early")
        time.sleep(0.02)
    return pytest.fail(f"waited {seconds} s in vain")
