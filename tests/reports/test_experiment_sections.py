"""The section of an experiment that verified speakers: its error rate and its curve."""

from dataclasses import replace

import pytest
from tiny import FRONTEND, sounds_of, speak, write_corpus

from data_prep.corpora import known_facts
from reports.build import build_report
from reports.experiment_sections import Drawing, _name_labels, draw_experiment, leakage_sentence
from ser_aae.config import RunConfig
from ser_aae.config.fields import with_settings
from ser_aae.experiments.setup import Setup, write_setup
from ser_aae.labels import FOUR
from ser_aae.protocols.sentences import SENTENCES
from ser_aae.results.places import Places


@pytest.fixture
def report(leave_cell, tmp_path):
    """A function: corpus whose speakers are verified -> folder of the report of two folds."""

    def make(verification, **settings):
        config = RunConfig(verification=verification, **settings)
        for fold in range(2):
            protocol = replace(config.protocol, fold=fold)
            leave_cell(tmp_path / "runs", replace(config, protocol=protocol), folds=2)
        build_report(tmp_path / "runs", tmp_path / "out", tmp_path / "store", corpora=known_facts())
        return tmp_path / "out"

    return make


def test_a_run_that_verified_speakers_shows_error_rate_and_curve(report, pixels):
    out = report("voices")
    page = (out / "index.html").read_text()
    assert "<th>EER</th>" in page
    assert "<th>trials</th>" in page
    assert ">36</td>" in page
    assert "EER: equal error rate of speaker verification" in page
    assert "Errors of speaker verification in fold00-rep00." in page
    (curve,) = out.glob("*-det.png")
    pixels(curve)
    assert "EER" in (out / "results.md").read_text()


def test_two_populations_have_three_rates_and_a_note_on_the_only_test_speaker(report):
    out = report("voices", verification_subset="clean")
    page = (out / "index.html").read_text()
    for title in ("EER", "EER, verified corpus alone", "EER, test part alone"):
        assert f"<th>{title}</th>" in page
    assert "<th>test speakers verified</th>" in page
    assert "verified corpus (voices, clean) and of the test part together (Sec. 5), in all" in page
    assert "A speaker who is alone in a test part has no impostor there" in page


def test_one_population_has_one_rate_and_is_named(report):
    page = (report("voices", verification_test_part=False) / "index.html").read_text()
    assert "The trials are of the verified corpus (voices) alone." in page
    assert "<th>EER</th>" in page
    assert "alone</th>" not in page


@pytest.mark.parametrize(
    ("speakers", "sure"), [(5, "95 % interval "), (2, "fewer than five speakers, no interval")]
)
def test_the_headline_has_utterances_and_speakers_and_an_interval_of_five(
    leave_cell, evaluate_all, tmp_path, speakers, sure
):
    leave_cell(tmp_path / "runs", RunConfig(), folds=1, speakers=speakers)
    ((folder, evaluation),) = evaluate_all(tmp_path / "runs").items()
    places = Places(runs=tmp_path / "runs", store=tmp_path)
    lead = draw_experiment(Drawing(folder, evaluation, places, tmp_path)).lead
    assert lead.startswith(f"UA 75.0 ({sure}")
    assert f" on 16 utterances of {speakers} speakers, over 1 complete" in lead


def test_another_run_shows_neither(report):
    out = report("")
    page = (out / "index.html").read_text()
    assert "EER" not in page
    assert list(out.glob("*-det.png")) == []


@pytest.mark.parametrize(("task", "pictures"), [("emotion", 1), ("gender", 1), ("speaker", 0)])
def test_a_task_of_voices_is_not_held_against_who_speaks(task, pictures, leave_cell, tmp_path):
    leave_cell(tmp_path / "runs", RunConfig(task=task), right=0)
    build_report(tmp_path / "runs", tmp_path / "out", tmp_path / "store", corpora=known_facts())
    page = (tmp_path / "out/index.html").read_text()
    for words in ("knowing only the speaker", "emotion and speaker go together"):
        assert (words in page) == (task == "emotion")
    assert len(list((tmp_path / "out").glob("*-confusion.png"))) == pictures
    told = "No confusion matrix: 30 classes are too many to be read in one." in page
    assert told == (not pictures)


def test_commands_of_an_experiment_that_nobody_made_for_a_table_name_the_store(
    leave_cell, tmp_path
):
    runs, store = tmp_path / "runs", tmp_path / "store"
    write_setup(runs, Setup(data_root="/corpora", corpora=known_facts()))  # of other experiments
    leave_cell(runs, RunConfig(), folds=2)
    page = build_report(runs, tmp_path / "out", store, corpora=known_facts())[0].read_text()
    assert f"--set protocol.fold=1 --set seed=0 --store {store} --runs {runs}" in page


@pytest.mark.parametrize(
    ("known", "words"),
    [([True, True], "by name and sound."), ([True, None], "by name alone: a recording under")],
)
def test_the_check_says_how_recordings_were_compared(known, words):
    check = {"shared_utterances": 0, "shared_files": 0, "shared_speakers": {}}
    checks = [check | ({"known_by_sound": True} if each else {}) for each in known]
    evaluation = {"runs": [{"stored": {"leakage": each}} for each in checks]}
    assert f"Recordings were compared {words}" in leakage_sentence(evaluation)


def test_an_adversary_that_strayed_is_told_from_a_dead_one(leave_cell, tmp_path):
    runs, config = tmp_path / "runs", RunConfig()
    for fold, state in enumerate(("alive", "strayed", "encoder wins", "guessing")):
        protocol = replace(config.protocol, fold=fold)
        adversary = {"state": state, "warning": None}
        leave_cell(runs, replace(config, protocol=protocol), folds=4, adversary=adversary)
    page = build_report(runs, tmp_path / "out", corpora=known_facts())[0].read_text()
    assert "The adversary is dead in 1 of 4 runs: fold02-rep00 (encoder wins)." in page
    assert "for a few epochs in 1 of 4 runs and came back: fold01-rep00." in page
    assert "The discriminator guesses in 1 of 4 runs: fold03-rep00." in page


def report_of(leave_cell, tmp_path, config, *results):
    """Return the page of an experiment whose folds have some results beside their figures."""
    for fold, result in enumerate(results):
        protocol = replace(config.protocol, fold=fold)
        leave_cell(tmp_path / "runs", replace(config, protocol=protocol), **result)
    return build_report(tmp_path / "runs", tmp_path / "out", corpora=known_facts())[0].read_text()


def test_sentences_that_were_trained_on_are_told_once_for_all_runs(leave_cell, tmp_path):
    shares = (0.5, 1.0, None)
    results = [
        {
            "leakage": {"speaker_independent": True, "folds": 3, "shared_sentences": share},
            "warnings": [f"{SENTENCES}: {share:.0%} of its utterances"] if share else [],
        }
        for share in shares
    ]
    page = report_of(leave_cell, tmp_path, RunConfig(), *results)
    assert "on: 50% to 100% of its utterances whose sentence is known (2 of 3 runs)." in page
    assert page.lower().count(SENTENCES) == 1
    assert ">100%</td>" in page


@pytest.mark.parametrize(
    ("clusters", "centroids", "note"),
    [
        ("corpus", [[1.0, 2.0]], "fitted once, on the ratings of the corpus"),
        (
            "training",
            [[1.0, 2.0]],
            "each fold&#39;s training part, and numbered as the corpus&#39;",
        ),
        ("training", None, "in 2 of 2 runs, of an earlier version, numbered by valence"),
    ],
)
def test_the_report_says_what_clusters_were_fitted_on(
    leave_cell, tmp_path, clusters, centroids, note
):
    config = with_settings(RunConfig(), {"task": "clusters-3", "data.clusters": clusters})
    results = [{"corpus_centroids": centroids}] * 2
    assert note in report_of(leave_cell, tmp_path, config, *results).replace("&#x27;", "&#39;")


def test_a_run_of_emotions_says_nothing_of_clusters(leave_cell, tmp_path):
    assert "Clusters were fitted" not in report_of(leave_cell, tmp_path, RunConfig(), {})


@pytest.fixture
def wrong_answers(leave_cell, evaluate_all, tmp_path):
    """A function: whether the store has the corpus -> section of a run with wrong answers."""

    def make(is_prepared):
        config = RunConfig(frontend=FRONTEND)
        leave_cell(tmp_path / "runs", config, folds=1, right=3)
        ((folder, evaluation),) = evaluate_all(tmp_path / "runs").items()
        if is_prepared:
            names = [f"0-{truth}-{number}" for truth in FOUR for number in range(4)]
            told = [replace(speak("s", 0), utterance_id=name, path=f"{name}.wav") for name in names]
            write_corpus(tmp_path / "store", told, sounds_of(told, FRONTEND.bins))
        places = Places(runs=tmp_path / "runs", store=tmp_path / "store")
        return draw_experiment(Drawing(folder, evaluation, places, tmp_path))

    return make


@pytest.mark.parametrize("is_prepared", [True, False])
def test_wrong_answers_are_named_by_their_files_where_the_store_knows_them(
    wrong_answers, is_prepared
):
    section = wrong_answers(is_prepared)
    ((heading, frame, command),) = [each for each in section.tables if "Wrong" in each[0]]
    assert heading == "Wrong answers: 4 of 16 utterances, the most confident first"
    named = "file" if is_prepared else "utterance"
    assert list(frame)[:5] == [named, "speaker", "truth", "answer", "posterior"]
    assert list(frame[named]) == [f"0-{truth}-3{'.wav' * is_prepared}" for truth in sorted(FOUR)]
    assert command.startswith("ser-aae errors ")


def test_what_is_right_stands_by_class_and_gender_and_by_speaker_below(wrong_answers):
    section = wrong_answers(False)
    shown = {heading: frame for heading, frame, _ in section.tables}
    assert list(shown["Right by class"]["n"]) == ["4"] * 4
    assert set(shown["Right by class"]["recall"]) == {"75.0"}
    assert list(shown["Right by gender"]) == ["gender", "n", "WA", "UA"]
    folded = dict(section.details)
    assert sum(map(int, folded["Right by speaker"]["n"])) == 16


@pytest.mark.parametrize(
    ("kind", "labels", "shown"),
    [
        ("gender", ["F", "M", "x"], ["female", "male", "x"]),
        ("speaker", ["csv-calls-47e8ce:anna", "ravdess:01"], ["calls:anna", "ravdess:01"]),
        ("class", ["F", "csv-calls-47e8ce"], ["F", "csv-calls-47e8ce"]),
    ],
)
def test_labels_in_pictures_are_those_of_the_page(kind, labels, shown):
    assert _name_labels(kind, labels) == shown


@pytest.mark.parametrize(
    ("pairs", "said"), [(0, ""), (1, " 1 pair of clips that share sound lie"), (2, " 2 pairs of")]
)
def test_the_leakage_sentence_does_not_pass_over_clips_that_overlap(pairs, said):
    check = {"shared_utterances": 0, "shared_files": 0, "known_by_sound": True}
    runs = [{"stored": {"leakage": check | {"shared_sound": count}}} for count in (pairs, 0)]
    sentence = leakage_sentence({"runs": runs})
    assert sentence.partition("name and sound.")[2].startswith(said)
    assert bool(pairs) == ("different parts" in sentence)
