"""Several emotional corpora at once: classes, speakers, parts, shares of a batch, levels."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import UNCHANGED, sounds_of, speakers_of, write_corpus

from ser_aae.batches.pipeline import evaluation_dataset, measure_normalisation, training_dataset
from ser_aae.config import ProtocolConfig, RunConfig
from ser_aae.config.fields import with_settings
from ser_aae.data.mixture import labelled_rows, mix_stage_two, share_out, steps_per_epoch
from ser_aae.data.run_data import assemble, count_folds
from ser_aae.errors import UserError

LENGTH = UNCHANGED.segment_frames


@pytest.fixture(scope="module")
def store(tmp_path_factory, frontend):
    """Three corpora; the second has no neutral speech and is louder, the third is small."""
    place = tmp_path_factory.mktemp("store")
    for seed, (corpus, speakers) in enumerate([("large", 12), ("loud", 6), ("small", 4)]):
        utterances = [
            item
            for item in speakers_of(corpus, speakers)
            if corpus != "loud" or item.emotion != "neutral"
        ]
        sounds = sounds_of(utterances, frontend.bins, seed)
        write_corpus(place, utterances, [each + 15 * (corpus == "loud") for each in sounds])
    return place


@pytest.fixture(scope="module")
def config(frontend):
    return RunConfig(
        dataset="large",
        joined=("loud", "small"),
        frontend=frontend,
        data=UNCHANGED,
        protocol=ProtocolConfig(name="leave-one-corpus-out"),
    )


@pytest.fixture(scope="module")
def kfold(config):
    return replace(config, protocol=ProtocolConfig(name="speaker-kfold", folds=4))


def names(parts):
    return [source.name for part in parts for source in part.corpus.sources]


def test_a_corpus_may_lack_a_class(config, store):
    assert count_folds(config, store) == 3
    data = assemble(with_settings(config, {"protocol.fold": 1}), store)
    assert data.target.classes == ("anger", "happiness", "neutral", "sadness")
    assert names([data.test]) == ["loud"]
    assert names(data.train) == ["large", "small"]
    assert names([data.validation]) == ["large", "small"]
    assert set(data.digests) == {"large", "loud", "small"}
    assert "the test part has no utterance of neutral" in data.warnings


def test_a_person_whom_two_corpora_spell_otherwise_is_told(config, tmp_path, frontend):
    for corpus, spelling in (("one", "everywhere:Łukasz"), ("two", "everywhere:lukasz")):
        utterances = speakers_of(corpus)
        first = utterances[0].speaker
        renamed = [
            replace(item, speaker=spelling) if item.speaker == first else item
            for item in utterances
        ]
        write_corpus(tmp_path, renamed, sounds_of(renamed, frontend.bins))
    both = replace(config, dataset="one", joined=("two",))
    (told,) = [line for line in assemble(both, tmp_path).warnings if "one person" in line]
    assert "'lukasz' (8 utterances) and 'Łukasz' (8 utterances)" in told


def test_speakers_and_genders_of_all_corpora_are_classes(config, store):
    data = assemble(config, store)
    assert {name.split(":")[0] for name in data.speakers} == {"loud", "small"}
    assert data.num_classes["gender"] == 2
    joined = data.validation
    for task, of in (("emotion", "emotion"), ("gender", "gender")):
        classes = data.target.classes if task == "emotion" else ("F", "M")
        found = [classes[number] for number in joined.labels[task][joined.rows]]
        assert found == [getattr(item, of) for item in joined.utterances]


def test_a_class_that_no_corpus_has_is_refused_with_the_counts(config, store):
    with pytest.raises(UserError, match=r"no utterance of fear; large has anger \(24\).*loud has"):
        assemble(replace(config, classes="anger,fear"), store)


def test_a_class_that_the_left_out_corpus_alone_has_can_be_learnt_from_another(
    config, tmp_path, frontend
):
    for corpus in ("one", "two"):
        utterances = [
            item for item in speakers_of(corpus) if corpus == "one" or item.emotion != "anger"
        ]
        write_corpus(tmp_path, utterances, sounds_of(utterances, frontend.bins))
    both = replace(config, dataset="one", joined=("two",))
    with pytest.raises(UserError, match=r"none of anger .*; add a corpus that has it or leave"):
        assemble(both, tmp_path)


def test_a_corpus_without_any_of_the_classes_is_refused(config, store, tmp_path, frontend):
    for corpus in ("one", "two"):
        kept = ("anger", "sadness") if corpus == "one" else ("neutral",)
        utterances = [item for item in speakers_of(corpus) if item.emotion in kept]
        write_corpus(tmp_path, utterances, sounds_of(utterances, frontend.bins))
    both = replace(config, dataset="one", joined=("two",), classes="anger,sadness")
    with pytest.raises(UserError, match=r"two has neutral \(16\); leave two out"):
        assemble(both, tmp_path)


def test_an_auxiliary_corpus_is_none_of_those_with_emotions(config, store):
    with pytest.raises(UserError, match="leakage: the auxiliary corpus loud"):
        assemble(replace(config, auxiliary=("loud",)), store)


def test_groups_of_all_speakers_are_trained_validated_and_tested(kfold, store):
    data = assemble(kfold, store)
    assert names([data.test]) == names([data.validation]) == names(data.train)
    assert data.leakage["speaker_independent"]
    spoken = [{item.speaker for item in part.utterances} for part in data.parts]
    assert len(set.union(*spoken)) == 22


def test_a_part_of_several_corpora_is_scored_in_the_order_of_its_rows(kfold, store, as_they_are):
    part = assemble(kfold, store).test
    rows = np.concatenate(
        [found.numpy() for *_, found in evaluation_dataset(part, as_they_are, UNCHANGED, 16)]
    )
    assert list(dict.fromkeys(rows.tolist())) == part.rows.tolist()
    loudness = {row: [] for row in rows.tolist()}
    for segments, _, found in evaluation_dataset(part, as_they_are, UNCHANGED, 16):
        for segment, row in zip(segments.numpy(), found.numpy(), strict=True):
            loudness[int(row)].append(np.median(segment))
    for item, values in zip(part.utterances, loudness.values(), strict=True):
        assert (np.mean(values) > -43) == (item.corpus == "loud")


@pytest.mark.parametrize("labelled", [0, 12])
def test_a_batch_has_as_many_rows_of_each_corpus_where_they_are_drawn_evenly(
    kfold, store, as_they_are, labelled
):
    settings = {"data.corpus_balance": "even", "data.labelled_rows": labelled}
    config = with_settings(kfold, settings | {"training.batch_size": 12})
    data = assemble(config, store)
    mixture = mix_stage_two(config, data)
    assert [rows for _, rows in mixture[0].draws()] == [4, 4, 4]
    steps = steps_per_epoch(mixture, LENGTH)
    # the small corpora's speakers are those with numbers behind the large one's
    stream = training_dataset(mixture, steps, as_they_are, UNCHANGED, 3).take(steps)
    for _, labels in stream:
        corpora = [data.speakers[number].split(":")[0] for number in labels["speaker"].numpy()]
        assert corpora == ["large"] * 4 + ["loud"] * 4 + ["small"] * 4
    assert labelled_rows(mixture, "emotion", LENGTH) == 12


def test_by_size_and_alone_the_mixture_is_the_one_it_was(kfold, store):
    data = assemble(kfold, store)
    (share,) = mix_stage_two(kfold, data)
    assert share.draws() == [(data.train, kfold.training.batch_size)]
    # one row of each corpus is left, whatever the share of the others
    primary, _ = share_out(data.train, data.train, 0.95, 4, is_even=True)
    assert primary.rows == 3


def test_each_corpus_is_brought_to_the_levels_of_the_whole(kfold, store):
    data = assemble(kfold, store)
    whole = measure_normalisation(data.train)
    own = measure_normalisation(data.train, "corpus")
    np.testing.assert_array_equal(own.mean, whole.mean)
    np.testing.assert_array_equal(own.deviation, whole.deviation)
    assert set(own.levels) == {"large", "loud", "small"}
    for part in data.train:
        # frames as often as they are in the corpus: windows that repeat are cut elsewhere
        means, deviations = moments_of(part, own)
        np.testing.assert_allclose(means, whole.mean, atol=0.05)
        np.testing.assert_allclose(deviations, whole.deviation, rtol=0.02)
    one = data.train[0]
    assert measure_normalisation([one], "corpus").levels == {}


def moments_of(part, normalisation):
    """Return mean and deviation of each bin of a part at its levels."""
    from ser_aae.batches.pipeline import _read_utterances

    found = [spectrogram for _, spectrogram in _read_utterances(part, normalisation)]
    frames = np.concatenate([each.numpy().astype(np.float64) for each in found])
    return frames.mean(axis=0), frames.std(axis=0)


def test_a_corpus_that_is_not_trained_on_has_the_levels_of_the_whole(config, store):
    data = assemble(config, store)
    assert set(measure_normalisation(data.train, "corpus").levels) == {"loud", "small"}
    assert names([data.test]) == ["large"]
