"""What stage 1 depends on, exactly: runs that agree in it share its outcome.

Stage 1 sees the auxiliary corpora and nothing else (`ser_aae.pretraining`), so neither the
emotional corpus, its task, protocol and fold nor the settings of stage 2 are in it. Whatever is
not listed as without influence counts, a setting that is new included.
"""

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ser_aae.assembly import Assembly
from ser_aae.config import RunConfig
from ser_aae.results import environment
from ser_aae.results.folder import flatten

WITHOUT_INFLUENCE = (
    *("dataset", "task", "classes", "improvised_only", "protocol."),
    *("verification", "verification_subset", "enrolment_utterances"),
    # who of which corpus trains is looked at itself
    *("auxiliary", "data.auxiliary_subset", "data.auxiliary_speakers"),
    *("data.auxiliary_ratio", "data.level_edges", "data.labelled_fraction"),
    "data.unlabelled_rest",
    *("training.class_weights", "training.logit_adjustment"),
    *("training.epochs", "training.patience_epochs", "training.selection_epochs"),
    *("training.rate_factor", "training.stop_ratio"),
)
"""Settings that stage 1 does not look at; with a dot at the end, a group of them."""

_PACKAGES = ("tensorflow", "tensorflow-io", "keras", "numpy")
_THREADS = "TF_NUM_INTRAOP_THREADS"
_PROGRAM = (
    *("aae", "augmentation", "averaging", "callbacks", "frontend/segments"),
    *("frontend/spectrogram", "labels", "layers", "losses", "networks", "optimisers", "parts"),
    *("pipeline", "pretraining", "records", "replicas", "seeds", "stages", "strategies"),
    "windows",
)
"""Modules that stage 1 is computed by: a change in one of them computes anew."""

_HERE = Path(__file__).resolve().parent


def settings_of_stage_one(config: RunConfig) -> dict[str, Any]:
    """Return the settings that stage 1 looks at, by dotted name."""
    return {
        name: value
        for name, value in flatten(config.to_dict())
        if name not in WITHOUT_INFLUENCE and f"{name.partition('.')[0]}." not in WITHOUT_INFLUENCE
    }


def describe_stage_one(
    config: RunConfig, data: Assembly, devices: Sequence[str], replicas: int = 1
) -> dict[str, Any]:
    """Return everything that the outcome of stage 1 follows from, to the bit.

    Args:
        config: The run.
        data: What it is trained on.
        devices: That TensorFlow knows of.
        replicas: That a batch is parted between.
    """
    corpora = [
        {
            "name": part.corpus.name,
            "digest": part.corpus.digest,
            "rows": hashlib.sha256(part.rows.astype("<i8").tobytes()).hexdigest()[:16],
        }
        for part in data.auxiliary
    ]
    packages = environment()["packages"]
    return {
        "settings": settings_of_stage_one(config),
        "corpora": corpora,
        "program": _source_digest(_HERE),
        "packages": {name: packages[name] for name in _PACKAGES},
        "processor": _processor(),
        # sums are taken in another order by more threads
        "threads": os.environ.get(_THREADS) or str(os.cpu_count()),
        "devices": list(devices),
        "replicas": replicas,
    }


def digest_of(description: dict[str, Any]) -> str:
    """Return sixteen hexadecimal digits that name a stage 1."""
    text = json.dumps(description, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _source_digest(package: Path) -> str:
    """Return a digest of the modules that stage 1 is computed by."""
    digest = hashlib.sha256()
    for name in _PROGRAM:
        content = (package / f"{name}.py").read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _processor(table: Path = Path("/proc/cpuinfo")) -> str:
    """Return which processor this is: kernels are chosen by what it can do."""
    names = []
    if table.is_file():
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{platform.machine()} {names[0] if names else platform.processor()}".strip()
