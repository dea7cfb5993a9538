"""Judgement on whether the adversary is alive, from a run's epochs (decisions M3a)."""

from collections.abc import Mapping, Sequence
from typing import Any

LOW, HIGH = 0.3, 1.0
"""Bounds of a living discriminator's loss; ln 2 = 0.693 is a discriminator that guesses."""


def judge_adversary(epochs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say whether the discriminator's loss stayed between `LOW` and `HIGH` once settled.

    A loss near 0 means that D tells every code from the prior and the encoder has stopped
    fooling it; a high one that D itself has failed. Either way the autoencoder is then no
    adversarial one, and no score would show it.

    Of the epochs, rows of `epochs.jsonl`, those of stage 2 are judged.

    Returns:
        `state` (`"alive"`; `"strayed"`, where up to a tenth of the epochs lie outside and the
        last does not; `"discriminator wins"`; `"encoder wins"`; `"not settled"` for three epochs
        or fewer), `loss_min`, `loss_max`, `loss_last` and `accuracy_last` after
        the third epoch, `share_inside` of those epochs, and `warning` (a sentence or `None`).
    """
    rows = [row["train"] for row in epochs if row["stage"] == 2]
    losses = [row["discriminator_loss"] for row in rows[3:]]
    if not losses:
        return {"state": "not settled", "warning": None}
    inside = [LOW <= loss <= HIGH for loss in losses]
    outside = len(losses) - sum(inside)
    state, warning = "alive", None
    if outside:
        low = min(losses) < LOW
        winner = "discriminator wins" if low else "encoder wins"
        back = inside[-1] and outside <= 0.1 * len(losses)
        state = "strayed" if back else winner
        warning = (
            f"the adversary {'strayed and came back' if back else 'is stuck'} ({winner}): the "
            f"discriminator's loss left {LOW} to {HIGH} in {outside} of {len(losses)} epochs and "
            f"reached {min(losses) if low else max(losses):.3f}; change "
            "training.discriminator_rate_ratio or model.discriminator_noise"
        )
    return {
        "state": state,
        "loss_min": min(losses),
        "loss_max": max(losses),
        "loss_last": losses[-1],
        "accuracy_last": rows[-1]["discriminator_accuracy"],
        "share_inside": sum(inside) / len(inside),
        "warning": warning,
    }
