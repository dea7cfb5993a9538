"""Leakage between parts: what is refused, what is counted and told."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tiny import corpus_of, sound_of, speak

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.protocols.leakage import (
    VOICES,
    Split,
    check_leakage,
    independence,
    refuse_known,
    shared_voices,
)
from ser_aae.protocols.splits import make_split
from ser_aae.utterance import Sound


@pytest.fixture
def sound():
    """A sound split of six speakers and the utterances it is of."""
    utterances = corpus_of(6)
    return make_split(
        utterances, ProtocolConfig("speaker-kfold", folds=3, draw="sorted"), 0
    ), utterances


def test_a_sound_split_reports_what_it_counted(sound):
    split, utterances = sound
    auxiliary = corpus_of(5, corpus="librispeech")
    found = check_leakage(split, utterances, auxiliary)
    assert found["utterances"] == {
        "train": 6,
        "validation": 6,
        "test": 6,
        "unused": 0,
        "auxiliary": 15,
    }
    assert found["speakers"] == {"train": 2, "validation": 2, "test": 2, "auxiliary": 5}
    assert found["speaker_names"]["test"] == ["demo:1", "demo:2"]
    assert found["speaker_independent"] is True
    assert found["folds"] == 3
    assert not any(found["shared_speakers"].values())
    assert found["shared_utterances"] == found["shared_files"] == 0


def test_shared_speakers_are_listed_where_they_may_be():
    utterances = corpus_of(2, each=10)
    found = check_leakage(make_split(utterances, ProtocolConfig("10-fold"), 0), utterances)
    assert found["speaker_independent"] is False
    assert found["shared_speakers"]["train-test"] == ["demo:1", "demo:2"]


def test_a_moved_row_is_refused_in_every_direction(sound):
    split, utterances = sound
    for source in ("train", "validation", "test"):
        for goal in {"train", "validation", "test"} - {source}:
            row = getattr(split, source)[0]
            doctored = replace(
                split,
                **{
                    source: getattr(split, source)[1:],
                    goal: (*getattr(split, goal), row),
                },
            )
            with pytest.raises(UserError, match="share speakers"):
                check_leakage(doctored, utterances)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda split: {"train": (*split.train, split.test[0])}, "test share utterances"),
        (lambda split: {"test": (*split.test, split.test[0])}, "names a row twice"),
        (lambda split: {"test": (*split.test, 18)}, "rows 0 to 17"),
        (lambda split: {"test": (*split.test, -1)}, "rows 0 to 17"),
        (lambda split: {"validation": ()}, "validation part is empty"),
    ],
)
def test_a_doctored_split_is_refused(sound, change, message):
    split, utterances = sound
    with pytest.raises(UserError, match=message):
        check_leakage(replace(split, **change(split)), utterances)


def test_an_utterance_listed_twice_is_found_by_its_name(sound):
    split, utterances = sound
    copy = replace(utterances[split.test[0]], path="copy.wav")
    doctored = replace(split, train=(*split.train, len(utterances)))
    with pytest.raises(UserError, match="share utterances: demo 1-0"):
        check_leakage(doctored, [*utterances, copy])


@pytest.mark.parametrize(
    ("times", "refused"),
    [
        (((0.0, 2.0), (2.0, 4.0), (4.0, None)), False),
        (((0.0, 2.0), (1.9, 4.0), (4.0, None)), True),
        (((0.0, None), (7.0, 8.0), (9.0, 9.5)), True),
        (((0.0, 9.0), (9.0, 9.2), (8.0, 8.5)), True),
    ],
)
def test_stretches_of_one_file_may_touch_but_not_overlap(times, refused):
    utterances = [
        replace(speak(number, 0), path="dialog.wav", start_s=start, end_s=end)
        for number, (start, end) in enumerate(times)
    ]
    split = Split((0,), (1,), (2,), speaker_independent=True)
    if refused:
        with pytest.raises(UserError, match=r"share a file: demo dialog\.wav"):
            check_leakage(split, utterances)
    else:
        assert check_leakage(split, utterances)["shared_files"] == 0


@pytest.mark.parametrize(("channels", "refused"), [((1, 2, 3), False), ((1, 2, 1), True)])
def test_channels_of_one_file_are_recordings_of_their_own(channels, refused):
    utterances = [
        replace(speak(number, 0), path="dialog.wav", channel=channel)
        for number, channel in enumerate(channels)
    ]
    split = Split((0,), (1,), (2,), speaker_independent=True)
    if refused:
        with pytest.raises(UserError, match=r"share a file: demo dialog\.wav"):
            check_leakage(split, utterances)
    else:
        assert check_leakage(split, utterances)["shared_files"] == 0


def test_one_path_in_two_corpora_is_two_files():
    utterances = [speak(1, 0, "a"), speak(1, 0, "b"), speak(1, 0, "c")]
    split = Split((0,), (1,), (2,), speaker_independent=True)
    assert check_leakage(split, utterances)["shared_files"] == 0


def test_a_target_speaker_may_not_train_even_where_the_target_shares_speakers():
    source, target = corpus_of(3, corpus="a"), corpus_of(4, each=10, corpus="b")
    split = make_split([*source, *target], ProtocolConfig("cross-corpus", target="b"), 0)
    doctored = replace(
        split, train=(*split.train, split.validation[0]), validation=split.validation[1:]
    )
    with pytest.raises(UserError, match="train and validation share speakers"):
        check_leakage(doctored, [*source, *target])


def test_the_emotional_corpus_itself_is_no_auxiliary_corpus(sound):
    with pytest.raises(UserError, match="auxiliary corpus demo"):
        check_leakage(*sound, corpus_of(9))


def test_an_auxiliary_corpus_may_not_know_the_test_speakers(sound):
    guest = replace(speak(7, 0, "librispeech"), speaker="demo:1")
    with pytest.raises(UserError, match="share speakers: demo:1"):
        check_leakage(*sound, [guest])


def test_what_trains_without_a_label_is_of_the_training_part(sound):
    found = check_leakage(*sound, unlabelled=[speak(5, 7), speak(6, 7)])
    assert found["utterances"] == check_leakage(*sound)["utterances"] | {"train": 8}
    for known, part in ((speak(1, 7), "test"), (speak(3, 0), "validation")):
        with pytest.raises(UserError, match=f"train and {part} share"):
            check_leakage(*sound, unlabelled=[known])


def test_long_lists_are_cut_short():
    utterances = corpus_of(30, each=10)
    split = replace(make_split(utterances, ProtocolConfig("10-fold"), 0), speaker_independent=True)
    with pytest.raises(UserError, match="and 25 more"):
        check_leakage(split, utterances)


def test_rows_that_no_part_names_are_counted():
    utterances = corpus_of(4)
    split = Split((0,), (1,), (2,), speaker_independent=True)
    assert check_leakage(split, utterances)["utterances"]["unused"] == 9


def test_a_pair_that_must_be_apart_is_refused_in_a_speaker_dependent_split():
    utterances = [speak(1, 0), speak(1, 1), speak(2, 0)]
    split = Split((0,), (1,), (2,), speaker_independent=False)
    assert check_leakage(split, utterances)["shared_speakers"]["train-validation"] == ["demo:1"]
    with pytest.raises(UserError, match="train and validation share speakers: demo:1"):
        check_leakage(replace(split, apart=("train-validation",)), utterances)


@pytest.mark.parametrize("seed", range(20))
def test_any_exchange_of_two_rows_between_parts_is_refused(sound, seed):
    split, utterances = sound
    generator = np.random.default_rng(seed)
    first, second = generator.choice(["train", "validation", "test"], 2, replace=False)
    one, two = (int(generator.choice(getattr(split, part))) for part in (first, second))
    swapped = {
        first: tuple(two if row == one else row for row in getattr(split, first)),
        second: tuple(one if row == two else row for row in getattr(split, second)),
    }
    with pytest.raises(UserError, match="share speakers"):
        check_leakage(replace(split, **swapped), utterances)


def test_the_message_says_that_the_split_is_refused_and_why(sound):
    split, utterances = sound
    doctored = replace(split, train=split.train[1:], test=(*split.test, split.train[0]))
    with pytest.raises(UserError) as caught:
        check_leakage(doctored, utterances)
    assert str(caught.value) == (
        "leakage: train and test share speakers: demo:5; the result would flatter the model, "
        "so the split is refused"
    )


def test_the_result_is_plain_json(sound):
    found = check_leakage(*sound)
    assert json.loads(json.dumps(found)) == found


def heard(item, name, file="", **more):
    return replace(item, sound=sound_of(name, file), **more)


ONE_EACH = Split((0,), (1,), (2,), speaker_independent=True)


def test_a_recording_under_two_names_is_refused_across_parts():
    utterances = [heard(speak(1, 0), "a"), heard(speak(2, 0), "b"), heard(speak(3, 0), "a")]
    with pytest.raises(
        UserError, match=r"train and test share a recording: demo wav/3/0.wav and wav/1"
    ):
        check_leakage(ONE_EACH, utterances)
    utterances[2] = heard(utterances[2], "c")
    assert check_leakage(ONE_EACH, utterances)["known_by_sound"] is True
    utterances[2] = replace(utterances[2], sound=None)
    assert check_leakage(ONE_EACH, utterances)["known_by_sound"] is False


def test_two_tables_of_the_same_recordings_are_refused_whatever_they_call_them(sound):
    split, utterances = sound
    utterances = [heard(item, item.utterance_id) for item in utterances]
    foreign = [heard(speak(9, n, "calls"), name) for n, name in enumerate(["x", "5-0", "1-2"])]
    with pytest.raises(UserError) as caught:
        check_leakage(split, utterances, foreign)
    message = str(caught.value)
    assert message.startswith("leakage: calls and demo hold the same recording: calls wav/9/")
    assert "(auxiliary) is demo wav/" in message
    assert "and 1 more" in message
    assert check_leakage(split, utterances, foreign[:1])["known_by_sound"]


PIECE = {"name": "piece", "file": "dialog", "start_s": 2.0, "end_s": 3.0}
BEGIN = {"name": "begin", "file": "dialog", "end_s": 2.0}
REST = {"name": "rest", "file": "dialog", "start_s": 2.0}


@pytest.mark.parametrize(
    ("here", "there", "refused"),
    [
        (PIECE, {"name": "piece"}, True),  # what one corpus cuts out, another has as a file
        ({"name": "dialog"}, PIECE, True),  # a whole file, of which another corpus has a piece
        (BEGIN, REST | {"start_s": 1.9}, True),  # pieces of one file that overlap
        (BEGIN, REST, False),  # pieces that only touch
    ],
)
@pytest.mark.parametrize("corpus", ["demo", "calls"])
def test_pieces_of_a_recording_are_known_by_the_file_they_are_cut_from(
    here, there, refused, corpus
):
    utterances = [heard(speak(1, 0), **here), heard(speak(2, 0), "other")]
    utterances.append(heard(speak(3, 0, corpus), **there))
    if refused:
        words = "hold the same recording" if corpus == "calls" else "share a recording"
        with pytest.raises(UserError, match=words):
            check_leakage(ONE_EACH, utterances)
    else:
        assert check_leakage(ONE_EACH, utterances)["shared_files"] == 0


def test_digital_silence_is_no_recording():
    silence = Sound("", "")
    utterances = [replace(speak(number, 0), sound=silence) for number in range(3)]
    assert check_leakage(ONE_EACH, utterances)["known_by_sound"] is True


def test_who_is_verified_has_no_recording_in_another_part():
    verified, other = heard(speak(1, 0, "a"), "x"), heard(speak(1, 0, "b"), "x")
    refuse_known([verified], [heard(other, "y")])
    with pytest.raises(UserError, match=r"a and b hold the same recording: a .* \(verification\)"):
        refuse_known([verified], [other])


def share(speaker, number, *partners, corpus="demo", between=" "):
    extra = {"shares_sound_with": between.join(partners)} if partners else {}
    return replace(speak(speaker, number, corpus), extra=extra)


@pytest.mark.parametrize("between", [" ", ",", ", "])
def test_pairs_that_share_sound_across_parts_are_counted_once(between):
    utterances = [
        share(1, 0, "2-0", "1-1", between=between),
        share(1, 1, "1-0"),
        share(2, 0, "1-0", "3-0", between=between),
        share(3, 0),
    ]
    # 1-0 with 2-0, and 2-0 with 3-0, which does not say so itself; 1-0 and 1-1 are in one part
    split = Split((0, 1), (2,), (3,), speaker_independent=True)
    assert check_leakage(split, utterances)["shared_sound"] == 2


def test_a_partner_that_takes_no_part_or_is_of_another_corpus_shares_nothing():
    utterances = [share(1, 0, "2-0", "9-9"), share(3, 0), share(4, 0), share(2, 0, corpus="b")]
    split = Split((0,), (1,), (2, 3), speaker_independent=True)
    assert check_leakage(split, utterances)["shared_sound"] == 0
    named = [*utterances[:3], share(2, 0)]
    assert check_leakage(split, named)["shared_sound"] == 1


def test_who_is_verified_takes_part_in_nothing_else():
    refuse_known(corpus_of(3, corpus="a"), corpus_of(3, corpus="b"))
    with pytest.raises(UserError, match="verification and the rest of the run share speakers: a:1"):
        refuse_known(corpus_of(3, corpus="a"), [speak(1, 9, "a")])


@pytest.mark.parametrize(
    ("speakers", "pair"),
    [
        ((1, 2, 1), "train-test"),
        ((1, 1, 1), "train-test"),
        ((1, 2, 2), "validation-test"),
        ((1, 1, 2), "train-validation"),
        ((1, 2, 3), None),
    ],
)
def test_what_shared_speakers_mean_is_said_by_the_worst_pair(speakers, pair):
    utterances = [speak(name, number) for number, name in enumerate(speakers)]
    split = Split((0,), (1,), (2,), speaker_independent=pair is None)
    words = shared_voices(check_leakage(split, utterances))
    assert words == (VOICES[pair] if pair else "")


def test_cross_corpus_tests_nobody_who_was_trained_on():
    source, target = corpus_of(3, corpus="a"), corpus_of(4, each=10, corpus="b")
    said = {}
    for speakers in ("shared", "apart"):
        config = ProtocolConfig("cross-corpus", target="b", target_speakers=speakers)
        split = make_split([*source, *target], config, 0)
        said[speakers] = shared_voices(check_leakage(split, [*source, *target]))
    assert said["shared"].startswith("selection shares speakers with the test part")
    assert said["apart"] == ""


DEPENDENT = {"speaker_independent": False, "shared_speakers": {"train-test": ["a"]}}
SELECTED = {"speaker_independent": False, "shared_speakers": {"validation-test": ["a"]}}


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ([{"speaker_independent": True}] * 2, "speaker-independent"),
        ([DEPENDENT, DEPENDENT], "speaker-dependent"),
        ([SELECTED], "selection shares speakers with the test part"),
        ([{}], "speaker independence unknown"),
        ([DEPENDENT, {"speaker_independent": True}], "speaker-dependent, speaker-independent"),
    ],
)
def test_what_was_checked_is_said_in_few_words(checks, words):
    assert independence(checks) == words


def test_a_check_that_names_no_speakers_is_taken_for_the_worst():
    assert shared_voices({"speaker_independent": False}) == VOICES["train-test"]
    assert shared_voices({"speaker_independent": True}) == shared_voices({}) == ""
