"""Judgement on whether the adversary is alive, from a run's epochs (decisions M3a)."""

from collections.abc import Mapping, Sequence
from typing import Any

LOW, HIGH = 0.3, 1.0
"""Bounds of a living discriminator's loss; ln 2 = 0.693 is a discriminator that guesses."""

TOLD = 0.55
"""Share of noise-free codes and samples of the prior above which a discriminator tells them apart.
At half of them it guesses, and its gradient steers the encoder nowhere."""

ADVERSARY_WORDS = {
    "alive": "alive",
    "strayed": "alive, though it strayed",
    "guessing": "guessing",
    "discriminator wins": "dead, the discriminator wins",
    "encoder wins": "dead, the encoder wins",
    "not settled": "not settled",
}
"""State of an adversary to words for it."""

_LAST = 10
"""Epochs at the end whose accuracies are averaged: one epoch's moves by several points."""


def judge_adversary(epochs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say whether the discriminator's loss stayed between `LOW` and `HIGH` once settled.

    A loss near 0 means that D tells every code from the prior and the encoder has stopped
    fooling it; a high one that D itself has failed. Either way the autoencoder is then no
    adversarial one, and no score would show it. Nor is it one where the loss is that of a guess and
    D, without the noise that it is trained with, tells codes from the prior no better than a coin.

    Of the epochs, rows of `epochs.jsonl`, those of stage 2 are judged.

    Returns:
        `state` (`"alive"`; `"strayed"`, where up to a tenth of the epochs lie outside and the
        last does not; `"guessing"`; `"discriminator wins"` or `"encoder wins"` where it is dead;
        `"not settled"` for three epochs or fewer), `loss_min`, `loss_max`, `loss_last` and
        `accuracy_last` after the third epoch, `share_inside` of those epochs, `told_last`, the
        accuracy on noise-free codes over the last ten epochs (`None` for epochs of before, which
        did not measure it), and `warning` (a sentence or `None`).
    """
    settled = [row for row in epochs if row["stage"] == 2]
    told = _mean_told(settled[3:])
    rows = [row["train"] for row in settled]
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
    elif told is not None and told < TOLD:
        state = "guessing"
        warning = (
            f"the adversary guesses: without noise the discriminator is right about {told:.0%} of "
            "codes and samples of the prior, so that it steers the encoder nowhere; raise "
            "training.discriminator_rate_ratio or lower model.discriminator_noise"
        )
    return {
        "state": state,
        "loss_min": min(losses),
        "loss_max": max(losses),
        "loss_last": losses[-1],
        "accuracy_last": rows[-1]["discriminator_accuracy"],
        "share_inside": sum(inside) / len(inside),
        "told_last": told,
        "warning": warning,
    }


def _mean_told(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the mean accuracy on noise-free codes over the last epochs that measured it."""
    found = [(row.get("latent") or {}).get("discriminator_accuracy") for row in rows[-_LAST:]]
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known else None
