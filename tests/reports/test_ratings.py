"""Table 2 and the points of Fig. 2, counted on a store."""

import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from data_prep.corpora import known_facts
from reports.artefact_sections import draw_artefact
from reports.filling import fill
from reports.ratings import find_corpus, level_table, rated_plane
from ser_aae.config import FrontEndConfig
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import Setup
from ser_aae.results.places import Places
from ser_aae.store.corpus import MANIFEST, SCHEMA_VERSION, UTTERANCES, corpus_folder
from ser_aae.utterance import Utterance

RATINGS = {
    "anger": (4.0, 1.5),
    "happiness": (3.5, 4.5),
    "neutral": (2.5, 3.0),
    "sadness": (2.0, 2.0),
}
"""Activation and valence: on the edges of Table 2, which are closed at the top."""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def write_store(store, corpus, frontend=None, rated=True):
    """Write a corpus of one utterance an emotion, with a shard that holds no spectrogram."""
    frontend = frontend or FrontEndConfig()
    folder = corpus_folder(store, corpus, frontend)
    folder.mkdir(parents=True)
    utterances = [
        Utterance(
            corpus=corpus,
            utterance_id=emotion,
            path=f"{emotion}.wav",
            speaker=f"{corpus}:1",
            gender="F",
            emotion=emotion,
            activation=activation if rated else None,
            valence=valence if rated else None,
        )
        for emotion, (activation, valence) in RATINGS.items()
    ]
    lines = "".join(json.dumps(item.to_dict() | {"num_frames": 9}) + "\n" for item in utterances)
    (folder / UTTERANCES).write_text(lines, encoding="utf-8")
    content = b"never read here"
    shard = folder / "shard-00000.tfrecord"
    shard.write_bytes(content)
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "corpus": corpus,
        "frontend": asdict(frontend),
        "shards": [{"file": shard.name, "bytes": len(content), "sha256": sha256(content)}],
        "utterances_sha256": sha256(lines.encode()),
        "digest": "0123",
    }
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def test_levels_are_counted_with_closed_upper_edges(tmp_path):
    for corpus in ("iemocap", "msp"):
        write_store(tmp_path, corpus)
    frame = level_table(Setup(corpora=known_facts()), tmp_path).set_index(["corpus", "dimension"])
    activation = frame.xs("activation", level="dimension")
    assert activation.loc["IEMOCAP"].tolist()[:3] == ["[1,2]: 1", "(2,3.5]: 2", "(3.5,5]: 1"]
    assert activation.loc["MSP-IMPROV"].tolist()[:3] == ["[1,2.5]: 2", "(2.5,3.5]: 1", "(3.5,5]: 1"]
    valence = frame.xs("valence", level="dimension")
    assert valence.loc["IEMOCAP"].tolist()[:3] == ["[1,2]: 2", "(2,3.5]: 1", "(3.5,5]: 1"]


def test_the_ranges_are_compared_with_the_papers(tmp_path):
    frame = level_table(Setup(("iemocap", "msp", "demo"), corpora=known_facts()), tmp_path)
    assert frame["paper"].tolist() == ["the same ranges"] * 4 + ["not stated"] * 2


def test_a_corpus_that_is_not_there_or_not_rated_says_so(tmp_path):
    write_store(tmp_path, "msp", rated=False)
    frame = level_table(Setup(corpora=known_facts()), tmp_path).set_index("corpus")
    assert "not prepared" in frame.loc["IEMOCAP"].iloc[0]["low/negative"]
    assert "not rated" in frame.loc["MSP-IMPROV"].iloc[0]["low/negative"]


def test_any_front_end_serves_but_ones_own_comes_first(tmp_path):
    own, other = FrontEndConfig(), FrontEndConfig(bins=64)
    setup = Setup(corpora=known_facts())
    write_store(tmp_path, "msp", other)
    assert find_corpus(tmp_path, "MSP-IMPROV", setup).frontend == other
    write_store(tmp_path, "msp", own)
    assert find_corpus(tmp_path, "msp", setup).frontend == own
    assert find_corpus(tmp_path, "iemocap", setup) is None


def test_the_plane_has_valence_first(tmp_path):
    write_store(tmp_path, "msp")
    config = replace(Setup(corpora=known_facts()).base, dataset="msp", task="clusters-3")
    plane = rated_plane(config, tmp_path)
    assert plane.shape == (4, 2)
    assert plane[0].tolist() == [1.5, 4.0]
    assert rated_plane(replace(config, dataset="iemocap"), tmp_path) is None


def test_figure_2_is_drawn_by_the_nearest_of_a_runs_centroids(
    fill_all, smoke, tmp_path, figure_spy, pixels
):
    write_store(tmp_path / "store", "msp")
    centroids = [[1.5, 3.0], [3.0, 3.0], [4.5, 3.5]]
    filling = fill_all("figure-2", smoke, tmp_path / "runs", centroids=centroids)
    drawn = draw_artefact(
        filling, tmp_path / "figure-2", Places(runs=tmp_path / "runs", store=tmp_path / "store")
    )
    assert [path.name for path, _ in drawn[0].pictures] == ["figure-2.png"]
    assert not any("No picture" in text for text in drawn[0].warnings)
    pixels(tmp_path / "figure-2.png")
    (axes,) = figure_spy[0].axes
    *points, _ = axes.get_legend_handles_labels()[1]
    assert points == ["cluster 1", "cluster 2", "cluster 3"]
    crosses = axes.lines[0].get_xydata()
    assert np.allclose(crosses, centroids)
    behind = pd.read_csv(tmp_path / "figure-2-points.csv")
    assert tmp_path / "figure-2-points.csv" in drawn[1]
    assert behind.iloc[0].tolist() == [1.5, 4.0, "cluster 1"]
    assert len(behind) == 4


def test_table_2_says_what_prepares_the_corpora(smoke, tmp_path):
    filling = fill(ARTEFACTS["table-2"](smoke), smoke, Places(runs=tmp_path), {})
    drawn = draw_artefact(
        filling, tmp_path / "table-2", Places(runs=tmp_path, store=tmp_path / "store")
    )
    hint = drawn[0].warnings[-1]
    assert hint.startswith("Not counted: IEMOCAP and MSP-IMPROV not prepared in ")
    store = tmp_path / "store"
    assert f"ser-aae prepare --dataset iemocap --store {store} && ser-aae prepare" in hint
    assert "not prepared" in (tmp_path / "table-2.csv").read_text()


def test_table_2_asks_only_for_what_is_not_prepared(smoke, tmp_path):
    filling = fill(ARTEFACTS["table-2"](smoke), smoke, Places(runs=tmp_path), {})
    write_store(tmp_path, "msp")
    hint = draw_artefact(filling, tmp_path / "table-2", Places(runs=tmp_path, store=tmp_path))[
        0
    ].warnings
    assert "--dataset iemocap" in hint[-1]
    assert "--dataset msp" not in hint[-1]
    write_store(tmp_path, "iemocap")
    hint = draw_artefact(filling, tmp_path / "table-2", Places(runs=tmp_path, store=tmp_path))[
        0
    ].warnings
    assert not any("prepare" in text for text in hint)


@pytest.mark.parametrize("task", ["activation", "valence"])
def test_counts_add_up_to_the_utterances_that_take_part(tmp_path, task):
    write_store(tmp_path, "iemocap")
    frame = level_table(Setup(("iemocap",), corpora=known_facts()), tmp_path).set_index("dimension")
    texts = frame.loc[task, ["low/negative", "medium/neutral", "high/positive"]]
    assert sum(int(text.rpartition(": ")[2]) for text in texts) == len(RATINGS)
