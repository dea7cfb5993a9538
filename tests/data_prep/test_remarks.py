"""Recordings that are read though something is not as it should be: told by every command."""

import pytest

from data_prep.build import prepare
from data_prep.corpus_check import check_corpus
from data_prep.workers import END_SLACK_S, seconds_past_end
from ser_aae.config import FrontEndConfig
from ser_aae.frontend.wav import NO_LENGTH
from ser_aae.store.corpus import load_corpus
from ser_aae.utterance import Utterance

TIMES = "file,speaker,gender,emotion,start,end"


def messages_of(dataset, tmp_path, **options):
    return prepare(dataset, tmp_path, tmp_path / "store", FrontEndConfig(), **options).messages


def test_a_header_that_lies_is_told_and_the_sound_is_the_same(table, tmp_path):
    dataset = table("a.wav,anna,f,anger", "b.wav,ben,m,anger")
    content = (tmp_path / "b.wav").read_bytes()
    at = content.index(b"data") + 4
    (tmp_path / "b.wav").write_bytes(content[:at] + bytes(4) + content[at + 4 :])

    report = check_corpus(dataset, tmp_path)
    messages = messages_of(dataset, tmp_path)

    assert report["ok"]
    assert report["remarks"] == [{"utterance": "b.wav", "reason": NO_LENGTH}]
    assert f"read with a remark 1: {NO_LENGTH}: b.wav" in messages
    stored = load_corpus(tmp_path / "store", report["dataset"], FrontEndConfig())
    first, second = (item.sound for item in stored.utterances)
    assert first == second is not None


@pytest.mark.parametrize("workers", [1, 2])
def test_an_end_past_the_file_is_told(table, tmp_path, workers):
    rows = ("a.wav,anna,f,anger,0,1.05", "b.wav,ben,m,anger,0.5,1.5", "c.wav,ben,m,joy,,3000")
    dataset = table(*rows, columns=TIMES)

    report = check_corpus(dataset, tmp_path)
    messages = messages_of(dataset, tmp_path, workers=workers)

    assert not report["ok"]
    assert report["past_end"] == ["b.wav#0.5-1.5", "c.wav#-3000"]
    (line,) = [line for line in messages if line.startswith("read with a remark")]
    assert line.startswith("read with a remark 2: ends N s after its file, read to the end of that")
    assert line.endswith("b.wav#0.5-1.5, c.wav#-3000")


def test_remarks_outlive_an_interruption(table, tmp_path, small_shards, monkeypatch):
    rows = [f"a{number:02}.wav,anna,f,anger,,2" for number in range(2 * small_shards)]
    dataset = table(*rows, columns=TIMES)
    with monkeypatch.context() as patch:
        patch.setattr("data_prep.build.write_manifest", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            messages_of(dataset, tmp_path)

    assert any(line.startswith("read with a remark 32") for line in messages_of(dataset, tmp_path))


@pytest.mark.parametrize(
    ("start_s", "end_s", "past_s"),
    [(0.0, None, 0.0), (0.0, 1.0 + END_SLACK_S / 2, 0.0), (0.0, 1.5, 0.5), (2.0, 3.5, 0.5)],
)
def test_ends_are_compared_with_what_was_read(start_s, end_s, past_s):
    item = Utterance("x", "a", "a.wav", "x:1", "F", start_s=start_s, end_s=end_s)

    assert seconds_past_end(item, 1.0) == past_s
