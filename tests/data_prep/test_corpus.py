"""The steps that all adapters share."""

import pytest

from data_prep.corpus import build_corpus, check_counts, files_below, unique_by_stem
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


def test_files_are_sorted_and_hidden_ones_passed_over(tmp_path):
    touch(tmp_path, "b/2.WAV", "b/1.wav", "a.flac", "c.txt", "b/._1.wav", ".trash/3.wav")

    assert [path.as_posix() for path in files_below(tmp_path, (".wav", ".flac"))] == [
        "a.flac", "b/1.wav", "b/2.WAV",
    ]  # fmt: skip


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
