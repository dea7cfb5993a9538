"""EMO-DB: German letters, the listeners' table, and what release 2.0 adds."""

import pytest
from corpus_layouts import emodb as layout
from corpus_layouts.sound import write_tone

from data_prep.corpora import emodb, find_adapter
from ser_aae.errors import UserError


@pytest.fixture
def release_2(tmp_path):
    layout.write_release_2(tmp_path)
    return emodb.read(tmp_path / "emodb")


def test_name_has_four_fields():
    assert emodb.parse_name("03a01Fa") == emodb.RecordingName("03", "a01", "F", "a")
    # the emotion is the sixth letter: the f behind it is a version
    assert emodb.parse_name("15a07Lf") == emodb.RecordingName("15", "a07", "L", "f")


@pytest.mark.parametrize("stem", ["03a01F", "03a01Faxx", "3a01Fa", "03c01Fa", "17a01Wa", "a01", ""])
def test_other_names_are_no_recordings(stem):
    assert emodb.parse_name(stem) is None


def test_letters_are_those_of_german_words(corpus):
    emotions = {item.emotion_raw: item.emotion for item in corpus.utterances}

    assert emotions == {
        "W": "anger",
        "L": "boredom",
        "E": "disgust",
        "A": "fear",  # not anger
        "F": "happiness",  # not fear
        "T": "sadness",
        "N": "neutral",
    }


def test_recordings_carry_the_fields_of_their_names(by_id):
    fear = by_id["08b02Aa"]

    assert len(by_id) == 7
    assert (fear.speaker, fear.gender, fear.language) == ("emodb:08", "F", "deu")
    assert (fear.path, fear.session) == ("wav/08b02Aa.wav", "")
    assert fear.extra["sentence"] == "b02"
    assert fear.extra["age"] == "34"
    assert by_id["15a07Lf"].extra["version"] == "f"


def test_genders_are_those_of_the_ten_speakers():
    women = {speaker for speaker, (gender, _) in emodb.SPEAKERS.items() if gender == "F"}

    assert women == {"08", "09", "13", "14", "16"}
    assert len(emodb.SPEAKERS) == emodb.EXPECTED["speakers"] == 10


def test_numbers_have_decimal_commas_and_no_break_spaces(corpus):
    percent = {item.utterance_id: item.extra.get("recognised_percent")
               for item in corpus.utterances}  # fmt: skip

    assert percent["03a01Fa"] == "90"
    assert percent["08b02Aa"] == "100"
    assert percent["09a05Tb"] == "85.25"
    assert percent["11a02Wc"] is None
    assert percent["16b01Nb"] is None


@pytest.mark.parametrize("line", ["03a01Fa.wav\t101,00", "03a01Fa.wav\t-5,0", "03a01Fa.wav",
                                  "03a01Fa.wav\tnan", "Mittel\t90,00", "\t90,00"])  # fmt: skip
def test_lines_without_a_percentage_are_no_ratings(line):
    assert emodb.parse_rating(["Satz", "erkannt"], line) is None


def test_columns_are_found_by_their_names():
    rating = emodb.parse_rating(["Nr", "erkannt", "Satz"], "7 87,50 03a01Fa.wav")

    assert rating == ("03a01Fa", 87.5)


def test_no_break_space_within_a_number_ends_no_cell():
    assert emodb.parse_rating(["Satz", "erkannt"], "03a01Fa.wav\t8\xa07,50") == ("03a01Fa", 87.5)


def test_what_is_left_out_is_listed(left_out):
    assert left_out == {
        ("erkennung.txt:5", emodb.EXCLUDED["rating"]),
        ("erkennung.txt:6", emodb.EXCLUDED["rating"]),
        ("wav/03a01Fa-louder.wav", emodb.EXCLUDED["name"]),
        ("wav/17a01Wa.wav", emodb.EXCLUDED["name"]),
    }


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_do_not_matter(tmp_path, corpus, line_end):
    path = tmp_path / "emodb" / emodb.RATINGS_FILE
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", line_end))

    assert emodb.read(tmp_path / "emodb") == corpus


def test_laryngographs_are_no_speech(release_2):
    assert [item.path for item in release_2.utterances] == ["wav/03a01Fa.wav"]
    assert {item.where for item in release_2.dropped
            if item.reason == emodb.EXCLUDED["laryngo"]} == {
        "laryngo/03a01Fa.wav", "laryngo/14a04Ec.wav",
    }  # fmt: skip


def test_recordings_that_release_2_calls_ambiguous_are_left_out(release_2):
    ambiguous = [item.where for item in release_2.dropped
                 if item.reason == emodb.EXCLUDED["ambiguous"]]  # fmt: skip

    assert ambiguous == ["wav/14a04Ec.wav"]


def test_release_2_without_its_table_is_not_taken_for_the_corpus(tmp_path):
    layout.write_release_2(tmp_path)
    (tmp_path / "emodb" / "db.emotion.categories.ambiguous.csv").unlink()

    with pytest.raises(UserError, match="utterances: expected 535, found 2"):
        find_adapter("emodb").read(tmp_path)


def test_nested_and_doubled_trees_are_read_once(tmp_path):
    for folder in ("download/wav", "download/wav/copy"):
        write_tone(tmp_path / folder / "12b03Td.wav")

    corpus = emodb.read(tmp_path)

    assert [item.path for item in corpus.utterances] == ["download/wav/12b03Td.wav"]
    assert [item.where for item in corpus.dropped] == ["download/wav/copy/12b03Td.wav"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"wav/\xfc.wav", "csv:2: expected a table in UTF-8, found the byte 0xfc; save"),
        (b"x" * 200_000, "csv:2: expected a table of text, .*; fetch or write the table"),
        (b'"wav/14a04Ec.wav', "csv:2: expected a row in one line, found a quotation mark"),
    ],
    ids=["Latin-1", "huge", "open mark"],
)
def test_a_damaged_table_of_release_2_is_explained(tmp_path, row, message):
    layout.write_release_2(tmp_path)
    (tmp_path / "emodb" / emodb.AMBIGUOUS_TABLE).write_bytes(b"file\n" + row + b"\n")

    with pytest.raises(UserError, match=rf"ambiguous\.{message}"):
        emodb.read(tmp_path / "emodb")
