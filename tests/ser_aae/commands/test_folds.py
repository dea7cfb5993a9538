"""`ser-aae folds`, and training on what it wrote."""

import json
from dataclasses import replace

import pytest
from tiny import sounds_of, speakers_of, write_corpus

from ser_aae.cli import build_parser, main
from ser_aae.commands.run_config import read_config
from ser_aae.data.run_data import assemble, count_folds
from ser_aae.errors import UserError
from ser_aae.protocols.fold_lists import lists_digest

FRONT_END = ("--set", "frontend.bins=32", "--set", "frontend.scale=linear")


@pytest.fixture(autouse=True)
def corpora(monkeypatch, tiny_store):
    """Corpora are those of the tiny store."""
    monkeypatch.setenv("SER_AAE_STORE", str(tiny_store))


def run(*words):
    return main([*words, *FRONT_END])


def write(*words, out="lists"):
    assert run("folds", "--dataset", "tiny", "--out", out, *words) == 0


def config_of(*words):
    return read_config(build_parser().parse_args(["train", *words, *FRONT_END]))


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_file_a_fold_is_written_and_the_folder_told(capsys, tmp_path):
    write("--protocol", "speaker-kfold", "--folds", "4")
    names = sorted(path.name for path in (tmp_path / "lists").iterdir())
    assert names == [f"fold0{fold}.jsonl" for fold in range(4)]
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "lists"
    assert "32 (4 speakers)" in told[1]
    assert told[1].endswith("apart")
    assert len(told) == 6


def test_a_list_holds_the_part_of_every_utterance(tmp_path):
    write("--protocol", "loso-session")
    lines = lines_of(tmp_path / "lists" / "fold01.jsonl")
    assert len(lines) == len({line["utterance_id"] for line in lines}) == 64
    assert {line["speaker"] for line in lines if line["part"] == "test"} == {"tiny:02", "tiny:03"}
    assert lines[0]["file"].endswith(".wav")
    assert lines[0]["label"] in ("anger", "happiness", "neutral", "sadness")


def test_only_the_classes_asked_for_are_listed(tmp_path):
    write("--protocol", "loso", "--classes", "anger,sadness")
    assert {line["label"] for line in lines_of(tmp_path / "lists" / "fold00.jsonl")} == {
        "anger",
        "sadness",
    }


def test_training_reads_back_the_same_parts(tmp_path, tiny_store):
    write("--protocol", "loso")
    ours = config_of("--dataset", "tiny", "--protocol", "folds:lists", "--fold", "3")
    theirs = config_of("--dataset", "tiny", "--protocol", "loso", "--fold", "3")
    assert count_folds(ours, tiny_store) == 8
    one, two = (assemble(c, tiny_store) for c in (ours, theirs))
    for read, cut in zip(
        (*one.train, one.validation, one.test), (*two.train, two.validation, two.test), strict=True
    ):
        assert read.rows.tolist() == cut.rows.tolist()
    assert one.leakage["lists"]
    assert not two.leakage["lists"]


def test_speakers_are_drawn_as_training_draws_them(tmp_path, tiny_store):
    write("--protocol", "speaker-kfold", "--folds", "4")
    theirs = config_of("--dataset", "tiny", "--folds", "4", "--fold", "2")
    test = assemble(theirs, tiny_store).test
    lines = lines_of(tmp_path / "lists" / "fold02.jsonl")
    listed = {line["utterance_id"] for line in lines if line["part"] == "test"}
    assert listed == {item.utterance_id for item in test.utterances}


def test_lists_of_lists_are_the_same_lists(tmp_path):
    write("--protocol", "loso")
    write("--protocol", "folds:lists", out="again")
    assert lists_digest(tmp_path / "again") == lists_digest(tmp_path / "lists")


def test_the_folds_of_a_cross_corpus_run_name_both_corpora(tmp_path, tiny_store):
    write("--protocol", "cross-corpus", "--target", "foreign")
    lines = lines_of(tmp_path / "lists" / "fold00.jsonl")
    assert {line["corpus"] for line in lines if line["part"] == "train"} == {"tiny"}
    assert {line["corpus"] for line in lines if line["part"] == "test"} == {"foreign"}
    config = config_of("--dataset", "tiny", "--protocol", "folds:lists")
    with pytest.raises(UserError, match="not among the utterances of tiny"):
        assemble(config, tiny_store)


def test_the_config_names_folder_and_content_and_a_flag_replaces_both(tmp_path):
    write("--protocol", "loso")
    write("--protocol", "loso-session", out="others")
    config = config_of("--dataset", "tiny", "--protocol", "folds:lists")
    assert (config.protocol.name, config.protocol.directory) == ("folds", "lists")
    assert config.protocol.lists == lists_digest(tmp_path / "lists")
    (tmp_path / "run.json").write_text(json.dumps(config.to_dict()))
    assert config_of("--config", "run.json") == config
    other = config_of("--config", "run.json", "--protocol", "folds:others")
    assert other.protocol.lists == lists_digest(tmp_path / "others")
    assert other.digest() != config.digest()
    assert config_of("--config", "run.json", "--protocol", "loso").protocol.directory == ""


def test_changed_lists_are_noticed_by_a_config_that_named_them(tmp_path, capsys):
    write("--protocol", "loso")
    config = config_of("--dataset", "tiny", "--protocol", "folds:lists")
    (tmp_path / "run.json").write_text(json.dumps(config.to_dict()))
    path = tmp_path / "lists" / "fold00.jsonl"
    path.write_text(path.read_text().replace('"validation"', '"train"'))
    assert main(["train", "--config", "run.json"]) == 2
    assert "the lists were changed since the config was made" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--protocol", "folds:"), "expected a folder of lists, as in folds:DIR"),
        (("--protocol", "folds"), "expected a folder of lists, as in folds:DIR"),
        (("--protocol", "folds:nowhere"), "nowhere: expected a folder with lists"),
        (("--protocol", "fold:lists"), "--protocol: expected one of loso,"),
        (("--set", "protocol.directory=lists"), "speaker-kfold reads no lists"),
        (("--protocol", "folds:lists", "--folds", "3"), "--folds: goes with --protocol"),
    ],
)
def test_what_cannot_be_is_refused(capsys, words, message):
    assert run("train", "--dataset", "tiny", *words) == 2
    assert message in capsys.readouterr().err


def test_lists_of_two_protocols_do_not_mix(capsys, tmp_path):
    write("--protocol", "loso")
    before = lists_digest(tmp_path / "lists")
    assert run("folds", "--dataset", "tiny", "--protocol", "loso-session", "--out", "lists") == 2
    assert "found other files" in capsys.readouterr().err
    assert lists_digest(tmp_path / "lists") == before


def test_folds_that_would_leak_are_not_written(capsys, tmp_path, monkeypatch):
    """The last speaker has an utterance in the first session too."""
    utterances = speakers_of("guests")
    guest = replace(utterances[-1], utterance_id="guest", path="guest.wav", session="Session1")
    utterances.append(guest)
    write_corpus(tmp_path / "store", utterances, sounds_of(utterances, 32))
    monkeypatch.setenv("SER_AAE_STORE", str(tmp_path / "store"))
    words = ("--dataset", "guests", "--protocol", "loso-session", "--out", "lists")
    assert run("folds", *words) == 2
    assert "share speakers: guests:07" in capsys.readouterr().err
    assert not (tmp_path / "lists").exists()


def test_help_tells_both_commands_of_lists(capsys):
    for command, words in (("folds", "--out DIR"), ("train", "folds:DIR")):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert words in " ".join(capsys.readouterr().out.split())
