"""Provenance of a result: the digest of its predictions, and synthetic corpora."""

import hashlib
import json
import shutil
from dataclasses import asdict, replace

import pytest
from tiny import MODEL

from ser_aae.config import TrainingConfig
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.files.atomic import read_json
from ser_aae.inference.signature import read_signature
from ser_aae.store.corpus import MANIFEST, corpus_folder
from ser_aae.training.run import train_and_evaluate

pytestmark = pytest.mark.usefixtures("few_steps")


@pytest.fixture(scope="module")
def config(kfold_config):
    model = replace(MODEL, kind="cnn")
    data = replace(kfold_config.data, segment_frames=64, evaluation_shift_frames=64)
    training = TrainingConfig(epochs=1)
    return replace(kfold_config, model=model, data=data, training=training)


def test_a_result_holds_digests_of_its_files_and_names_synthetic_corpora(
    config, tiny_store, frontend, tmp_path
):
    store = tmp_path / "store"
    shutil.copytree(tiny_store, store)
    manifest = corpus_folder(store, "tiny", frontend) / MANIFEST
    facts = asdict(CorpusFacts(elicitation="synthetic"))
    own = {"synthetic": True, "facts": facts}
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(content | own), encoding="utf-8")

    folder = train_and_evaluate(config, store, tmp_path / "runs")

    result = read_json(folder / "result.json")
    written = (folder / "predictions.parquet").read_bytes()
    assert result["predictions_sha256"] == hashlib.sha256(written).hexdigest()
    assert result["files_sha256"] == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (
            "config.json",
            "environment.json",
            "epochs.jsonl",
            "normalisation.json",
            "heard.txt",
            "best.weights.h5",
            "examples.npz",
        )
    }
    assert result["synthetic"] == ["tiny"]
    assert read_signature(folder).warnings[0].startswith("trained on synthetic speech (tiny)")
