"""Signature of a model, of a run or an exported one: its input, its outputs and its warnings."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from ser_aae.config import FrontEndConfig, RunConfig, complete_stored
from ser_aae.config.build import build_config
from ser_aae.config.fields import Given
from ser_aae.errors import ModelError, UserError
from ser_aae.files.records import Record, describe_mismatch
from ser_aae.frontend.spectrogram import PackedBands, unpack_bands
from ser_aae.results.complete_run import (
    DAMAGES,
    read_chosen_config,
    read_classes,
    read_config,
    read_texts,
    read_warnings,
)
from ser_aae.results.outputs import describe_not_finite

FORMAT_VERSION = 2
SPECTROGRAM, WAVEFORM = "spectrogram", "waveform"

D_VECTOR = "d_vector"
"""Output that is no task's posteriors but the last hidden layer of the speaker classifier."""

Outputs = Mapping[str, np.ndarray]

Forward = Callable[[np.ndarray], Outputs]
"""Segments `(n, frames, bins)` in dB, or a waveform `(1, samples)`, to `{output: (n, values)}`.

An output is the posteriors of a task, under its name, or `D_VECTOR`. A value that is not finite is
refused by `refuse_not_finite` before anybody sees it.
"""


class Threshold(Record):
    """Cosine from which on two voices are taken for one.

    Attributes:
        false_match_rate: Share of the trials' impostors that it accepts.
        false_non_match_rate: Share of the trials' targets that it refuses.
        enrolment_utterances: Recordings that a speaker of the trials was enrolled with.
    """

    cosine: float
    false_match_rate: float
    false_non_match_rate: float
    trials: int
    enrolment_utterances: int


class Voice(Record):
    """Facts of the d-vectors that an exported file gives.

    Attributes:
        identity: Digest of the run's weights: d-vectors of two runs have nothing in common.
        units: Length of a d-vector.
        threshold: The run's, `None` where it has no verification trials.
    """

    identity: str = Field(min_length=1)
    units: int = Field(ge=1)
    threshold: Threshold | None


class _Added(BaseModel):
    """Parts of a description that earlier versions did not write."""

    bands: PackedBands = ()
    voice: Voice | None = None


@dataclass(frozen=True)
class Signature:
    """Input and outputs of a model.

    Attributes:
        input: `"spectrogram"` (segments in dB) or `"waveform"`.
        frontend: Settings of the way from a recording to a spectrogram.
        segment_frames: Length of a segment.
        shift_frames: Frames between the segments whose posteriors are averaged.
        fewest_segments: Segments that a recording has at least, see `segment_starts`.
        pad: Filling of a short segment, see `DataConfig.pad`.
        classes: Task to the names of its classes, in order; the first is the primary task.
        warnings: Limits that whoever reads a posterior has to know.
        bands: Bands of the front end, in an exported file; none in one of an earlier version.
        voice: Facts of the d-vectors of an exported file, `None` where it gives none.
    """

    input: str
    frontend: FrontEndConfig
    segment_frames: int
    shift_frames: int
    fewest_segments: int
    pad: str
    classes: dict[str, tuple[str, ...]]
    warnings: tuple[str, ...]
    bands: PackedBands = ()
    voice: Voice | None = None

    @property
    def primary(self) -> str:
        """The primary task."""
        return next(iter(self.classes))

    def to_json(self) -> str:
        """Return all of it as one line of JSON."""
        # no sorted keys: the order of the tasks counts
        content = {"version": FORMAT_VERSION, **asdict(self)}
        content["voice"] = self.voice and self.voice.model_dump()
        return json.dumps(content, ensure_ascii=False)


def parse_signature(text: str, where: Path) -> Signature:
    """Read what `Signature.to_json` wrote.

    Raises:
        UserError: Something else, values that cannot be, or another version; `where` is named.
    """
    mend = "export the model again"
    try:
        content = json.loads(text)
        version = content.pop("version")
        if version != FORMAT_VERSION:
            raise UserError(
                f"{where}: expected a model of version {FORMAT_VERSION}, found {version}; {mend}"
            )
        return _build_from_values(content)
    except DAMAGES as error:
        raise UserError(f"{where}: its description is damaged ({error!r}); {mend}") from error


def _build_from_values(content: Mapping[str, Any]) -> Signature:
    """Return a signature; values that cannot be raise one of `DAMAGES`."""
    content = {**_Added().model_dump(), **content}
    wanted = {item.name for item in fields(Signature)}
    if set(content) != wanted:
        raise ValueError(f"expected {', '.join(sorted(wanted))}, found {', '.join(content)}")
    if content["input"] not in (SPECTROGRAM, WAVEFORM):
        raise ValueError(f"input: expected {SPECTROGRAM} or {WAVEFORM}, found {content['input']!r}")
    frontend = complete_stored(content["frontend"], FrontEndConfig)
    values = {f"frontend.{name}": value for name, value in frontend.items()}
    values |= {
        "data.segment_frames": content["segment_frames"],
        "data.evaluation_shift_frames": content["shift_frames"],
        "data.evaluation_segments": content["fewest_segments"],
        "data.pad": content["pad"],
    }
    try:  # types and ranges are those of the settings that the values came from
        config = build_config(flags=[Given(key, str(value), key) for key, value in values.items()])
    except UserError as error:
        raise ValueError(str(error)) from error
    if absent := FrontEndConfig().to_dict().keys() - frontend.keys():
        raise ValueError(f"frontend: expected {', '.join(sorted(absent))}, found none")
    classes = {task: read_texts(names, task) for task, names in content["classes"].items()}
    if not classes:
        raise ValueError("classes: expected a task, found none")
    warnings = read_texts(content["warnings"], "warnings", least=0)
    signature = _build_from_config(config, content["input"], classes, warnings)
    try:
        added = _Added.model_validate(content)
    except ValidationError as error:
        raise ValueError(describe_mismatch(error)) from error
    if added.bands:
        unpack_bands(added.bands, config.frontend)
    if added.voice and "speaker" not in classes:
        raise ValueError("voice: expected a model with a speaker classifier, found none")
    return replace(signature, bands=added.bands, voice=added.voice)


def refuse_not_finite(outputs: Outputs, model: Path, mend: str) -> Outputs:
    """Return what a model gives of a recording, where all of it are finite numbers.

    Raises:
        ModelError: A value is NaN or infinite; the model is named.
    """
    if found := describe_not_finite(outputs):
        raise ModelError(
            f"{model}: {found}, expected a finite number; weights of this model are damaged, or "
            f"its training diverged: {mend}"
        )
    return outputs


def read_signature(run: Path) -> Signature:
    """Return the signature of a run's model.

    Raises:
        UserError: No complete run, or files that are damaged.
    """
    config = read_config(run)
    warnings = read_warnings(run, config)
    return _build_from_config(config, SPECTROGRAM, read_classes(run, config), warnings)


def read_chosen_signature(run: Path) -> Signature:
    """Return the signature of a run's model, its test part scored or not; without warnings.

    Raises:
        UserError: A run that trains still, or files that are damaged.
    """
    config = read_chosen_config(run)
    return _build_from_config(config, SPECTROGRAM, read_classes(run, config), ())


def _build_from_config(
    config: RunConfig, takes: str, classes: dict[str, tuple[str, ...]], warnings: tuple[str, ...]
) -> Signature:
    return Signature(
        input=takes,
        frontend=config.frontend,
        segment_frames=config.data.segment_frames,
        shift_frames=config.data.evaluation_shift_frames,
        fewest_segments=config.data.fewest_segments,
        pad=config.data.pad,
        classes=classes,
        warnings=warnings,
    )
