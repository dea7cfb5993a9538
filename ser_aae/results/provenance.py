"""Provenance of a run: commit, versions, machine, without importing the packages that are named."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "ser-aae",
    "tensorflow",
    "tensorflow-io",
    "keras",
    "keras-tuner",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "librosa",
    "soundfile",
    "soxr",
    "audmetric",
    "matplotlib",
)
_OTHER_NAMES = {"tensorflow": ("tensorflow-cpu",)}
"""Package to the names of other wheels that hold the same; the container has the smaller one."""

_ROOT = Path(__file__).resolve().parents[2]


def environment(root: Path = _ROOT) -> dict[str, Any]:
    """Return the content of `environment.json`.

    Returns:
        `git` (`commit` and `dirty`, or `None` outside a checkout), `packages` (name to
        version, `None` where not installed), `python`, `platform`, `cpu_count`.
    """
    return {
        "git": _git_state(root),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
    }


def _version(package: str) -> str | None:
    for name in (package, *_OTHER_NAMES.get(package, ())):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def _git_state(root: Path) -> dict[str, Any] | None:
    # git would also answer from a repository around the environment that this package is installed
    # in, and name the wrong commit
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain")
    if commit is None or changes is None:
        return None
    return {"commit": commit, "dirty": bool(changes)}


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, or `None` where git is missing or declines."""
    program = shutil.which("git")
    if program is None:
        return None
    command = [program, "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else None
