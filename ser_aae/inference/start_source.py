"""Model to start a training from: a run that has trained to its end, or an exported Keras file."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ser_aae.inference.exported_model import load_exported, refuse_untrainable
from ser_aae.inference.run_model import load_best
from ser_aae.inference.signature import Signature, read_chosen_signature
from ser_aae.results.complete_run import read_chosen_config, read_measured
from ser_aae.results.folder import CONFIG, read_record
from ser_aae.results.heard_sounds import read_heard
from ser_aae.training.starting import Layers, Start, networks_of

if TYPE_CHECKING:
    import keras

_TRUNKS = ("encoder", "cnn")
_UNIT_VARIANCE = np.float32(1.0 - 1e-3)
"""Variance at which a batch norm, which adds 0.001 to it, leaves its input as it is."""


def read_source(model: Path) -> Start:
    """Return the weights of a model with what is known of it.

    Raises:
        UserError: No run that has trained to its end and no exported Keras file, or a damaged one.
    """
    if (model / CONFIG).is_file():
        return _read_run(model)
    refuse_untrainable(model)
    signature, _ = load_exported(model)
    # an exported file names the speakers of its head alone, and never those who selected it
    speakers = signature.classes.get("speaker", ())
    return _make_start(model.name, signature, speakers, False, _read_exported(model, signature))


def _read_run(run: Path) -> Start:
    config, signature = read_chosen_config(run), read_chosen_signature(run)
    model, _ = load_best(run, config)
    measured = read_measured(run)
    # written by a run that was only validated too, but not by those of before
    checked = read_record(run).get("leakage") or {}
    named = checked.get("speaker_names", {})
    before = measured.get("start") or {}
    heard = {
        *measured.get("speakers", ()),
        *named.get("train", ()),
        *named.get("validation", ()),
        *before.get("speakers", ()),
    }
    knows = bool(named) and before.get("knows_speakers", True)
    # a head that is not trained has nothing to hand on
    networks = networks_of(model).items()
    heads = {task: net for task, net in networks if task not in measured.get("untrained", ())}
    layers = {
        f"{name}/{layer.name}": tuple(weight.numpy() for weight in layer.weights)
        for name, network in heads.items()
        for layer in network.layers
        if layer.weights
    }
    folder = run.resolve()
    name = f"{config.title}-{config.task}-{config.model.kind}/{folder.parent.name}/{folder.name}"
    sounds = read_heard(run)
    return replace(
        _make_start(name, signature, tuple(sorted(heard)), knows, layers),
        sounds=tuple(sorted(sounds or ())),
        # what an earlier version started from said nothing of sounds
        knows_sounds=sounds is not None and before.get("knows_sounds", not before),
    )


def _make_start(
    name: str, signature: Signature, speakers: tuple[str, ...], knows_speakers: bool, layers: Layers
) -> Start:
    return Start(
        name=name,
        frontend=signature.frontend.to_dict(),
        segment_frames=signature.segment_frames,
        classes=signature.classes,
        speakers=speakers,
        knows_speakers=knows_speakers,
        layers=layers,
    )


def _read_exported(path: Path, signature: Signature) -> dict[str, tuple[np.ndarray, ...]]:
    """Return the weights of an exported file, as the layers of a model in training have them.

    In the file a convolution holds the batch norm behind it. Here it gets its kernel alone, and its
    batch norm moments and an offset by which both together give what they gave.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says
    import keras

    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    layers = {layer.name: layer for layer in _chain(model)}
    found: dict[str, tuple[np.ndarray, ...]] = {}
    for name, layer in layers.items():
        network = _network_of(name, signature)
        if not network or not layer.weights:
            continue
        weights = layer.get_weights()
        if not isinstance(layer, keras.layers.Conv2D):
            found[f"{network}/{name}"] = tuple(weights)
            continue
        kernel, offset = weights
        found[f"{network}/{name}"] = (kernel,)
        norm, variance = name.replace("_conv", "_norm"), np.full_like(offset, _UNIT_VARIANCE)
        # the batch norm before a pool has an offset and gives the pool its name; the one behind
        # the pool of a standardised code has none
        has_offset = norm in layers
        moments = (np.zeros_like(offset), variance) if has_offset else (-offset, variance)
        found[f"{network}/{norm}"] = (offset, *moments) if has_offset else moments
    return found


def _chain(model: "keras.Model") -> Iterator["keras.Layer"]:
    """Yield the layers of a model, and of those within it."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _chain(layer)
        else:
            yield layer


def _network_of(layer: str, signature: Signature) -> str:
    """Return the network that a layer of an exported file is of, `""` for one of the input."""
    if layer.startswith(tuple(f"{trunk}_" for trunk in _TRUNKS)):
        return "encoder"
    return next((task for task in signature.classes if layer.startswith(f"{task}_")), "")
