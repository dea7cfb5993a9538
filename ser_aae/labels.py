"""Closed vocabularies: emotions, their synonyms, genders and the levels of Table 2.

Everything here is an ordered tuple or a mapping, never a set and never the order of
a directory: class numbers must be the same on every machine.
"""

import unicodedata
from collections.abc import Iterable, Sequence

UNLABELLED = -1
"""Class number of a row that has no label for a task; it takes no part in that task's loss."""

AUXILIARY = "auxiliary"
"""Key among the labels of rows that tells those of an auxiliary corpus (1) from others (0), where
they take part in fewer phases."""

GENDERS = ("F", "M")
UNKNOWN_GENDER = "unknown"

FOUR = ("anger", "happiness", "neutral", "sadness")
"""The four classes of the paper (Sec. 4.1)."""

EMOTION_SYNONYMS = {
    "anger": ("ang", "angry", "wut", "aerger", "ärger", "rage", "生气"),
    "boredom": ("bored", "langeweile"),
    "calm": ("relaxed",),
    "contempt": ("con",),
    "disgust": ("dis", "disgusted", "ekel"),
    "excitement": ("exc", "excited"),
    "fear": ("fea", "fearful", "afraid", "scared", "angst"),
    "frustration": ("fru", "frustrated"),
    "happiness": ("hap", "happy", "joy", "joyful", "freude", "glueck", "glück", "快乐"),
    "neutral": ("neu", "neutral state", "neutrality", "中立"),
    "other": ("oth",),
    "sadness": ("sad", "trauer", "traurigkeit", "伤心"),
    "surprise": ("sur", "surprised", "ps", "pleasant surprise", "pleasant_surprise", "惊喜"),
}
"""Canonical emotion to the other words corpora use for it.

One-letter codes are absent on purpose: A is anger in most corpora and fear in EMO-DB.
An adapter translates such codes itself.
"""

LEVELS = {
    "activation": ("low", "medium", "high"),
    "valence": ("negative", "neutral", "positive"),
}
"""The three levels of each dimension, from 1 to 5 (Table 2)."""

CLUSTERS = {"clusters-3": 3, "clusters-5": 5}
"""Primary task to its number of clusters in the valence-activation plane (Sec. 5)."""

VOICE_TASKS = ("gender", "speaker")
"""Tasks that speech without emotions has labels of: beside the primary task, or the primary one."""

PRIMARY_TASKS = ("emotion", *LEVELS, *CLUSTERS, *VOICE_TASKS)

_MOST_NAMED = 12

_CANONICAL = {word: name for name, words in EMOTION_SYNONYMS.items() for word in (name, *words)}


def canonical_emotion(raw: str) -> str:
    """Return the canonical name of an emotion word, or the word itself where none is known.

    Case, surrounding blanks and how accents are coded do not matter: `"Angry"`, `" ang"` and
    `"Wut"` are all `"anger"`. An unknown word stays its own class, in lower case, so that
    nothing is lost; `is_known_emotion` tells the two apart.
    """
    word = unicodedata.normalize("NFC", raw.strip().casefold())
    return _CANONICAL.get(word, word)


def is_known_emotion(name: str) -> bool:
    """Return whether `name` is a canonical emotion of `EMOTION_SYNONYMS`."""
    return name in EMOTION_SYNONYMS


def class_ids(names: Iterable[str], classes: tuple[str, ...]) -> list[int]:
    """Return the position of each name in `classes`, `UNLABELLED` for those outside it."""
    position = {name: index for index, name in enumerate(classes)}
    return [position.get(name, UNLABELLED) for name in names]


def list_some(names: Sequence[str]) -> str:
    """Return names with commas between: of hundreds of speakers the first, and how many follow."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
