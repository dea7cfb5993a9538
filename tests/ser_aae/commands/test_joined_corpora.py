"""Several corpora through the command line: synthetic recordings in two tables, one model."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data_prep.listing import write_listing
from reports.card import build_card
from reports.experiment_tables import corpora_table
from reports.summary import evaluate_all
from ser_aae.cli import build_parser, main
from ser_aae.commands.reproduce_setup import read_setup
from ser_aae.commands.starting import start_from
from ser_aae.config import RunConfig
from ser_aae.config.build import build_config
from ser_aae.config.fields import Given
from ser_aae.data.run_data import assemble
from ser_aae.experiments.artefacts import choose
from ser_aae.experiments.setup import setup_folder
from ser_aae.export.exporter import Choice, export
from ser_aae.files.atomic import read_json
from ser_aae.inference.run_model import load_trained
from ser_aae.results.evaluation import evaluate

pytestmark = pytest.mark.usefixtures("few_steps")

SMALL = (
    *("frontend.bins=32", "frontend.scale=linear", "data.segment_frames=64"),
    *("data.evaluation_shift_frames=32", "model.filters=4,4", "model.dense_units=16,16"),
    *("model.latent_channels=4", "training.batch_size=16", "data.labelled_rows=16"),
)
EMOTIONS = ("anger", "happiness", "sadness")

REAL = Path(__file__).resolve().parents[3] / "../shared/corpora"
COUNTS = {
    "ravdess": {"anger": 192, "happiness": 192, "sadness": 192},
    "urdu": {"anger": 100, "happiness": 100, "sadness": 100},
    "turev": {"anger": 487, "happiness": 357, "sadness": 483},
}
"""Utterances of each class in the published corpora."""


def write_table(folder, name, speakers, seed):
    """Write recordings of half a second, a tone for the emotion, and the table that lists them."""
    draw = np.random.default_rng(seed)
    lines = ["file,speaker,gender,emotion"]
    for speaker in range(speakers):
        for emotion in EMOTIONS:
            time_s = np.arange(8000) / 16000
            tone = np.sin(2 * np.pi * (500 + 900 * EMOTIONS.index(emotion)) * time_s)
            path = folder / f"{name}-{speaker}-{emotion}.wav"
            soundfile.write(path, 0.2 * tone + draw.normal(0, 0.02, 8000), 16000)
            lines.append(f"{path.name},{speaker},{'FM'[speaker % 2]},{emotion}")
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return f"csv:{folder / name}.csv"


def train(words, *more):
    settings = [word for setting in SMALL for word in ("--set", setting)]
    command = ["train", "--dataset", words, "--classes", ",".join(EMOTIONS), "--epochs", "1"]
    return main([*command, "--store", "store", "--runs", "runs", *settings, *map(str, more)])


@pytest.fixture(scope="module")
def real_store(tmp_path_factory):
    """Lists of three real corpora in a store, without their sound."""
    absent = [name for name in COUNTS if not (REAL / name).is_dir()]
    if absent:
        pytest.skip(f"no {', '.join(absent)} in {REAL}")
    store = tmp_path_factory.mktemp("real")
    for name in COUNTS:
        write_listing(name, REAL, store, RunConfig().frontend)
    return store


@pytest.fixture(scope="module")
def work(tmp_path_factory, recorded_run):
    """A folder with two tables, every corpus left out in turn, and a run that starts elsewhere."""
    folder = tmp_path_factory.mktemp("work")
    names = ",".join(
        [
            write_table(folder, "calls", 8, 0),
            write_table(folder, "films", 6, 1),
        ]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        left_out = ["--protocol", "leave-one-corpus-out", "--fold", "all", "--model", "cnn"]
        assert train(names, *left_out) == 0
        started = ["--start-from", recorded_run.folder, "--folds", 3]
        own = ["--set", "data.normalisation=corpus", "--set", "data.corpus_balance=even"]
        assert train(names, *started, *own) == 0
    return folder, names


def run_of(folder, protocol):
    (config,) = folder.glob(f"runs/*-{protocol}/*/fold00-rep00/config.json")
    return config.parent


def test_every_corpus_is_scored_and_their_mean(work):
    folder, _ = work
    first = run_of(folder, "leave-one-corpus-out")
    evaluation = evaluate(first.parent)
    (pooled,) = evaluation["repetitions"]
    assert pooled["complete"]
    corpora = pooled["by_corpus"]
    assert [name.split("-")[1] for name in corpora] == ["calls", "films"]
    assert [own["n"] for own in corpora.values()] == [24, 18]
    own = [each["unweighted_accuracy"] for each in corpora.values()]
    assert pooled["unweighted_accuracy_over_corpora"] == pytest.approx(np.mean(own))
    # a run of one tested corpus has the scores that it always had
    assert "by_corpus" not in read_json(first / "result.json")
    assert main(["evaluate", str(first.parent)]) == 0


def test_the_scores_of_each_corpus_are_told(work, capsys):
    folder, _ = work
    run = run_of(folder, "speaker-kfold")
    stored = read_json(run / "result.json")
    assert set(stored["by_corpus"]) == {*stored["corpora"]}
    assert main(["evaluate", str(run)]) == 0
    printed = capsys.readouterr().out
    assert "  mean of 2 corpora" in printed
    evaluations = evaluate_all(folder / "runs")
    for evaluation in evaluations.values():
        table = corpora_table(evaluation)
        assert len(table) == 3
        assert table.iloc[-1, 0].endswith("mean of the corpora")
    card = build_card(run, {})
    assert "Each corpus by itself:" in card
    assert "| mean of the corpora" in card
    assert "It starts from tones-emotion-mtl/" in card


def test_a_report_shows_each_corpus(work, monkeypatch):
    folder, _ = work
    monkeypatch.chdir(folder)
    assert main(["report", "--runs", "runs", "--out", "out"]) == 0
    page = Path("out/index.html").read_text(encoding="utf-8")
    assert "Each corpus" in page
    assert "mean of the corpora" in page
    assert "Stage 2 starts from tones" in page


def test_a_run_says_what_it_took_over(work):
    folder, _ = work
    run = run_of(folder, "speaker-kfold")
    assert "encoder 6 of 6 layers" in read_json(run / "result.json")["start"]["taken"]
    assert len(read_json(run / "normalisation.json")["start"]["speakers"]) == 6
    config = read_json(run / "config.json")
    assert (folder / "runs" / "starts" / config["training"]["start"] / "weights.npz").is_file()
    assert not (run / "pretraining.json").exists()


def test_a_file_of_a_run_with_levels_of_each_corpus_gives_what_the_run_gave(work, tmp_path):
    folder, _ = work
    run = run_of(folder, "speaker-kfold")
    _, normalisation = load_trained(run)
    assert set(normalisation.levels) == set(read_json(run / "result.json")["corpora"])
    out = tmp_path / "model.keras"
    rescored = export(run, Choice("keras"), out, folder / "store", dict)
    assert rescored.posterior_difference < 1e-4


def test_waveforms_do_not_say_of_which_corpus_they_are(work, tmp_path, refused):
    folder, _ = work
    said = refused(
        *("export", run_of(folder, "speaker-kfold"), "--format", "onnx", "--input", "waveform"),
        *("--out", tmp_path / "model.onnx", "--store", folder / "store"),
    )
    assert "expected spectrogram where data.normalisation is corpus" in said


def test_a_model_that_has_heard_the_test_speakers_is_no_start(work, monkeypatch, refused):
    folder, names = work
    monkeypatch.chdir(folder)
    settings = [word for setting in SMALL for word in ("--set", setting)]
    run = run_of(folder, "leave-one-corpus-out")
    said = refused(
        *("train", "--dataset", names, "--classes", ",".join(EMOTIONS), "--store", "store"),
        *("--runs", "runs", "--model", "cnn", "--start-from", run, *settings),
    )
    heard = "was trained on or selected by speakers of the validation or test part: csv-films-"
    assert heard in said
    # a plan of the same says so before anything is begun
    said = refused(
        *("train", "--dataset", names, "--classes", ",".join(EMOTIONS), "--store", "store"),
        *("--runs", "runs", "--model", "cnn", "--start-from", run, "--plan", *settings),
    )
    assert heard in said


def test_a_plan_writes_no_start(work, monkeypatch, capsys, tmp_path, recorded_run):
    folder, names = work
    monkeypatch.chdir(folder)
    runs = tmp_path / "runs"
    assert train(names, "--start-from", recorded_run.folder, "--runs", runs, "--plan") == 0
    assert "fold 0: training" in capsys.readouterr().out
    assert not runs.exists()


def test_all_cells_of_a_table_start_from_the_model(recorded_run):
    settings = [f"--set={each}" for each in SMALL[:4]]
    words = ["reproduce", "table-3", "--datasets", "demo", "--auxiliary", "none", *settings]
    arguments = build_parser().parse_args(words)
    setup = read_setup(arguments)
    base = start_from(setup.base, recorded_run.folder, None)
    started = replace(setup, base=base)
    assert setup_folder(Path(), started) != setup_folder(Path(), setup)
    cells = [cell for artefact in choose(["table-3"], started) for cell in artefact.cells]
    assert {cell.config.training.start for cell in cells} == {base.training.start}
    assert not any(cell.config.has_stage_one for cell in cells)
    assert len({cell.config.model.kind for cell in cells}) > 2


def test_a_table_is_of_one_corpus_each(refused):
    said = refused("reproduce", "table-3", "--set", "dataset=ravdess,urdu", "--plan")
    assert "name them with --datasets" in said


def test_folds_of_several_corpora_are_written_as_lists(work, monkeypatch, capsys):
    folder, names = work
    monkeypatch.chdir(folder)
    words = ["folds", "--dataset", names, "--classes", "all", "--protocol", "leave-one-corpus-out"]
    frontend = [f"--set=frontend.{key}" for key in ("bins=32", "scale=linear")]
    assert main([*words, "--out", "lists", "--store", "store", *frontend]) == 0
    first = [json.loads(line) for line in Path("lists/fold00.jsonl").read_text().splitlines()]
    assert {row["corpus"] for row in first if row["part"] == "test"} != {
        row["corpus"] for row in first if row["part"] == "train"
    }


@pytest.mark.parametrize("fold", range(3))
def test_real_corpora_are_left_out_in_turn(real_store, fold):
    """Counts are those of the published corpora; nothing is heard, headers alone are read."""
    config = build_config(
        flags=[Given("dataset", "ravdess,urdu,turev", "")],
        assignments=[
            "classes=anger,happiness,sadness",
            "protocol.name=leave-one-corpus-out",
            f"protocol.fold={fold}",
        ],
    )
    data = assemble(config, real_store)
    tested = ("ravdess", "urdu", "turev")[fold]
    assert Counter(item.emotion for item in data.test.utterances) == COUNTS[tested]
    assert {item.corpus for item in data.test.utterances} == {tested}
    others = {"ravdess", "urdu", "turev"} - {tested}
    assert {part.corpus.name for part in data.train} == others
    assert {item.corpus for item in data.validation.utterances} == others
    assert data.leakage["speaker_independent"]
    assert data.leakage["utterances"]["unused"] == 0
    parts = (*data.train, data.validation)
    assert sum(len(part.rows) for part in parts) == sum(
        count for corpus in others for count in COUNTS[corpus].values()
    )
