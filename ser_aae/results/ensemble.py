"""Repetitions as one ensemble: their posteriors averaged, utterance by utterance."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ser_aae.results.predictions import POSTERIOR, score

_SAID = ["corpus", "utterance_id", "speaker", "gender", "truth"]


def score_ensemble(
    repetitions: Sequence[pd.DataFrame], classes: Sequence[str]
) -> dict[str, Any] | None:
    """Return the figures of an ensemble whose members are the repetitions.

    An utterance's posterior is the mean over the repetitions, each of which tested it with a
    model that had not been trained on it; nothing is chosen or weighed. Of two classes with the
    same mean the first is predicted.

    Args:
        repetitions: Predictions of all folds of each, as `read_predictions` returns them.
        classes: Those of the posteriors.

    Returns:
        `members`, how many, and the figures of `score`; `None` for fewer than two, or where they
        were not tested on the same utterances, as with a test part that the seed draws.
    """
    names = [f"{POSTERIOR}{name}" for name in classes]
    members = [frame.set_index(_SAID)[names].sort_index() for frame in repetitions]
    if len(members) < 2 or not all(each.index.equals(members[0].index) for each in members[1:]):
        return None
    mean = sum(members[1:], members[0]) / len(members)
    predicted = mean.idxmax(axis=1).str.removeprefix(POSTERIOR)
    answers = mean.assign(predicted=predicted).reset_index()
    return {"members": len(members)} | score(answers, classes)
