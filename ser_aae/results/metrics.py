"""Utterance-level scores, all in [0, 1], on audmetric and scikit-learn (P7, P8).

Truth and predictions are sequences of class names; the order of the classes is always given.
Each function raises a `UserError` for no utterances, unequal lengths, or a name outside `classes`.
"""

from collections import Counter
from collections.abc import Sequence

import audmetric
import numpy as np
from sklearn.metrics import f1_score

from ser_aae.errors import UserError

Names = Sequence[str]


def scored_classes(truth: Names, classes: Names) -> tuple[str, ...]:
    """Return the classes that occur in the truth, in the given order.

    A class without truth has no recall: it is left out of UA and F1, and results name the
    classes that are in.
    """
    present = set(truth)
    return tuple(name for name in classes if name in present)


def weighted_accuracy(truth: Names, predicted: Names) -> float:
    """Return WA: the share of utterances that are right."""
    _check(truth, predicted)
    return float(audmetric.accuracy(list(truth), list(predicted)))


def class_recalls(truth: Names, predicted: Names, classes: Names) -> dict[str, float | None]:
    """Return the recall of each class, `None` where the truth has none of it."""
    _check(truth, predicted, classes)
    # audmetric counts every pair of classes: of hundreds of speakers most are in no utterance
    used = scored_classes((*truth, *predicted), classes)
    recalls = audmetric.recall_per_class(list(truth), list(predicted), list(used))
    present = scored_classes(truth, classes)
    return {name: recalls[name] if name in present else None for name in classes}


def unweighted_accuracy(
    truth: Names, predicted: Names, classes: Names
) -> tuple[float, tuple[str, ...]]:
    """Return UA, the mean recall over the classes with truth, and those classes.

    A prediction into a class without truth still counts as wrong for its true class.
    """
    recalls = class_recalls(truth, predicted, classes)
    scored = scored_classes(truth, classes)
    return float(np.mean([recalls[name] for name in scored])), scored


def macro_f1(truth: Names, predicted: Names, classes: Names) -> tuple[float, tuple[str, ...]]:
    """Return the mean F1 over the classes with truth, and those classes."""
    _check(truth, predicted, classes)
    scored = scored_classes(truth, classes)
    score = f1_score(list(truth), list(predicted), labels=scored, average="macro", zero_division=0)
    return float(score), scored


def confusion(truth: Names, predicted: Names, classes: Names) -> list[list[int]]:
    """Return counts: a row for each true class, a column for each predicted one."""
    _check(truth, predicted, classes)
    return list(audmetric.confusion_matrix(list(truth), list(predicted), list(classes)))


def speaker_only_unweighted_accuracy(speakers: Names, truth: Names, classes: Names) -> float:
    """Return the UA of a predictor that hears nothing and knows only who speaks (P7).

    The predictor answers with the class the speaker has most often among these very utterances;
    of equally frequent ones, the first in the order of `classes`. Fitted on the utterances that
    it is scored on, it bounds the worth of knowing speakers. URDU: 0.960. With the majority of
    four fifths of the utterances and the score of the last, drawn at random by class, URDU gives
    0.950 on average; draws differ, and so the bound is reported.
    """
    _check(truth, speakers)
    _check(truth, truth, classes)
    counts = Counter(zip(speakers, truth, strict=True))
    favourites = {
        speaker: max(classes, key=lambda name, own=speaker: counts[own, name])
        for speaker in set(speakers)
    }
    return unweighted_accuracy(truth, [favourites[name] for name in speakers], classes)[0]


def equal_error_rate(same_speaker: Sequence[bool], scores: Sequence[float]) -> float:
    """Return the EER of verification trials (P11).

    Args:
        same_speaker: Whether each trial is a target (true) or an impostor.
        scores: Similarity; higher means the same speaker.

    Raises:
        UserError: Only targets or only impostors.
    """
    _check(same_speaker, scores)
    if len({bool(item) for item in same_speaker}) < 2:
        raise UserError("equal error rate: expected target and impostor trials, received one kind")
    rate, _ = audmetric.equal_error_rate(list(same_speaker), list(scores))
    return float(rate)


def _check(
    truth: Sequence[object], predicted: Sequence[object], classes: Names | None = None
) -> None:
    if len(truth) != len(predicted) or not len(truth):
        raise UserError(
            f"metrics: expected as many answers as truths, at least one, received "
            f"{len(predicted)} and {len(truth)}"
        )
    outside = {str(name) for name in (*truth, *predicted)} - set(classes or ())
    if classes is not None and outside:
        raise UserError(
            f"metrics: expected only {', '.join(classes)}, received {', '.join(sorted(outside))}"
        )
