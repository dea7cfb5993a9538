"""Epochs as runs wrote them down, counted from 1; those of stage 1 apart."""

from collections.abc import Mapping
from typing import Any

from ser_aae.results.text import count_of

KEPT_EPOCH, PRETRAINING_EPOCHS = "kept_epoch", "pretraining_epochs"
"""Keys of `result.json`: the epoch of stage 2 whose weights were kept, from 1, and the epochs of
stage 1, which are among its `epochs`."""

_BEST_EPOCH = "best_epoch"
"""Key of runs of before for the epoch that was kept, counted from 0."""


def kept_epoch(stored: Mapping[str, Any]) -> int | None:
    """Return the epoch of stage 2 whose weights a run kept, from 1; `None` where it wrote none."""
    if stored.get(KEPT_EPOCH) is not None:
        return int(stored[KEPT_EPOCH])
    best = stored.get(_BEST_EPOCH)
    return None if best is None else int(best) + 1


def epochs_of_stages(stored: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the epochs of stage 1 and of stage 2; `None` for what a run did not write down.

    A run of before wrote their sum. It tells them apart where it says that stage 1 had no update.
    """
    total, first = stored.get("epochs"), stored.get(PRETRAINING_EPOCHS)
    if first is None and stored.get("pretraining_updates") == 0:
        first = 0
    return first, None if total is None or first is None else total - first


def describe_epochs(stored: Mapping[str, Any]) -> str:
    """Return how long a run trained and what it kept, `""` where it wrote neither down."""
    kept, (first, second) = kept_epoch(stored), epochs_of_stages(stored)
    if second is None:
        total = stored.get("epochs")
        parts = [] if total is None else [f"{count_of(total, 'epoch')} of both stages"]
    else:
        stage_one = f" after {first} of stage 1" if first else ""
        parts = [f"{count_of(second, 'epoch')} of stage 2{stage_one}"]
    if kept is not None:
        parts.append(f"epoch {kept} of stage 2 is kept")
    return ", ".join(parts)
