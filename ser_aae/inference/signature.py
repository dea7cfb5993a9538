"""Description of what a model takes and gives: in every exported file, read from every run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ser_aae.config import DataConfig, FrontEndConfig, complete_stored
from ser_aae.config.build import build_config
from ser_aae.config.fields import Given
from ser_aae.errors import UserError
from ser_aae.frontend.segments import num_segments, segment_starts
from ser_aae.results.complete_run import (
    DAMAGES,
    read_classes,
    read_config,
    read_texts,
    read_warnings,
)

FORMAT_VERSION = 2
SPECTROGRAM, WAVEFORM = "spectrogram", "waveform"


@dataclass(frozen=True)
class Description:
    """What a model takes and gives.

    Attributes:
        input: `"spectrogram"` (segments in dB) or `"waveform"`.
        frontend: From a recording to a spectrogram.
        segment_frames: Length of a segment.
        shift_frames: Between the segments whose posteriors are averaged.
        fewest_segments: Of a recording, see `segment_starts`.
        pad: What fills a short segment, see `DataConfig.pad`.
        classes: Task to the names of its classes, in order; the first is the primary task.
        warnings: What whoever reads a posterior has to know.
    """

    input: str
    frontend: FrontEndConfig
    segment_frames: int
    shift_frames: int
    fewest_segments: int
    pad: str
    classes: dict[str, tuple[str, ...]]
    warnings: tuple[str, ...]

    @property
    def primary(self) -> str:
        """The primary task."""
        return next(iter(self.classes))

    @property
    def data(self) -> DataConfig:
        """How recordings are cut into segments."""
        return replace(
            DataConfig(),
            segment_frames=self.segment_frames,
            evaluation_shift_frames=self.shift_frames,
            evaluation_segments=self.fewest_segments,
            pad=self.pad,
        )

    def segment_starts(self, num_frames: int) -> np.ndarray:
        """Return the first frame of each segment of a spectrogram, `(segments,)` int64."""
        return segment_starts(
            num_frames, self.segment_frames, self.shift_frames, self.fewest_segments
        )

    def weight(self, num_frames: int) -> int:
        """Return how much a block of a long recording counts: the segments that would tile it.

        Not those that it has: the few frames of a last block are gone round as well.
        """
        return int(num_segments(num_frames, self.segment_frames, self.shift_frames))

    def to_json(self) -> str:
        """Return all of it as one line of JSON."""
        # no sorted keys: the order of the tasks counts
        return json.dumps({"version": FORMAT_VERSION, **asdict(self)}, ensure_ascii=False)


def parse_description(text: str, where: Path) -> Description:
    """Read what `Description.to_json` wrote.

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
        return _read_description(content)
    except DAMAGES as error:
        raise UserError(f"{where}: its description is damaged ({error!r}); {mend}") from error


def _read_description(content: Mapping[str, Any]) -> Description:
    """Return a description from plain values; one of `DAMAGES` says what is wrong with them."""
    wanted = {item.name for item in fields(Description)}
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
    try:  # types and ranges are those of the settings that they came from
        config = build_config(flags=[Given(key, str(value), key) for key, value in values.items()])
    except UserError as error:
        raise ValueError(str(error)) from error
    classes = {task: read_texts(names, task) for task, names in content["classes"].items()}
    if not classes:
        raise ValueError("classes: expected a task, found none")
    return Description(
        input=content["input"],
        frontend=config.frontend,
        segment_frames=config.data.segment_frames,
        shift_frames=config.data.evaluation_shift_frames,
        fewest_segments=config.data.fewest_segments,
        pad=config.data.pad,
        classes=classes,
        warnings=read_texts(content["warnings"], "warnings", least=0),
    )


def describe_run(run: Path) -> Description:
    """Return what a run's model takes and gives.

    Raises:
        UserError: No complete run, or files that are damaged.
    """
    config = read_config(run)
    return Description(
        input=SPECTROGRAM,
        frontend=config.frontend,
        segment_frames=config.data.segment_frames,
        shift_frames=config.data.evaluation_shift_frames,
        fewest_segments=config.data.fewest_segments,
        pad=config.data.pad,
        classes=read_classes(run, config),
        warnings=read_warnings(run, config),
    )
