"""Sentences that are spoken in training and in the test part, where a corpus says what is spoken.

Actors of most corpora say the same few sentences. A split by speakers then parts voices and not
words, and the figures are of sentences that the model has heard. That is told, not refused: whole
corpora have no split in which it is otherwise.
"""

import re
from collections.abc import Iterable, Mapping

from ser_aae.utterance import Utterance

SENTENCES = "the test part says sentences that are trained on"
"""First words of the warning."""

_TEXT = "text"
_NAMES = ("sentence", "statement")
"""Columns in which adapters name a sentence of the corpus."""
_SCRIPT = re.compile(r"script\d+_\d+")
"""The script in the name of a dialog that is acted from one, as `Ses01F_script01_1b` of IEMOCAP."""
_OTHER_TURNS = ("P", "S")
"""Kinds of turns of MSP-IMPROV that have the number of a target sentence and say others."""


def sentence_of(utterance: Utterance) -> tuple[str, str]:
    """Return the corpus and the name of what is spoken, `("", "")` where the corpus does not say.

    A text is the same in all corpora; case, punctuation and blanks do not count. Of a dialog that
    is acted from a script, the script is named: its turns are not numbered alike.
    """
    extra = utterance.extra
    if text := " ".join(re.findall(r"\w+", extra.get(_TEXT, "").casefold())):
        return _TEXT, text
    if extra.get("elicitation") == "scripted" and (
        script := _SCRIPT.search(extra.get("dialog", ""))
    ):
        return utterance.corpus, script[0]
    if extra.get("scenario") not in _OTHER_TURNS:
        for column in _NAMES:
            if name := extra.get(column):
                return utterance.corpus, name
    return "", ""


def shared_sentences(train: Iterable[Utterance], test: Iterable[Utterance]) -> float | None:
    """Return the share of test utterances, 0 to 1, whose sentence is spoken in training too.

    It is of those whose sentence is known, and `None` where none is.
    """
    known = {sentence_of(item) for item in train}
    tested = [sentence for item in test if any(sentence := sentence_of(item))]
    return sum(sentence in known for sentence in tested) / len(tested) if tested else None


def warn_of_sentences(check: Mapping[str, object]) -> list[str]:
    """Return the warning that belongs to the values of `check_leakage`, none where nothing is."""
    share = check.get("shared_sentences")
    if not isinstance(share, float) or not share:
        return []
    return [f"{SENTENCES}: {share:.0%} of its utterances whose sentence is known"]
