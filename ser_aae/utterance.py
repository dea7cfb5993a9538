"""Utterance: the record that corpora, manifests, splits and results share."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sound:
    """Digests of decoded samples, by which a recording is known again under another name.

    Attributes:
        samples: Of the utterance; `""` where it is digital silence, of which any two are alike.
        file: Of the whole file that the utterance is cut from; equal to `samples` where nothing
            is cut, `""` where the rest of the file cannot be read.
    """

    samples: str
    file: str


@dataclass(frozen=True)
class Utterance:
    """One utterance of a corpus and everything the corpus says about it.

    Attributes:
        corpus: Short name of the corpus, e.g. `"ravdess"`.
        utterance_id: Unique within the corpus, stable across machines (no absolute path in it).
        path: The audio file, relative to the corpus' root.
        speaker: Prefixed with the corpus, e.g. `"ravdess:07"`, so that speakers of two
            corpora never fall together; with `"everywhere:"` where tables say that they do. The
            prefix alone, `"podcast:"`, where nobody knows who speaks.
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
        channel: The channel of the file that is listened to, from 1 on; `None` for the mean of all.
            It is left out of `to_dict` then, so that what was stored before it keeps its digests.
        sound: What is known of its sound; `None` until the corpus is prepared. It is no part of
            what the corpus says, of `to_dict` and of comparisons.
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
    channel: int | None = None
    sound: Sound | None = field(default=None, compare=False, repr=False)

    @property
    def has_known_speaker(self) -> bool:
        """Whether the corpus says who speaks."""
        return self.speaker != f"{self.corpus}:"

    def audio_path(self, root: Path) -> Path:
        """Return the audio file below the corpus' root."""
        return root / self.path

    def to_dict(self) -> dict[str, Any]:
        """Return what the corpus says as plain JSON values, in the order of the fields."""
        said = {item.name: getattr(self, item.name) for item in fields(self) if item.compare}
        if self.channel is None:
            del said["channel"]
        return said


@dataclass(frozen=True)
class Dropped:
    """A file or line that became no utterance, and why: nothing is lost silently.

    Attributes:
        where: Path relative to the corpus' root, with `:line` where it is a line.
        reason: One short phrase; counts are made over equal reasons.
    """

    where: str
    reason: str


def known_speakers(utterances: Iterable[Utterance]) -> set[str]:
    """Return the names of those who speak; utterances of nobody knows whom have none."""
    return {item.speaker for item in utterances if item.has_known_speaker}


def group_copies(utterances: Iterable[Utterance]) -> list[tuple[Utterance, ...]]:
    """Return the utterances of one corpus that hold the same samples under several names.

    Returns:
        Groups of two or more, each in the order of its ids, by their first ids. What is digital
        silence, or whose sound is not known, is in none.
    """
    groups: dict[tuple[str, str], list[Utterance]] = {}
    for item in utterances:
        if item.sound is not None and item.sound.samples:
            groups.setdefault((item.corpus, item.sound.samples), []).append(item)
    ordered = (
        tuple(sorted(group, key=lambda item: item.utterance_id))
        for group in groups.values()
        if len(group) > 1
    )
    return sorted(ordered, key=lambda group: (group[0].corpus, group[0].utterance_id))


def contradict(copies: Iterable[Utterance]) -> bool:
    """Return whether copies of one recording differ in speaker, gender, emotion or ratings."""
    said = {
        (item.speaker, item.gender, item.emotion, item.activation, item.valence) for item in copies
    }
    return len(said) > 1
