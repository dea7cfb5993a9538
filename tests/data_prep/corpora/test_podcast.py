"""MSP-Podcast: its table, its scale, its partitions, and speakers nobody knows."""

import pytest

from data_prep.build import prepare
from data_prep.corpora import find_adapter, podcast
from data_prep.corpus_check import check_corpus
from data_prep.export import export_manifest
from ser_aae.commands.verify_corpus import format_report
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.store.corpus import MANIFEST, load_corpus

TABLE = "Labels/labels_consensus.csv"


def test_classes_are_those_of_this_corpus(by_id):
    emotions = {name[12:]: item.emotion for name, item in by_id.items()}

    assert emotions == {
        "0001_0008": "neutral", "0001_0009": "anger", "0002_0001": "happiness", "0002_0002": "",
        "0002_0003": "sadness", "0003_0001": "fear", "0004_0001": "surprise",
        "0005_0001": "disgust", "0005_0002": "other", "1023_0235": "contempt",
    }  # fmt: skip
    assert by_id["MSP-PODCAST_0002_0002"].extra["consensus"] == "X"


def test_ratings_go_from_1_to_5_and_are_not_inverted(by_id):
    loud, even = by_id["MSP-PODCAST_0001_0009"], by_id["MSP-PODCAST_0002_0001"]

    assert (loud.activation, loud.valence, loud.extra["dominance"]) == (5.0, 1.0, "4")
    assert (even.activation, even.valence, even.extra["dominance"]) == (3.0, 5.0, "3")


def test_partitions_are_kept(corpus):
    assert {item.extra["split"] for item in corpus.utterances} == {
        "Train", "Development", "Test1", "Test2"
    }  # fmt: skip
    assert corpus.counts["utterances of Train"] == corpus.expected["utterances of Train"] == 5


def test_who_is_not_known_is_nobody(corpus, by_id):
    nobody, known = by_id["MSP-PODCAST_0002_0003"], by_id["MSP-PODCAST_0001_0008"]

    assert (nobody.has_known_speaker, nobody.gender) == (False, "F")
    assert (known.has_known_speaker, known.speaker, known.gender) == (True, "podcast:30", "M")
    assert by_id["MSP-PODCAST_0003_0001"].gender == "unknown"
    assert corpus.counts["speakers"] == 5
    assert corpus.counts["utterances of unknown speakers"] == 2


def test_sound_without_a_row_is_listed(left_out):
    assert left_out == {
        ("Audios/MSP-PODCAST_test3_0001.wav", podcast.EXCLUDED["withheld"]),
        ("Audios/MSP-PODCAST_0009_0001.wav", podcast.EXCLUDED["label"]),
    }


def test_a_complete_copy_has_what_its_table_lists(corpus):
    root = corpus.root.parent
    assert find_adapter("MSP-Podcast").read(root) == corpus
    assert check_corpus("podcast", root)["ok"]
    (corpus.root / "Audios" / "MSP-PODCAST_0005_0001.wav").unlink()

    with pytest.raises(UserError, match=r"utterances of Test2: expected 2, found 1"):
        find_adapter("podcast").read(root)


def test_the_report_counts_nobody_as_a_speaker(corpus):
    report = check_corpus("podcast", corpus.root.parent)
    text = format_report(report | {"speaker_only_unweighted_accuracy": None})

    assert "speakers: 5 (" in text
    assert "nobody knows who 2" in text


def test_the_store_counts_nobody_as_a_speaker(corpus, tmp_path):
    frontend = FrontEndConfig(scale="linear", bins=32)
    folder = prepare("podcast", corpus.root.parent, tmp_path / "store", frontend).folder

    assert '"speakers": 5' in (folder / MANIFEST).read_text()
    assert load_corpus(tmp_path / "store", "podcast", frontend).utterances == corpus.utterances


def test_the_unknown_of_a_written_table_are_unknown_again(corpus, tmp_path):
    written = export_manifest("podcast", corpus.root.parent, tmp_path / "out", "csv")

    assert any("2 utterances of nobody knows whom" in line for line in written.messages)
    again = find_adapter(written.dataset).read(tmp_path)
    assert [item.has_known_speaker for item in again.utterances] == [
        item.has_known_speaker for item in corpus.utterances
    ]
    assert again.utterances[0].extra["split"] == "Test1"


def test_early_releases_spell_the_table_otherwise(corpus):
    old = corpus.root / "Labels" / "labels_concensus.csv"
    (corpus.root / TABLE).rename(old)
    (corpus.root / "Audios").rename(corpus.root / "Audio")
    assert len(podcast.read(corpus.root).utterances) == len(corpus.utterances)

    (corpus.root / TABLE).write_bytes(old.read_bytes())
    with pytest.raises(UserError, match="expected one table of labels"):
        podcast.read(corpus.root)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("MSP-PODCAST_0001_0008.wav,N,2.2,4.0,2.6,30,Male,Test1", "0001_0008 again"),
        ("MSP-PODCAST_0007_0001.wav,,2.2,4.0,2.6,30,Male,Test1", "expected a letter as EmoClass"),
        ("MSP-PODCAST_0007_0001.wav,N,7.5,4.0,2.6,30,Male,Test1", "expected EmoAct from 1 to 7"),
        ("MSP-PODCAST_0007_0001.wav,N,nan,4.0,2.6,30,Male,Test1", "expected EmoAct from 1 to 7"),
        (
            "MSP-PODCAST_0007_0001.wav,N,x,4.0,2.6,30,Male,Test1",
            "expected EmoAct from 1 to 7, got 'x'",
        ),
        ("MSP-PODCAST_0007_0001.wav,N,2,,2.6,30,Male,Test1", "expected EmoVal from 1 to 7, got ''"),
        ("MSP-PODCAST_0007_0001.wav,N,2,4.0,2.6,30,Man,Test1", "expected Male, Female or Unknown"),
        ("MSP-PODCAST_0007_0001.wav,N,2,4.0,2.6,30,Male,", "expected a FileName and a Split_Set"),
        ("MSP-PODCAST_0007_0001.wav,N,2,4.0,2.6,30,Male", "expected 8 columns, got 7"),
        ("MSP-PODCAST_0007_0001.wav,N,2,4.0,2.6,é,Male,Test1", "expected a table in UTF-8"),
        ('"MSP-PODCAST_0007_0001.wav,N,2,4.0,2.6,30,Male,Test1', "expected a row in one line"),
    ],
)
def test_a_damaged_row_is_told_with_its_line(corpus, line, told):
    path = corpus.root / TABLE
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], line, *lines[3:]]), "cp1252")

    with pytest.raises(UserError, match=rf"labels_consensus\.csv:4: .*{told}"):
        podcast.read(corpus.root)


def test_a_table_without_its_columns_is_told(corpus):
    (corpus.root / TABLE).write_text("file,emotion\na.wav,N\n")

    with pytest.raises(UserError, match=r"labels_consensus\.csv:1: expected the columns FileName"):
        podcast.read(corpus.root)
