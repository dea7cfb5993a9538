"""The report of experiments: pages, tables, pictures, and what is missing in them."""

import errno
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from answers import predictions

from data_prep.corpora import known_facts
from reports.build import Wishes, build_report
from reports.experiment_tables import choices_table
from reports.own_files import staged
from ser_aae.config import ModelConfig, ProtocolConfig, RunConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import append_jsonl, read_json, write_json
from ser_aae.results.folder import run_folder
from ser_aae.results.predictions import score, write_predictions

CLASSES = ("anger", "neutral")
NASTY = "<script>alert('x')</script> & \"quotes\""
LEAKAGE = {
    "speaker_independent": True,
    "folds": 3,
    "utterances": {"train": 16, "validation": 16, "test": 16, "unused": 0, "auxiliary": 0},
    "speakers": {"train": 2, "validation": 2, "test": 2, "auxiliary": 0},
    "shared_speakers": {"train-test": []},
    "shared_utterances": 0,
    "shared_files": 0,
}


def leave_run(runs, fold, seed=0, config=None, examples=False, history=True, **result):
    config = config or RunConfig()
    config = replace(config, seed=seed, protocol=replace(config.protocol, fold=fold, folds=3))
    folder = run_folder(runs, config)
    generator = np.random.default_rng([fold, seed])
    truth = [*CLASSES] * 8
    answers = [name if generator.random() < 0.8 else CLASSES[0] for name in truth]
    names = [f"u{fold}-{row}" for row in range(16)]
    speakers = [f"s{fold}{row // 8}" for row in range(16)]
    told = {"utterance_id": names, "speaker": speakers, "corpus": config.dataset}
    frame = predictions(truth, answers, CLASSES, **told)
    write_json(folder / "config.json", config.to_dict())
    for epoch in range(3 * history):
        rates = {"all": 1e-3}
        train = {"reconstruction_loss": 1 / (epoch + 1)}
        row = {"stage": 2, "epoch": epoch, "learning_rates": rates, "train": train}
        append_jsonl(folder / "epochs.jsonl", row)
    if examples:
        image = generator.normal(size=(8, 12))
        np.savez(
            folder / "examples.npz",
            segment=image,
            reconstruction=image,
            latent_2d=generator.normal(size=(16, 2)),
            latent_class=np.array(truth),
            latent_gender=np.array(["F", "M"] * 8),
            latent_speaker=np.array(["s1", "s2"] * 8),
        )
    write_predictions(folder / "predictions.parquet", frame)
    write_json(folder / "result.json", score(frame, CLASSES) | result)
    return folder


class Reader(HTMLParser):
    """Collects what a browser would fetch, run or leave open."""

    def __init__(self):
        super().__init__()
        self.open, self.sources, self.tags, self.text = [], [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read_page(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert not reader.open
    return reader, " ".join("".join(reader.text).split())


@pytest.fixture
def runs(tmp_path):
    for fold in range(3):
        leave_run(
            tmp_path / "runs",
            fold,
            examples=fold == 1,
            leakage=LEAKAGE,
            validation_unweighted_accuracy=0.625,
            best_epoch=2,
            epochs=3,
            seconds=12.3,
            adversary={
                "state": "dead" if fold == 2 else "alive",
                "warning": f"stuck in fold {fold}" if fold == 2 else None,
            },
            corpora={"demo": "abcd1234"},
            warnings=[NASTY, "stuck in fold 2"][:fold],
        )
    return tmp_path / "runs"


def test_a_report_is_one_page_that_fetches_nothing(runs, tmp_path):
    out = tmp_path / "out"
    written = build_report(runs, out, corpora=known_facts())
    assert written[0] == out / "index.html"
    assert sorted(written) == sorted(out.iterdir())
    kinds = sorted(path.name.split("-")[-1] for path in written if path.suffix == ".png")
    assert kinds == ["confusion.png", "curves.png", "segment.png", "space.png"]
    reader, _ = read_page(out / "index.html")
    within = [source for source in reader.sources if source.startswith("#")]
    inlined = [source for source in reader.sources if source.startswith("data:image/png;base64,")]
    assert len(inlined) == 4
    assert len(within) + len(inlined) == len(reader.sources)
    assert all(f'id="{source[1:]}"' in (out / "index.html").read_text() for source in within)
    assert not reader.tags & {"script", "link", "iframe"}
    assert "url(" not in (out / "index.html").read_text()


def test_the_page_says_what_a_reader_must_know(runs, tmp_path):
    folder = next(runs.glob("*/*"))
    _, text = read_page(build_report(runs, tmp_path / "out", corpora=known_facts())[0])
    for needed in (
        "synthetic",
        "no person spoke",
        "speaker-kfold",
        "speaker-independent",
        "over 1 complete repetition, folds pooled",
        "knowing only the speaker",
        "The adversary is dead in 1 of 3 runs: fold02-rep00 (dead)",
        "Leakage check of 3 runs: train, validation and test share no speaker and no utterance",
        "62.5",
        f"ser-aae evaluate {folder}",
        "abcd1234",
        "and 2 more: made before digests of weights were kept: not checked.",
    ):
        assert needed in text, needed
    assert text.count("made before digests of weights") == 1
    # the run's own wording is summed up, not repeated
    assert "stuck in fold 2" not in text


def test_everything_is_escaped(runs, tmp_path):
    out = tmp_path / "out"
    page = build_report(runs, out, corpora=known_facts())[0].read_text()
    assert NASTY not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;quotes&quot;" in page
    _, text = read_page(out / "index.html")
    assert f"{NASTY} (2 of 3 runs)" in text


def test_a_report_of_the_same_runs_has_the_same_bytes(runs, tmp_path):
    first = {
        path.name: path.read_bytes()
        for path in build_report(runs, tmp_path / "a", corpora=known_facts())
    }
    second = {
        path.name: path.read_bytes()
        for path in build_report(runs, tmp_path / "b", corpora=known_facts())
    }
    assert first == second


def test_figures_are_the_recomputed_ones(runs, tmp_path):
    build_report(runs, tmp_path / "out", corpora=known_facts())
    table = pd.read_csv(tmp_path / "out" / "results.csv")
    stored = [read_json(path)["macro_f1"] for path in sorted(runs.rglob("result.json"))]
    assert table["macro_f1"].tolist() == pytest.approx(stored)
    markdown = (tmp_path / "out" / "results.md").read_text()
    for value in stored:
        assert f" {100 * value:.1f} |" in markdown


def test_an_altered_run_spoils_the_report_and_nothing_is_written(runs, tmp_path):
    path = next(runs.rglob("result.json"))
    write_json(path, read_json(path) | {"unweighted_accuracy": 0.99})
    with pytest.raises(UserError, match="unweighted_accuracy"):
        build_report(runs, tmp_path / "out", corpora=known_facts())
    assert not (tmp_path / "out").exists()


def test_missing_runs_come_with_their_command(tmp_path):
    runs = tmp_path / "my runs"
    folder = leave_run(runs, 1, history=False)
    write_json(folder.with_name("fold02-rep00") / "config.json", {})
    _, text = read_page(build_report(runs, tmp_path / "out", corpora=known_facts())[0])
    config = folder / "config.json"
    for fold in (0, 2):
        expected = f"ser-aae train --config '{config}' --set protocol.fold={fold} --set seed=0"
        assert expected in text
    assert "1 of 3 folds: not yet a result" in text
    assert "fold01-rep00 has no examples.npz" in text
    assert "fold01-rep00 has no epochs.jsonl" in text
    assert "1 of 1 run wrote none" in text
    assert "speaker independence unknown" in text


def test_each_experiment_has_a_section(runs, tmp_path):
    config = RunConfig(dataset="ravdess", model=ModelConfig(kind="ae"))
    shared = {"speaker_independent": False, "shared_speakers": {"train-test": ["s00"]}}
    leave_run(runs, 0, config=config, leakage=LEAKAGE | shared)
    reader, text = read_page(build_report(runs, tmp_path / "out", corpora=known_facts())[0])
    assert "RAVDESS, four emotions, AE, 3 folds of speakers" in text
    assert "Speaker-dependent: test speakers were trained on (1 of 1 run)." in text
    assert text.count("no person spoke") == 1
    assert len([each for each in reader.sources if each.startswith("data:")]) == 6


def test_a_corpus_that_is_told_by_its_speakers_is_marked(tmp_path):
    folder = leave_run(tmp_path / "runs", 0)
    frame = pd.read_parquet(folder / "predictions.parquet")
    frame["speaker"] = "of " + frame["truth"]
    write_predictions(folder / "predictions.parquet", frame)
    write_json(folder / "result.json", score(frame, CLASSES))
    _, text = read_page(build_report(tmp_path / "runs", tmp_path / "out", corpora=known_facts())[0])
    assert "knows only the speaker scores as well or better" in text


@pytest.mark.parametrize(
    "content", [b"", b"no archive", b"PK\x03\x04 cut short", b"\x93NUMPY\x01\x00"]
)
def test_damaged_examples_are_named(runs, tmp_path, content):
    path = next(runs.rglob("examples.npz"))
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"examples\.npz: damaged"):
        build_report(runs, tmp_path / "out", corpora=known_facts())
    assert not (tmp_path / "out").exists()


def test_two_reports_at_once_do_not_disturb_each_other(runs, tmp_path):
    out = tmp_path / "report"
    with staged(out) as folder:
        (folder / "page").touch()
        with pytest.raises(
            UserError, match=r"report: process \d+ on .* writes a report there; wait"
        ):
            build_report(runs, out, corpora=known_facts())
        assert (folder / "page").is_file()
    assert not out.exists()


def test_a_file_system_without_locks_takes_a_report_all_the_same(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("ser_aae.files.locks.FileLock.acquire", refuse)
    with staged(tmp_path / "report") as folder:
        (tmp_path / "report" / "index.html").touch()
    assert not folder.exists()


def test_a_refused_report_leaves_an_earlier_one_as_it_was(runs, tmp_path):
    out = tmp_path / "new" / "out"
    build_report(runs, out, corpora=known_facts())
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    next(runs.rglob("examples.npz")).write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"examples\.npz: damaged"):
        build_report(runs, out, corpora=known_facts(), wishes=Wishes(latex=True))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_folder_in_the_place_of_a_file_is_told_before_anything_is_moved(runs, tmp_path):
    out = tmp_path / "out"
    (out / "results.md").mkdir(parents=True)
    with pytest.raises(UserError, match=r"results\.md: expected a file, found a folder"):
        build_report(runs, out, corpora=known_facts())
    assert [path.name for path in out.iterdir()] == ["results.md"]


def test_a_copied_experiment_counts_once_and_is_told(runs, tmp_path, capsys):
    out = tmp_path / "out"
    build_report(runs, out, corpora=known_facts())
    once = pd.read_csv(out / "results.csv")
    experiment = next(runs.rglob("result.json")).parent.parent
    copy = shutil.copytree(experiment, experiment.with_name("Backup-of-It"))
    _, text = read_page(build_report(runs, out, corpora=known_facts())[0])
    assert pd.read_csv(out / "results.csv").equals(once)
    told = f"eft out {copy}: a copy of {experiment}, whose runs would count twice"
    assert f"L{told}." in text
    assert f"warning: l{told}" in capsys.readouterr().err


def test_no_runs_is_an_error_that_says_what_to_run(tmp_path):
    (tmp_path / "file").touch()
    for name, found in (("none", "nothing"), ("file", "a file")):
        with pytest.raises(UserError, match=f"{name}: expected a folder of runs, found {found}; "):
            build_report(tmp_path / name, tmp_path / "out", corpora=known_facts())
    with pytest.raises(UserError, match="found 0 begun and none complete; run: ser-aae train"):
        build_report(tmp_path, tmp_path / "out", corpora=known_facts())
    write_json(run_folder(tmp_path, RunConfig()) / "config.json", {})
    with pytest.raises(UserError, match="found 1 begun"):
        build_report(tmp_path, tmp_path / "out", corpora=known_facts())
    assert not (tmp_path / "out").exists()


def test_choices_carry_their_source_and_mark_what_departs():
    config = RunConfig(model=ModelConfig(alpha=0.9), protocol=ProtocolConfig(fold=2))
    table = choices_table(config.to_dict()).set_index("choice")
    assert table.loc["model.alpha"].tolist()[:5] == ["0.9", "*", "0.4", "0.4", "Sec. 5.1"]
    assert table.loc["model.dropout", "departs"] == ""
    assert table.loc["model.latent", "paper"] == "relu"
    assert table.loc["model.latent", "source"] == "chosen here"
    assert (table["departs"] == "*").sum() == 1
    assert "protocol.fold" not in table.index
    assert table["meaning"].str.len().min() > 0


def test_choices_of_an_older_run_are_those_it_has():
    plain = RunConfig().to_dict()
    del plain["model"]["dropout"]
    plain["model"]["no_longer_known"] = 1
    names = set(choices_table(plain)["choice"])
    assert not names & {"model.dropout", "model.no_longer_known"}
    assert "model.alpha" in names


def test_colours_of_text_and_page_are_dark_on_white(runs, tmp_path):
    page = build_report(runs, tmp_path / "out", corpora=known_facts())[0].read_text()
    assert re.search(r"body \{[^}]*background: #fff; color: #1a1a1a", page)
    assert '<meta name="viewport"' in page
