"""CREMA-D: intended and perceived emotions, git-lfs pointers, and the tables."""

import pytest
from corpus_layouts import cremad as layout
from corpus_layouts.sound import write_tone

from data_prep.corpora import cremad, find_adapter
from ser_aae.errors import UserError


def test_name_has_four_fields():
    name = cremad.parse_name("1091_WSI_FEA_XX")

    assert name == cremad.RecordingName("1091", "WSI", "FEA", "XX")


@pytest.mark.parametrize("stem", ["1001_IEO_HAP", "1001-IEO-HAP-LO", "101_IEO_HAP_LO", "notes",
                                  "1001_IEO_HAP_LOW", "1001_IEO_H_LO", ""])  # fmt: skip
def test_other_names_are_no_recordings(stem):
    assert cremad.parse_name(stem) is None


def test_label_is_the_intended_emotion(by_id):
    happy = by_id["1001_IEO_HAP_LO"]

    # the listeners heard a neutral voice, and saw a happy face
    assert (happy.emotion, happy.emotion_raw) == ("happiness", "HAP")
    assert happy.extra["perceived_voice"] == "neutral"
    assert happy.extra["perceived_voice_level"] == "70.5"
    assert happy.extra["perceived_multimodal"] == "happiness"
    assert "intended" in cremad.TITLE


def test_ties_are_kept_as_ties(by_id):
    tie = by_id["1001_DFA_SAD_XX"]

    assert tie.extra["perceived_voice"] == "neutral:sadness"
    assert tie.extra["perceived_voice_level"] == "60:41.50"
    assert tie.extra["perceived_multimodal"] == "sadness"


@pytest.mark.parametrize(
    ("letters", "emotions"),
    [("A", "anger"), ("D", "disgust"), ("F", "fear"), ("H", "happiness"), ("N", "neutral"),
     ("S", "sadness"), ("A:D:N", "anger:disgust:neutral")],
)  # fmt: skip
def test_letters_of_votes_are_english(letters, emotions):
    assert cremad.parse_votes(letters) == emotions


@pytest.mark.parametrize("letters", ["", "X", "N:", "NS", "n"])
def test_other_votes_are_refused(letters):
    with pytest.raises(ValueError, match="expected one of A, D, F, H, N, S"):
        cremad.parse_votes(letters)


def test_recordings_carry_names_and_actors(by_id):
    fear = by_id["1002_WSI_FEA_HI"]

    assert len(by_id) == 5
    assert (fear.speaker, fear.gender, fear.emotion) == ("cremad:1002", "F", "fear")
    assert (fear.path, fear.language) == ("AudioWAV/1002_WSI_FEA_HI.wav", "eng")
    assert fear.extra["sentence"] == "WSI"
    assert fear.extra["level"] == "HI"
    assert (fear.extra["age"], fear.extra["race"]) == ("21", "Unknown")
    assert "gender" not in fear.extra
    assert by_id["1001_IEO_HAP_LO"].gender == "M"


def test_recordings_without_votes_or_actor_are_kept(by_id):
    assert "perceived_voice" not in by_id["1002_TIE_DIS_MD"].extra
    assert by_id["1040_ITH_SAD_X"].gender == "unknown"


def test_what_is_left_out_is_listed(left_out):
    assert left_out == {
        ("AudioWAV/1001-IEO-HAP-LO.wav", cremad.EXCLUDED["name"]),
        ("AudioWAV/1076_MTI_SAD_XX.wav", cremad.EXCLUDED["silent"]),
        (layout.POINTER, cremad.EXCLUDED["pointer"]),
    }


def test_what_was_voted_on_and_is_not_there_is_listed(tmp_path):
    layout.write(tmp_path)
    (tmp_path / "cremad" / "AudioWAV" / "1002_WSI_FEA_HI.wav").unlink()

    dropped = cremad.read(tmp_path / "cremad").dropped

    assert [item.where for item in dropped if item.reason == cremad.EXCLUDED["absent"]] == [
        "1002_WSI_FEA_HI"
    ]


def test_clone_without_lfs_is_explained(tmp_path):
    for stem in ("1001_IEO_HAP_LO", "1001_IEO_HAP_MD"):
        (tmp_path / f"{stem}.wav").write_text(layout.POINTER_TEXT)

    with pytest.raises(UserError) as caught:
        cremad.read(tmp_path)

    message = str(caught.value)
    assert str(tmp_path / "1001_IEO_HAP_LO.wav") in message
    assert "git-lfs pointer" in message
    assert "git lfs pull" in message
    assert "all 2 files" in message


def test_a_copy_without_the_table_of_actors_says_so(tmp_path):
    layout.write(tmp_path)
    (tmp_path / "cremad" / "VideoDemographics.csv").unlink()

    with pytest.raises(UserError, match=r"no gender is known: VideoDemographics\.csv"):
        find_adapter("cremad").read(tmp_path)


def test_sounds_without_tables_are_a_partial_copy(tmp_path):
    layout.write(tmp_path)
    (tmp_path / "cremad" / "VideoDemographics.csv").unlink()
    (tmp_path / "cremad" / "processedResults" / "summaryTable.csv").unlink()
    adapter = find_adapter("CREMA-D")

    partial = adapter.read(tmp_path, allow_partial=True)
    with pytest.raises(UserError, match="speakers F: expected 43, found 0"):
        adapter.read(tmp_path)

    assert {item.gender for item in partial.utterances} == {"unknown"}
    assert partial.counts["speakers unknown"] == 3


def test_speakers_are_counted_by_gender(corpus):
    assert corpus.counts["speakers F"] == 1
    assert corpus.counts["speakers M"] == 1
    assert corpus.counts["speakers unknown"] == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("VideoDemographics.csv", '21,"Female"', '21,"F"', 3),
        ("VideoDemographics.csv", '"Sex"', '"Gender"', 2),
        ("VideoDemographics.csv", '"ActorID"', '"Actor"', 2),
        ("processedResults/summaryTable.csv", '"N:S"', '"N;S"', 3),
        ("processedResults/summaryTable.csv", '"33","S","44"', '"33","S","44', 3),
        ("VideoDemographics.csv", '"Caucasian","Not Hispanic"', '"Caucasian","Not', 2),
        ("processedResults/summaryTable.csv", '"VoiceVote"', '"voice"', 2),
        # as the corpus' README has it
        ("processedResults/summaryTable.csv", '"FileName"', '"fileName"', 2),
    ],
)
def test_damaged_tables_are_explained_with_their_line(tmp_path, file, old, new, line):
    layout.write(tmp_path)
    path = tmp_path / "cremad" / file
    path.write_text(path.read_text().replace(old, new))

    with pytest.raises(UserError) as caught:
        cremad.read(tmp_path / "cremad")

    assert str(caught.value).startswith(f"{path}:{line}: expected ")


def test_short_row_of_an_actor_leaves_the_rest_empty(tmp_path):
    write_tone(tmp_path / "1001_IEO_SAD_XX.wav")
    (tmp_path / "VideoDemographics.csv").write_text("ActorID,Age,Sex,Race\n1001,51,Male\n")

    (utterance,) = cremad.read(tmp_path).utterances

    assert utterance.gender == "M"
    assert (utterance.extra["age"], utterance.extra["race"]) == ("51", "")


def test_expected_counts_lack_the_silent_recording():
    # 7442 with the silent one, which is sad
    assert cremad.EXPECTED["utterances of sadness"] + 1 == cremad.EXPECTED["utterances of anger"]
    assert cremad.EXPECTED["speakers F"] + cremad.EXPECTED["speakers M"] == 91
