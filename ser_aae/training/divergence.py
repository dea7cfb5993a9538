"""Divergence: what a training has learnt is no longer a number."""

from collections.abc import Mapping

import numpy as np

from ser_aae.results.outputs import describe_not_finite

MEND = "lower training.learning_rate or model.alpha (with --set) and train again"


class DivergedError(ArithmeticError):
    """A loss or an output is no longer a number, so that nothing learnt since can be used."""


def refuse_diverged(outputs: Mapping[str, np.ndarray]) -> None:
    """Refuse outputs of the model that is trained, or was, where one is NaN or infinite.

    A weight can have become so in the last step of an epoch, whose loss was computed before.

    Raises:
        DivergedError: One is.
    """
    if found := describe_not_finite(outputs):
        raise DivergedError(f"the model's {found}; {MEND}")
