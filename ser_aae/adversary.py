"""Whether the adversary is alive: from a run's epochs, without TensorFlow (decisions M3a)."""

from collections.abc import Mapping, Sequence
from typing import Any

LOW, HIGH = 0.3, 1.0
"""Bounds of a living discriminator's loss; ln 2 = 0.693 is a discriminator that guesses."""

_SETTLED = 3
"""Epochs after which the loss is judged."""


def judge_adversary(epochs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say whether the discriminator's loss stayed between `LOW` and `HIGH` once settled.

    A loss near 0 means that D tells every code from the prior and the encoder has stopped
    fooling it; a high one that D itself has failed. Either way the autoencoder is then no
    adversarial one, and nothing else in the figures would show it.

    Args:
        epochs: Rows of `epochs.jsonl`; those of stage 2 are judged.

    Returns:
        `state` (`"alive"`, `"discriminator wins"`, `"encoder wins"`, or `"not settled"` for
        three epochs or fewer), `loss_min`, `loss_max`, `loss_last` and `accuracy_last` after
        the third epoch, `share_inside` of those epochs, and `warning` (a sentence or `None`).
    """
    rows = [row["train"] for row in epochs if row["stage"] == 2]
    losses = [row["discriminator_loss"] for row in rows[_SETTLED:]]
    if not losses:
        return {"state": "not settled", "warning": None}
    inside = [LOW <= loss <= HIGH for loss in losses]
    state, warning = "alive", None
    if not all(inside):
        low = min(losses) < LOW
        state = "discriminator wins" if low else "encoder wins"
        extreme = min(losses) if low else max(losses)
        warning = (
            f"the adversary is stuck ({state}): the discriminator's loss left {LOW} to {HIGH} in "
            f"{len(losses) - sum(inside)} of {len(losses)} epochs and reached {extreme:.3f}; "
            "change training.discriminator_rate_ratio or model.discriminator_noise"
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
