"""Ratings of activation and valence, counted in the store: Table 2, and the points of Fig. 2."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from reports.published import LEVELS as STATED_LEVELS
from ser_aae.config import FrontEndConfig, RunConfig, complete_stored
from ser_aae.data.targets import make_target, select_pool
from ser_aae.errors import DamagedError, UserError
from ser_aae.experiments.setup import Setup
from ser_aae.files.atomic import read_json
from ser_aae.labels import LEVELS
from ser_aae.store.corpus import MANIFEST, Manifest, StoredCorpus, load_corpus


def find_corpus(store: Path, dataset: str, setup: Setup) -> StoredCorpus | None:
    """Return a corpus that a setup names, with its facts; `None` where it is not prepared.

    Labels are the same under every front end: where the corpus is not prepared under the setup's,
    one prepared under another serves.
    """
    corpus = _find_prepared(store, setup.stored_name(dataset), setup.base.frontend)
    # an earlier version wrote no facts
    if corpus is None or corpus.facts is not None:
        return corpus
    return replace(corpus, facts=setup.facts_of(dataset))


def _find_prepared(store: Path, name: str, frontend: FrontEndConfig) -> StoredCorpus | None:
    found = sorted(store.glob(f"{name}-????????/{MANIFEST}"))
    own = [path for path in found if path.parent.name.endswith(frontend.digest())]
    for path in (*own, *found):
        mend = "remove its folder and prepare the corpus again"
        made_with = read_json(path, MANIFEST, mend, Manifest)["frontend"]
        try:
            frontend = FrontEndConfig(**complete_stored(made_with, FrontEndConfig))
        except TypeError as error:
            raise DamagedError(f"{path}: frontend: {error}; {mend}") from error
        return load_corpus(store, name, frontend)
    return None


def level_table(setup: Setup, store: Path) -> pd.DataFrame:
    """Return Table 2: for each corpus the ranges of three levels, and the utterances of each.

    The ranges are those that the program applies; `paper` compares them with the paper's.
    """
    rows = []
    for dataset in setup.datasets:
        corpus = find_corpus(store, dataset, setup)
        for dimension in LEVELS:
            config = replace(setup.base, dataset=dataset, task=dimension)
            rows.append(_level_row(config, setup, corpus))
    return pd.DataFrame(rows).fillna("").astype(str)


def rated_plane(config: RunConfig, store: Path) -> np.ndarray | None:
    """Return `(n, 2)` valence and activation of the utterances that take part, `None` if unknown.

    Raises:
        UserError: The corpus has no ratings.
    """
    found = [
        _find_prepared(store, config.stored_name(name), config.frontend)
        for name in config.emotional
    ]
    corpora = [corpus for corpus in found if corpus is not None]
    if len(corpora) < len(found):
        return None
    rated = select_pool(config, corpora).utterances
    return np.array([(item.valence, item.activation) for item in rated], np.float64)


def _level_row(config: RunConfig, setup: Setup, corpus: StoredCorpus | None) -> dict[str, str]:
    facts = corpus.facts if corpus else None
    title, known = setup.title_of(config.dataset), facts or setup.facts_of(config.dataset)
    low, high = known.level_edges or config.data.level_edges
    ranges = (f"[1,{low:g}]", f"({low:g},{high:g}]", f"({high:g},5]")
    stated = STATED_LEVELS.get(title)
    row = {"corpus": title, "dimension": config.task}
    counts = _counts(config, corpus)
    # both dimensions share a column for each level, whose names differ
    for names, span, count in zip(zip(*LEVELS.values(), strict=True), ranges, counts, strict=True):
        row["/".join(dict.fromkeys(names))] = f"{span}: {count}"
    same = {True: "the same ranges", False: f"{stated}", None: "not stated"}
    row["paper"] = same[None if stated is None else stated == ranges]
    return row


def _counts(config: RunConfig, corpus: StoredCorpus | None) -> list[str]:
    """Return the number of utterances of each level as text, or the reason why it is not known."""
    if corpus is None:
        return ["not prepared"] * 3
    try:
        pool = select_pool(config, [corpus])
        numbers = make_target(config, pool).numbers
    except UserError:
        return ["not rated"] * 3
    counts = np.bincount(numbers[numbers >= 0], minlength=3)
    return [str(count) for count in counts]
