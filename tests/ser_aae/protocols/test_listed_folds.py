"""Splits that are read from lists: ours, and those EmoBox publishes."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from tiny import speak

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.labels import FOUR
from ser_aae.protocols.draw import Draw
from ser_aae.protocols.fold_lists import (
    format_list,
    hold_out,
    lists_digest,
    name_lists,
    write_lists,
)
from ser_aae.protocols.leakage import check_leakage
from ser_aae.protocols.splits import make_split, num_folds


def labelled_corpus(speakers, each=4, corpus="demo"):
    return [
        speak(f"{name:02d}", number, corpus, emotion=FOUR[number % 4])
        for name in range(speakers)
        for number in range(each)
    ]


def write_folds(directory, utterances, protocol):
    splits = [
        make_split(utterances, replace(protocol, fold=fold), protocol.seed)
        for fold in range(num_folds(utterances, protocol))
    ]
    write_lists(directory, [format_list(split, utterances) for split in splits])
    return splits


@pytest.fixture
def utterances(tmp_path):
    """Return utterances of six speakers, of which `lists` has three folds."""
    found = labelled_corpus(6)
    write_folds(tmp_path / "lists", found, ProtocolConfig(folds=3))
    return found


def listed(directory, fold=0, **more):
    return ProtocolConfig(name="folds", directory=str(directory), fold=fold, **more)


def emobox_lines(utterances, tests, directory):
    """Write EmoBox's layout: `tests` holds the test speakers of each fold."""
    words = {"anger": "Angry", "happiness": "Happy", "neutral": "Neutral", "sadness": "Sad"}
    for fold, speakers in enumerate(tests, start=1):
        place = directory / f"fold_{fold}"
        place.mkdir(parents=True)
        lines = {"train": [], "test": []}
        for item in utterances:
            part = "test" if item.speaker in speakers else "train"
            line = {
                "key": f"demo-{item.utterance_id}",
                "dataset": "demo",
                "wav": f"downloads/demo/{item.path}",
                "type": "raw",
                "sample_rate": 48000,
                "length": 3.5,
                "emo": words.get(item.emotion, item.emotion),
                "channel": 1,
            }
            lines[part].append(json.dumps(line) + "\n")
        for part, own in lines.items():
            (place / f"demo_{part}_fold_{fold}.jsonl").write_text("".join(own))
    return directory


@pytest.mark.parametrize(
    "protocol",
    [
        ProtocolConfig(name="speaker-kfold", folds=4),
        ProtocolConfig(name="loso"),
        ProtocolConfig(name="loso-session"),
        ProtocolConfig(name="10-fold"),
        ProtocolConfig(name="cross-corpus", target="other"),
        ProtocolConfig(name="cross-corpus", target="other", target_speakers="apart"),
    ],
)
def test_the_folds_of_every_protocol_come_back_as_they_were(tmp_path, protocol):
    utterances = labelled_corpus(12, each=12)
    sessions = [replace(u, session=f"s{int(u.speaker[-2:]) // 2}") for u in utterances]
    if protocol.name == "cross-corpus":
        sessions += labelled_corpus(4, each=12, corpus="other")
    splits = write_folds(tmp_path / "lists", sessions, protocol)
    assert num_folds(sessions, listed(tmp_path / "lists")) == len(splits)
    for fold, split in enumerate(splits):
        again = make_split(sessions, listed(tmp_path / "lists", fold), 7)
        assert (again.train, again.validation, again.test) == (
            split.train,
            split.validation,
            split.test,
        )
        assert again.folds == split.folds
        assert again.speaker_independent == split.speaker_independent
        assert again.lists == lists_digest(tmp_path / "lists")


def test_the_order_of_the_corpus_and_of_the_lines_does_not_matter(tmp_path, utterances):
    before = make_split(utterances, listed(tmp_path / "lists"), 0)
    path = tmp_path / "lists" / "fold00.jsonl"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    turned = utterances[::-1]
    after = make_split(turned, listed(tmp_path / "lists"), 0)
    for part in ("train", "validation", "test"):
        one = {utterances[row].utterance_id for row in getattr(before, part)}
        assert one == {turned[row].utterance_id for row in getattr(after, part)}


def test_what_was_shared_is_marked_and_counted(tmp_path):
    utterances = labelled_corpus(3, each=10)
    write_folds(tmp_path / "lists", utterances, ProtocolConfig(name="10-fold"))
    split = make_split(utterances, listed(tmp_path / "lists"), 0)
    found = check_leakage(split, utterances)
    assert found["speaker_independent"] is False
    assert found["shared_speakers"]["train-test"] == ["demo:00", "demo:01", "demo:02"]
    assert found["lists"] == lists_digest(tmp_path / "lists")


def test_two_parts_that_share_a_file_are_refused(tmp_path):
    utterances = [replace(item, path="one.wav") for item in labelled_corpus(3, each=4)]
    write_lists(tmp_path / "lists", [format_list_of("train", "validation", "test", utterances)])
    with pytest.raises(UserError, match="share a file"):
        make_split(utterances, listed(tmp_path / "lists"), 0)


def format_list_of(first, second, third, utterances):
    """Return a list in which each speaker's utterances are in the part named."""
    parts = dict(
        zip(sorted({item.speaker for item in utterances}), (first, second, third), strict=True)
    )
    return "".join(
        json.dumps(
            {"part": parts[item.speaker], "utterance_id": item.utterance_id, "label": item.emotion}
        )
        + "\n"
        for item in utterances
    )


def test_an_utterance_that_the_corpus_lacks_is_told_with_its_line(tmp_path, utterances):
    lacking = [item for item in utterances if item.utterance_id != "00-2"]
    with pytest.raises(UserError, match=r"fold00\.jsonl:\d+: 00-2 \(neutral\) is not among"):
        make_split(lacking, listed(tmp_path / "lists"), 0)


def test_utterances_of_classes_that_take_no_part_are_passed_over(tmp_path, utterances):
    two = [item for item in utterances if item.emotion in FOUR[:2]]
    split = make_split(two, listed(tmp_path / "lists"), 0)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [4, 4, 4]


def test_a_list_that_names_an_utterance_twice_is_refused_with_both_lines(tmp_path, utterances):
    path = tmp_path / "lists" / "fold00.jsonl"
    line = json.loads(path.read_text().splitlines()[0]) | {"part": "test"}
    path.write_text(path.read_text() + json.dumps(line) + "\n")
    with pytest.raises(UserError, match=r"jsonl:25: .* test part .* train part too \(.*jsonl:1\)"):
        make_split(utterances, listed(tmp_path / "lists"), 0)


def test_a_list_of_which_no_class_takes_part_is_refused(tmp_path, utterances):
    others = [replace(item, emotion="fear", utterance_id="x") for item in utterances]
    with pytest.raises(UserError, match="no utterance of the run's classes in the train part"):
        make_split(others, listed(tmp_path / "lists"), 0)


def test_a_users_own_corpus_is_known_whatever_its_path_was(tmp_path):
    utterances = labelled_corpus(6, corpus="csv-mine-000000")
    splits = write_folds(tmp_path / "lists", utterances, ProtocolConfig(folds=3))
    elsewhere = labelled_corpus(6, corpus="csv-mine-ffffff")
    assert make_split(elsewhere, listed(tmp_path / "lists"), 0).test == splits[0].test


def test_names_that_two_corpora_share_are_told_apart(tmp_path):
    protocol = ProtocolConfig(name="cross-corpus", target="b")
    both = labelled_corpus(3, corpus="a") + labelled_corpus(3, corpus="b")
    (split,) = write_folds(tmp_path / "lists", both, protocol)
    again = make_split(both, listed(tmp_path / "lists"), 0)
    assert again.train == split.train == tuple(range(12))
    with pytest.raises(UserError, match="not among the utterances of a"):
        make_split(both[:12], listed(tmp_path / "lists"), 0)


def test_emobox_tests_and_trains_on_what_it_says_and_the_share_held_out_validates(tmp_path):
    utterances = labelled_corpus(10)
    tests = [{f"demo:{k:02d}", f"demo:{k + 1:02d}"} for k in range(0, 10, 2)]
    emobox_lines(utterances, tests, tmp_path)
    assert num_folds(utterances, listed(tmp_path)) == 5
    tested = Counter()
    for fold, speakers in enumerate(tests):
        split = make_split(utterances, listed(tmp_path, fold), 0)
        parts = [
            {utterances[row].speaker for row in part}
            for part in (split.train, split.validation, split.test)
        ]
        assert parts[2] == speakers
        assert len(parts[0] | parts[1] | parts[2]) == 10
        # the nearest to a fifth of eight speakers
        assert len(parts[1]) == 2
        assert split.speaker_independent
        assert len(split.train) + len(split.validation) + len(split.test) == 40
        tested.update(split.test)
    assert tested == Counter(range(40))


def held_out(rows, utterances, fraction=0.2, seed=0, draw="stratified"):
    protocol = listed("lists", validation_fraction=fraction, draw=draw)
    return hold_out(rows, utterances, protocol, Draw(seed, [item.emotion for item in utterances]))


@pytest.mark.parametrize("draw", ["stratified", "sorted"])
def test_what_is_held_out_depends_on_the_seed_and_on_names_alone(draw):
    utterances = labelled_corpus(20)
    rows = list(range(80))
    first = held_out(rows, utterances, draw=draw)
    assert held_out(rows[::-1], utterances, draw=draw) == first
    assert len({utterances[row].speaker for row in first[1]}) == 4
    others = [held_out(rows, utterances, 0.2, seed, draw)[1] for seed in range(1, 6)]
    assert any(other != first[1] for other in others)
    assert len(held_out(rows, utterances, 0.5, draw=draw)[1]) == 40


@pytest.mark.parametrize("draw", ["stratified", "sorted"])
def test_a_single_speaker_is_parted_by_utterances(draw):
    utterances = labelled_corpus(1, each=10)
    train, validation = held_out(range(10), utterances, draw=draw)
    assert len(validation) == 2
    assert sorted(train + validation) == list(range(10))
    with pytest.raises(UserError, match="two training utterances"):
        held_out([0], utterances, draw=draw)


@pytest.mark.parametrize("seed", range(4))
def test_women_and_men_are_held_out(seed):
    utterances = [
        replace(item, gender="F" if item.speaker < "demo:05" else "M")
        for item in labelled_corpus(10)
    ]
    train, validation = held_out(range(40), utterances, seed=seed)
    speakers = {(utterances[row].speaker, utterances[row].gender) for row in validation}
    assert sorted(gender for _, gender in speakers) == ["F", "M"]
    assert not {utterances[row].speaker for row in train} & {name for name, _ in speakers}


def test_stored_runs_hold_out_the_speakers_that_they_held_out():
    utterances = labelled_corpus(20)
    _, validation = held_out(range(80), utterances, draw="sorted")
    # found by the version that had no `protocol.draw`
    held = {utterances[row].speaker for row in validation}
    assert held == {"demo:01", "demo:08", "demo:18", "demo:19"}
    _, validation = held_out(range(12), labelled_corpus(1, each=12), draw="sorted")
    assert validation == [11, 4, 6]


def test_lists_that_share_speakers_say_so(tmp_path):
    utterances = labelled_corpus(4)
    emobox_lines(utterances, [set()], tmp_path)
    folder = tmp_path / "fold_1"
    lines = (folder / "demo_train_fold_1.jsonl").read_text().splitlines(keepends=True)
    (folder / "demo_train_fold_1.jsonl").write_text("".join(lines[::2]))
    (folder / "demo_test_fold_1.jsonl").write_text("".join(lines[1::2]))
    split = make_split(utterances, listed(tmp_path), 0)
    assert split.speaker_independent is False
    assert len(split.test) == 8


def test_the_config_names_the_content_of_the_lists(tmp_path, utterances):
    protocol = name_lists(listed(tmp_path / "lists"))
    assert protocol.lists == lists_digest(tmp_path / "lists")
    assert name_lists(protocol) == protocol
    make_split(utterances, protocol, 0)
    path = tmp_path / "lists" / "fold02.jsonl"
    path.write_text(path.read_text().replace("validation", "test"))
    with pytest.raises(UserError, match="the lists were changed since"):
        make_split(utterances, protocol, 0)
    with pytest.raises(UserError, match="the lists were changed since"):
        name_lists(protocol)


def test_lists_go_with_their_protocol_alone(tmp_path):
    with pytest.raises(UserError, match="expected a folder of lists"):
        name_lists(ProtocolConfig(name="folds"))
    with pytest.raises(UserError, match="loso reads no lists"):
        name_lists(ProtocolConfig(name="loso", directory=str(tmp_path)))
    assert name_lists(ProtocolConfig(name="loso")) == ProtocolConfig(name="loso")
