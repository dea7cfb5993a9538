"""What a trained model takes and gives: written into every exported file, read from every run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ser_aae.config import DataConfig, FrontEndConfig, RunConfig
from ser_aae.config_file import build_config
from ser_aae.errors import UserError
from ser_aae.labels import GENDERS
from ser_aae.results import is_complete, read_json
from ser_aae.results.text import percent

FORMAT_VERSION = 1
SPECTROGRAM, WAVEFORM = "spectrogram", "waveform"

_KINDS = {"demo": "synthetic speech"} | dict.fromkeys(
    ("cremad", "emodb", "esd", "iemocap", "msp", "nemo", "ravdess", "savee", "tess"),
    "acted speech",
)
"""Corpus to what speaks in it, where that is not people who mean it."""


@dataclass(frozen=True)
class Description:
    """What a model takes and gives.

    Attributes:
        input: `"spectrogram"` (segments in dB) or `"waveform"`.
        frontend: From a recording to a spectrogram.
        segment_frames: Length of a segment.
        shift_frames: Between the segments whose posteriors are averaged.
        pad: What fills a short segment, see `DataConfig.pad`.
        classes: Task to the names of its classes, in order; the first is the primary task.
        warnings: What whoever reads a posterior has to know.
    """

    input: str
    frontend: FrontEndConfig
    segment_frames: int
    shift_frames: int
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
            pad=self.pad,
        )

    def to_json(self) -> str:
        """Return all of it as one line of JSON."""
        # no sorted keys: the order of the tasks counts
        return json.dumps({"version": FORMAT_VERSION, **asdict(self)}, ensure_ascii=False)


def parse_description(text: str, where: Path) -> Description:
    """Read what `Description.to_json` wrote.

    Raises:
        UserError: Something else, or of another version; `where` is named.
    """
    mend = "export the model again"
    try:
        content = json.loads(text)
        version = content.pop("version")
        if version != FORMAT_VERSION:
            raise UserError(
                f"{where}: expected a model of version {FORMAT_VERSION}, found {version}; {mend}"
            )
        return Description(
            **content
            | {
                "frontend": FrontEndConfig(**content["frontend"]),
                "classes": {task: tuple(names) for task, names in content["classes"].items()},
                "warnings": tuple(content["warnings"]),
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{where}: its description is damaged ({error!r}); {mend}") from error


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
    return build_config(file=run / "config.json")


def describe_run(run: Path) -> Description:
    """Return what a run's model takes and gives.

    Raises:
        UserError: No complete run, or files that are damaged.
    """
    config = read_config(run)
    measured = read_json(run / "normalisation.json")
    counts: Mapping[str, int] = measured["num_classes"]
    # a run of an earlier version did not write the speakers' names
    numbers = [f"speaker {number + 1}" for number in range(counts.get("speaker", 0))]
    names: dict[str, Any] = {
        "gender": GENDERS,
        "speaker": measured.get("speakers", numbers),
        config.task: measured["classes"],
    }
    return Description(
        input=SPECTROGRAM,
        frontend=config.frontend,
        segment_frames=config.data.segment_frames,
        shift_frames=config.data.evaluation_shift_frames,
        pad=config.data.pad,
        classes={task: tuple(names[task]) for task in counts},
        warnings=_warnings(config, read_json(run / "result.json")),
    )


def _warnings(config: RunConfig, result: Mapping[str, Any]) -> tuple[str, ...]:
    kind = _KINDS.get(config.dataset, "one corpus")
    said = f"{percent(result['unweighted_accuracy'])} % UA"
    chance = f"chance {percent(1 / len(result['classes']))}"
    about = f"trained on {kind} ({config.dataset}), where the test part gave {said} ({chance})"
    return (
        f"{about}; with other speakers, rooms, languages or spontaneous emotion it may not hold",
        *result.get("warnings", ()),
    )
