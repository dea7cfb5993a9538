"""The program in a process of its own, as a user starts it."""

import subprocess
import sys


def run_alone(*words, check=True, **named):
    """Run `ser-aae` with some words; the rest is for `subprocess.run`."""
    command = [sys.executable, "-m", "ser_aae", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=check, **named)
