"""Closed vocabularies: emotions, their synonyms, genders and the levels of Table 2.

Everything here is an ordered tuple or a mapping, never a set and never the order of
a directory: class numbers must be the same on every machine.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

UNLABELLED = -1
"""Class number of a row that has no label for a task; it takes no part in that task's loss."""

AUXILIARY = "auxiliary"
"""Key among the labels of rows that tells those of an auxiliary corpus (1) from others (0), where
they take part in fewer phases."""

GENDERS = ("F", "M")
UNKNOWN_GENDER = "unknown"
GENDER_WORDS = {"F": "female", "M": "male"}
"""Genders as a reader is told them."""

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
"""Canonical emotion to the other words corpora use for it; new words go to `FURTHER_SYNONYMS`.

One-letter codes are absent on purpose: A is anger in most corpora and fear in EMO-DB.
An adapter translates such codes itself.
"""

FURTHER_SYNONYMS = {
    "anger": (
        *("colère", "en colère", "fâché", "fâchée"),
        *("ira", "enojo", "enojado", "enojada", "enfado", "enfadado", "enfadada", "rabia"),
        *("rabbia", "arrabbiato", "arrabbiata", "raiva", "zangado", "zangada"),
        *("öfke", "öfkeli", "kızgın", "kızgınlık", "sinirli"),
        *("gniew", "złość", "злость", "гнев", "сердитый"),
    ),
    "boredom": (
        *("ennui", "aburrimiento", "noia", "tédio", "can sıkıntısı"),
        *("znudzenie", "nuda", "скука"),
    ),
    "calm": (
        *("calme", "calma", "tranquilo", "tranquila", "sakin", "sakinlik"),
        *("spokój", "spokojny", "спокойствие", "спокойный"),
    ),
    "contempt": (
        *("mépris", "desprecio", "disprezzo", "desprezo", "küçümseme", "pogarda", "презрение"),
    ),
    "disgust": (
        *("dégoût", "dégoûté", "asco", "disgusto", "nojo", "tiksinti", "iğrenme"),
        *("wstręt", "obrzydzenie", "отвращение"),
    ),
    "excitement": (
        *("excitation", "excitación", "eccitazione", "excitação", "heyecan"),
        *("podekscytowanie", "возбуждение"),
    ),
    "fear": (
        *("peur", "miedo", "temor", "paura", "medo", "korku"),
        *("strach", "lęk", "страх", "испуг"),
    ),
    "frustration": ("frustración", "frustrazione", "frustração", "frustracja", "фрустрация"),
    "happiness": (
        *("joie", "joyeux", "joyeuse", "bonheur", "heureux", "heureuse"),
        *("alegría", "alegre", "felicidad", "feliz", "gioia", "felicità", "felice", "felicidade"),
        *("mutlu", "mutluluk", "neşe", "sevinç", "radość", "radosny", "szczęście", "szczęśliwy"),
        *("радость", "радостный", "счастье", "счастливый"),
    ),
    "neutral": (
        *("neutre", "neutro", "neutra", "neutrale", "nötr"),
        *("neutralité", "neutralidad", "neutralità", "neutralidade"),
        *("neutralny", "neutralność", "нейтральный", "нейтрально", "нейтральность"),
    ),
    "sadness": (
        *("tristesse", "triste", "tristeza", "tristezza", "üzgün", "üzüntü", "hüzün"),
        *("smutek", "smutny", "грусть", "грустный", "печаль", "печальный"),
    ),
    "surprise": (
        *("surpris", "sorpresa", "sorprendido", "sorprendida", "sorpreso", "surpresa", "surpreso"),
        *("şaşkınlık", "şaşkın", "sürpriz", "zaskoczenie", "zdziwienie"),
        *("удивление", "удивлённый"),
    ),
}
"""French, Spanish, Italian, Portuguese, Turkish, Polish and Russian words, with accents.

They are read without accents too. Corpora that were prepared before have them as classes of their
own, see `earlier_emotion`.
"""

NO_LABEL = (
    *("nan", "<nan>", "na", "<na>", "n/a", "#n/a", "n.a.", "nil", "null", "none"),
    *("-", "--", "---", "–", "—", "?", "??", "???"),
    *("unknown", "undefined", "unlabeled", "unlabelled", "no label"),
    *("inconnu", "desconocido", "sconosciuto", "desconhecido", "unbekannt", "bilinmiyor"),
    *("nieznany", "неизвестно", "未知"),
)
"""Words for a label that is not there, or for a person whom nobody knows."""

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

_WITHOUT_STROKE = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t"}
)
"""Small letters that Unicode takes for ones of their own, and not for others with an accent."""

_EARLIER_WORDS = {word: name for name, words in EMOTION_SYNONYMS.items() for word in (name, *words)}


def _fold(raw: str) -> str:
    return unicodedata.normalize("NFC", raw.strip().casefold())


def strip_accents(word: str) -> str:
    """Return a word in small letters without accents, strokes through letters among them."""
    letters = unicodedata.normalize("NFKD", word.translate(_WITHOUT_STROKE))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


_FURTHER_WORDS = {strip_accents(word): name for word, name in _EARLIER_WORDS.items()} | {
    strip_accents(word): name for name, words in FURTHER_SYNONYMS.items() for word in words
}


def canonical_emotion(raw: str) -> str:
    """Return the canonical name of an emotion word, or the word itself where none is known.

    Case, surrounding blanks and accents do not matter: `"Angry"`, `" ang"`, `"Wut"` and `"Colere"`
    are all `"anger"`. A word of `NO_LABEL` is no emotion, as `""` is none. An unknown word stays
    its own class, in lower case, so that nothing is lost; `is_known_emotion` tells the two apart.
    """
    word = _fold(raw)
    if word in NO_LABEL:
        return ""
    return _EARLIER_WORDS.get(word) or _FURTHER_WORDS.get(strip_accents(word), word)


def earlier_emotion(emotion: str, raw: str) -> str:
    """Return the emotion that a label had when `EMOTION_SYNONYMS` were all the words.

    Digests of what a corpus was prepared from hold this one, so that a word which becomes known
    does not make a stored corpus one that has changed.

    Args:
        emotion: The emotion that the label has now.
        raw: The label. Where it is a code that its adapter translates, `emotion` did not change.
    """
    word = _fold(raw)
    return _EARLIER_WORDS.get(word, word) if emotion == canonical_emotion(raw) else emotion


def class_of_word(word: str) -> str:
    """Return the class that a word of `EMOTION_SYNONYMS` names, or the word itself.

    `FURTHER_SYNONYMS` stay as they are: corpora that were prepared before have them as classes.
    """
    return _EARLIER_WORDS.get(_fold(word), word)


def is_known_emotion(name: str) -> bool:
    """Return whether `name` is a canonical emotion of `EMOTION_SYNONYMS`."""
    return name in EMOTION_SYNONYMS


def fault_of_classes(names: Sequence[str]) -> str:
    """Return what is wrong with names of classes whatever the corpus, "" where nothing is."""
    if "" in names:
        return "a name is empty"
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        return f"{', '.join(twice)} is there more than once, a synonym counted"
    return "expected two or more" if len(names) < 2 else ""


def class_ids(names: Iterable[str], classes: tuple[str, ...]) -> list[int]:
    """Return the position of each name in `classes`, `UNLABELLED` for those outside it."""
    position = {name: index for index, name in enumerate(classes)}
    return [position.get(name, UNLABELLED) for name in names]


def list_some(names: Sequence[str]) -> str:
    """Return names with commas between: of hundreds of speakers the first, and how many follow."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
