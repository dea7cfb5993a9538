"""The model of a complete run, with the weights of its best epoch."""

import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf

from ser_aae.batches.pipeline import Levels, Normalisation, to_network
from ser_aae.config import RunConfig
from ser_aae.errors import ModelError
from ser_aae.files.atomic import TRAIN_AGAIN
from ser_aae.files.damage import damage_told
from ser_aae.files.digests import digest_of_file
from ser_aae.inference.signature import D_VECTOR, Outputs, refuse_not_finite
from ser_aae.model.aae import MultitaskAAE, build_model
from ser_aae.results.complete_run import name_damaged, read_classes, read_config, read_measured
from ser_aae.results.folder import BEST_WEIGHTS, NORMALISATION
from ser_aae.results.model_files import refuse_changed_model


def load_trained(run: Path) -> tuple[MultitaskAAE, Normalisation]:
    """Return a run's model and the normalisation of what it takes.

    Raises:
        UserError: The run is not complete, its normalisation is damaged, or its weights are
            missing, changed or of another model.
    """
    return load_best(run, read_config(run))


def load_best(run: Path, config: RunConfig) -> tuple[MultitaskAAE, Normalisation]:
    """Return the model of a run's best epoch and its normalisation, its test part scored or not.

    Raises:
        UserError: As `load_trained` does, but for a run that is not complete.
    """
    refuse_changed_model(run)
    measured = read_measured(run)
    with name_damaged(run / NORMALISATION):
        mean, deviation = (np.array(measured[key], np.float32) for key in ("mean", "deviation"))
        wanted = (config.frontend.bins,)
        numbers = np.isfinite(mean).all() and (deviation > 0).all()
        if not mean.shape == deviation.shape == wanted or not numbers:
            raise ValueError(f"expected mean and deviation of {config.frontend.bins} bins")
        levels = {
            name: Levels(*(np.array(own[key], np.float32) for key in ("gain", "offset")))
            for name, own in measured.get("levels", {}).items()
        }
        if any(not own.gain.shape == own.offset.shape == wanted for own in levels.values()):
            raise ValueError(f"levels: expected gain and offset of {config.frontend.bins} bins")
    model = build_model(config, measured["num_classes"])
    model.compile(config.training)
    expected = "expected the weights of the run's model, cannot read them"
    with (
        damage_told(run / BEST_WEIGHTS, TRAIN_AGAIN, expected),
        warnings.catch_warnings(),
    ):
        # Keras only warns where a layer of another model is left as it was drawn
        warnings.simplefilter("error", UserWarning)
        model.load_weights(run / BEST_WEIGHTS)
    return model, Normalisation(mean, deviation, levels)


def identity_of(run: Path) -> str:
    """Return the digest of a run's weights: d-vectors of two runs have nothing in common."""
    return digest_of_file(run / BEST_WEIGHTS)[:16]


class RunModel:
    """A run's model as a function of segments, see `ser_aae.inference.signature.Forward`.

    Args:
        d_vector: Whether to give the d-vector beside the posteriors, in the same pass; this takes
            a speaker classifier.

    Attributes:
        identity: Digest of the weights, see `identity_of`.
        units: Length of a d-vector, 0 where none is given.

    Raises:
        UserError: What `load_trained` refuses.
    """

    def __init__(self, run: Path, d_vector: bool = False) -> None:
        """Load the weights."""
        model, normalisation = load_trained(run)
        tasks = read_classes(run, read_config(run))
        self.identity = identity_of(run)
        bins, frames = model.encoder.input_shape[1:3]

        @tf.function(input_signature=[tf.TensorSpec([None, None, bins], tf.float32)])
        def forward(segments: tf.Tensor) -> dict[str, tf.Tensor]:
            normal = tf.ensure_shape(to_network(segments, normalisation), [None, bins, frames, 1])
            heads = model.head_outputs(normal)
            outputs = {task: tf.nn.softmax(heads[task][0]) for task in tasks}
            return outputs | ({D_VECTOR: heads["speaker"][1]} if d_vector else {})

        self._run, self._forward = run, forward
        self._damaged = [
            each.path for each in model.variables if not np.isfinite(each.numpy()).all()
        ]
        self.units = int(model.classifiers["speaker"].outputs[1].shape[-1]) if d_vector else 0

    def __call__(self, segments: np.ndarray) -> Outputs:
        """Return `{output: (n, values)}` of segments `(n, frames, bins)` in dB.

        Raises:
            ModelError: A value is NaN or infinite, or a weight is: a pool or a ReLU on this
                processor may pass over it.
        """
        found = {name: values.numpy() for name, values in self._forward(segments).items()}
        refuse_not_finite(found, self._run, TRAIN_AGAIN)
        if self._damaged:
            raise ModelError(
                f"{self._run}: weights {self._damaged[0]} are not all finite numbers; {TRAIN_AGAIN}"
            )
        return found
