"""What the user is told of a split before believing the result."""

from dataclasses import replace

import pytest

from ser_aae.config import ProtocolConfig
from ser_aae.data.run_data import assemble
from ser_aae.protocols.fold_lists import format_list, write_lists
from ser_aae.protocols.splits import make_split


@pytest.fixture
def store(tmp_path, speakers_of, sounds_of, write_corpus):
    """Return a store in which two speakers share sound, and two utterances of one do."""
    partners = {"00-anger-0": "02-anger-0", "00-anger-1": "00-neutral-0"}
    utterances = [
        replace(item, extra={"shares_sound_with": partners[item.utterance_id]})
        if item.utterance_id in partners
        else item
        for item in speakers_of("tiny")
    ]
    write_corpus(tmp_path / "store", utterances, sounds_of(utterances, 32))
    return tmp_path / "store"


def protocol(config, **settings):
    return replace(config, protocol=ProtocolConfig(**settings))


def test_shared_sound_across_parts_is_counted_and_told(kfold_config, store):
    data = assemble(kfold_config, store)
    assert data.leakage["shared_sound"] == 1
    (warning,) = data.warnings
    assert warning == "pairs of utterances that share sound and lie in different parts: 1"


def test_shared_sound_within_a_part_is_no_matter(kfold_config, store):
    # the last four speakers are tested and validate: all that shares sound trains
    data = assemble(protocol(kfold_config, name="speaker-kfold", folds=4, fold=2), store)
    assert data.leakage["shared_sound"] == 0
    assert data.warnings == []


def test_lists_that_share_speakers_are_called_speaker_dependent(kfold_config, store, tmp_path):
    data = assemble(kfold_config, store)
    utterances = list(data.test.corpus.utterances)
    split = make_split(utterances, kfold_config.protocol, 0)
    moved = replace(
        split, train=(*split.train, split.test[0]), test=split.test[1:], speaker_independent=False
    )
    write_lists(tmp_path / "lists", [format_list(moved, utterances)])
    listed = protocol(kfold_config, name="folds", directory=str(tmp_path / "lists"))
    found = assemble(listed, store)
    assert "speaker-dependent: test speakers were trained on" in found.warnings
    assert found.leakage["shared_speakers"]["train-test"] == ["tiny:00"]
    assert len(found.leakage["lists"]) == 16
