"""ESD: encodings, words for emotions, malformed lines, and folders of a split."""

import pytest
from corpus_layouts import esd as layout
from corpus_layouts.sound import write_tone

from data_prep.corpora import esd


@pytest.mark.parametrize(
    ("stem", "language", "sentence"),
    [
        ("0001_000001", "cmn", "cmn-001"),
        ("0010_000350", "cmn", "cmn-350"),
        ("0011_000351", "eng", "eng-001"),
        ("0020_001750", "eng", "eng-350"),
    ],
)
def test_number_tells_sentence_and_speaker_language(stem, language, sentence):
    name = esd.parse_name(stem)

    assert (name.speaker, name.language, name.sentence) == (stem[:4], language, sentence)


@pytest.mark.parametrize("stem", ["0021_000001", "0000_000001", "0001_0001", "0001", "0001-000001"])
def test_other_names_are_no_recordings(stem):
    assert esd.parse_name(stem) is None


def test_one_sentence_has_one_code_in_all_emotions(by_id):
    assert by_id["0011_000051"].extra["sentence"] == "eng-051"
    assert by_id["0011_000401"].extra["sentence"] == "eng-051"
    # of the other language it is another sentence
    assert by_id["0001_000401"].extra["sentence"] == "cmn-051"


@pytest.mark.parametrize("speaker", ["0001", "0003", "0009"])
def test_mandarin_transcripts_of_any_encoding(by_id, speaker):
    angry = by_id[f"{speaker}_000401"]

    assert angry.extra["transcript"] == "这是一句话。"
    assert angry.extra["emotion_in_transcript"] == "生气"
    assert (angry.emotion, angry.emotion_raw) == ("anger", "Angry")


@pytest.mark.parametrize("speaker", ["0011", "0012", "0016", "0018"])
def test_english_transcripts_of_any_encoding(by_id, speaker):
    assert by_id[f"{speaker}_000401"].extra["transcript"] == "This is a café sentence."
    # 0x85 ends no line: in Latin-1 files it is Windows' ellipsis
    neutral = by_id[f"{speaker}_000051"].extra
    assert neutral["transcript"].replace("‘", "'").startswith("This is a 'short")
    assert neutral["emotion_in_transcript"] == "Neutral"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_needs_no_byte_order_mark(encoding, mark):
    text = layout.MANDARIN.format("0003")

    assert esd.decode_transcript((mark + text).encode(encoding), "0003") == text


def test_malformed_lines_are_read_as_far_as_they_go(by_id):
    lines = {key: (item.extra["transcript"], item.extra["emotion_in_transcript"])
             for key, item in by_id.items() if key.startswith("0015")}  # fmt: skip

    assert lines == {
        "0015_000137": ("This one has blanks.", "Neutral"),
        "0015_000138": ("This one has no emotion.", ""),
        "0015_000139": ("This one has one tab more.", "Neutral"),
        "0015_001401": ("I am happy.", "Surprise"),
    }


def test_word_of_a_sentence_is_no_emotion():
    assert esd.parse_line("0011_000001\tI am happy") == esd.Line("0011_000001", "I am happy", "")
    assert esd.parse_line("a sentence\tHappy") is None


def test_recordings_carry_what_paths_and_speakers_say(corpus, by_id):
    angry = by_id["0011_000401"]

    assert len(by_id) == 18
    assert (angry.speaker, angry.gender, angry.language) == ("esd:0011", "M", "eng")
    assert (angry.path, angry.session) == ("0011/Angry/train/0011_000401.wav", "")
    assert (by_id["0001_000401"].gender, by_id["0001_000401"].language) == ("F", "cmn")
    assert corpus.unknown_labels == ()


def test_folders_of_a_split_may_be_absent(by_id):
    assert by_id["0011_000401"].extra["split"] == "train"
    assert "split" not in by_id["0012_000401"].extra
    assert by_id["0012_000401"].emotion == by_id["0011_000401"].emotion == "anger"


def test_ten_speakers_are_men_five_of_each_language():
    assert len(esd.MEN) == len(set(esd.MEN)) == 10
    assert len(set(esd.MEN) & set(esd.MANDARIN)) == 5
    assert len(esd.SPEAKERS) == esd.EXPECTED["speakers"] == 20


def test_what_is_left_out_is_listed(left_out):
    assert left_out == {
        ("0011/Angry/0011.wav", esd.EXCLUDED["name"]),
        ("0015/0015.txt:5", esd.EXCLUDED["line"]),
        ("0021/Angry/0021_000401.wav", esd.EXCLUDED["name"]),
    }


@pytest.mark.parametrize(
    ("word", "emotion"),
    [("中立", "neutral"), ("生气", "anger"), ("快乐", "happiness"), ("伤心", "sadness"),
     ("惊喜", "surprise"), ("Surprise", "surprise")],
)  # fmt: skip
def test_transcript_tells_the_emotion_where_no_folder_does(tmp_path, word, emotion):
    write_tone(tmp_path / "0001" / "0001_000001.wav")
    write_tone(tmp_path / "0001" / "0001_000002.wav")
    line = f"0001_000001\t这是一句话。\t{word}\n"
    (tmp_path / "0001" / "0001.txt").write_bytes(line.encode("gb2312"))

    corpus = esd.read(tmp_path)

    assert [(item.emotion, item.emotion_raw) for item in corpus.utterances] == [(emotion, word)]
    assert [(item.where, item.reason) for item in corpus.dropped] == [
        ("0001/0001_000002.wav", esd.EXCLUDED["emotion"])
    ]


def test_copy_within_a_split_counts_once(tmp_path):
    for folder in ("Sad", "Sad/test"):
        write_tone(tmp_path / "0007" / folder / "0007_001051.wav")

    corpus = esd.read(tmp_path)

    assert [item.path for item in corpus.utterances] == ["0007/Sad/0007_001051.wav"]
    assert [item.where for item in corpus.dropped] == ["0007/Sad/test/0007_001051.wav"]


def test_what_a_transcript_has_and_is_not_there_is_listed(tmp_path):
    layout.write(tmp_path)
    (tmp_path / "esd" / "0009" / "Angry" / "0009_000401.wav").unlink()

    dropped = esd.read(tmp_path / "esd").dropped

    assert [item.where for item in dropped if item.reason == esd.EXCLUDED["absent"]] == [
        "0009_000401"
    ]
