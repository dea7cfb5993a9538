"""A run's model card: read by Hugging Face's own parser, and true to the run's predictions."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile
from huggingface_hub import ModelCard
from stored import write_unsealed

from reports.card import Terms, build_card, corpora_of
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json
from ser_aae.labels import GENDER_WORDS
from ser_aae.results.predictions import read_predictions, score
from ser_aae.results.text import count_of

TERMS = {"tones": Terms("Tones | of eight", "CC0 1.0", "eng", "@misc{tones}")}


@pytest.fixture(scope="module")
def card(recorded_run):
    return ModelCard(build_card(recorded_run.folder, TERMS))


def section(card, title):
    """Return what stands under a heading."""
    return card.text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def table(text, first):
    """Return the table that begins with a column of this name, as lists of cells."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines()]
    begin = next(place for place, row in enumerate(rows) if row[0] == first)
    found = []
    for row in rows[begin + 2 :]:
        if len(row) == 1:
            break
        found.append(row)
    return found


def test_the_metadata_is_what_hugging_face_reads(card):
    data = card.data
    assert (data.library_name, data.pipeline_tag) == ("keras", "audio-classification")
    assert data.datasets == ["tones"]
    assert data.language == ["eng"]
    assert data.to_dict()["dataset_licenses"] == {"tones": "CC0 1.0"}
    assert {"speaker-independent", "speech-emotion-recognition"} <= set(data.tags)
    assert set(data.metrics) == {"recall", "accuracy", "f1"}


def test_the_results_are_those_of_the_run(card, recorded_run):
    result = read_json(recorded_run.folder / "result.json")
    found = {each.metric_name: each for each in card.data.eval_results}
    for name, key in (
        ("unweighted accuracy (mean recall)", "unweighted_accuracy"),
        ("weighted accuracy", "weighted_accuracy"),
        ("macro F1", "macro_f1"),
        ("gender accuracy", "gender_accuracy"),
    ):
        assert found[name].metric_value == pytest.approx(result[key], abs=1e-4)
        assert found[name].dataset_split == "test"
        assert found[name].dataset_args == {"protocol": "loso-session", "fold": 0}
        assert found[name].dataset_type == "tones"
    assert "equal error rate of speaker verification" not in found


def test_the_metadata_survives_being_written_again(card):
    again = ModelCard(str(card)).data
    assert again.to_dict() == card.data.to_dict()


def test_the_spread_is_recomputed_from_the_predictions(card, recorded_run):
    rows = read_predictions(recorded_run.folder / "predictions.parquet")
    text = section(card, "Spread over gender and speakers")
    rows["gender"] = rows["gender"].map(GENDER_WORDS)
    for column, found in (
        ("gender", table(text, "gender")),
        ("speaker", table(text, "speaker")),
    ):
        assert [row[0] for row in found] == sorted(set(rows[column]))
        for name, count, weighted, unweighted in found:
            group = rows[rows[column] == name]
            figures = score(group, ["anger", "happiness", "neutral", "sadness"])
            assert int(count) == len(group)
            assert float(weighted) == pytest.approx(100 * figures["weighted_accuracy"], abs=0.05)
            assert float(unweighted) == pytest.approx(
                100 * figures["unweighted_accuracy"], abs=0.05
            )


def test_protocol_leakage_and_limits_are_told(card):
    protocol = section(card, "Protocol and leakage")
    assert "`loso-session`, fold 0 of 4" in protocol
    assert "test speakers are in no other part" in protocol
    assert table(protocol, "part") == [
        ["train", "32", "4"],
        ["validation", "16", "2"],
        ["test", "16", "2"],
    ]
    assert "train-test 0" in protocol
    limits = section(card, "Intended use and limits")
    assert "it may not hold" in limits
    assert "Not for decisions about people" in limits
    assert all(line[2].isupper() for line in limits.split("\n") if line.startswith("* "))


def test_the_epoch_that_is_kept_is_counted_from_1(changed):
    result = read_json(changed / "result.json")
    result["pretraining_epochs"], last = 1, result["epochs"] - 1
    (changed / "result.json").write_text(json.dumps(result | {"kept_epoch": last}))
    training = section(ModelCard(build_card(changed, TERMS)), "Training")
    told = f"{count_of(last, 'epoch')} of stage 2 after 1 of stage 1, epoch {last} of stage 2 is"
    assert training.strip().startswith(told)


def test_settings_that_depart_from_the_paper_are_listed_with_both_values(card):
    rows = {row[0]: row[1:] for row in table(section(card, "Training"), "setting")}
    assert rows["`training.optimiser`"] == ["adam", "sgd", "unstated"]
    # stated by the paper, and changed by this run alone
    assert rows["`data.segment_frames`"][:2] == ["64", "256"]
    assert "`frontend.scale`" not in rows
    assert "`data.cache_mb`" not in rows


def test_terms_stand_with_their_corpus_and_cannot_break_the_table(card):
    data = section(card, "Data")
    assert "| tones | Tones \\| of eight | CC0 1.0 |" in data
    assert "@misc{tones}" in data


def test_a_corpus_of_which_nothing_is_known_is_said_to_be_so(recorded_run):
    card = ModelCard(build_card(recorded_run.folder, {}))
    assert "| tones | tones | not known |" in section(card, "Data")
    assert card.data.language is None


def test_it_names_no_place_on_this_machine(card, recorded_run):
    assert str(recorded_run.recordings) not in card.content
    assert 'Recogniser.load("fold00-rep00")' in card.text


def test_it_says_which_formats_are_programs(card):
    assert "a SavedModel runs its graph" in " ".join(card.text.split())
    assert "`--trust`" in card.text


def test_it_names_own_recordings_without_where_they_lie(changed):
    config = read_json(changed / "config.json")
    own = {"dataset": "csv:/home/me/clinic/calls.csv", "auxiliary": ["audformat:/home/me/wards#a"]}
    write_unsealed(changed / "config.json", config | own)
    card = ModelCard(build_card(changed, TERMS))
    assert [re.match(r"csv-calls-|audformat-", name)[0] for name in card.data.datasets] == [
        "csv-calls-",
        "audformat-",
    ]
    assert "/home" not in card.content
    assert "clinic" not in card.content
    assert ["calls", "calls", "not known"] in table(section(card, "Data"), "corpus")


def test_it_names_the_classes_of_a_head_in_words(card):
    assert "* gender: female (F), male (M)" in card.text


def test_the_lines_that_load_the_model_do_so(changed, recorded_run, monkeypatch, capsys):
    text = section(ModelCard(build_card(changed, TERMS)), "How to load it")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(changed.parent)
    shutil.copy(recorded_run.recordings / "00" / "anger-0.wav", "speech.wav")
    exec(compile(code, "card", "exec"), {})  # noqa: S102
    assert "'anger': 0." in capsys.readouterr().out
    soundfile.write("speech.wav", np.zeros(16000), 16000)
    exec(compile(code, "card", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out == "{}\n"


@pytest.fixture
def changed(recorded_run, tmp_path):
    """A copy of the run to be changed."""
    place = tmp_path / "experiment" / "digest" / "fold00-rep00"
    shutil.copytree(recorded_run.folder, place)
    return place


def test_figures_that_the_predictions_do_not_give_are_refused(changed):
    result = read_json(changed / "result.json")
    (changed / "result.json").write_text(json.dumps(result | {"unweighted_accuracy": 0.99}))
    with pytest.raises(UserError, match="unweighted_accuracy"):
        build_card(changed, TERMS)


def test_how_many_training_utterances_were_without_their_label_is_told(changed):
    result = read_json(changed / "result.json")
    result["leakage"]["utterances"]["unlabelled"] = 12
    (changed / "result.json").write_text(json.dumps(result))
    protocol = section(ModelCard(build_card(changed, TERMS)), "Protocol and leakage")
    assert "The label of 12 training utterances was not used." in protocol


@pytest.mark.parametrize(
    ("pair", "tag", "words"),
    [
        ("train-test", "speaker-dependent", "speaker-dependent: test speakers were trained on."),
        (
            "validation-test",
            "selection-shares-speakers-with-the-test-part",
            "the epoch was chosen on them, nobody was trained on.",
        ),
    ],
)
def test_a_run_that_shares_speakers_is_marked(changed, pair, tag, words):
    result = read_json(changed / "result.json")
    result["leakage"] |= {"speaker_independent": False, "shared_speakers": {pair: ["a"]}}
    (changed / "result.json").write_text(json.dumps(result))
    card = ModelCard(build_card(changed, TERMS))
    assert tag in card.data.tags
    assert "speaker-independent" not in card.data.tags
    assert words in section(card, "Protocol and leakage")


def test_genders_that_are_not_known_are_left_out(changed):
    rows = pd.read_parquet(changed / "predictions.parquet").assign(gender="")
    rows = rows.drop(columns="gender_predicted")
    rows.to_parquet(changed / "predictions.parquet")
    result = read_json(changed / "result.json")
    (changed / "result.json").write_text(json.dumps(result | {"gender_accuracy": None}))
    text = section(ModelCard(build_card(changed, TERMS)), "Spread over gender and speakers")
    assert "| gender |" not in text
    assert len(table(text, "speaker")) == 2


def test_the_corpora_of_a_run_are_those_of_its_config(recorded_run, tmp_path):
    assert corpora_of(recorded_run.folder) == {"tones": "tones"}
    with pytest.raises(UserError, match="complete run"):
        corpora_of(tmp_path)
