"""A tree of IEMOCAP in its full size, labels made up: the published counts come out."""

import shutil
from collections import Counter, defaultdict

import numpy as np
import pytest
from corpus_layouts import iemocap_labels as layout

from data_prep.corpora import find_adapter, iemocap
from ser_aae.errors import UserError
from ser_aae.labels import FOUR

SUFFIXED = ("impro05a", "impro05b", "impro08a", "impro08b", "script01_1b")
DECIDED_IN_SESSIONS = (1085, 1023, 1151, 1031, 1241)
"""Utterances of the four classes, in the order of the sessions."""
DECIDED_OF_SPEAKERS = {
    "1F": 528, "1M": 557, "2F": 481, "2M": 542, "3F": 522, "3M": 629, "4F": 528, "4M": 503,
    "5F": 590, "5M": 651,
}  # fmt: skip
LEVELS = {
    "all": {"activation": (1112, 7077, 1850), "valence": (3223, 4806, 2010)},
    "decided": {"activation": (871, 5131, 1530), "valence": (2559, 3510, 1463)},
    "four": {"activation": (726, 3685, 1120), "valence": (1565, 2555, 1411)},
}
"""Turns of low, medium and high means, of all 10039, of 7532 and of 5531."""


@pytest.fixture(scope="session")
def turns():
    return layout.arrange()


@pytest.fixture(scope="session")
def data_root(tmp_path_factory, turns):
    """A data root with the whole tree; 10039 links to three sounds. Not to be changed."""
    root = tmp_path_factory.mktemp("iemocap")
    layout.write_tree(root / "iemocap" / "IEMOCAP_full_release", turns)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def corpus(data_root):
    return find_adapter("iemocap").read(data_root)


@pytest.fixture(scope="session")
def four(corpus):
    """The utterances of the four classes."""
    return [item for item in corpus.utterances if item.emotion in FOUR]


def subset(name, corpus, four):
    """Return all utterances, those with an emotion, or those of the four classes."""
    decided = [item for item in corpus.utterances if item.emotion]
    return {"all": corpus.utterances, "decided": decided, "four": four}[name]


def test_a_complete_copy_is_accepted_and_nothing_dropped(corpus):
    assert corpus.counts == iemocap.EXPECTED
    assert corpus.dropped == ()
    assert corpus.unknown_labels == ()


def test_turns_speakers_and_dialogs(corpus):
    assert len(corpus.utterances) == 10039
    assert len({item.extra["dialog"] for item in corpus.utterances}) == 151
    assert Counter(item.session for item in corpus.utterances) == {
        "Session1": 1819, "Session2": 1811, "Session3": 2136, "Session4": 2103, "Session5": 2170,
    }  # fmt: skip
    dialogs = {(item.session, item.extra["dialog"]) for item in corpus.utterances}
    assert Counter(session for session, _ in dialogs) == {
        "Session1": 28, "Session2": 30, "Session3": 32, "Session4": 30, "Session5": 31,
    }  # fmt: skip
    assert {item.speaker: item.gender for item in corpus.utterances} == {
        f"iemocap:{speaker}": speaker[1] for speaker in DECIDED_OF_SPEAKERS
    }


def test_codes(corpus):
    assert Counter(item.extra["consensus"] for item in corpus.utterances) == {
        "xxx": 2507, "fru": 1849, "neu": 1708, "ang": 1103, "sad": 1084, "exc": 1041, "hap": 595,
        "sur": 107, "fea": 40, "oth": 3, "dis": 2,
    }  # fmt: skip
    assert sum(item.emotion == "" for item in corpus.utterances) == 2507


def test_four_classes(four):
    assert len(four) == 5531
    assert Counter(item.emotion for item in four) == {
        "anger": 1103, "happiness": 1636, "neutral": 1708, "sadness": 1084,
    }  # fmt: skip
    sessions = Counter(item.session for item in four)
    assert tuple(sessions[f"Session{n}"] for n in range(1, 6)) == DECIDED_IN_SESSIONS
    speakers = Counter(item.speaker for item in four)
    assert speakers == {f"iemocap:{name}": count for name, count in DECIDED_OF_SPEAKERS.items()}
    assert Counter(item.gender for item in four) == {"F": 2649, "M": 2882}


def test_every_speakers_emotions(four):
    found = Counter((item.speaker, item.emotion) for item in four)
    for session, codes in layout.FOUR_CLASSES.items():
        for code, counts in codes.items():
            emotion = iemocap.canonical_emotion(code.partition("+")[0])
            for gender, count in zip("FM", counts, strict=True):
                assert found[f"iemocap:{session}{gender}", emotion] == count
    happy = Counter(item.session for item in four if item.emotion_raw == "hap")
    excited = Counter(item.session for item in four if item.emotion_raw == "exc")
    assert [happy[f"Session{n}"] for n in range(1, 6)] == [135, 117, 135, 65, 143]
    assert [excited[f"Session{n}"] for n in range(1, 6)] == [143, 210, 151, 238, 299]


def test_the_speaker_is_not_the_one_who_wears_the_markers(corpus):
    wearers = [item.extra["dialog"][5] for item in corpus.utterances]
    speakers = [item.gender for item in corpus.utterances]

    assert Counter(speakers) == {"F": 4800, "M": 5239}
    assert Counter(wearers) == {"F": 4941, "M": 5098}
    assert sum(one == other for one, other in zip(speakers, wearers, strict=True)) == 5088


def test_dialogs_whose_names_are_longer_have_speakers_of_both_genders(corpus, turns):
    made = {turn.name: turn.gender for turn in turns}
    found = defaultdict(set)
    for item in corpus.utterances:
        assert item.gender == made[item.utterance_id]
        body = item.extra["dialog"].partition("_")[2]
        if body in SUFFIXED:
            found[body].add(item.gender)

    assert found == {body: {"F", "M"} for body in SUFFIXED}


def test_improvised_and_scripted(corpus, four):
    def counts(utterances):
        return Counter(item.extra["elicitation"] for item in utterances)

    assert counts(corpus.utterances) == {"improvised": 4784, "scripted": 5255}
    assert counts(four) == {"improvised": 2943, "scripted": 2588}
    without_excitement = [item for item in four if item.emotion_raw != "exc"]
    assert counts(without_excitement)["improvised"] == 2280
    improvised = [item for item in four if item.extra["elicitation"] == "improvised"]
    assert Counter(item.emotion_raw for item in improvised) == {
        "ang": 289, "hap": 284, "exc": 663, "sad": 608, "neu": 1099,
    }  # fmt: skip


@pytest.mark.parametrize("dimension", ["activation", "valence"])
@pytest.mark.parametrize("name", LEVELS)
def test_levels_of_table_2(name, dimension, corpus, four, count_levels):
    assert count_levels(subset(name, corpus, four), dimension) == LEVELS[name][dimension]


@pytest.mark.parametrize("dimension", ["activation", "valence"])
def test_levels_of_a_run_are_those_of_the_four_classes(dimension, corpus, count_levels):
    found = count_levels(corpus.utterances, dimension, classes="four")

    assert found == LEVELS["four"][dimension]


@pytest.mark.parametrize(("dimension", "low", "medium"), [("valence", 2075, 816),
                                                          ("activation", 927, 2039)])  # fmt: skip
def test_means_on_an_edge_are_on_its_lower_side(dimension, low, medium, corpus):
    values = Counter(getattr(item, dimension) for item in corpus.utterances)

    assert (values[2.0], values[3.5]) == (low, medium)
    open_edges = np.bincount(np.digitize(list(values.elements()), iemocap.FACTS.level_edges))
    assert open_edges[0] == LEVELS["all"][dimension][0] - low


def test_the_seven_means_outside_the_scale_are_kept(corpus):
    valence = {item.utterance_id for item in corpus.utterances if item.valence > 5}
    dominance = {i.utterance_id for i in corpus.utterances if float(i.extra["dominance"]) < 1}

    assert valence | dominance == set(layout.OUT_OF_RANGE)
    assert (len(valence), len(dominance)) == (4, 3)


def test_every_turn_is_read_as_it_was_made(corpus, turns):
    made = {
        turn.name: (turn.code, turn.valence, turn.activation, str(turn.dominance)) for turn in turns
    }
    found = {
        item.utterance_id: (item.extra["consensus"], item.valence, item.activation,
                            item.extra["dominance"])
        for item in corpus.utterances
    }  # fmt: skip

    assert found == made
    assert all(item.extra["transcript"].startswith("Made-up") for item in corpus.utterances)


def test_a_copy_without_a_session_is_refused_or_read_without_it(data_root, tmp_path):
    (tmp_path / "iemocap").mkdir()
    for number in (1, 2, 3, 5):
        folder = tmp_path / "iemocap" / f"Session{number}"
        folder.symlink_to(data_root / "iemocap" / "IEMOCAP_full_release" / folder.name)
    adapter = find_adapter("iemocap")

    with pytest.raises(UserError) as caught:
        adapter.read(tmp_path)
    partial = adapter.read(tmp_path, allow_partial=True)

    assert "utterances of Session4: expected 2103, found 0" in str(caught.value)
    assert "speakers: expected 10, found 8" in str(caught.value)
    assert "utterances of Session3" not in str(caught.value)
    assert len(partial.utterances) == 10039 - 2103
    assert [(i.where, i.reason) for i in partial.dropped] == [
        ("Session4", iemocap.EXCLUDED["session"])
    ]
