"""IEMOCAP: who speaks, which line counts, what is listed, and the synthetic copy of it."""

import re
from collections import Counter

import numpy as np
import pytest
import soundfile
from corpus_layouts import iemocap as layout

from data_prep.corpora import find_adapter, iemocap
from data_prep.synthetic import synthesise
from ser_aae.errors import UserError

LINE = "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 3.5000, 4.3333]"


@pytest.fixture
def root(tmp_path):
    """A copy in which every turn has its sound and every sound its label."""
    return layout.write_plain(tmp_path)


@pytest.mark.parametrize(
    ("turn", "dialog", "session", "is_improvised", "gender"),
    [
        ("Ses01F_impro01_F000", "Ses01F_impro01", "1", True, "F"),
        ("Ses01F_impro01_M012", "Ses01F_impro01", "1", True, "M"),  # she only wears the markers
        ("Ses03M_impro05a_F001", "Ses03M_impro05a", "3", True, "F"),
        ("Ses03M_impro08b_M021", "Ses03M_impro08b", "3", True, "M"),
        ("Ses04M_script03_2_M009", "Ses04M_script03_2", "4", False, "M"),
        ("Ses05M_script01_1_F040", "Ses05M_script01_1", "5", False, "F"),
        ("Ses05M_script01_1b_F001", "Ses05M_script01_1b", "5", False, "F"),
    ],
)
def test_the_letter_behind_the_last_line_speaks(turn, dialog, session, is_improvised, gender):
    assert iemocap.parse_name(turn) == iemocap.TurnName(dialog, session, is_improvised, gender)


@pytest.mark.parametrize("turn", ["Ses01F_impro01", "Ses01F_impro01_MXX0", "Ses06F_impro01_F000",
                                  "Ses01F_impro01_F000 (1)", "Ses01X_impro01_F000", "",
                                  "Ses01F_impro01_F٠٠٠", "Ses01F_chat01_F000"])  # fmt: skip
def test_other_names_are_no_turns(turn):
    assert iemocap.parse_name(turn) is None


def test_numbers_are_valence_activation_dominance_in_this_order():
    turn = iemocap.parse_label(LINE, "Ses01F_impro01")

    assert (turn.valence, turn.activation, turn.extra["dominance"]) == (2.5, 3.5, "4.3333")
    assert (turn.extra["dialog_start_s"], turn.extra["dialog_end_s"]) == ("6.2901", "8.2357")
    # these place the turn in the dialog; its own file has it from beginning to end
    assert (turn.start_s, turn.end_s) == (0.0, None)


@pytest.mark.parametrize(
    ("code", "emotion"),
    [("ang", "anger"), ("dis", "disgust"), ("exc", "happiness"), ("fea", "fear"),
     ("fru", "frustration"), ("hap", "happiness"), ("neu", "neutral"), ("oth", "other"),
     ("sad", "sadness"), ("sur", "surprise"), ("xxx", ""), ("zzz", "zzz")],
)  # fmt: skip
def test_every_code_has_its_emotion(code, emotion):
    turn = iemocap.parse_label(LINE.replace("neu", code), "Ses01F_impro01")

    assert turn.emotion == emotion
    assert turn.emotion_raw == ("" if code == "xxx" else code)
    assert turn.extra["consensus"] == code


def test_turns_carry_what_the_corpus_says(corpus, by_id):
    neutral = by_id["Ses01F_impro01_F000"]

    assert len(by_id) == 12
    assert (neutral.speaker, neutral.gender, neutral.session) == ("iemocap:1F", "F", "Session1")
    assert (neutral.emotion, neutral.emotion_raw, neutral.language) == ("neutral", "neu", "eng")
    assert neutral.extra == {
        "dialog": "Ses01F_impro01", "elicitation": "improvised", "consensus": "neu",
        "dominance": "2.5", "dialog_start_s": "6.2901", "dialog_end_s": "8.2357",
        "transcript": "May I ask something?",
    }  # fmt: skip
    # the mean of the external raters is stored; the speaker's own rating is not in it
    assert (neutral.valence, neutral.activation) == (2.5, 2.5)
    assert corpus.root.name == layout.ROOT
    assert corpus.unknown_labels == ()


def test_the_partner_of_the_one_with_markers_is_another_speaker(corpus, by_id):
    excited = by_id["Ses01F_impro01_M000"]

    assert (excited.speaker, excited.gender) == ("iemocap:1M", "M")
    assert (excited.emotion, excited.emotion_raw) == ("happiness", "exc")
    assert excited.extra["transcript"] == "Of course: go on!"
    assert {item.speaker: item.gender for item in corpus.utterances} == {
        f"iemocap:{session}{gender}": gender for session in (1, 3, 5) for gender in "FM"
    }


def test_undecided_turns_have_ratings_and_no_emotion(by_id):
    undecided = by_id["Ses01F_impro01_M001"]

    assert (undecided.emotion, undecided.emotion_raw) == ("", "")
    assert (undecided.valence, undecided.activation) == (2.5, 3.0)
    assert "transcript" not in undecided.extra


def test_means_outside_one_to_five_are_kept(by_id):
    assert by_id["Ses03M_impro05a_M000"].valence == 5.5
    assert by_id["Ses01M_script01_1_M000"].extra["dominance"] == "0.5"


def test_a_dialog_is_not_another_whose_name_begins_alike(corpus, by_id):
    of_dialogs = Counter(item.extra["dialog"] for item in corpus.utterances)

    assert of_dialogs["Ses05M_script01_1"] == of_dialogs["Ses05M_script01_1b"] == 2
    assert by_id["Ses05M_script01_1b_F000"].emotion == "sadness"
    assert by_id["Ses05M_script01_1b_F000"].extra["elicitation"] == "scripted"


def test_what_has_no_partner_is_listed(left_out):
    assert left_out == {
        ("Session2", iemocap.EXCLUDED["session"]),
        ("Session4", iemocap.EXCLUDED["session"]),
        ("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F009.wav",
         iemocap.EXCLUDED["label"]),
        ("Session5/sentences/wav/Ses05M_script01_1/Ses05M_script01_1_M001.wav",
         iemocap.EXCLUDED["sound"]),
    }  # fmt: skip


def test_an_incomplete_copy_is_refused_with_the_sessions_it_lacks(tmp_path):
    layout.write(tmp_path)

    with pytest.raises(UserError) as caught:
        find_adapter("iemocap").read(tmp_path)

    for said in ("utterances of Session2: expected 1811, found 0", "dialogs: expected 151, found 5",
                 "utterances of happiness: expected 1636, found 3", "--allow-partial"):  # fmt: skip
        assert said in str(caught.value)


@pytest.mark.parametrize("name", ["Any name", "download/Any name"])
def test_the_sessions_may_lie_in_a_folder_or_in_the_root_itself(tmp_path, root, name):
    (tmp_path / "data" / "iemocap").mkdir(parents=True)
    flat = iemocap.read(root)
    for folder in root.glob("Session*"):
        target = tmp_path / "data" / "iemocap" / name / folder.name
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)

    nested = find_adapter("iemocap").read(tmp_path / "data", allow_partial=True)

    assert nested.root == tmp_path / "data" / "iemocap" / name
    assert nested.utterances == flat.utterances


def label_file(data_root, dialog):
    folder = data_root / "iemocap" / f"Session{dialog[4]}" / "dialog"
    return (folder / "EmoEvaluation" / f"{dialog}.txt").read_text()


@pytest.fixture(scope="module")
def synthetic_root(tmp_path_factory):
    """A data root with the first two sessions of synthetic speech; not to be changed."""
    root = tmp_path_factory.mktemp("synthetic")
    synthesise("iemocap", root, speakers=4)
    return root


def test_synthetic_copy_has_the_layout_and_all_emotions(synthetic_root):
    corpus = find_adapter("iemocap").read(synthetic_root, allow_partial=True)

    assert {item.reason for item in corpus.dropped} <= {iemocap.EXCLUDED["session"]}
    counts = {name: count for name, count in corpus.counts.items() if count}
    assert counts == {
        "utterances": 72, "speakers": 4, "dialogs": 4, "improvised utterances": 36,
        "utterances of women": 36, "utterances of men": 36, "utterances of excitement": 8,
        "utterances of Session1": 36, "utterances of Session2": 36,
        "utterances without agreement": 4, "utterances of anger": 16,
        "utterances of happiness": 16, "utterances of neutral": 16, "utterances of sadness": 16,
        "utterances of frustration": 4,
    }  # fmt: skip
    assert all(item.extra["transcript"] for item in corpus.utterances)


def test_synthetic_sound_is_as_long_as_its_label_says(synthetic_root):
    corpus = find_adapter("iemocap").read(synthetic_root, allow_partial=True)
    for item in corpus.utterances:
        header = soundfile.info(item.audio_path(corpus.root))
        times = float(item.extra["dialog_start_s"]), float(item.extra["dialog_end_s"])
        assert (header.samplerate, header.channels, header.subtype) == (16000, 1, "PCM_16")
        assert header.duration == pytest.approx(times[1] - times[0], abs=2e-4)
        assert 1.5 <= header.duration <= 3.0


def test_synthetic_ratings_go_with_the_emotion(synthetic_root):
    utterances = find_adapter("iemocap").read(synthetic_root, allow_partial=True).utterances

    def mean(emotion, dimension):
        return np.mean([getattr(u, dimension) for u in utterances if u.emotion == emotion])

    assert mean("happiness", "valence") > mean("neutral", "valence") + 0.5
    assert mean("neutral", "valence") > mean("anger", "valence") + 0.5
    assert mean("anger", "activation") > mean("neutral", "activation") + 0.5
    assert mean("neutral", "activation") > mean("sadness", "activation") + 0.2


def test_synthetic_raters_agree_with_the_code_and_the_means(synthetic_root):
    words = {"ang": "Anger", "exc": "Excited", "fru": "Frustration", "hap": "Happiness",
             "neu": "Neutral", "sad": "Sadness"}  # fmt: skip
    blocks = "".join(
        label_file(synthetic_root, f"Ses0{session}{name}")
        for session in (1, 2)
        for name in ("F_impro01", "M_script01_1")
    ).split("\n\n")
    checked = Counter()
    for block in (block for block in blocks if block.startswith("[")):
        code = block.split("\t")[2]
        votes = Counter(re.findall(r"^C-E\d:\t(\w+);", block, re.MULTILINE))
        ratings = re.findall(r"^A-E\d:\tval (\d); act (\d); dom  (\d);", block, re.MULTILINE)
        means = np.mean(np.array(ratings, dtype=float), axis=0)
        assert sum(votes.values()) == 3
        assert max(votes.values()) == (1 if code == "xxx" else 2)
        assert code == "xxx" or votes[words[code]] == 2
        assert f"[{means[0]:.4f}, {means[1]:.4f}, {means[2]:.4f}]" in block.splitlines()[0]
        checked[code] += 1
    assert sum(checked.values()) == 72
    # one actor of the second session did not rate himself
    assert "A-M1:" in label_file(synthetic_root, "Ses01F_impro01")
    assert "A-F2:" in label_file(synthetic_root, "Ses02F_impro01")
    assert "A-M2:" not in label_file(synthetic_root, "Ses02F_impro01")


def test_synthetic_copy_is_the_same_for_the_same_seed(synthetic_root, tmp_path):
    synthesise("iemocap", tmp_path / "again", speakers=2)
    synthesise("iemocap", tmp_path / "other", speakers=2, seed=1)

    first = label_file(synthetic_root, "Ses01F_impro01")
    assert label_file(tmp_path / "again", "Ses01F_impro01") == first
    assert label_file(tmp_path / "other", "Ses01F_impro01") != first


def test_synthetic_copy_has_no_more_speakers_than_the_corpus(tmp_path):
    with pytest.raises(UserError, match="at most 10 speakers of iemocap, got 11"):
        synthesise("iemocap", tmp_path, speakers=11)

    assert not (tmp_path / "iemocap").exists()
