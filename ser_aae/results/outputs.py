"""Outputs of a model, looked at before anything is made of them."""

from collections.abc import Mapping

import numpy as np


def describe_not_finite(outputs: Mapping[str, np.ndarray]) -> str:
    """Return which output has a value that is no number, and that value; "" where all are finite.

    A network with one weight that is NaN or infinite gives such outputs, or hides it in a class
    that `argmax` and `max` take for the likeliest.
    """
    for name, values in outputs.items():
        bad = values[~np.isfinite(values)]
        if bad.size:
            return f"output {name} is {bad.flat[0]}"
    return ""
