"""Speaker verification with d-vectors (Sec. 5, Fig. 4d; decision P11).

The d-vector of a segment is the output of the speaker classifier's last hidden layer. It is
averaged over the segments of an utterance, and over a speaker's enrolment utterances; the score
of a trial is the cosine between the two. The speakers are of a corpus that the config names, and
take part in nothing else; with them are verified those of the test part who are known from no other
part (`verification_test_part`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from ser_aae.results.trials import PART_COLUMNS, TEST, VERIFIED, score_trials, write_trials
from ser_aae.store.corpus import StoredCorpus, load_named
from ser_aae.training.scoring import TrainedModel, average_outputs

_MAX_NAMES = 5


@dataclass(frozen=True)
class Population:
    """Speakers of a corpus who are enrolled, their utterances, and those tested.

    Attributes:
        part: All utterances that are enrolled or tested.
        enrolment: Speaker to the rows of the corpus that enrol the speaker.
        tested: `(n,)` int64 rows of the corpus, ascending: every other utterance.
    """

    part: Part
    enrolment: dict[str, np.ndarray]
    tested: np.ndarray


@dataclass(frozen=True)
class TrialPlan:
    """Trials of a run: every tested utterance is tried against every enrolled speaker.

    Attributes:
        populations: Speakers of the verified corpus (`VERIFIED`), and of the test part (`TEST`)
            where any are verified.
        warnings: Sentences on speakers of the test part who are not.
    """

    populations: dict[str, Population]
    warnings: tuple[str, ...] = ()

    @property
    def parts(self) -> list[Part]:
        """The part of each population."""
        return [each.part for each in self.populations.values()]


def plan_trials(config: RunConfig, store: Path, data: RunData) -> TrialPlan | None:
    """Choose the enrolment utterances of each speaker; all others are tested on everybody.

    The draw comes from the protocol's seed: every repetition and every model has the same trials.
    Those of the verified corpus are the same in every fold too.

    Returns:
        `None` where the config asks for no verification.

    Raises:
        UserError: The model has no speaker classifier; the corpus is not prepared, lacks the
            subset or utterances of a speaker; or its speakers take part in the run.
    """
    if not config.verification:
        return None
    if "speaker" not in data.num_classes or "speaker" in data.untrained:
        raise UserError(
            "verification: expected a model with a trained speaker classifier, whose last hidden "
            f"layer is the d-vector; {config.model.kind} has none: choose --model mtl with speaker "
            "among model.auxiliary_tasks, or --task speaker, or leave verification off"
        )
    corpus = load_named(config, store, config.verification)
    require_sounds(config, [corpus])
    rows = choose_subset(corpus.utterances, config.verification_subset, "verification_subset")
    rows = _leave_out_copies(corpus, rows)
    rows = rows[[corpus.utterances[row].has_known_speaker for row in rows]]
    refuse_known(
        [corpus.utterances[row] for row in rows],
        [item for part in data.parts for item in part.utterances],
    )
    verified = _enrol_all(corpus, rows, config)
    test, warnings = _enrol_test_part(data, config) if config.verification_test_part else (None, [])
    if warnings and test is None:
        warnings.append(f"verification: the equal error rate is over {corpus.name} alone")
    return TrialPlan({VERIFIED: verified} | ({TEST: test} if test else {}), tuple(warnings))


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
    vectors = {
        name: d_vectors(trained.model, trained.scorer(each.part).dataset, each.part)
        for name, each in plan.populations.items()
    }
    trials = score_pairs(vectors, plan)
    write_trials(trained.folder / VERIFICATION, trials)
    warnings = [*plan.warnings, *_warn_of_zeros(np.concatenate(list(vectors.values())))]
    for warning in warnings:
        show(f"warning: {warning}")
    return score_trials(trials) | {"warnings": warnings}


def d_vectors(model: MultitaskAAE, batches: tf.data.Dataset, part: Part) -> np.ndarray:
    """Return the d-vector of each utterance, `(utterances, units)` float64, in the part's order."""

    @tf.function
    def last_hidden(segments: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"d_vector": model.head_outputs(segments)["speaker"][1]}

    return average_outputs(last_hidden, batches, part).means()["d_vector"]


def score_pairs(vectors: Mapping[str, np.ndarray], plan: TrialPlan) -> pd.DataFrame:
    """Return the cosine of every tested utterance with every enrolled speaker.

    The d-vectors are by population, in the order of its `part.rows`.

    Returns:
        One row a pair, as `ser_aae.results.trials` describes; utterance by utterance.
    """
    enrolled = [(name, part) for part, each in plan.populations.items() for name in each.enrolment]
    models = np.stack(
        [
            vectors[part][_places(each, rows)].mean(axis=0)
            for part, each in plan.populations.items()
            for rows in each.enrolment.values()
        ]
    )
    tables = []
    for part, each in plan.populations.items():
        scores = _unit(vectors[part][_places(each, each.tested)]) @ _unit(models).T
        tables.append(_pair_table(each, part, enrolled, scores))
    trials = pd.concat(tables, ignore_index=True)
    return trials if len(plan.populations) > 1 else trials.drop(columns=list(PART_COLUMNS))


def _places(population: Population, rows: np.ndarray) -> np.ndarray:
    """Return the places of some rows among those of a population, which ascend."""
    return np.searchsorted(population.part.rows, rows)


def _pair_table(
    population: Population, part: str, enrolled: Sequence[tuple[str, str]], scores: np.ndarray
) -> pd.DataFrame:
    """Return a row for each pair of a tested utterance and an enrolled speaker of some part."""
    utterances = [population.part.corpus.utterances[row] for row in population.tested]
    names, parts = zip(*enrolled, strict=True)
    speakers = np.repeat([item.speaker for item in utterances], len(names))
    tried = np.tile(names, len(utterances))
    return pd.DataFrame(
        {
            "enrolled": tried,
            "corpus": np.repeat([item.corpus for item in utterances], len(names)),
            "utterance_id": np.repeat([item.utterance_id for item in utterances], len(names)),
            "speaker": speakers,
            "score": scores.ravel(),
            "target": tried == speakers,
            "enrolled_part": np.tile(parts, len(utterances)),
            "tested_part": part,
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


def _enrol_all(corpus: StoredCorpus, rows: np.ndarray, config: RunConfig) -> Population:
    """Draw the enrolment of the verified corpus; refuse speakers of whom none would be tested."""
    count, by_speaker = config.enrolment_utterances, _group_by_speaker(corpus, rows)
    few = [name for name, own in by_speaker.items() if len(own) <= count]
    if few or len(by_speaker) < 2:
        raise UserError(
            f"verification: expected two speakers or more of {corpus.name} with over {count} "
            f"utterances each, found {len(by_speaker)}; fewer have: "
            f"{_name_some(few) or 'none'}; lower enrolment_utterances"
        )
    return _draw_enrolment(corpus, by_speaker, config)


def _enrol_test_part(data: RunData, config: RunConfig) -> tuple[Population | None, list[str]]:
    """Draw the enrolment of the test part's speakers, and say who of them is not verified.

    These are speakers of another part too, and those of whom no utterance would be tested.
    """
    corpus, shared = data.test.corpus, data.leakage["shared_speakers"]
    by_speaker = _group_by_speaker(corpus, _leave_out_copies(corpus, data.test.rows))
    known = {name for pair in ("train-test", "validation-test") for name in shared.get(pair, ())}
    count, total = config.enrolment_utterances, len(by_speaker)
    few = [name for name, own in by_speaker.items() if name not in known and len(own) <= count]
    warnings = []
    if known:
        warnings.append(
            f"verification: {len(known)} of {total} speakers of the test part are trained or "
            "selected on too, and are not verified"
        )
    if few:
        warnings.append(
            f"verification: {len(few)} of {total} speakers of the test part have no utterance to "
            f"be tested beside {count} that enrol, and are not verified: {_name_some(few)}"
        )
    kept = {n: own for n, own in by_speaker.items() if n not in known and n not in few}
    return (_draw_enrolment(corpus, kept, config) if kept else None), warnings


def _group_by_speaker(corpus: StoredCorpus, rows: np.ndarray) -> dict[str, list[int]]:
    """Return the rows of each speaker, the speakers sorted."""
    by_speaker: dict[str, list[int]] = {}
    for row in rows:
        by_speaker.setdefault(corpus.utterances[row].speaker, []).append(int(row))
    return dict(sorted(by_speaker.items()))


def _draw_enrolment(
    corpus: StoredCorpus, by_speaker: Mapping[str, Sequence[int]], config: RunConfig
) -> Population:
    generator = np.random.default_rng(config.protocol.seed)
    enrolment = {
        name: np.sort(generator.permutation(own)[: config.enrolment_utterances])
        for name, own in by_speaker.items()
    }
    rows = np.sort(np.concatenate([np.array(own, np.int64) for own in by_speaker.values()]))
    tested = np.setdiff1d(rows, np.concatenate(list(enrolment.values())))
    return Population(Part(corpus, rows, {}), enrolment, tested)


def _name_some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return f"{', '.join(names[:_MAX_NAMES])}{more}"
