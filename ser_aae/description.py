"""What a trained model takes and gives: written into every exported file, read from every run."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ser_aae.config import DataConfig, FrontEndConfig, RunConfig
from ser_aae.config_fields import Given
from ser_aae.config_file import build_config
from ser_aae.datasets import ELICITATIONS
from ser_aae.errors import UserError
from ser_aae.frontend.segments import num_segments, segment_starts
from ser_aae.labels import GENDERS
from ser_aae.results import is_complete, read_json
from ser_aae.results.folder import flatten
from ser_aae.results.text import percent

FORMAT_VERSION = 2
MEASURED = "normalisation.json"
SPECTROGRAM, WAVEFORM = "spectrogram", "waveform"

_DAMAGES = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What comes of reading plain values that are not as they were written."""

_BEFORE = {
    "data.evaluation_segments": "1",
    "model.discriminator_zero_start": "false",
    "training.logit_adjustment": "0",
}
"""Settings that runs of an earlier version do not have, to what such a run did."""


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
        return num_segments(num_frames, self.segment_frames, self.shift_frames)

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
    except _DAMAGES as error:
        raise UserError(f"{where}: its description is damaged ({error!r}); {mend}") from error


def _read_description(content: Mapping[str, Any]) -> Description:
    """Return a description from plain values; one of `_DAMAGES` says what is wrong with them."""
    wanted = {item.name for item in fields(Description)}
    if set(content) != wanted:
        raise ValueError(f"expected {', '.join(sorted(wanted))}, found {', '.join(content)}")
    if content["input"] not in (SPECTROGRAM, WAVEFORM):
        raise ValueError(f"input: expected {SPECTROGRAM} or {WAVEFORM}, found {content['input']!r}")
    values = {f"frontend.{name}": value for name, value in content["frontend"].items()}
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
    classes = {task: _names(names, task) for task, names in content["classes"].items()}
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
        warnings=_names(content["warnings"], "warnings", least=0),
    )


def _names(values: Any, of: str, least: int = 1) -> tuple[str, ...]:
    """Return a list of texts as a tuple.

    Raises:
        ValueError: Something else, or fewer than there have to be.
    """
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_list or len(values) < least or not all(isinstance(each, str) for each in values):
        raise ValueError(f"{of}: expected a list of texts, at least {least}, found {values!r}")
    return tuple(values)


@contextmanager
def told_as_damaged(path: Path) -> Iterator[None]:
    """Name the file of a run in whose content something is missing or wrong.

    Raises:
        UserError: For what comes of reading such content.
    """
    try:
        yield
    except _DAMAGES as error:
        raise UserError(f"{path}: it is damaged ({error!r}); train the run again") from error


def read_config(run: Path) -> RunConfig:
    """Return the config of a run.

    Raises:
        UserError: No run, or one that is not complete.
    """
    if not is_complete(run):
        raise UserError(
            f"{run}: expected the folder of a complete run (fold00-rep00 with result.json), found "
            "none; name one, or train it to its end"
        )
    file = run / "config.json"
    known = {name for name, _ in flatten(read_json(file))}
    before = [Given(key, value, str(file)) for key, value in _BEFORE.items() if key not in known]
    return build_config(file=file, flags=before)


def describe_run(run: Path) -> Description:
    """Return what a run's model takes and gives.

    Raises:
        UserError: No complete run, or files that are damaged.
    """
    config = read_config(run)
    measured = read_measured(run)
    counts = measured["num_classes"]
    with told_as_damaged(run / MEASURED):
        # a run of an earlier version did not write the speakers' names
        numbers = [f"speaker {number + 1}" for number in range(counts.get("speaker", 0))]
        known: dict[str, Any] = {
            "gender": GENDERS,
            "speaker": measured.get("speakers", numbers),
            config.task: measured["classes"],
        }
        classes = {task: _names(known[task], task) for task in counts}
        if any(len(names) != counts[task] for task, names in classes.items()):
            raise ValueError(f"expected the names of {counts} classes, found {classes}")
    with told_as_damaged(run / "result.json"):
        warnings = _warnings(config, read_json(run / "result.json"))
    return Description(
        input=SPECTROGRAM,
        frontend=config.frontend,
        segment_frames=config.data.segment_frames,
        shift_frames=config.data.evaluation_shift_frames,
        fewest_segments=config.data.fewest_segments,
        pad=config.data.pad,
        classes=classes,
        warnings=warnings,
    )


def read_measured(run: Path) -> dict[str, Any]:
    """Return what a run measured on its training part, and the classes that it found there.

    Returns:
        `num_classes`, task to number; the rest as it was written.

    Raises:
        UserError: It is missing, or has no such numbers.
    """
    measured = read_json(run / MEASURED)
    with told_as_damaged(run / MEASURED):
        counts = {str(task): int(count) for task, count in measured["num_classes"].items()}
        if not counts or min(counts.values()) < 1:
            raise ValueError(f"num_classes: expected numbers from 1, found {counts}")
    return measured | {"num_classes": counts}


def _warnings(config: RunConfig, result: Mapping[str, Any]) -> tuple[str, ...]:
    # the name in the store: a path would tell whoever gets the model of this machine
    name = config.stored_name(config.dataset)
    elicitation = result.get("elicitation")  # runs of an earlier version do not say it
    kind = f"{elicitation} speech" if elicitation in ELICITATIONS else "one corpus"
    said = f"{percent(result['unweighted_accuracy'])} % UA"
    classes = _names(result["classes"], "classes")
    chance = f"chance {percent(1 / len(classes))}"
    about = f"trained on {kind} ({name}), where the test part gave {said} ({chance})"
    return (
        f"{about}; with other speakers, rooms, languages or spontaneous emotion it may not hold",
        *_names(result.get("warnings", ()), "warnings", least=0),
    )
