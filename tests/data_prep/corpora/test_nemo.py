"""nEMO: its table, blanks and quotation marks in it, and where it differs from the files."""

import pytest
from corpus_layouts import nemo as layout

from data_prep.corpora import find_adapter, nemo
from ser_aae.errors import UserError

CELLS = ["EB0_fear_7.wav", "fear", "Raz.", "raz", "        EB0", "female", "27"]


def test_blanks_before_a_speaker_are_no_part_of_it(corpus):
    row = nemo.parse_row(CELLS)

    assert row == nemo.Row("EB0_fear_7.wav", "fear", "Raz.", "EB0", "F", "27")
    assert row.sentence == "7"
    assert {item.speaker for item in corpus.utterances} == {"nemo:EB0", "nemo:KS0", "nemo:MP0"}


@pytest.mark.parametrize(
    "file", ["EB0_anger_7.wav", "KS0_fear_7.wav", "fear_7.wav", "EB0_fear.wav"]
)
def test_names_that_contradict_their_row_have_no_sentence(file):
    assert nemo.parse_row([file, *CELLS[1:]]).sentence is None


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (CELLS[:6], "expected 7 cells"),
        ([*CELLS, "more"], "expected 7 cells"),
        ([*CELLS[:4], "   ", *CELLS[5:]], "found one empty"),
        ([*CELLS[:5], "f", "27"], "female or male, got 'f'"),
    ],
)
def test_other_rows_are_refused(cells, message):
    with pytest.raises(ValueError, match=message):
        nemo.parse_row(cells)


def test_surprised_is_surprise(corpus, by_id):
    surprise = by_id["EB0_surprised_90"]

    assert (surprise.emotion, surprise.emotion_raw) == ("surprise", "surprised")
    assert corpus.unknown_labels == ()
    assert {item.emotion for item in corpus.utterances} == set(nemo.EMOTION_CODES.values())


def test_recordings_carry_what_their_rows_say(by_id):
    fear = by_id["KS0_fear_13"]

    assert len(by_id) == 6
    assert (fear.speaker, fear.gender, fear.language) == ("nemo:KS0", "M", "pol")
    assert (fear.path, fear.session) == ("samples/KS0_fear_13.wav", "")
    assert fear.extra["sentence"] == "13"
    assert fear.extra["age"] == "23"
    assert by_id["EB0_anger_1"].gender == "F"


def test_quotation_marks_stand_for_themselves(by_id):
    # read as quoting, the first would swallow the rows up to the next
    assert by_id["EB0_anger_1"].extra["transcript"] == 'Zażółć "gęślą jaźń!'
    assert by_id["KS0_fear_13"].extra["transcript"] == '"Cisza."'


def test_one_sentence_of_two_speakers_has_one_number(by_id):
    assert by_id["KS0_neutral_2"].extra["sentence"] == by_id["MP0_sadness_2"].extra["sentence"]


def test_what_is_left_out_is_listed(left_out):
    assert left_out == {
        ("data.tsv:8", nemo.EXCLUDED["absent"]),
        ("samples/MP0_sadness_4.wav", nemo.EXCLUDED["name"]),
        ("samples/TP0_neutral_5.wav", nemo.EXCLUDED["row"]),
    }


def test_missing_table_is_explained(tmp_path):
    layout.write(tmp_path)
    (tmp_path / "nemo" / "data.tsv").unlink()

    with pytest.raises(UserError, match=r"data\.tsv: expected nEMO's table, found none"):
        find_adapter("nEMO").read(tmp_path, allow_partial=True)


def test_damaged_row_is_explained_with_its_line(tmp_path):
    layout.write(tmp_path)
    _edit(tmp_path / "nemo" / "data.tsv", "KS0\tmale\t23\nKS0_happiness", "KS0\nKS0_happiness")

    with pytest.raises(UserError) as caught:
        nemo.read(tmp_path / "nemo")

    assert str(caught.value).startswith(f"{tmp_path}/nemo/data.tsv:4: expected 7 cells")
    assert "got 5" in str(caught.value)


@pytest.mark.parametrize("content", ["", "file_id,emotion\n", layout.ROWS])
def test_other_tables_are_refused(tmp_path, content):
    (tmp_path / "data.tsv").write_text(content, encoding="utf-8")

    with pytest.raises(UserError, match=r"data\.tsv:1: expected the columns file_id, emotion"):
        nemo.read(tmp_path)


def test_line_ends_byte_order_mark_and_a_blank_line_do_not_matter(tmp_path, corpus):
    path = tmp_path / "nemo" / "data.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")

    assert nemo.read(tmp_path / "nemo") == corpus


def test_nested_folder_is_read(tmp_path, corpus):
    (tmp_path / "nemo").rename(tmp_path / "nEMO-main")

    nested = nemo.read(tmp_path)

    assert nested.counts == corpus.counts
    assert nested.utterances[0].path == "nEMO-main/samples/EB0_anger_1.wav"


def test_unknown_emotion_stays_a_class_of_its_own(tmp_path):
    layout.write(tmp_path)
    _edit(tmp_path / "nemo" / "data.tsv", "EB0_surprised_90.wav\tsurprised", "EB0_zal_9.wav\tzal")
    samples = tmp_path / "nemo" / "samples"
    (samples / "EB0_surprised_90.wav").rename(samples / "EB0_zal_9.wav")

    assert nemo.read(tmp_path / "nemo").unknown_labels == ("zal",)


def _edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-16", "iso8859_2"])
def test_a_table_that_is_no_utf_8_is_explained(tmp_path, encoding):
    layout.write(tmp_path)
    table = tmp_path / "nemo" / nemo.TABLE
    table.write_bytes(table.read_text(encoding="utf-8").encode(encoding))

    with pytest.raises(UserError, match=r"data\.tsv:\d: expected a table in UTF-8, found the byte"):
        nemo.read(tmp_path / "nemo")
