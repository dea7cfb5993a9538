"""The steps that all adapters share."""

import json
import os
from pathlib import Path

import pytest

from data_prep.corpus import (
    NOT_UTF8,
    SAME_NAME,
    build_corpus,
    check_counts,
    collect_utterances,
    describe_dropped,
    files_below,
    printable,
    read_label_file,
    unique_by_stem,
)
from ser_aae.errors import UserError
from ser_aae.utterance import Dropped, Utterance


def utterance(name, speaker="x:1", emotion="anger"):
    return Utterance("x", name, f"{name}.wav", speaker, "F", emotion, emotion)


def touch(root, *files):
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def test_corpus_is_sorted_and_counted():
    corpus = build_corpus(
        "root", [utterance("b", "x:2"), utterance("a"), utterance("c", emotion="")],
        [Dropped("z", "reason"), Dropped("y", "reason")],
    )  # fmt: skip

    assert [item.utterance_id for item in corpus.utterances] == ["a", "b", "c"]
    assert [item.where for item in corpus.dropped] == ["y", "z"]
    assert corpus.counts == {"utterances": 3, "speakers": 2, "utterances of anger": 2}


def test_unknown_labels_are_listed_once_and_no_label_is_none():
    corpus = build_corpus(
        "root",
        [utterance("a", emotion=word) for word in ("puzzled", "anger", "", "puzzled", "awe")],
    )

    assert corpus.unknown_labels == ("awe", "puzzled")


def test_equal_counts_pass_and_others_are_listed(tmp_path):
    utterances = [utterance("a"), utterance("b")]
    check_counts("x", build_corpus(tmp_path, utterances, (), {"utterances": 2, "speakers": 1}))

    expected = {"utterances": 3, "speakers": 1, "utterances of awe": 1}
    with pytest.raises(UserError) as caught:
        check_counts("x", build_corpus(tmp_path, utterances, (), expected))

    assert "utterances: expected 3, found 2" in str(caught.value)
    assert "utterances of awe: expected 1, found 0" in str(caught.value)
    assert "speakers" not in str(caught.value)


def test_counts_that_differ_are_told_with_what_was_dropped(tmp_path):
    dropped = [Dropped("y", "no label"), Dropped("z", "no label"), Dropped("y", "too odd")]
    corpus = build_corpus(tmp_path, [utterance("a")], dropped, {"utterances": 4})

    with pytest.raises(UserError) as caught:
        check_counts("x", corpus)

    assert "found 1\n  dropped 2: no label: y, z\n  dropped 1: too odd: y\n" in str(caught.value)


def test_reasons_that_differ_in_numbers_alone_are_one():
    cut = [Dropped(f"{n}.mp3", f"the header promises {n}e+3 samples, holds 7.5") for n in range(5)]

    assert describe_dropped([*cut, Dropped("a.ogg", "page 4 is damaged")]) == [
        "dropped 1: page 4 is damaged: a.ogg",
        "dropped 5: the header promises N samples, holds N: 0.mp3, 1.mp3, 2.mp3 ...",
    ]


def test_names_that_are_no_utf_8_are_dropped_and_printable():
    odd = os.fsdecode(b"f\xfcr/a.wav")
    named = Utterance("x", "a", odd, "x:1", "F", "anger", "anger")

    corpus = build_corpus("root", [named, utterance("b")], [Dropped(odd + ":3", "a reason")])

    assert [item.utterance_id for item in corpus.utterances] == ["b"]
    assert corpus.counts["utterances"] == 1
    assert corpus.dropped == (
        Dropped("f\\xfcr/a.wav", NOT_UTF8), Dropped("f\\xfcr/a.wav:3", "a reason")
    )  # fmt: skip
    json.dumps([item.where for item in corpus.dropped], ensure_ascii=False).encode()


@pytest.mark.parametrize("text", ["für/a.wav", "数据", "e\u0301", "a\\xfc", ""])
def test_whatever_is_utf_8_stays_as_it_is(text):
    assert printable(text) == text


def test_files_are_sorted_and_hidden_ones_passed_over(tmp_path):
    touch(tmp_path, "b/2.WAV", "b/1.wav", "a.flac", "c.txt", "b/._1.wav", ".trash/3.wav")

    assert [path.as_posix() for path in files_below(tmp_path, (".wav", ".flac"))] == [
        "a.flac", "b/1.wav", "b/2.WAV",
    ]  # fmt: skip


def test_a_folder_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    touch(tmp_path, "a/1.wav", "b/2.wav")
    scan = os.scandir

    def guarded(path):
        if os.path.basename(path) == "b":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(
        UserError, match=r"the folder cannot be read \(Permission denied\)"
    ) as caught:
        files_below(tmp_path, (".wav",))

    assert str(caught.value).startswith(f"{tmp_path / 'b'}: ")


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    touch(tmp_path, "file")

    assert files_below(tmp_path / "nowhere", (".wav",)) == []
    assert files_below(tmp_path / "file", (".wav",)) == []


def test_what_has_the_name_of_a_file_and_is_none_is_listed(tmp_path):
    (tmp_path / "empty.wav").mkdir()
    touch(tmp_path, "full.wav/1.wav", "hidden.wav/.DS_Store", "other/3.txt")
    (tmp_path / "circle.wav").symlink_to(tmp_path / "circle.wav")
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere")

    assert [path.as_posix() for path in files_below(tmp_path, (".wav",))] == [
        "circle.wav", "empty.wav", "full.wav/1.wav", "gone.wav", "hidden.wav",
    ]  # fmt: skip
    (tmp_path / "corpus.wav").mkdir()
    assert files_below(tmp_path / "corpus.wav", (".wav",)) == []


@pytest.mark.parametrize("kind", ["folder", "circle", "gone"])
def test_labels_that_are_no_file_are_told(tmp_path, kind):
    path = tmp_path / "labels.txt"
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path if kind == "circle" else tmp_path / "nowhere")

    said = {
        "folder": "expected a file, Is a directory; fetch it again",
        "gone": "expected a file, No such file or directory; fetch it again",
        "circle": "symbolic links lead in a circle; mend them",
    }
    with pytest.raises(UserError, match=rf"labels\.txt: {said[kind]}"):
        read_label_file(path)


def test_links_to_folders_are_followed_but_not_for_ever(tmp_path):
    touch(tmp_path, "elsewhere/1.wav", "corpus/2.wav")
    (tmp_path / "corpus" / "disk").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "corpus" / "loop").symlink_to(tmp_path / "corpus")

    files = files_below(tmp_path / "corpus", (".wav",))

    assert [path.as_posix() for path in files] == ["2.wav", "disk/1.wav"]


def test_of_equal_stems_the_least_deep_is_kept(tmp_path):
    touch(tmp_path, "copy/deep/1.wav", "copy/1.WAV", "copy/2.wav")

    kept, dropped = unique_by_stem(files_below(tmp_path, (".wav",)))

    assert [path.as_posix() for path in kept] == ["copy/1.WAV", "copy/2.wav"]
    assert [item.where for item in dropped] == ["copy/deep/1.wav"]


def utterance_or_reason(path):
    """Take the letters of a name for an utterance's id; a name of digits is none."""
    return "no name" if path.stem.isdecimal() else utterance(path.stem.lower().strip("_"))


@pytest.mark.parametrize(
    ("duplicate", "kept", "dropped"),
    [
        (None, ["a", "b"], {"x/a.wav": SAME_NAME, "_b.wav": SAME_NAME, "x/1.wav": SAME_NAME}),
        ("again", ["a", "b"], {"x/a.wav": "again", "_b.wav": "again", "x/1.wav": "no name"}),
    ],
)
def test_files_become_utterances_or_are_dropped_with_a_reason(duplicate, kept, dropped):
    paths = map(Path, ("x/a.wav", "x/1.wav", "_b.wav", "a.wav", "B.wav", "1.wav"))

    utterances, excluded = collect_utterances(paths, utterance_or_reason, duplicate)

    assert sorted(item.utterance_id for item in utterances) == kept
    assert {item.where: item.reason for item in excluded} == dropped | {"1.wav": "no name"}
    assert len(excluded) == 4
