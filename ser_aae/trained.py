"""The model of a complete run, with the weights of its best epoch."""

import warnings
from pathlib import Path

import numpy as np

from ser_aae.aae import MultitaskAAE
from ser_aae.errors import UserError
from ser_aae.pipeline import Normalisation
from ser_aae.results.complete_run import read_config, read_measured, told_as_damaged
from ser_aae.results.folder import BEST_WEIGHTS, NORMALISATION


def load_trained(run: Path) -> tuple[MultitaskAAE, Normalisation]:
    """Return a run's model and the normalisation of what it takes.

    Raises:
        UserError: The run is not complete, its normalisation is damaged, or its weights are missing
            or of another model.
    """
    config = read_config(run)
    measured = read_measured(run)
    with told_as_damaged(run / NORMALISATION):
        mean, deviation = (np.array(measured[key], np.float32) for key in ("mean", "deviation"))
        wanted = (config.frontend.bins,)
        numbers = np.isfinite(mean).all() and (deviation > 0).all()
        if not mean.shape == deviation.shape == wanted or not numbers:
            raise ValueError(f"expected mean and deviation of {config.frontend.bins} bins")
    shape = (config.frontend.bins, config.data.segment_frames, 1)
    model = MultitaskAAE(config.model, measured["num_classes"], shape, seed=config.seed)
    model.compile(config.training)
    try:
        with warnings.catch_warnings():
            # Keras only warns where a layer of another model is left as it was drawn
            warnings.simplefilter("error", UserWarning)
            model.load_weights(run / BEST_WEIGHTS)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{run / BEST_WEIGHTS}: expected the weights of the run's model, cannot read them "
            f"({why}); train the run again"
        ) from error
    return model, Normalisation(mean, deviation)
