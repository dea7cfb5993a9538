"""Lists of folds as files: what is written, found and read."""

import json
import shutil

import pytest
from tiny import speak

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.protocols.fold_lists import (
    find_lists,
    format_list,
    lists_digest,
    read_list,
    write_lists,
)
from ser_aae.protocols.leakage import Split
from ser_aae.protocols.splits import make_split

TEXTS = ("a\n", "b\n", "c\n")


def emobox(folder, fold=1, parts=("train", "test"), name="demo"):
    place = folder / f"fold_{fold}"
    place.mkdir(parents=True)
    for part in parts:
        line = {"key": f"{name}-{part}{fold}", "dataset": name, "wav": f"x/{part}.wav", "emo": "A"}
        (place / f"{name}_{part}_fold_{fold}.jsonl").write_text(json.dumps(line) + "\n")
    return place


def test_a_list_says_of_each_utterance_where_it_stands_and_what_it_is():
    utterances = [speak("ä", number, emotion="anger") for number in range(4)]
    text = format_list(Split((1, 2), (0,), (3,), speaker_independent=False), utterances)
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["part"] for line in lines] == ["train", "train", "validation", "test"]
    assert lines[0] == {
        "part": "train",
        "corpus": "demo",
        "utterance_id": "ä-1",
        "file": "wav/ä/1.wav",
        "speaker": "demo:ä",
        "label": "anger",
    }
    assert text.endswith("}\n")
    assert "ä" in text  # for people to read


def test_what_is_written_is_read_line_by_line(tmp_path):
    utterances = [speak(name, number, emotion="anger") for name in range(6) for number in range(2)]
    split = make_split(utterances, ProtocolConfig(folds=3), 0)
    write_lists(tmp_path / "lists", [format_list(split, utterances)])
    entries = list(read_list(tmp_path / "lists" / "fold00.jsonl", "all"))
    assert len(entries) == 12
    for part in ("train", "validation", "test"):
        wanted = [utterances[row].utterance_id for row in getattr(split, part)]
        assert [entry.names[0] for entry in entries if entry.part == part] == wanted
    assert entries[3].where == f"{tmp_path / 'lists' / 'fold00.jsonl'}:4"


def test_lists_are_named_by_their_fold(tmp_path):
    write_lists(tmp_path / "deep" / "lists", [f"{fold}\n" for fold in range(12)])
    names = sorted(path.name for path in (tmp_path / "deep" / "lists").iterdir())
    assert names == [f"fold{fold:02d}.jsonl" for fold in range(12)]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["lists"]


def test_an_empty_folder_is_filled_and_the_same_lists_are_left_alone(tmp_path):
    (tmp_path / "lists").mkdir()
    write_lists(tmp_path / "lists", TEXTS)
    written = (tmp_path / "lists" / "fold00.jsonl").stat().st_mtime_ns
    write_lists(tmp_path / "lists", TEXTS)
    assert (tmp_path / "lists" / "fold00.jsonl").stat().st_mtime_ns == written


@pytest.mark.parametrize("texts", [TEXTS[:2], (*TEXTS, "d\n"), ("a\n", "b\n", "x\n")])
def test_other_lists_are_neither_replaced_nor_mixed_in(tmp_path, texts):
    write_lists(tmp_path / "lists", TEXTS)
    with pytest.raises(UserError, match="found other files"):
        write_lists(tmp_path / "lists", texts)
    left = [path.read_text() for path in sorted((tmp_path / "lists").iterdir())]
    assert tuple(left) == TEXTS


def test_nothing_is_left_where_writing_failed(tmp_path, monkeypatch):
    def full(_source, _goal):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ser_aae.files.atomic.os.replace", full)
    with pytest.raises(OSError, match="No space"):
        write_lists(tmp_path / "lists", TEXTS)
    assert not list(tmp_path.iterdir())


def test_the_digest_names_the_content_and_not_the_place(tmp_path):
    write_lists(tmp_path / "one", TEXTS)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    first = lists_digest(tmp_path / "one")
    assert len(first) == 16
    assert lists_digest(tmp_path / "two") == first
    (tmp_path / "two" / "fold01.jsonl").write_text("other\n")
    assert lists_digest(tmp_path / "two") != first
    # two folds exchanged are other folds
    for name, text in (("fold01.jsonl", "a\n"), ("fold00.jsonl", "b\n")):
        (tmp_path / "one" / name).write_text(text)
    assert lists_digest(tmp_path / "one") != first


def test_a_file_that_is_no_list_changes_nothing(tmp_path):
    write_lists(tmp_path / "lists", TEXTS)
    before = lists_digest(tmp_path / "lists")
    (tmp_path / "lists" / "README.md").write_text("what these are")
    assert lists_digest(tmp_path / "lists") == before


def test_emoboxs_folders_are_found_in_the_order_of_their_numbers(tmp_path):
    for fold in range(1, 12):
        emobox(tmp_path, fold)
    (tmp_path / "demo.jsonl").write_text("")
    (tmp_path / "label_map.json").write_text("{}")
    # one corpus there has a second spelling beside the first
    (tmp_path / "fold_2" / "demo_train_fold2.jsonl").write_text("")
    found = find_lists(tmp_path)
    assert list(found) == list(range(1, 12))
    assert set(found[2]) == {"train", "test"}
    assert found[10]["test"].name == "demo_test_fold_10.jsonl"


def test_emoboxs_own_validation_part_is_one(tmp_path):
    emobox(tmp_path, 1, ("train", "test", "valid"))
    assert set(find_lists(tmp_path)[1]) == {"train", "validation", "test"}


def test_a_line_of_emobox_is_known_by_recording_and_by_key(tmp_path):
    place = emobox(tmp_path)
    (entry,) = read_list(place / "demo_test_fold_1.jsonl", "test")
    assert entry.part == "test"
    assert entry.names == ("test", "test1", "demo-test1")
    assert entry.label == "A"


def test_where_nothing_is_that_could_be_read(tmp_path):
    with pytest.raises(UserError, match="expected a folder with lists of folds"):
        find_lists(tmp_path / "nowhere")
    with pytest.raises(UserError, match="found neither"):
        find_lists(tmp_path)
    (tmp_path / "fold00.jsonl").write_text("")
    emobox(tmp_path)
    with pytest.raises(UserError, match="found both"):
        find_lists(tmp_path)


@pytest.mark.parametrize("folds", [(0, 2), (2, 3), (1, 2, 4)])
def test_a_missing_fold_is_noticed(tmp_path, folds):
    for fold in folds:
        (tmp_path / f"fold{fold:02d}.jsonl").write_text("")
    with pytest.raises(UserError, match=f"without a gap, found {folds[0]}, {folds[1]}"):
        find_lists(tmp_path)


@pytest.mark.parametrize("absent", ["train", "test"])
def test_a_fold_of_emobox_has_both_parts(tmp_path, absent):
    emobox(tmp_path, 1, [part for part in ("train", "test") if part != absent])
    with pytest.raises(UserError, match=f"found none with `{absent}`"):
        find_lists(tmp_path)


def test_two_corpora_in_one_folder_are_refused(tmp_path):
    place = emobox(tmp_path)
    shutil.copy(place / "demo_test_fold_1.jsonl", place / "other_test_fold_1.jsonl")
    with pytest.raises(UserError, match="a second list beside demo_test"):
        find_lists(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object with part, utterance_id, label"),
        ('{"part": "test", "utterance_id": "a"}', "expected an object"),
        ('{"part": "test", "utterance_id": "a", "label": 1}', "expected an object"),
        ('{"part": "dev", "utterance_id": "a", "label": ""}', "one of train, validation, test"),
    ],
)
def test_a_line_that_is_none_is_told_with_its_number(tmp_path, line, message):
    good = '{"part": "test", "utterance_id": "a", "label": ""}'
    (tmp_path / "fold00.jsonl").write_text(f"{good}\n\n{line}\n")
    with pytest.raises(UserError, match=rf"fold00\.jsonl:3: .*{message}"):
        list(read_list(tmp_path / "fold00.jsonl", "all"))


def test_a_line_of_emobox_without_its_emotion_is_told(tmp_path):
    place = emobox(tmp_path)
    (place / "demo_test_fold_1.jsonl").write_text('{"key": "a", "wav": "a.wav"}\n')
    with pytest.raises(UserError, match=r"jsonl:1: .* key, wav, emo"):
        list(read_list(place / "demo_test_fold_1.jsonl", "test"))
