"""Speakers of a corpus that is used in part: those of a subset, or drawn ones (Sec. 4.1.3).

The paper trains the auxiliary tasks on 600 random speakers of LibriSpeech's train-clean-360 and
verifies speakers on its test-clean. They are chosen at training: another choice needs no shards.
"""

from collections.abc import Sequence

import numpy as np

from ser_aae.errors import UserError
from ser_aae.labels import GENDERS, UNKNOWN_GENDER
from ser_aae.utterance import Utterance

_SUBSET_KEY = "subset"
"""Key of an utterance's subset in `Utterance.extra`."""


def choose_subset(utterances: Sequence[Utterance], subset: str, setting: str) -> np.ndarray:
    """Return the rows `(n,)` int64, ascending, of a subset of a corpus; `""` is all of it.

    Errors call the subset by the `setting` that names it.

    Raises:
        UserError: There is no such subset.
    """
    rows = np.flatnonzero([subset in ("", item.extra.get(_SUBSET_KEY)) for item in utterances])
    if len(rows) or not subset:
        return rows
    corpora = ", ".join(sorted({item.corpus for item in utterances})) or "the corpus"
    found = sorted({item.extra.get(_SUBSET_KEY, "") for item in utterances} - {""})
    if not found:
        raise UserError(f"{setting}: {corpora} has no subsets, got {subset!r}; leave it empty")
    raise UserError(
        f"{setting}: expected a subset of {corpora} in the store ({', '.join(found)}), or empty "
        f"for all, got {subset!r}; to add one, unpack it beside the others and prepare the "
        "corpus anew"
    )


def choose_speakers(
    utterances: Sequence[Utterance], subset: str, max_speakers: int, seed: int
) -> np.ndarray:
    """Return the rows of the chosen speakers' utterances.

    Women and men take turns, each gender in an order drawn by the seed, until there are enough
    speakers or one gender has no more; then follow the rest of the other, and last speakers of
    unknown gender. Under one seed the speakers of a smaller number are among those of a larger
    one: a curve over their number (Fig. 4) adds speakers and exchanges none.

    Returns:
        `(rows,)` int64, ascending; all rows for 0 as `max_speakers`, those too whose speaker
        nobody knows.

    Raises:
        UserError: There is no such subset, or it has fewer speakers than are asked for.
    """
    rows = choose_subset(utterances, subset, "data.auxiliary_subset")
    genders = {
        utterances[row].speaker: utterances[row].gender
        for row in rows
        if utterances[row].has_known_speaker
    }
    if not 0 <= max_speakers <= len(genders):
        place = f"{utterances[rows[0]].corpus} {subset}".strip() if len(rows) else "the corpus"
        raise UserError(
            f"data.auxiliary_speakers: expected up to {len(genders)}, which is all speakers of "
            f"{place} in the store, or 0 for all, got {max_speakers}"
        )
    if max_speakers == 0:
        return rows
    chosen = set(_order_speakers(genders, seed)[:max_speakers])
    return np.array([row for row in rows if utterances[row].speaker in chosen], np.int64)


def _order_speakers(genders: dict[str, str], seed: int) -> list[str]:
    generator = np.random.default_rng(seed)
    turns = []
    for position, gender in enumerate((*GENDERS, UNKNOWN_GENDER)):
        # sorted: the draw depends on who is there, not on the order of the utterances
        speakers = sorted(name for name in genders if genders[name] == gender)
        turns += [
            (gender == UNKNOWN_GENDER, turn, position, str(name))
            for turn, name in enumerate(generator.permutation(speakers))
        ]
    return [name for *_, name in sorted(turns)]
