"""Speaker verification with d-vectors (Sec. 5, Fig. 4d; decision P11).

The d-vector of a segment is the output of the speaker classifier's last hidden layer. It is
averaged over the segments of an utterance, and over a speaker's enrolment utterances; the score
of a trial is the cosine between the two. The speakers are of a corpus that the config names,
and take part in nothing else.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from ser_aae.config import RunConfig
from ser_aae.data.auxiliary_speakers import choose_subset
from ser_aae.data.part import Part
from ser_aae.data.run_data import RunData, require_sounds
from ser_aae.errors import UserError
from ser_aae.model.aae import MultitaskAAE
from ser_aae.progress import Show
from ser_aae.protocols.copies import is_kept, judge_copies
from ser_aae.protocols.leakage import refuse_known
from ser_aae.results.folder import VERIFICATION
from ser_aae.results.trials import score_trials, write_trials
from ser_aae.store.corpus import StoredCorpus, load_named
from ser_aae.training.scoring import TrainedModel, average_outputs

_MAX_NAMES = 5


@dataclass(frozen=True)
class TrialPlan:
    """Trials of a run: the speakers enrolled, their utterances, and those tested.

    Attributes:
        part: All utterances that are enrolled or tested.
        enrolment: Speaker to the rows of the corpus that enrol the speaker.
        tested: `(n,)` int64 rows of the corpus, ascending: every other utterance.
    """

    part: Part
    enrolment: dict[str, np.ndarray]
    tested: np.ndarray


def plan_trials(config: RunConfig, store: Path, data: RunData) -> TrialPlan | None:
    """Choose the enrolment utterances of each speaker; all others are tested on everybody.

    The draw comes from the protocol's seed: every repetition and every model has the same
    trials.

    Returns:
        `None` where the config asks for no verification.

    Raises:
        UserError: The model has no speaker classifier; the corpus is not prepared, lacks the
            subset or utterances of a speaker; or its speakers take part in the run.
    """
    if not config.verification:
        return None
    if "speaker" not in data.num_classes:
        raise UserError(
            "verification: expected a model with a speaker classifier, whose last hidden layer "
            f"is the d-vector; {config.model.kind} has none: choose --model mtl with speaker "
            "among model.auxiliary_tasks, or --task speaker, or leave verification off"
        )
    corpus = load_named(config, store, config.verification)
    require_sounds(config, [corpus])
    rows = choose_subset(corpus.utterances, config.verification_subset, "verification_subset")
    rows = _leave_out_copies(corpus, rows)
    refuse_known(
        [corpus.utterances[row] for row in rows],
        [item for part in data.parts for item in part.utterances],
    )
    return _draw_enrolment(corpus, rows, config.enrolment_utterances, config.protocol.seed)


def _leave_out_copies(corpus: StoredCorpus, rows: np.ndarray) -> np.ndarray:
    """Leave out every copy but the first, lest one enrol a speaker and another be tested.

    Of copies that contradict each other all are left out.
    """
    each = {str(row): [corpus.utterances[row]] for row in rows}  # apart, as in parts of their own
    copies = judge_copies(each, [corpus.utterances])
    return np.array([row for row in rows if is_kept(corpus.utterances[row], copies)], np.int64)


def verify(trained: TrainedModel, plan: TrialPlan, show: Show) -> dict[str, Any]:
    """Score the trials, write them into the run folder, and return their figures.

    Beside what `score_trials` gives these have `warnings`, which are shown as well.
    """
    batches = trained.scorer(plan.part).dataset
    vectors = d_vectors(trained.model, batches, plan.part)
    trials = score_pairs(vectors, plan)
    write_trials(trained.folder / VERIFICATION, trials)
    warnings = _warn_of_zeros(vectors)
    for warning in warnings:
        show(f"warning: {warning}")
    return score_trials(trials) | {"warnings": warnings}


def d_vectors(model: MultitaskAAE, batches: tf.data.Dataset, part: Part) -> np.ndarray:
    """Return the d-vector of each utterance, `(utterances, units)` float64, in the part's order."""

    @tf.function
    def last_hidden(segments: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"d_vector": model.head_outputs(segments)["speaker"][1]}

    return average_outputs(last_hidden, batches, part).means()["d_vector"]


def score_pairs(vectors: np.ndarray, plan: TrialPlan) -> pd.DataFrame:
    """Return the cosine of every tested utterance with every enrolled speaker.

    The d-vectors are in the order of `plan.part.rows`.

    Returns:
        One row a pair, as `ser_aae.results.trials` describes; utterance by utterance.
    """
    # the rows of a part ascend, so a row's place is where it would be inserted
    places = partial(np.searchsorted, plan.part.rows)
    models = np.stack([vectors[places(rows)].mean(axis=0) for rows in plan.enrolment.values()])
    tests = vectors[places(plan.tested)]
    scores = _unit(tests) @ _unit(models).T
    utterances = [plan.part.corpus.utterances[row] for row in plan.tested]
    names = list(plan.enrolment)
    speakers = np.repeat([item.speaker for item in utterances], len(names))
    enrolled = np.tile(names, len(utterances))
    return pd.DataFrame(
        {
            "enrolled": enrolled,
            "corpus": plan.part.corpus.name,
            "utterance_id": np.repeat([item.utterance_id for item in utterances], len(names)),
            "speaker": speakers,
            "score": scores.ravel(),
            "target": enrolled == speakers,
        }
    )


def _warn_of_zeros(vectors: np.ndarray) -> list[str]:
    """Return a sentence on d-vectors without a direction, where there are any."""
    zeros = int((~vectors.any(axis=1)).sum())
    if not zeros:
        return []
    return [
        f"verification: {zeros} of {len(vectors)} utterances have a d-vector of zeros, which has "
        "no direction; its cosine with any voice is undefined and was taken for 0"
    ]


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of length 1; one of zeros, which has no direction, stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


def _draw_enrolment(corpus: StoredCorpus, rows: np.ndarray, count: int, seed: int) -> TrialPlan:
    """Draw each speaker's enrolment; refuse speakers of whom nothing would be left to test."""
    generator = np.random.default_rng(seed)
    by_speaker: dict[str, list[int]] = {}
    for row in rows:
        by_speaker.setdefault(corpus.utterances[row].speaker, []).append(int(row))
    few = [name for name, own in sorted(by_speaker.items()) if len(own) <= count]
    if few or len(by_speaker) < 2:
        more = f" and {len(few) - _MAX_NAMES} more" if len(few) > _MAX_NAMES else ""
        raise UserError(
            f"verification: expected two speakers or more of {corpus.name} with over {count} "
            f"utterances each, found {len(by_speaker)}; fewer have: "
            f"{', '.join(few[:_MAX_NAMES]) or 'none'}{more}; lower enrolment_utterances"
        )
    enrolment = {
        name: np.sort(generator.permutation(own)[:count])
        for name, own in sorted(by_speaker.items())
    }
    tested = np.setdiff1d(rows, np.concatenate(list(enrolment.values())))
    return TrialPlan(Part(corpus, rows, {}), enrolment, tested)
