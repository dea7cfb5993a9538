"""Start of stage 2 from another model: its weights where layers agree, its heads by class name.

A start is one file beside the runs, `<runs>/starts/<digest>/weights.npz`, whose folder the digest
of its content names. A run's config has this digest (`training.start`). So a run goes on where the
model that it starts from is gone, and its name says which weights these were, not where they lay.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ser_aae.config import FrontEndConfig, RunConfig, complete_stored
from ser_aae.data.run_data import RunData
from ser_aae.errors import DamagedError, UserError
from ser_aae.files.atomic import has_file, read_content, write_bytes
from ser_aae.files.damage import damage_told
from ser_aae.labels import GENDERS, list_some
from ser_aae.model.aae import MultitaskAAE
from ser_aae.results.folder import start_file
from ser_aae.results.heard_sounds import sounds_of

_FACTS = "facts"
_LOGITS = "_logits"
_DIGITS = 16

Layers = Mapping[str, tuple[np.ndarray, ...]]
"""Name of network and layer, `"encoder/encoder_1_conv"`, to the layer's weights in their order."""


@dataclass(frozen=True)
class Start:
    """Weights of a model with what is known of it.

    Attributes:
        name: Name of the run or file, for people; it is in no digest.
        frontend: Settings of its front end, as plain values.
        segment_frames: Length of its window.
        classes: Task to the names of its classes.
        speakers: Speakers that it was trained on or selected by, as far as is known.
        knows_speakers: Whether these are all.
        layers: Its weights.
        sounds: Digests of the recordings that it was trained on or selected by, as far as is known
            (`ser_aae.results.heard_sounds`).
        knows_sounds: Whether these are all.
    """

    name: str
    frontend: Mapping[str, Any]
    segment_frames: int
    classes: Mapping[str, tuple[str, ...]]
    speakers: tuple[str, ...]
    knows_speakers: bool
    layers: Layers
    sounds: tuple[str, ...] = ()
    knows_sounds: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """All but the name and the weights, as plain values.

        Where nothing is known of sounds, they and the digest are those of an earlier version.
        """
        known = {"sounds": list(self.sounds), "knows_sounds": self.knows_sounds}
        return {
            "frontend": dict(self.frontend),
            "segment_frames": self.segment_frames,
            "classes": {task: list(names) for task, names in self.classes.items()},
            "speakers": list(self.speakers),
            "knows_speakers": self.knows_speakers,
            **(known if self.sounds or self.knows_sounds else {}),
        }

    def digest(self) -> str:
        """Return the hexadecimal digits that name its content."""
        total = hashlib.sha256(json.dumps(self.facts, sort_keys=True).encode())
        for name, array in _arrays(self.layers):
            total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()[:_DIGITS]


@dataclass(frozen=True)
class Taken:
    """What a model took over of a start.

    Attributes:
        layers: Network to how many of its layers were taken, and how many it has.
        classes: Task to the classes that its head has from the start.
        fresh: Task to those that it has not.
    """

    layers: dict[str, tuple[int, int]] = field(default_factory=dict)
    classes: dict[str, list[str]] = field(default_factory=dict)
    fresh: dict[str, list[str]] = field(default_factory=dict)

    def describe(self) -> str:
        """Return what was taken over, and what was not, in a line."""
        told = []
        for network, (taken, total) in self.layers.items():
            text = f"{network} {taken} of {total} layers" if taken else f"{network} fresh"
            if taken and network in self.classes:
                text += f" ({list_some(self.classes[network]) or 'no class'}"
                new = self.fresh[network]
                text += f"; fresh: {list_some(new)})" if new else ")"
            told.append(text)
        return "; ".join(told)


def networks_of(model: MultitaskAAE) -> dict[str, keras.Model]:
    """Return the networks of a model by name; a head has the name of its task."""
    networks = {"encoder": model.encoder}
    if "reconstruction" in model.phases:
        networks["decoder"] = model.decoder
    if "regularisation" in model.phases:
        networks["discriminator"] = model.discriminator
    return networks | dict(model.classifiers)


def write_start(folder: Path, start: Start) -> str:
    """Leave a start in the folder of runs, and return the digest that names it."""
    digest = start.digest()
    path = start_file(folder, digest)
    if not has_file(path):
        content = io.BytesIO()
        facts = np.array(json.dumps({"name": start.name} | start.facts))
        np.savez(content, **{_FACTS: facts}, **dict(_arrays(start.layers)))
        write_bytes(path, content.getvalue())
    return digest


def read_start(runs: Path, digest: str) -> Start:
    """Return the start of a digest from the folder of runs.

    Raises:
        UserError: It is not there.
        DamagedError: It is damaged: its content has another digest.
    """
    path = start_file(runs, digest)
    mend = "give --start-from MODEL again, which writes it anew"
    if not has_file(path):
        raise UserError(f"training.start: expected {path}, found none; {mend}")
    content = read_content(path, "the weights that a run starts from", mend)
    mend = f"remove {path} and {mend}"
    with damage_told(path, mend):
        start = _parse(content)
        found = start.digest()
    if found != digest:
        raise DamagedError(
            f"{path}: changed since it was written, by the digest of its content; {mend}"
        )
    return start


def _parse(content: bytes) -> Start:
    with np.load(io.BytesIO(content)) as archive:
        facts = json.loads(str(archive[_FACTS]))
        layers: dict[str, tuple[np.ndarray, ...]] = {}
        for name in archive.files:
            if name != _FACTS:
                layer = name.rpartition("/")[0]
                layers[layer] = (*layers.get(layer, ()), archive[name])
    classes = {task: tuple(names) for task, names in facts.pop("classes").items()}
    listed = {name: tuple(facts.pop(name, ())) for name in ("speakers", "sounds")}
    return Start(classes=classes, layers=layers, **listed, **facts)


def _arrays(layers: Layers) -> Iterator[tuple[str, np.ndarray]]:
    for layer in sorted(layers):
        for place, array in enumerate(layers[layer]):
            yield f"{layer}/{place}", array


def refuse_other_input(start: Start, config: RunConfig) -> None:
    """Refuse a start whose front end or window is not that of a run.

    Raises:
        UserError: They differ; what differs is told.
    """
    here = config.frontend.to_dict()
    there = complete_stored(start.frontend, FrontEndConfig)
    pairs = {f"frontend.{name}": (there.get(name), value) for name, value in here.items()}
    pairs["data.segment_frames"] = (start.segment_frames, config.data.segment_frames)
    differing = [
        f"{name}: {one} there, {two} here" for name, (one, two) in pairs.items() if one != two
    ]
    if differing:
        raise UserError(
            f"--start-from {start.name}: expected a model of the same front end and window, "
            f"received {'; '.join(differing)}; set them to what they are there, or choose another"
        )


def check_heard(start: Start, data: RunData) -> list[str]:
    """Refuse a start that has heard who or what is validated or tested; return sentences of doubt.

    Raises:
        UserError: Somebody or a recording of the validation or test part was trained on, or
            selected by.
    """
    utterances = [*data.validation.utterances, *data.test.utterances]
    evaluated = {item.speaker for item in utterances if item.has_known_speaker}
    sounds = set(start.sounds)
    same = [item.utterance_id for item in utterances if not sounds.isdisjoint(sounds_of([item]))]
    known = {
        "speakers": sorted(evaluated & set(start.speakers)),
        "recordings, known by their sound,": same,
    }
    for what, names in known.items():
        if names:
            raise UserError(
                f"leakage: {start.name}, which the run starts from, was trained on or selected by "
                f"{what} of the validation or test part: {list_some(names)}; the result would "
                "flatter the model, so the run is refused; start from a model that has not heard "
                "them"
            )
    doubts = []
    if not start.knows_speakers:
        doubts.append(
            f"{start.name}, which the run starts from, does not say on whose speech it was trained "
            "and selected: whether test speakers are among them, nobody can tell"
        )
    elif not start.knows_sounds:
        doubts.append(
            f"{start.name}, which the run starts from, does not say on which recordings it was "
            "trained and selected: under another name of their corpus they are not found"
        )
    if namesakes := _namesakes(evaluated, start.speakers):
        doubts.append(
            f"{start.name}, which the run starts from, was trained on or selected by speakers of "
            "another corpus who have the names of speakers of the validation or test part: "
            f"{list_some(namesakes)}; if they are the same people, as in a table that was renamed, "
            "the result flatters the model"
        )
    return doubts


def _namesakes(evaluated: set[str], heard: Sequence[str]) -> list[str]:
    """Return who of a run's speakers has the name of somebody heard in another corpus."""
    names = {speaker.partition(":")[2] for speaker in heard}
    return sorted(speaker for speaker in evaluated if speaker.partition(":")[2] in names)


def adopt_start(model: MultitaskAAE, start: Start, data: RunData) -> Taken:
    """Give a model the weights of a start: layers of one name and shape, heads by class name.

    A layer is taken over whole or not at all, but for the last layer of a head, in which each class
    that the start knows under its name has its own weights.

    Raises:
        UserError: No layer agrees.
    """
    names = {"gender": GENDERS, "speaker": data.speakers, data.target.task: data.target.classes}
    taken = Taken()
    for network, layers in networks_of(model).items():
        weighted = [layer for layer in layers.layers if layer.weights]
        count = 0
        for layer in weighted:
            found = start.layers.get(f"{network}/{layer.name}")
            if found is None:
                continue
            if network in start.classes and layer.name == f"{network}{_LOGITS}":
                common = _adopt_classes(layer, found, start.classes[network], names[network])
                taken.classes[network] = common
                count += bool(common)
            elif [each.shape for each in found] == [tuple(w.shape) for w in layer.weights]:
                layer.set_weights(found)
                count += 1
        taken.layers[network] = (count, len(weighted))
        if network in taken.classes:
            common = set(taken.classes[network])
            taken.fresh[network] = [name for name in names[network] if name not in common]
    if not any(count for count, _ in taken.layers.values()):
        raise UserError(
            f"--start-from {start.name}: expected a model with a layer of the same name and size, "
            "found none; choose its --model and its sizes, or another model"
        )
    return taken


def _adopt_classes(
    layer: keras.layers.Layer,
    found: Sequence[np.ndarray],
    there: Sequence[str],
    here: Sequence[str],
) -> list[str]:
    """Give a last layer `(units, classes)` the columns of classes that it shares, and return them.

    Those of several are taken together: their logits are of one scale.
    """
    own = layer.get_weights()
    if [each.shape[:-1] for each in found] != [each.shape[:-1] for each in own]:
        return []
    common = [name for name in here if name in set(there)]
    columns = [here.index(name) for name in common]
    sources = [there.index(name) for name in common]
    for weight, value in zip(own, found, strict=True):
        weight[..., columns] = value[..., sources]
    layer.set_weights(own)
    return common
