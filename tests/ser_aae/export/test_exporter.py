"""Exports of a tiny run: each file says what the run says, or is not kept."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import soundfile
from stored import read_unsealed, write_unsealed
from tiny import poison, sounds_of, speakers_of, write_corpus

from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.export import exporter as module
from ser_aae.export.exporter import Choice, ExportError, export
from ser_aae.export.segment_model import build_segment_model
from ser_aae.files.locks import claim
from ser_aae.inference.exported_model import SUFFIXES, load_exported
from ser_aae.inference.recogniser import Recogniser
from ser_aae.inference.signature import read_signature
from ser_aae.inference.voices import Voices, cosine
from ser_aae.results.complete_run import read_config
from ser_aae.results.predictions import read_predictions, write_predictions

ROOT = Path(__file__).resolve().parents[3]


def export_run(run, choice, out):
    return export(
        run.folder, choice, out, run.store, lambda corpora: dict.fromkeys(corpora, run.recordings)
    )


@pytest.fixture(scope="module")
def exported(recorded_run, tmp_path_factory):
    """A function: format, input -> an exported file and how it scored; each is made once."""
    made = {}

    def make(kind, takes="spectrogram"):
        if (kind, takes) not in made:
            out = tmp_path_factory.mktemp("exported") / f"{takes}{SUFFIXES[kind]}"
            choice = Choice(kind, takes=takes)
            made[kind, takes] = out, export_run(recorded_run, choice, out)
        return made[kind, takes]

    return make


@pytest.fixture
def path(recorded_run):
    return recorded_run.recordings / "04" / "happiness-1.wav"


@pytest.mark.parametrize("takes", ["spectrogram", "waveform"])
@pytest.mark.parametrize("kind", list(SUFFIXES))
def test_a_file_of_each_format_says_what_the_run_says(exported, recorded_run, path, kind, takes):
    out, scored = exported(kind, takes)
    assert scored.utterances == 16
    assert scored.exported == scored.run
    assert (scored.moved, scored.lead) == (0, 0.0)
    # a waveform's spectrogram is not rounded to half precision on its way
    assert scored.posterior_difference < (5e-3 if takes == "waveform" else 1e-5)
    assert [each.name for each in out.parent.iterdir()] == [out.name]
    model = Recogniser.load(out, trust=kind == "saved-model")
    assert model.remarks == ()
    found = model.recognise_file(path, timeline_seconds=0.5)
    wanted = Recogniser.load(recorded_run.folder).recognise_file(path, timeline_seconds=0.5)
    assert found.warnings == wanted.warnings
    assert [m.silent for m in found.timeline] == [m.silent for m in wanted.timeline]
    for task, values in wanted.posteriors.items():
        assert found.posteriors[task] == pytest.approx(values, abs=5e-3)


@pytest.mark.parametrize("takes", ["spectrogram", "waveform"])
@pytest.mark.parametrize("kind", list(SUFFIXES))
def test_a_file_of_each_format_gives_the_runs_d_vector(exported, recorded_run, path, kind, takes):
    out, _ = exported(kind, takes)
    found, wanted = Voices.load(out, trust=True), Voices.load(recorded_run.folder)
    assert (found.identity, found.units) == (wanted.identity, wanted.units)
    assert found.threshold() is None
    vector = found.d_vector(path)
    assert cosine(vector, wanted.d_vector(path)) > 1 - 1e-4
    if takes == "spectrogram":
        np.testing.assert_allclose(vector, wanted.d_vector(path), rtol=0, atol=1e-5)
    # who does not ask for it gets the posteriors alone
    assert Recogniser.load(out, trust=True).recognise_file(path).d_vector is None


def test_a_quantised_file_gives_nearly_the_same_d_vector(recorded_run, tmp_path, path):
    export_run(recorded_run, Choice("onnx", "int8", tolerance=100.0), tmp_path / "m.onnx")
    found, wanted = Voices.load(tmp_path / "m.onnx"), Voices.load(recorded_run.folder)
    assert 0.98 < cosine(found.d_vector(path), wanted.d_vector(path)) < 1 - 1e-9


@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_a_waveform_survives_weights_of_half_precision(recorded_run, tmp_path, exported, kind):
    out = tmp_path / f"m{SUFFIXES[kind]}"
    scored = export_run(recorded_run, Choice(kind, "float16", "waveform"), out)
    assert scored.exported == scored.run
    assert scored.posterior_difference < 0.05
    whole, _ = exported(kind, "waveform")
    assert out.stat().st_size < 0.6 * whole.stat().st_size
    # nothing but zeros: the floor of the logarithm must hold in half precision too
    _, forward = load_exported(out)
    assert np.isfinite(forward(np.zeros((1, 8000), np.float32))["emotion"]).all()


def run_alone(code, *words, blocked):
    """Run a program that cannot import some packages."""
    block = "".join(f"sys.modules[{name!r}] = None\n" for name in blocked)
    command = [sys.executable, "-W", "ignore", "-c", f"import sys\n{block}{code}", *map(str, words)]
    return subprocess.run(command, check=True, timeout=300, capture_output=True, text=True)


@pytest.mark.parametrize("takes", ["spectrogram", "waveform"])
def test_a_keras_file_needs_nothing_but_keras(exported, path, tmp_path, takes):
    out, _ = exported("keras", takes)
    _, forward = load_exported(out, d_vector=True)
    signal = soundfile.read(path, dtype="float32")[0][None]
    segments = np.random.default_rng(0).normal(-50, 10, (3, 64, 32)).astype(np.float32)
    given = signal if takes == "waveform" else segments
    np.save(tmp_path / "given.npy", given)
    code = (
        "import keras, json, numpy\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "found = model(numpy.load(sys.argv[2]), training=False)\n"
        "print(json.dumps({task: values.numpy().tolist() for task, values in found.items()}))\n"
    )
    done = run_alone(code, out, tmp_path / "given.npy", blocked=["ser_aae"])
    for task, values in json.loads(done.stdout.splitlines()[-1]).items():
        np.testing.assert_allclose(values, forward(given)[task], atol=1e-6)


@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_these_files_run_without_tensorflow(exported, path, kind):
    out, _ = exported(kind)
    code = (
        "from ser_aae.inference.recogniser import Recogniser\n"
        "import json\n"
        "print(json.dumps(Recogniser.load(sys.argv[1]).recognise_file(sys.argv[2]).to_dict()))\n"
    )
    done = run_alone(
        f"sys.path.insert(0, {str(ROOT)!r})\n{code}", out, path, blocked=["tensorflow", "keras"]
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["posteriors"] == Recogniser.load(out).recognise_file(path).to_dict()["posteriors"]


@pytest.mark.parametrize(
    ("takes", "given", "found"),
    [("waveform", [1, "samples"], 1), ("spectrogram", ["batch", 64, 32], "batch")],
)
def test_the_axes_of_an_onnx_file_have_names(exported, takes, given, found):
    session = onnxruntime.InferenceSession(exported("onnx", takes)[0])
    assert [each.shape for each in session.get_inputs()] == [given]
    about = load_exported(exported("onnx", takes)[0])[0]
    shapes = {each.name: each.shape for each in session.get_outputs()}
    classes = {task: [found, len(names)] for task, names in about.classes.items()}
    assert shapes == {**classes, "d_vector": [found, about.voice.units]}


def test_an_onnx_file_runs_with_its_runtime_alone_as_the_documents_show(exported, path):
    out, _ = exported("onnx", "waveform")
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```python\n(import json\n\nimport onnxruntime.*?)```", text, re.DOTALL)
    for wanted, own in (("model.onnx", out), ("data/demo/wav/s1f/s1f-anger-01.wav", path)):
        assert shown.count(f'"{wanted}"') == 1
        shown = shown.replace(f'"{wanted}"', repr(str(own)))
    blocked = ["ser_aae", "tensorflow", "keras", "librosa", "onnx"]
    done = run_alone(f"{shown}\nprint(json.dumps(posteriors))", blocked=blocked)
    wanted = Recogniser.load(out).recognise_file(path).posteriors["emotion"]
    assert json.loads(done.stdout.splitlines()[-1]) == pytest.approx(wanted, abs=1e-5)


def test_the_signature_is_in_the_file(exported, recorded_run):
    signature, _ = load_exported(exported("onnx", "waveform")[0])
    assert signature.input == "waveform"
    assert signature.classes == read_signature(recorded_run.folder).classes


def spoil(monkeypatch):
    """Make every file give its posteriors to the next class."""

    def load(path, trust):
        signature, forward = load_exported(path, trust)
        return signature, lambda x: {k: np.roll(v, 1, axis=1) for k, v in forward(x).items()}

    monkeypatch.setattr(module, "load_exported", load)


def test_a_file_that_scores_otherwise_is_a_fault_and_not_kept(recorded_run, tmp_path, monkeypatch):
    spoil(monkeypatch)
    said = r"m\.keras: .* another class, .*preferred by 0\.\d+ at most; more than 0\.5 points apart"
    with pytest.raises(ExportError, match=said):
        export_run(recorded_run, Choice("keras"), tmp_path / "m.keras")
    assert not list(tmp_path.iterdir())


def test_a_quantised_file_that_scores_otherwise_is_the_users_to_mend(
    recorded_run, tmp_path, monkeypatch
):
    spoil(monkeypatch)
    choice = Choice("onnx", "float16")
    with pytest.raises(UserError, match="was not kept; choose --quantise none, or"):
        export_run(recorded_run, choice, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("quantise", ["none", "float16"])
def test_a_file_without_finite_posteriors_is_not_kept(
    recorded_run, tmp_path, monkeypatch, quantise
):
    """Weights over 65504 have no number of 16 bits; without quantisation the model is damaged."""

    def overflow(*given):
        model = build_segment_model(*given)
        model.set_weights([poison(each) for each in model.get_weights()])
        return model

    monkeypatch.setattr(module, "build_segment_model", overflow)
    said = {
        "none": r"m\.onnx: output \w+ is nan, expected a finite number",
        "float16": r"m\.onnx: with weights of fewer bits .* not kept; choose --quantise none",
    }
    with pytest.raises(UserError, match=said[quantise]) as raised:
        export_run(recorded_run, Choice("onnx", quantise), tmp_path / "m.onnx")
    assert "part-" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_it_is_told_how_near_the_run_was_to_saying_otherwise(recorded_run, tmp_path, monkeypatch):
    """Two utterances are tipped over: by how much the run preferred its class is known."""
    predictions = read_predictions(recorded_run.folder / "predictions.parquet")
    names = read_signature(recorded_run.folder).classes["emotion"]
    before = predictions[[f"p_{name}" for name in names]].to_numpy(np.float64)
    ranked = np.sort(before, axis=1)
    leads = ranked[:, -1] - ranked[:, -2]
    nearest = np.argsort(leads)[:2]
    after = before.copy()
    for row in nearest:
        first, second = np.argsort(-before[row])[:2]
        after[row, [first, second]] = before[row, [second, first]]
    monkeypatch.setattr(module, "_score_segments", lambda *_: after)
    choice = Choice("keras", tolerance=100.0)
    scored = export_run(recorded_run, choice, tmp_path / "m.keras")
    assert scored.moved == 2
    assert scored.lead == pytest.approx(leads[nearest].max())
    assert scored.posterior_difference == pytest.approx(leads[nearest].max())
    assert f"2 get another class, which the run had preferred by {scored.lead:.2g}" in scored.text


def test_what_differs_can_be_accepted(recorded_run, tmp_path, monkeypatch):
    spoil(monkeypatch)
    choice = Choice("keras", tolerance=100.0)
    scored = export_run(recorded_run, choice, tmp_path / "m.keras")
    assert scored.points < -50
    assert [each.name for each in tmp_path.iterdir()] == ["m.keras"]


def test_an_older_file_stays_where_the_new_one_fails(recorded_run, tmp_path, monkeypatch):
    spoil(monkeypatch)
    (tmp_path / "m.keras").write_text("older")
    with pytest.raises(ExportError):
        export_run(recorded_run, Choice("keras"), tmp_path / "m.keras")
    assert (tmp_path / "m.keras").read_text() == "older"


def test_what_a_killed_export_left_of_the_file_goes_with_the_next(recorded_run, tmp_path):
    for name in ("m.keras", "other.keras"):
        (tmp_path / f".4711.part-{name}").write_text("half")
    export_run(recorded_run, Choice("keras"), tmp_path / "m.keras")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".4711.part-other.keras", "m.keras"]


def test_a_file_that_another_process_writes_is_left_to_it(recorded_run, tmp_path):
    with (
        claim(tmp_path / "m.keras"),
        pytest.raises(UserError, match=rf"process {os.getpid()} .* writes .*m\.keras; wait"),
    ):
        export_run(recorded_run, Choice("keras"), tmp_path / "m.keras")


@pytest.mark.parametrize(
    ("choice", "name", "message"),
    [
        (Choice("tflite"), "m.tflite", r"--format: expected one of keras, .*got 'tflite'"),
        (Choice("onnx", "int4"), "m.onnx", "--quantise: expected one of none"),
        (Choice("onnx", takes="sound"), "m.onnx", "--input: expected one of spectrogram"),
        (Choice("keras", "int8"), "m.keras", "--quantise: goes with --format onnx or litert"),
        (Choice("onnx", "int8", "waveform"), "m.onnx", "spectrogram; .* choose float16"),
        (Choice("onnx"), "m.tflite", r"--out: expected a name that ends in \.onnx, got m\.tflite"),
        (Choice("saved-model"), "m.pb", "--out: expected a name without an ending"),
        (Choice("saved-model"), "there", "there is a folder already"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(recorded_run, tmp_path, choice, name, message):
    (tmp_path / "there").mkdir()
    with pytest.raises(UserError, match=message):
        export_run(recorded_run, choice, tmp_path / name)
    assert [each.name for each in tmp_path.iterdir()] == ["there"]


def test_a_detector_of_speech_stays_out_of_a_file_of_waveforms(recorded_run, tmp_path):
    run = shutil.copytree(recorded_run.folder, tmp_path / recorded_run.folder.name)
    content = read_unsealed(run / "config.json")
    content["frontend"]["speech_detector"] = "silero"
    write_unsealed(run / "config.json", content)
    with pytest.raises(UserError, match="energy, the run has silero; choose --input spectrogram"):
        export_run(
            replace(recorded_run, folder=run),
            Choice("onnx", takes="waveform"),
            tmp_path / "m.onnx",
        )
    assert not (tmp_path / "m.onnx").exists()


def test_other_data_than_the_runs_are_refused(recorded_run, tmp_path):
    utterances = speakers_of("tones")
    write_corpus(tmp_path / "store", utterances, sounds_of(utterances, 32))
    with pytest.raises(UserError, match=r"expected the data that .* was trained on"):
        export_run(
            replace(recorded_run, store=tmp_path / "store"), Choice("onnx"), tmp_path / "m.onnx"
        )


def test_a_corpus_for_verification_alone_is_not_asked_for(recorded_run, tmp_path):
    run = shutil.copytree(recorded_run.folder, tmp_path / recorded_run.folder.name)
    content = read_unsealed(run / "config.json")
    content["corpora"]["voices"] = "0123456789abcdef"
    write_unsealed(run / "config.json", content)
    scored = export_run(replace(recorded_run, folder=run), Choice("keras"), tmp_path / "m.keras")
    assert scored.exported == scored.run


def test_copies_that_an_earlier_run_was_scored_on_are_scored_again(recorded_run, monkeypatch):
    """Today a copy is left out of the test part; the run's predictions say who was in it then."""
    config = read_config(recorded_run.folder)
    data = assemble(config, recorded_run.store)
    fewer = replace(data.test, rows=data.test.rows[2:])
    monkeypatch.setattr(module, "assemble", lambda *_: replace(data, test=fewer))
    part = module._read_test_part(recorded_run.folder, config, recorded_run.store)
    np.testing.assert_array_equal(part.rows, data.test.rows)


def test_the_test_part_is_what_the_run_has_predictions_of(recorded_run, tmp_path):
    predictions = read_predictions(recorded_run.folder / "predictions.parquet")
    part = assemble(read_config(recorded_run.folder), recorded_run.store).test
    names = [item.utterance_id for item in part.utterances]
    # a run of before tested a copy that is left out now, and not what was left out then
    extra = next(item for item in part.corpus.utterances if item.utterance_id not in names)
    kept = predictions[predictions["utterance_id"] != names[0]]
    copy = predictions.iloc[[0]].assign(utterance_id=extra.utterance_id)
    write_predictions(tmp_path / "predictions.parquet", pd.concat([copy, kept]))

    found = module._name_test_part(part, tmp_path)
    assert {item.utterance_id for item in found.utterances} == {*names[1:], extra.utterance_id}
    assert list(found.rows) == sorted(found.rows)
    assert found.labels is part.labels
