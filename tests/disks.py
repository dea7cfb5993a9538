"""File systems of a given size, or that may only be read, for tests that root runs."""

import os
import subprocess
from contextlib import contextmanager

import pytest


def mount(*words):
    """Mount, or skip the test where this process may not."""
    if os.geteuid() != 0:
        pytest.skip("file systems can be mounted by root alone")
    try:
        command = ["mount", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no program to mount file systems")
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@contextmanager
def small_disk(folder, kilobytes):
    """Make a folder a disk of so many kilobytes."""
    folder.mkdir()
    mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def resize(folder, kilobytes):
    """Give a small disk another size."""
    mount("-o", f"remount,size={kilobytes}k", folder)


@contextmanager
def read_only(folder):
    """Make a folder one that may only be read, by root too."""
    mount("--bind", folder, folder)
    try:
        mount("-o", "remount,ro,bind", folder)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
