"""MSP-IMPROV: names, the grammar of the label file, the inverted activation, both layouts."""

import re
from collections import Counter

import pytest
from corpus_layouts import msp as layout

from data_prep.corpora import find_adapter, msp
from data_prep.synthetic import msp as synthetic_layout
from data_prep.synthetic import synthesise
from ser_aae.config import ProtocolConfig
from ser_aae.frontend.audio import read_audio
from ser_aae.protocols.splits import make_split, num_folds

TURN = "UTD-IMPROV-S01A-F02-R-FF01.avi; A; A:3.250000; V:2.500000; D:3.000000 ; N:3.750000;"


@pytest.fixture
def by_name(corpus):
    return {item.utterance_id.removeprefix("MSP-IMPROV-"): item for item in corpus.utterances}


@pytest.mark.parametrize(
    "name",
    ["MSP-IMPROV-S05H-M03-S-FM12", "UTD-IMPROV-S05H-M03-S-FM12", "utd-improv-s05h-m03-s-fm12",
     "UTD-IMPROV-S05H-M03-S-FM12.avi"],
)  # fmt: skip
def test_sound_and_video_of_a_turn_have_one_name(name):
    parsed = msp.parse_name(name)

    assert parsed == msp.TurnName("05", "H", "M03", "S", "FM", "12")
    assert str(parsed) == "MSP-IMPROV-S05H-M03-S-FM12"
    assert parsed.session == "session3"


@pytest.mark.parametrize(
    "name",
    ["clapper", "", "MSP-IMPROV-S05X-M03-S-FM12", "MSP-IMPROV-S05H-X03-S-FM12",
     "MSP-IMPROV-S05H-M03-Q-FM12", "MSP-IMPROV-S05H-M03-S-FX12", "MSP-IMPROV-S05H-M03-S-FM",
     "MSP-PODCAST-S05H-M03-S-FM12", "MSP-IMPROV-S05H-M03-S-FM12-copy"],
)  # fmt: skip
def test_other_names_are_no_turns(name):
    assert msp.parse_name(name) is None


def test_line_of_a_turn_has_activation_before_valence():
    turn = msp.parse_turn(TURN)

    assert turn.name == msp.TurnName("01", "A", "F02", "R", "FF", "01")
    assert turn.consensus == "A"
    assert turn.ratings == (3.25, 2.5, 3.0, 3.75)


@pytest.mark.parametrize(
    ("old", "new", "ratings"),
    [
        ("D:3.000000 ;", "D:NaN ;", (3.25, 2.5, None, 3.75)),
        ("A:3.250000; V:2.500000", "A:nan;V:NaN", (None, None, 3.0, 3.75)),
        ("D:3.000000 ;", "D:3.000000;", (3.25, 2.5, 3.0, 3.75)),
        ("N:3.750000;", "N:4", (3.25, 2.5, 3.0, 4.0)),
        ("; A; A:", ";A;  A:", (3.25, 2.5, 3.0, 3.75)),
        (".avi", "", (3.25, 2.5, 3.0, 3.75)),
    ],
)
def test_ratings_may_be_absent_and_blanks_vary(old, new, ratings):
    assert msp.parse_turn(TURN.replace(old, new)).ratings == ratings


@pytest.mark.parametrize(
    ("old", "new"),
    [("; A; A:", "; ; A:"), ("; A; A:", "; Angry; A:"), ("N:3.750000;", ""), ("V:", "Q:"),
     ("V:2.500000", "V:high"), ("F02", "X02"), ("V:2.500000; D:3.000000", "D:3.0; V:2.5")],
)  # fmt: skip
def test_damaged_lines_are_no_turns(old, new):
    assert msp.parse_turn(TURN.replace(old, new)) is None
    assert msp.parse_rater(TURN.replace(old, new)) is None


@pytest.mark.parametrize(
    "secondary",
    ["; ", "; Frustrated,Disgusted; ", "; Other(confused; maybe bored),Sad; ", "; a;b;;c; ",
     "; A:1; V:1; D:1; N:1; ", "; \"x\"/'y'|[z] .?!: ", "; \u00fcber\u2028strapaziert; ", ""],
)  # fmt: skip
def test_free_text_of_a_rater_may_hold_anything(secondary):
    line = f"WORKER7Q-p03; Angry{secondary}; A:2.000000; V:1.000000; D:NaN; N:4.000000;"

    assert msp.parse_rater(line) == ("WORKER7Q-p03", "Angry")
    assert msp.parse_turn(line) is None


@pytest.mark.parametrize(
    "line", ["", "WORKER7Q-p03", "WORKER7Q-p03; Angry; ;", "; Angry; ; A:2; V:1; D:1; N:4;"]
)
def test_other_lines_are_of_no_rater(line):
    assert msp.parse_rater(line) is None


def test_consensus_is_the_label_and_not_what_the_name_intends(by_name):
    labels = {name: (item.emotion, item.emotion_raw) for name, item in by_name.items()}

    assert labels == {
        "S01A-F01-P-FM01": ("happiness", "H"),
        "S01A-F01-S-FM01": ("anger", "A"),
        "S01A-F01-S-MF01": ("", ""),
        "S01A-M01-S-FM01": ("other", "O"),
        "S02S-M02-T-MF01": ("sadness", "S"),
        "S16N-F02-R-FF01": ("neutral", "N"),
    }
    assert by_name["S01A-F01-P-FM01"].extra["intended"] == "anger"
    assert by_name["S01A-F01-S-MF01"].extra["consensus"] == "X"


def test_turns_without_agreement_keep_their_ratings(by_name):
    turn = by_name["S01A-F01-S-MF01"]

    assert (turn.activation, turn.valence) == (3.0, 2.5)
    assert turn.extra["votes"] == "Angry 1, Sad 1"


def test_activation_goes_up_with_excitement(by_name):
    ratings = {name: (item.activation, item.valence) for name, item in by_name.items()}

    # stored 3.5, medium, is low and stored 2.5, low, is medium: bounds are closed at the top
    assert ratings["S01A-F01-P-FM01"] == (2.5, 4.333333)
    assert ratings["S01A-F01-S-FM01"] == (3.5, 1.75)
    assert ratings["S16N-F02-R-FF01"] == (2.0, 3.0)
    assert ratings["S02S-M02-T-MF01"] == (pytest.approx(2.333333, abs=1e-12), 2.0)
    assert ratings["S01A-M01-S-FM01"] == (None, None)
    assert by_name["S01A-F01-P-FM01"].extra["activation_stored"] == "3.5"
    assert "activation_stored" not in by_name["S01A-M01-S-FM01"].extra


def test_speaker_and_gender_are_the_fourth_field_s_and_sessions_the_pair_s(by_name):
    assert {(item.speaker, item.gender, item.session) for item in by_name.values()} == {
        ("msp:F01", "F", "session1"),
        ("msp:M01", "M", "session1"),
        ("msp:F02", "F", "session2"),
        ("msp:M02", "M", "session2"),
    }
    # the scene is led by M01, and F01 speaks
    assert by_name["S01A-F01-S-MF01"].speaker == "msp:F01"


def test_a_dialog_is_both_its_speakers_and_not_another_scene(by_name):
    dialogs = {name: item.extra["dialog"] for name, item in by_name.items()}

    assert dialogs["S01A-F01-S-FM01"] == dialogs["S01A-M01-S-FM01"] == "session1-S01A-S-FM"
    assert dialogs["S01A-F01-S-MF01"] == "session1-S01A-S-MF"
    assert dialogs["S01A-F01-P-FM01"] == "session1-S01A-P-FM"


def test_what_else_the_corpus_says_is_kept(by_name):
    assert by_name["S01A-F01-P-FM01"].extra == {
        "scenario": "P",
        "elicitation": "natural",
        "sentence": "01",
        "intended": "anger",
        "dialog": "session1-S01A-P-FM",
        "consensus": "H",
        "votes": "Happy 2, Neutral 1",  # of four lines: one rater's stands there twice
        "activation_stored": "3.5",
        "dominance": "3.0",
        "naturalness": "4.25",
        "transcript": "so that [inaudible 00:05:57] was it",
    }
    assert "dominance" not in by_name["S01A-F01-S-FM01"].extra
    assert "transcript" not in by_name["S01A-F01-S-FM01"].extra


def test_target_sentences_in_an_improvisation_are_improvised(by_name):
    elicitation = {item.extra["scenario"]: item.extra["elicitation"] for item in by_name.values()}

    assert elicitation == {
        "T": "improvised", "S": "improvised", "R": "scripted", "P": "natural",
    }  # fmt: skip


def test_what_is_left_out_is_listed(left_out):
    assert left_out == {
        (f"Evalution.txt{layout.LABEL_WITHOUT_AUDIO}", msp.EXCLUDED["audio"]),
        (f"Audio/{layout.AUDIO_WITHOUT_LABEL}", msp.EXCLUDED["label"]),
        ("Audio/session1/S01A/clapper.wav", msp.EXCLUDED["name"]),
        ("from-video/UTD-IMPROV-S01A-F01-P-FM01.wav", msp.EXCLUDED["twin"]),
        ("copy/session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav",
         "duplicate of a file of the same name"),
    }  # fmt: skip


@pytest.mark.parametrize("label_file", ["Evaluation.txt", "EVALUTION.TXT", "evaluation.txt"])
def test_layout_beside_the_videos_and_other_spellings(tmp_path, corpus, label_file):
    layout.write(tmp_path / "other", sound_folder=".", label_file=label_file)

    other = msp.read(tmp_path / "other" / "msp")

    assert [item.path for item in other.utterances] == [
        item.path.removeprefix("Audio/") for item in corpus.utterances
    ]
    assert [(item.utterance_id, item.extra) for item in other.utterances] == [
        (item.utterance_id, item.extra) for item in corpus.utterances
    ]


def test_any_rate_and_number_of_channels_is_read(corpus):
    lengths = {len(read_audio(item.audio_path(corpus.root), 16000)) for item in corpus.utterances}

    assert lengths == {3200}


def test_synthetic_corpus_has_the_layout_and_a_fold_a_session(tmp_path):
    synthesise("msp-improv", tmp_path, speakers=6)

    corpus = find_adapter("msp").read(tmp_path, allow_partial=True)

    assert corpus.dropped == ()
    assert corpus.counts["utterances"] == 6 * 17
    assert {corpus.counts[f"utterances of {name}"] for name in
            ("anger", "happiness", "neutral", "sadness")} == {24}  # fmt: skip
    assert corpus.counts["utterances without agreement"] == 6
    assert Counter(item.gender for item in corpus.utterances) == {"F": 51, "M": 51}
    assert any(item.extra["intended"] != item.emotion for item in corpus.utterances)
    mean = Counter()
    for item in corpus.utterances:
        mean[item.emotion] += item.activation / 24
    assert mean["anger"] > mean["neutral"] > mean["sadness"]
    labelled = [item for item in corpus.utterances if item.emotion]
    for protocol in (ProtocolConfig(name="loso-session"), ProtocolConfig(name="loso")):
        split = make_split(labelled, protocol, seed=0)
        assert {labelled[row].session for row in split.test} == {"session1"}
        assert num_folds(labelled, protocol) == {"loso-session": 3, "loso": 6}[protocol.name]


def test_synthetic_labels_are_in_the_exact_grammar_and_average_their_raters(tmp_path):
    synthetic_layout.write(tmp_path / "a", speakers=2, seed=3)
    synthetic_layout.write(tmp_path / "b", speakers=2, seed=3)

    text = (tmp_path / "a" / "Evalution.txt").read_text()
    number = r"([1-5]\.\d{6})"
    turn = rf"UTD-IMPROV-[\w-]+\.avi; [AHNSX]; A:{number}; V:{number}; D:{number} ; N:{number};"
    rater = rf"WORKER\d-p\d\d; [A-Z][a-z]+; .*; A:{number}; V:{number}; D:{number}; N:{number};"
    blocks = text.removesuffix("\n").split("\n\n")
    assert len(blocks) == 34
    for first, *others in (block.splitlines() for block in blocks):
        averages = [float(value) for value in re.fullmatch(turn, first).groups()]
        ratings = [list(map(float, re.fullmatch(rater, line).groups())) for line in others]
        assert averages == pytest.approx([sum(column) / 5 for column in zip(*ratings, strict=True)])
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 35
    assert all(
        (tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files
    )
