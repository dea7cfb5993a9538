"""LibriSpeech: the table of readers and the subsets on disk."""

import shutil
from collections import Counter

import pytest
from corpus_layouts import librispeech as layout
from corpus_layouts.sound import write_tone

from data_prep.corpora import find_adapter, librispeech
from ser_aae.data.auxiliary_speakers import choose_speakers
from ser_aae.errors import UserError
from ser_aae.utterance import Utterance


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


def test_a_reader_of_two_rows_is_refused(tmp_path):
    path = tmp_path / "SPEAKERS.TXT"
    path.write_text(layout.SPEAKERS + "14 | M | train-clean-360 | 25.03 | Another\n")

    with pytest.raises(UserError, match=r"SPEAKERS\.TXT:9: expected a row a reader, got 14 again"):
        librispeech.read_readers(path)


def test_a_byte_order_mark_and_odd_characters_in_a_name_do_not_matter(tmp_path):
    path = tmp_path / "SPEAKERS.TXT"
    path.write_text("\ufeff" + layout.SPEAKERS.replace("Kristin", "Kristin\x85\u2028"))

    readers = librispeech.read_readers(path)

    assert list(readers) == ["14", "16", "17", "60", "61"]
    assert readers["14"].name == "Kristin\x85\u2028 LeMoine"


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


@pytest.mark.parametrize("folder", ["download", "download/LibriSpeech", "LibriSpeech/LibriSpeech"])
def test_a_tree_that_lies_deeper_is_found(tmp_path, corpus, folder):
    (tmp_path / "librispeech" / "LibriSpeech").rename(tmp_path / "flat")
    (tmp_path / "librispeech" / folder).parent.mkdir(exist_ok=True)
    (tmp_path / "flat").rename(tmp_path / "librispeech" / folder)

    found = find_adapter("librispeech").read(tmp_path, allow_partial=True)
    assert found.utterances == corpus.utterances


def test_of_two_deeper_trees_none_is_chosen(tmp_path, corpus):
    shutil.copytree(corpus.root, tmp_path / "two" / "a")
    shutil.copytree(corpus.root, tmp_path / "two" / "b")

    with pytest.raises(UserError, match=r"two: expected one SPEAKERS\.TXT, found .*/a/.*/b/"):
        librispeech.read(tmp_path / "two")


def test_real_table_of_readers(real_corpora):
    readers = librispeech.read_readers(real_corpora / "librispeech" / "SPEAKERS.TXT")
    subsets = Counter(f"speakers of {reader.subset}" for reader in readers.values())
    genders = Counter((reader.subset, reader.gender) for reader in readers.values())

    assert len(readers) == 2484
    assert subsets["speakers of train-clean-360"] == 921
    assert subsets["speakers of test-clean"] == 40
    assert subsets == librispeech.EXPECTED
    assert {name: (genders[name, "F"], genders[name, "M"]) for name, _ in genders} == {
        "train-clean-100": (125, 126), "train-clean-360": (439, 482),
        "train-other-500": (564, 602), "dev-clean": (20, 20), "dev-other": (16, 17),
        "test-clean": (20, 20), "test-other": (17, 16),
    }  # fmt: skip
    assert readers["60"].name == "|CBW|Simon"
    assert Counter(reader.gender for reader in readers.values()) == {"F": 1201, "M": 1283}
    assert sum(reader.minutes for reader in readers.values()) / 60 == pytest.approx(982.3, abs=0.1)


def test_the_folder_is_the_subset_as_in_mini_librispeech(tmp_path, corpus):
    root = tmp_path / "librispeech" / "LibriSpeech"
    (root / "train-clean-360").rename(root / "train-clean-5")

    mini = find_adapter("librispeech").read(tmp_path, allow_partial=True)

    assert {item.extra["subset"] for item in mini.utterances} == {
        "train-clean-5",
        "train-clean-100",
    }
    assert mini.counts["speakers of train-clean-5"] == 2
    # nobody says how many there should be, nor that a reader of the whole subset is missing
    assert "speakers of train-clean-5" not in mini.expected
    assert "train-clean-360/16" not in {item.where for item in mini.dropped}


def test_wav_beside_flac_is_the_same_utterance(tmp_path, corpus):
    root = tmp_path / "librispeech" / "LibriSpeech"
    write_tone(root / "train-clean-360/14/208/14-208-0000.wav")

    again = librispeech.read(tmp_path / "librispeech")

    assert [item.utterance_id for item in again.utterances] == [
        item.utterance_id for item in corpus.utterances
    ]
    (copy,) = set(again.dropped) - set(corpus.dropped)
    assert copy.reason.startswith("duplicate")


def test_a_redistribution_as_wav_alone_is_read(tmp_path):
    root = tmp_path / "test-clean" / "61" / "70968"
    for number in range(3):
        write_tone(root / f"61-70968-{number:04d}.wav")
    (tmp_path / "SPEAKERS.TXT").write_text(layout.SPEAKERS)

    found = librispeech.read(tmp_path)

    assert {item.extra["subset"] for item in found.utterances} == {"test-clean"}
    assert {(item.speaker, item.gender) for item in found.utterances} == {("librispeech:61", "M")}
    assert found.dropped == ()
    assert (found.counts["utterances"], dict(found.expected)) == (3, {"speakers of test-clean": 40})


def test_a_selection_with_subsets_of_its_own_is_read(tmp_path):
    """Mini LibriSpeech: `dev-clean-2` has readers of dev-clean, and its own table."""
    write_tone(tmp_path / "dev-clean-2" / "84" / "121123" / "84-121123-0000.flac")
    (tmp_path / "SPEAKERS.TXT").write_text("84   | F | dev-clean-2      | 4.00  | Christie Nowak\n")

    found = librispeech.read(tmp_path)

    assert found.counts["speakers of dev-clean-2"] == 1
    assert (found.expected, found.dropped) == ({}, ())


def test_a_table_with_other_line_ends_and_bytes_is_read(tmp_path):
    path = tmp_path / "SPEAKERS.TXT"
    rows = layout.SPEAKERS.replace("\n", "\r\n").replace("Kristin", "Krist\xefn")
    path.write_bytes(rows.encode("latin-1"))

    readers = librispeech.read_readers(path)

    assert list(readers) == ["14", "16", "17", "60", "61"]
    assert readers["60"].name == "|CBW|Simon"


def test_subsets_are_chosen_from_the_corpus_as_it_lies_there(corpus):
    def speakers(subset, number):
        rows = choose_speakers(corpus.utterances, subset, number, seed=1)
        return [corpus.utterances[row].speaker for row in rows]

    assert speakers("train-clean-100", 0) == ["librispeech:60"] * 2
    assert speakers("train-clean-360", 2) == ["librispeech:14"] * 3 + ["librispeech:17"]
    with pytest.raises(UserError, match=r"\(train-clean-100, train-clean-360\)"):
        choose_speakers(corpus.utterances, "test-clean", 0, 1)


def utterances_of(readers):
    """Return an utterance of each reader, as if all subsets were there."""
    return [
        Utterance(
            corpus="librispeech",
            utterance_id=f"{reader.reader_id}-1-0000",
            path=f"{reader.subset}/{reader.reader_id}/1/{reader.reader_id}-1-0000.flac",
            speaker=f"librispeech:{reader.reader_id}",
            gender=reader.gender,
            extra={"subset": reader.subset},
        )
        for reader in readers.values()
    ]


def test_the_papers_600_speakers_of_the_real_921(real_corpora):
    readers = librispeech.read_readers(real_corpora / "librispeech" / "SPEAKERS.TXT")
    listed = utterances_of(readers)

    rows = choose_speakers(listed, "train-clean-360", 600, seed=0)

    assert Counter(listed[row].gender for row in rows) == {"F": 300, "M": 300}
    assert {listed[row].extra["subset"] for row in rows} == {"train-clean-360"}
    # 900 of Fig. 4: all 439 women, and men for the rest
    most = choose_speakers(listed, "train-clean-360", 900, seed=0)
    assert Counter(listed[row].gender for row in most) == {"F": 439, "M": 461}
    assert set(rows) < set(most)
    assert len(choose_speakers(listed, "test-clean", 0, seed=0)) == 40
    with pytest.raises(UserError, match="up to 921, "):
        choose_speakers(listed, "train-clean-360", 961, seed=0)


def test_women_and_men_of_the_real_subsets(real_corpora):
    readers = librispeech.read_readers(real_corpora / "librispeech" / "SPEAKERS.TXT").values()
    minutes = Counter()
    for reader in readers:
        minutes[reader.subset] += reader.minutes
    genders = Counter((reader.subset, reader.gender) for reader in readers)

    assert (genders["train-clean-360", "F"], genders["train-clean-360", "M"]) == (439, 482)
    assert (genders["test-clean", "F"], genders["test-clean", "M"]) == (20, 20)
    assert minutes["train-clean-360"] / 60 == pytest.approx(363.6, abs=0.1)
    assert [reader.name for reader in readers if "|" in reader.name] == ["|CBW|Simon"]
