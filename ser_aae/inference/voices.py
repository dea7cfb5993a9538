"""Voices: d-vectors of recordings, enrolled speakers, and whether two voices are one.

The d-vector of a recording is the mean over its segments of what the speaker classifier's last
hidden layer gives (Sec. 5), that of an enrolled speaker the mean over recordings; the score is
the cosine between two. Two voices are one from the threshold on at which a run's own
verification trials miss as many targets as they accept impostors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ser_aae.errors import DamagedError, UserError
from ser_aae.files.atomic import TRAIN_AGAIN, has_file, read_json, write_json
from ser_aae.files.records import Record
from ser_aae.frontend.channels import Channel
from ser_aae.inference.exported_model import load_exported, remarks_on_file
from ser_aae.inference.recogniser import NO_DIRECTION, Recogniser
from ser_aae.inference.signature import Signature, Threshold, read_signature
from ser_aae.progress import show_line
from ser_aae.results.complete_run import read_config
from ser_aae.results.folder import CONFIG, RESULT, VERIFICATION, read_result, refuse_changed
from ser_aae.results.model_files import remarks_on

FORMAT_VERSION = 1


class EnrolledSpeaker(Record):
    """A speaker of a file of enrolled speakers."""

    d_vector: list[float]
    recordings: int


class Enrolled(Record):
    """File of enrolled speakers."""

    version: int
    model: str
    speakers: dict[str, EnrolledSpeaker]


@dataclass(frozen=True, eq=False)
class Voices:
    """A model's speaker classifier as a measure of voices; `load` is the way to get one.

    Attributes:
        recogniser: The model, with the d-vector among its outputs.
        identity: Digest of its run's weights.
        units: Length of its d-vectors; any where it is `None`.
        run: The run's folder, `None` where the model is an exported file.
    """

    recogniser: Recogniser
    identity: str
    units: int | None = None
    run: Path | None = None

    @classmethod
    def load(cls, path: Path, trust: bool = False) -> "Voices":
        """Load a run's folder or an exported file, as `Recogniser.load` does.

        Raises:
            UserError: What that refuses, or a model that gives no d-vector.
        """
        if not (path / CONFIG).is_file():
            signature, forward = load_exported(path, trust, d_vector=True)
            _refuse_without_speakers(path, signature)
            if signature.voice is None:
                raise UserError(
                    f"{path}: expected a file that gives d-vectors, found one that an earlier "
                    "version exported without; export the run again"
                )
            voice = signature.voice
            recogniser = Recogniser(signature, forward, remarks_on_file(path))
            return cls(recogniser, voice.identity, voice.units)
        signature = read_signature(path)
        _refuse_without_speakers(path, signature)
        from ser_aae.inference.run_model import RunModel  # exported models need no TensorFlow

        model = RunModel(path, d_vector=True)
        recogniser = Recogniser(signature, model, remarks_on(path))
        return cls(recogniser, model.identity, model.units, path)

    def threshold(self) -> Threshold | None:
        """Return the run's threshold, `None` where it has no verification trials.

        Raises:
            UserError: Trials that cannot be read.
        """
        if self.run is not None:
            return threshold_of(self.run)
        voice = self.recogniser.signature.voice
        return voice.threshold if voice else None

    def d_vector(self, path: Path, channel: Channel = None) -> np.ndarray:
        """Return the mean over the segments of a recording that are not in pauses, `(units,)`.

        What is odd about the recording is told.

        Raises:
            UserError: It cannot be read, is all silence, or its d-vector is all zeros.
        """
        found = self.recogniser.recognise_file(path, channel=channel)
        d_vector = found.d_vector
        if d_vector is None:
            raise UserError(
                "; ".join((f"{path}: expected a voice, found silence", *found.oddities))
            )
        for sentence in found.oddities:
            show_line(f"warning: {path}: {sentence}")
        if not d_vector.any():
            raise UserError(
                f"{path}: {NO_DIRECTION}; take another recording, and where all have none, train "
                "the run again"
            )
        return d_vector


def _refuse_without_speakers(path: Path, signature: Signature) -> None:
    """Refuse a model without a speaker classifier."""
    if "speaker" not in signature.classes:
        raise UserError(
            f"{path}: expected a model with a speaker classifier, whose last hidden layer is "
            f"the d-vector; this one has {', '.join(signature.classes)}: train one with "
            "--model mtl and speaker among model.auxiliary_tasks, or with --task speaker"
        )


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Return the cosine between two vectors.

    Raises:
        ValueError: One is all zeros, or not finite: it has no direction.
    """
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    if not 0 < lengths < np.inf:
        raise ValueError(f"expected two vectors with a direction, got lengths of product {lengths}")
    return float(first @ second) / lengths


def nearest(vector: np.ndarray, enrolled: Mapping[str, np.ndarray]) -> list[tuple[str, float]]:
    """Return the enrolled speakers and the cosine of a d-vector with each, the nearest first."""
    scores = [(name, cosine(vector, each)) for name, each in enrolled.items()]
    return sorted(scores, key=lambda item: -item[1])


def threshold_of(run: Path) -> Threshold | None:
    """Return the threshold at the equal error rate of a run's trials, `None` without trials.

    Raises:
        UserError: Trials that cannot be read.
    """
    from ser_aae.results.trials import TRIALS_DIGEST, det_curve, read_trials, score_trials

    written = read_result(run).get(TRIALS_DIGEST)
    if written is None and not has_file(run / VERIFICATION):
        return None
    trials = read_trials(run / VERIFICATION)
    refuse_changed(run, VERIFICATION)
    if written not in (None, score_trials(trials)[TRIALS_DIGEST]):
        raise DamagedError(
            f"{run / VERIFICATION}: changed since the run ended, by its digest in {RESULT}; "
            f"{TRAIN_AGAIN}"
        )
    curve = det_curve(trials)
    gap = (curve["false_match_rate"] - curve["false_non_match_rate"]).abs()
    row = curve.loc[gap.idxmin()]
    return Threshold(
        cosine=float(row["threshold"]),
        false_match_rate=float(row["false_match_rate"]),
        false_non_match_rate=float(row["false_non_match_rate"]),
        trials=len(trials),
        enrolment_utterances=read_config(run).enrolment_utterances,
    )


def enrol(
    voices: Voices, name: str, files: Sequence[Path], out: Path, channel: Channel = None
) -> int:
    """Add a speaker to a file of enrolled speakers, or take the place of one of that name.

    Nobody else may speak in the recordings, or in the channel of each that is listened to. The file
    is made where it is missing, and written whole or not at all.

    Returns:
        How many speakers the file now holds.

    Raises:
        UserError: A recording that cannot be used, no name, or a file of another model.
    """
    if not name.strip():
        raise UserError("--speaker: expected a name, got an empty one")
    speakers = _read_file(out, voices) if out.exists() else {}
    vector = np.mean([voices.d_vector(path, channel) for path in files], axis=0)
    speakers[name] = {"recordings": len(files), "d_vector": vector.tolist()}
    write_json(out, {"version": FORMAT_VERSION, "model": voices.identity, "speakers": speakers})
    return len(speakers)


def read_enrolled(path: Path, voices: Voices) -> dict[str, np.ndarray]:
    """Return the d-vectors of enrolled speakers by name.

    Raises:
        UserError: No such file, or one of another model.
    """
    if not path.exists():
        raise UserError(f"{path}: expected enrolled speakers, found no file; see: ser-aae enrol")
    found = _read_file(path, voices)
    return {name: np.array(each["d_vector"], np.float64) for name, each in found.items()}


def _read_file(path: Path, voices: Voices) -> dict[str, Any]:
    mend = "name another file, or enrol the speakers anew"
    content = read_json(path, "enrolled speakers", mend, Enrolled)
    version, model, speakers = content["version"], content["model"], content["speakers"]
    lengths = {len(each["d_vector"]) for each in speakers.values()}
    if version != FORMAT_VERSION or len(lengths) > 1:
        raise DamagedError(
            f"{path}: expected enrolled speakers of version {FORMAT_VERSION} with d-vectors of one "
            f"length, found version {version} and lengths {sorted(lengths)}; {mend}"
        )
    for name, each in speakers.items():
        vector = np.array(each["d_vector"])
        if not 0 < float(vector @ vector) < np.inf:
            raise DamagedError(
                f"{path}: the d-vector of {name} is all zeros, or not of finite numbers; {mend}"
            )
    if model != voices.identity:
        raise UserError(
            f"{path}: these speakers are enrolled with another model ({model}, not "
            f"{voices.identity}), whose d-vectors have nothing in common with this one's; {mend}"
        )
    if voices.units and lengths - {voices.units}:
        raise DamagedError(
            f"{path}: expected d-vectors of {voices.units} numbers, found {max(lengths)}; {mend}"
        )
    return speakers
