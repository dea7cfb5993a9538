"""LibriSpeech: the table of readers and the subsets on disk."""

from collections import Counter

import pytest
from corpus_layouts import librispeech as layout

from data_prep.corpora import find_adapter, librispeech
from ser_aae.errors import UserError


@pytest.fixture
def corpus(tmp_path):
    layout.write(tmp_path)
    return librispeech.read(tmp_path / "librispeech")


def test_a_name_may_hold_the_separator():
    reader = librispeech.parse_reader("60   | M | train-clean-100  | 20.18 | |CBW|Simon")

    assert reader == librispeech.Reader("60", "M", "train-clean-100", 20.18, "|CBW|Simon")


@pytest.mark.parametrize(
    "line",
    [
        "14 | F | train-clean-360 | 25.03",
        "x | F | dev-clean | 8 | A",
        "14 | W | dev-clean | 8 | A",
        "14 | F | dev-clean | ? | A",
    ],
)
def test_other_lines_are_refused(line):
    with pytest.raises(ValueError, match="expected `number"):
        librispeech.parse_reader(line)


def test_error_in_the_table_has_its_line(tmp_path):
    path = tmp_path / "SPEAKERS.TXT"
    path.write_text(layout.SPEAKERS + "99 | F\n")

    with pytest.raises(UserError, match=r"SPEAKERS\.TXT:9: expected"):
        librispeech.read_readers(path)


def test_table_is_needed(tmp_path):
    (tmp_path / "librispeech" / "dev-clean").mkdir(parents=True)

    with pytest.raises(UserError, match=r"SPEAKERS\.TXT: expected LibriSpeech's table"):
        find_adapter("librispeech").read(tmp_path)


def test_all_subsets_are_read_as_flac_and_wav(corpus):
    assert [item.utterance_id for item in corpus.utterances] == [
        "14-208-0000", "14-208-0001", "14-212-0000", "17-900-0000", "60-121-0000", "60-122-0000",
    ]  # fmt: skip
    first, *_, last = corpus.utterances
    assert (first.speaker, first.gender) == ("librispeech:14", "F")
    assert first.extra == {"subset": "train-clean-360", "chapter": "208"}
    assert (last.speaker, last.gender) == ("librispeech:60", "M")
    assert last.path.endswith(".wav")
    assert all(item.emotion == "" for item in corpus.utterances)


def test_readers_without_audio_are_counted(corpus):
    assert Counter(item.reason for item in corpus.dropped) == {
        librispeech.EXCLUDED["absent"]: 1,
        librispeech.EXCLUDED["reader"]: 1,
        librispeech.EXCLUDED["name"]: 1,
    }
    # reader 61's subset was not fetched at all: nobody is missing from it
    assert {item.where for item in corpus.dropped} == {
        "train-clean-360/16",
        "train-clean-100/77/122/77-122-0000.wav",
        "train-clean-100/60/122/intro.wav",
    }


def test_only_the_subsets_on_disk_are_compared(tmp_path):
    layout.write(tmp_path)

    with pytest.raises(UserError) as caught:
        find_adapter("librispeech").read(tmp_path)

    assert "speakers of train-clean-360: expected 921, found 2" in str(caught.value)
    assert "test-clean" not in str(caught.value)


def test_folder_without_the_outer_one_is_read(tmp_path, corpus):
    (tmp_path / "librispeech" / "LibriSpeech").rename(tmp_path / "flat")

    assert librispeech.read(tmp_path / "flat").utterances == corpus.utterances


def test_real_table_of_readers(real_corpora):
    readers = librispeech.read_readers(real_corpora / "librispeech" / "SPEAKERS.TXT")
    subsets = Counter(f"speakers of {reader.subset}" for reader in readers.values())

    assert len(readers) == 2484
    assert subsets["speakers of train-clean-360"] == 921
    assert subsets["speakers of test-clean"] == 40
    assert subsets == librispeech.EXPECTED
    assert readers["60"].name == "|CBW|Simon"
    assert Counter(reader.gender for reader in readers.values()) == {"F": 1201, "M": 1283}
    assert sum(reader.minutes for reader in readers.values()) / 60 == pytest.approx(982.3, abs=0.1)
