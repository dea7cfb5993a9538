"""What every adapter returns, and the steps all adapters share."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ser_aae.errors import UserError
from ser_aae.labels import is_known_emotion
from ser_aae.utterance import Dropped, Utterance

AUDIO_SUFFIXES = (".wav", ".flac")


@dataclass(frozen=True)
class Corpus:
    """A corpus as found on disk.

    Attributes:
        root: The folder that the utterances' paths are relative to.
        utterances: Sorted by id.
        dropped: What became no utterance, and why.
        counts: What was counted, e.g. `{"speakers": 24}`.
        expected: What a complete copy counts; empty where there is nothing to expect.
    """

    root: Path
    utterances: tuple[Utterance, ...]
    dropped: tuple[Dropped, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    expected: Mapping[str, int] = field(default_factory=dict)

    @property
    def unknown_labels(self) -> tuple[str, ...]:
        """Emotions outside the vocabulary, sorted; each stays a class of its own."""
        emotions = {utterance.emotion for utterance in self.utterances} - {""}
        return tuple(sorted(name for name in emotions if not is_known_emotion(name)))


def build_corpus(
    root: Path,
    utterances: Iterable[Utterance],
    dropped: Iterable[Dropped] = (),
    expected: Mapping[str, int] | None = None,
) -> Corpus:
    """Return a corpus with its utterances in order and counted per emotion."""
    ordered = tuple(sorted(utterances, key=lambda utterance: utterance.utterance_id))
    return Corpus(
        root=root,
        utterances=ordered,
        dropped=tuple(sorted(dropped, key=lambda item: (item.where, item.reason))),
        counts=count_utterances(ordered),
        expected=expected or {},
    )


def count_utterances(utterances: Collection[Utterance]) -> dict[str, int]:
    """Return the number of utterances, of speakers, and of utterances of each emotion."""
    emotions = Counter(utterance.emotion for utterance in utterances if utterance.emotion)
    speakers = {utterance.speaker for utterance in utterances}
    per_emotion = {f"utterances of {name}": emotions[name] for name in sorted(emotions)}
    return {"utterances": len(utterances), "speakers": len(speakers), **per_emotion}


def check_counts(name: str, corpus: Corpus) -> None:
    """Compare what was counted with what a complete copy of the corpus counts.

    Raises:
        UserError: They differ; the message lists both.
    """
    differences = [
        f"{what}: expected {wanted}, found {corpus.counts.get(what, 0)}"
        for what, wanted in corpus.expected.items()
        if corpus.counts.get(what, 0) != wanted
    ]
    if differences:
        listed = "\n  ".join(differences)
        raise UserError(
            f"{corpus.root}: this copy of {name} is not the complete one\n  {listed}\n"
            "fetch what is missing, or accept what is there with --allow-partial"
        )


def files_below(root: Path, suffixes: Collection[str]) -> list[Path]:
    """Return the files of the given suffixes (any case) below a folder, sorted.

    The paths are relative to `root`. Names that begin with a dot are passed over: `._*.wav`
    is what macOS leaves beside a real file. Links to folders are followed, once each.
    """
    found: list[Path] = []
    seen: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        paths = (Path(folder, name) for name in files if not name.startswith("."))
        found += [path.relative_to(root) for path in paths if path.suffix.lower() in suffixes]
    return sorted(found)


def unique_by_stem(paths: Iterable[Path]) -> tuple[list[Path], list[Dropped]]:
    """Keep one file of each stem, the least deep: mirrors often nest a second copy.

    Returns:
        The kept paths, sorted, and the duplicates with where the kept one lies.
    """
    kept: dict[str, Path] = {}
    dropped = []
    for path in sorted(paths, key=lambda path: (len(path.parts), path)):
        if path.stem.lower() in kept:
            dropped.append(Dropped(path.as_posix(), "duplicate of a file of the same name"))
        else:
            kept[path.stem.lower()] = path
    return sorted(kept.values()), dropped
