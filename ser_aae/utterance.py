"""Utterance: the record that corpora, manifests, splits and results share."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Utterance:
    """One utterance of a corpus and everything the corpus says about it.

    Attributes:
        corpus: Short name of the corpus, e.g. `"ravdess"`.
        utterance_id: Unique within the corpus, stable across machines (no absolute path in it).
        path: The audio file, relative to the corpus' root.
        speaker: Prefixed with the corpus, e.g. `"ravdess:07"`, so that speakers of two
            corpora never fall together.
        gender: `"F"`, `"M"` or `"unknown"`.
        emotion: Canonical emotion, `""` where the corpus gives none.
        emotion_raw: The corpus' own label, as written there.
        start_s: Start within the file in seconds.
        end_s: End within the file in seconds, `None` for the end of the file.
        session: Recording session or dialog, `""` where the corpus has none.
        language: ISO 639-3 code, `""` where unknown.
        activation: 1 (calm) to 5 (excited), whatever direction the corpus stores; or `None`.
        valence: 1 (negative) to 5 (positive); or `None`.
        extra: Everything else that the corpus says, column name to value.
    """

    corpus: str
    utterance_id: str
    path: str
    speaker: str
    gender: str
    emotion: str = ""
    emotion_raw: str = ""
    start_s: float = 0.0
    end_s: float | None = None
    session: str = ""
    language: str = ""
    activation: float | None = None
    valence: float | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def audio_path(self, root: Path) -> Path:
        """Return the audio file below the corpus' root."""
        return root / self.path

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values, in the order they are declared."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True)
class Dropped:
    """A file or line that became no utterance, and why: nothing is lost silently.

    Attributes:
        where: Path relative to the corpus' root, with `:line` where it is a line.
        reason: One short phrase; counts are made over equal reasons.
    """

    where: str
    reason: str
