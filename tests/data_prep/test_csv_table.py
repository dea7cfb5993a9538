"""Tables of recordings: what is understood, and every mistake with its line."""

import pytest
from corpus_layouts import csv as layout
from corpus_layouts.sound import write_tone

from data_prep.build import prepare
from data_prep.corpora import csv_file, find_adapter
from data_prep.csv_table import GENDER_WORDS, parse_row, read_table
from ser_aae.config import FrontEndConfig
from ser_aae.config.datasets import stored_name
from ser_aae.errors import UserError

HEADER = "file,speaker,gender,emotion\n"


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a table beside `a.wav` and `b.wav`, and its path."""
    write_tone(tmp_path / "a.wav")
    write_tone(tmp_path / "b.wav")

    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def error_of(path):
    with pytest.raises(UserError) as caught:
        find_adapter(f"csv:{path}").read(path.parent)
    return str(caught.value)


def test_columns_become_fields(tmp_path):
    dataset = layout.write(tmp_path)
    name = stored_name(dataset)

    corpus = find_adapter(dataset).read(tmp_path)

    whole, first, second, other = sorted(
        corpus.utterances, key=lambda item: ("b" not in item.path, item.path, item.start_s)
    )
    assert (whole.emotion, whole.emotion_raw, whole.gender) == ("anger", "Wut", "M")
    assert (whole.activation, whole.valence, whole.session) == (4.5, 1.0, "call 2")
    assert whole.extra == {"weather": "rain"}
    assert (first.start_s, first.end_s, first.utterance_id) == (0.0, 0.1, "calls/a.wav#0-0.1")
    assert (second.start_s, second.end_s) == (0.1, 0.2)
    assert second.speaker == f"{name}:anna"
    assert (other.gender, other.emotion, other.activation) == ("unknown", "", None)
    assert corpus.unknown_labels == ("puzzled",)
    assert corpus.root == tmp_path / "my calls"
    assert {item.corpus for item in corpus.utterances} == {name}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_spreadsheets_of_all_countries(table, encoding, line_end, separator):
    rows = [
        ["File", " Speaker ", "GENDER", "emotion"],
        ["a.wav", "Jürgen", "m", "Ärger"],
        ["b.wav", "2", "f", "joy"],
    ]
    text = line_end.join(separator.join(row) for row in rows) + line_end * 2

    first, second = read_table(table(text, encoding), "x").utterances

    assert (first.speaker, first.gender, first.emotion) == ("x:Jürgen", "M", "anger")
    assert (second.speaker, second.gender, second.emotion) == ("x:2", "F", "happiness")


def test_quoted_fields_may_hold_the_separator_and_the_mark(table):
    text = HEADER.replace("emotion", "emotion,note") + '"a.wav",1,f,sad,"one, ""two"""\n'

    assert read_table(table(text), "x").utterances[0].extra == {"note": 'one, "two"'}


def test_a_mark_that_is_not_closed_swallows_no_rows(table):
    """Two rows, each of which opens a mark, have the columns of one row."""
    header = HEADER.replace("emotion", "emotion,note")
    message = error_of(table(f'{header}a.wav,1,f,sad,\na.wav,1,f,sad,"one\nb.wav,1,f,joy,"two\n'))

    assert ":3: expected a row in one line, found a quotation mark" in message


@pytest.mark.parametrize(("gender", "words"), GENDER_WORDS.items())
def test_words_for_genders(gender, words):
    row = {"file": "a.wav", "speaker": "1", "emotion": ""}

    assert {parse_row(row | {"gender": word.title()}, "x").gender for word in words} == {gender}


def test_full_paths_and_backslashes(table, tmp_path):
    write_tone(tmp_path / "sub" / "c.wav")
    full = (tmp_path / "a.wav").as_posix()

    first, second = read_table(
        table(f"{HEADER}{full},1,f,sad\nsub\\c.wav,1,f,sad\n"), "x"
    ).utterances

    assert first.audio_path(tmp_path) == tmp_path / "a.wav"
    assert second.path == "sub/c.wav"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("file,speaker,emotion\n", [":1:", "missing: gender", "there are: file, speaker, emotion"]),
        ("", [":1:", "missing: file, speaker, gender, emotion", "there are: none"]),
        (HEADER.replace("emotion", "emotion,File"), [":1:", "'file' stands there twice"]),
        (HEADER + "a.wav,1,f,sad\n./a.wav,2,f,joy\n", [":3:", "as line 2"]),
        (HEADER + "\na.wav,1,f,sad\nc.wav,1,f,sad\n", [":4:", "'c.wav'", "found none"]),
        (HEADER + ".,1,f,sad\n", [":2:", "expected an audio file, found a folder"]),
        (HEADER + "a.wav, ,f,sad\n", [":2:", "speaker is empty"]),
        (HEADER + ",1,f,sad\n", [":2:", "file is empty"]),
        (HEADER + "a.wav,1,diverse,sad\n", [":2:", "expected a gender", "'diverse'"]),
        (HEADER + "a.wav,1,f\n", [":2:", "expected 4 columns", "got 3"]),
        (HEADER + "a.wav,1,f,sad,more\n", [":2:", "got 5"]),
        (HEADER + "a.wav,1,f," + "sad" * 50000, [":2:", "expected a table of text", "limit"]),
    ],
)
def test_mistakes_are_named_with_their_line(table, text, parts):
    path = table(text)
    message = error_of(path)

    assert message.startswith(str(path))
    assert all(part in message for part in parts), message


@pytest.mark.parametrize("column", ["activation", "valence"])
@pytest.mark.parametrize("value", ["high", "0.9", "5.5", "nan", "inf", "-1"])
def test_ratings_go_from_one_to_five(table, column, value):
    message = error_of(table(f"file,speaker,gender,emotion,{column}\na.wav,1,f,sad,{value}\n"))

    assert f":2: column {column}: expected a number from 1 to 5, got '{value}'" in message


@pytest.mark.parametrize(
    ("start", "end", "part"),
    [("-1", "", "column start"), ("x", "", "column start"), ("1", "1", "end after the start")],
)
def test_parts_of_files_have_a_length(table, start, end, part):
    assert part in error_of(
        table(f"file,speaker,gender,emotion,start,end\na.wav,1,f,,{start},{end}\n")
    )


def test_start_alone_goes_to_the_end(table):
    (item,) = read_table(
        table("file,speaker,gender,emotion,start\na.wav,1,f,,0.1\n"), "x"
    ).utterances

    assert (item.start_s, item.end_s, item.utterance_id) == (0.1, None, "a.wav#0.1-")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_other_encodings_are_refused_with_the_line(table, line_end):
    text = f"{HEADER}a.wav,anna,f,sad\nb.wav,Jürgen,m,sad\n".replace("\n", line_end)

    message = error_of(table(text, "cp1252"))
    assert ":3: expected a table in UTF-8, found the byte 0xfc; save the table as UTF-8" in message


def test_table_without_rows_is_explained(table):
    with pytest.raises(UserError, match="found no such audio"):
        find_adapter(f"csv:{table(HEADER)}").read(table(HEADER).parent)


def test_name_of_the_corpus_is_that_of_the_store(table):
    path = table(HEADER + "a.wav,1,f,sad\n")

    (item,) = csv_file.read(path).utterances

    assert item.corpus == stored_name(f"csv:{path}")
    assert item.speaker == f"{item.corpus}:1"


def test_demo_needs_its_table(tmp_path):
    write_tone(tmp_path / "demo" / "wav" / "a.wav")

    with pytest.raises(UserError, match=r"utterances\.csv: expected"):
        find_adapter("demo").read(tmp_path)


def test_an_end_may_stand_without_a_start(table):
    (part,) = read_table(table(HEADER.strip() + ",end\na.wav,1,f,sad,0.25\n"), "x").utterances

    assert (part.start_s, part.end_s, part.utterance_id) == (0.0, 0.25, "a.wav#-0.25")


def test_a_part_is_the_same_however_its_times_are_written(table):
    rows = HEADER.strip() + ",start,end\na.wav,1,f,sad,0,0.5\na.wav,2,f,sad,0.0,0.50\n"

    assert ":3: the same file and part of it as line 2" in error_of(table(rows))


@pytest.mark.parametrize("file", ["{}/a.wav", "./a.wav", "../{.name}/a.wav", "sub/../a.wav"])
def test_a_file_is_the_same_however_its_path_is_written(table, tmp_path, file):
    written = file.format(tmp_path)
    twice = table(f"{HEADER}a.wav,1,f,sad\n{written},2,f,sad\n")
    assert ":3: the same file and part of it as line 2" in error_of(twice)

    (alone,) = read_table(table(f"{HEADER}{written},2,f,sad\n"), "x").utterances
    assert (alone.path, alone.utterance_id) == ("a.wav", "a.wav")


def test_accents_coded_in_two_ways_make_one_speaker_and_session(table):
    rows = "a.wav,Rene\u0301,f,A\u0308rger,\xe9\nb.wav,Ren\xe9,f,\xc4rger,e\u0301\n"
    first, second = read_table(table(HEADER.strip() + ",session\n" + rows), "x").utterances

    assert first.speaker == second.speaker == "x:Ren\xe9"
    assert first.session == second.session == "\xe9"
    assert first.emotion == second.emotion == "anger"


def test_a_file_whose_accents_are_coded_otherwise_is_told_from_one_that_is_not_there(
    table, tmp_path
):
    write_tone(tmp_path / "e\u0301.wav")

    hint = "one that looks the same has its accents coded otherwise"
    assert hint in error_of(table(HEADER + "\xe9.wav,1,f,sad\n"))
    assert hint not in error_of(table(HEADER + "c.wav,1,f,sad\n"))
    assert read_table(table(HEADER + "e\u0301.wav,1,f,sad\n"), "x").utterances


@pytest.mark.parametrize("name", ["x" * 5000, "a\x00b"], ids=["long", "zero byte"])
def test_what_can_be_no_file_name_is_not_found(table, name):
    message = error_of(table(f"{HEADER}{name},1,f,sad\n"))

    assert f":2: {name!r}: expected an audio file, " in message


def test_a_part_behind_the_end_of_its_file_has_its_line(table, tmp_path):
    rows = "a.wav,1,f,sad,0,0.1\na.wav,1,f,sad,7,\nb.wav,1,f,sad,,\n"
    path = table(f"file,speaker,gender,emotion,start,end\n{rows}")
    with pytest.raises(UserError) as caught:
        prepare(f"csv:{path}", tmp_path, tmp_path / "store", FrontEndConfig())
    assert str(caught.value).startswith(f"{path}:3: {tmp_path / 'a.wav'}: expected sound, found no")


def test_all_absent_files_are_told_at_once(table, tmp_path):
    (tmp_path / "b1.wav").mkdir()
    absent = "".join(f"c{number}.wav,1,f,sad\n" for number in range(24))

    message = error_of(table(f"{HEADER}a.wav,1,f,sad\nb1.wav,1,f,sad\n{absent}"))

    assert ":3: 'b1.wav': expected an audio file, found a folder" in message
    assert (
        ":8: 'c4.wav': expected an audio file, found none; check the path; and 5 more (25 of 26 "
        in message
    )
    assert message.count("found none") == 19
    assert message.endswith("fetch what is missing, or leave it out with --allow-partial")
    assert "\n" not in message


# speakers who are known in all tables


def test_a_global_speaker_is_one_person_in_every_table(tmp_path):
    row = {"file": "a.wav", "speaker": "1", "gender": "f", "emotion": ""}
    here, there = (parse_row(row | {"global_speaker": "Anna"}, name) for name in ("x", "y"))
    assert here.speaker == there.speaker == "everywhere:Anna"
    assert "global_speaker" not in here.extra
    assert parse_row(row | {"global_speaker": ""}, "x").speaker == "x:1"


@pytest.mark.parametrize("name", ["Na", "na", "Nil", "Nana", "0"])
def test_names_like_words_for_nobody_are_of_people(name):
    row = {"file": "a.wav", "speaker": name, "gender": "f", "emotion": ""}
    assert parse_row(row, "x").speaker == f"x:{name}"
    assert parse_row(row | {"global_speaker": name}, "x").speaker == f"everywhere:{name}"


@pytest.mark.parametrize("word", ["nan", "NaN", "NA", "N/A", "unknown", "-", "?"])
def test_a_word_for_nobody_is_no_person(table, word):
    row = {"file": "a.wav", "speaker": "1", "gender": "f", "emotion": ""}
    more = dict.fromkeys(("global_speaker", "session", "language"), word)
    found = parse_row(row | more, "x")
    assert (found.speaker, found.session, found.language) == ("x:1", "", "")
    first, second = read_table(table(f"{HEADER}a.wav,1,f,\nb.wav,{word},f,\n"), "x").utterances
    assert (first.has_known_speaker, second.has_known_speaker) == (True, False)


def test_nobody_may_be_another_person_in_each_row(table):
    rows = "a.wav,unknown,f,,anna\nb.wav,unknown,f,,\n"
    path = table(f"file,speaker,gender,emotion,global_speaker\n{rows}")
    assert [item.speaker for item in read_table(path, "x").utterances] == ["everywhere:anna", "x:"]


@pytest.mark.parametrize("other", ["", "berta"])
def test_a_speaker_has_one_global_name_in_a_table(table, other):
    path = table(
        f"file,speaker,gender,emotion,global_speaker\na.wav,1,f,,anna\nb.wav,1,f,,{other}\n"
    )
    message = error_of(path)
    assert f"{path}:3: column global_speaker: speaker 1 is" in message
    assert "everywhere:anna" in message


def test_two_speakers_of_a_table_may_be_one_person(table):
    path = table("file,speaker,gender,emotion,global_speaker\na.wav,1,f,,anna\nb.wav,2,f,,anna\n")
    assert {item.speaker for item in read_table(path, "x").utterances} == {"everywhere:anna"}


def test_a_channel_of_a_file_is_an_utterance_of_its_own(table):
    rows = [
        "a.wav,anna,f,angry,left",
        "a.wav,ben,m,sad,2",
        "b.wav,anna,f,sad,",
        "c.wav,d,m,sad,MIX",
    ]
    path = table("\n".join(["file,speaker,gender,emotion,channel", *rows]))
    found = read_table(path, "x").utterances
    assert [(item.path, item.channel) for item in found] == [
        ("a.wav", 1),
        ("a.wav", 2),
        ("b.wav", None),
        ("c.wav", None),
    ]
    assert [item.utterance_id for item in found[:2]] == ["a.wav#channel-1", "a.wav#channel-2"]
    assert not any(item.extra for item in found)
    assert "channel" in found[0].to_dict()
    assert "channel" not in found[2].to_dict()  # what is stored of a table of before is the same


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ("left", "1", "2 and part of it|the same file and part of it as line 2"),
        ("left", "", "both by its channels and mixed"),
        ("", "right", "both by its channels and mixed"),
        ("", "telephone", "expected a channel .*got 'telephone'; rename the column"),
    ],
)
def test_channels_that_cannot_be_are_told_with_their_line(table, first, second, wanted):
    rows = [f"a.wav,anna,f,angry,{first}", f"a.wav,anna,f,angry,{second}"]
    path = table("\n".join(["file,speaker,gender,emotion,channel", *rows]))
    with pytest.raises(UserError, match=rf"table\.csv:3: .*({wanted})"):
        read_table(path, "x")
