"""Evaluations as text for people."""

import pytest

from ser_aae.results.text import align, count_of, format_evaluation, mean_and_std, percent


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.0, "0.0"), (1.0, "100.0"), (0.68449, "68.4")]
)
def test_shares_are_shown_in_per_cent(value, text):
    assert percent(value) == text


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"mean": 0.5, "std": 0.0123}, "50.0 ± 1.2"),
        ({"mean": 0.5, "std": None}, "50.0"),
        ({"mean": None, "std": None}, "-"),
    ],
)
def test_a_deviation_is_shown_where_there_is_one(entry, text):
    assert mean_and_std(entry) == text


@pytest.mark.parametrize(
    ("n", "text"), [(1, "50.0 (of 1)"), (2, "50.0 (of 2)"), (3, "50.0"), (0, "50.0")]
)
def test_a_mean_of_some_of_the_folds_says_of_how_many(n, text):
    assert mean_and_std({"mean": 0.5, "std": None, "n": n}, whole=3) == text


def test_columns_are_aligned_the_first_to_the_left():
    lines = align([["", "n", "UA"], ["a long name", "5", "50.0"], ["b", "100", "7.5"]])
    assert lines == [
        "               n    UA",
        "a long name    5  50.0",
        "b            100   7.5",
    ]


def test_letters_that_take_two_places_take_them_in_columns():
    lines = align([["", "n"], ["感情", "5"], ["anger", "12"], ["a\u0301e", "3"]])
    assert lines == ["        n", "感情    5", "anger  12", "a\u0301e      3"]


def figures(**more):
    return {
        "n": 4,
        "speakers": 2,
        "classes": ["anger", "neutral"],
        "classes_scored": ["anger", "neutral"],
        "weighted_accuracy": 0.75,
        "unweighted_accuracy": 0.7,
        "macro_f1": 0.65,
        "gender_accuracy": None,
        "speaker_only_unweighted_accuracy": 0.5,
        "per_class_recall": {"anger": 1.0, "neutral": 0.5},
        "confusion": [[2, 0], [1, 1]],
        "chance": 0.5,
    } | more


def spread(mean, std=None, count=1):
    entry = {"mean": mean, "std": std, "n": count}
    names = (
        "weighted_accuracy",
        "unweighted_accuracy",
        "macro_f1",
        "gender_accuracy",
        "speaker_only_unweighted_accuracy",
    )
    return dict.fromkeys(names, entry)


def folds(**more):
    repetition = figures(repetition=0, folds=2, over_folds=spread(0.7, 0.02, 2))
    return {
        "kind": "folds",
        "dataset": "demo",
        "task": "emotion",
        "model": "mtl",
        "protocol": "loso",
        "independence": "speaker-independent",
        "runs": [figures(name="fold00-rep00"), figures(name="fold01-rep00")],
        "repetitions": [repetition],
        "over_repetitions": spread(0.7),
        "folds_expected": 2,
        "ensemble": None,
        "missing": [],
        "incomplete": [],
    } | more


def test_a_run_shows_its_confusion_with_recalls():
    lines = format_evaluation(figures(kind="run", name="fold00-rep00")).splitlines()
    assert lines[0].split() == ["n", "speakers", "WA", "UA", "F1", "gender", "speaker-only", "UA"]
    assert lines[1].split() == ["fold00-rep00", "4", "2", "75.0", "70.0", "65.0", "-", "50.0"]
    assert lines[4].split() == ["anger", "2", "0", "100.0"]
    assert lines[5].split() == ["neutral", "1", "1", "50.0"]


def test_without_a_matrix_a_run_shows_the_recalls_of_what_was_tested():
    run = figures(kind="run", name="fold00-rep00", classes_scored=["neutral"])
    del run["confusion"]
    lines = format_evaluation(run).splitlines()
    assert [line.split() for line in lines[3:5]] == [["true", "recall"], ["neutral", "50.0"]]


def test_a_class_without_truth_has_a_dash_and_a_line():
    run = figures(
        kind="run",
        name="fold00-rep00",
        classes_scored=["anger"],
        per_class_recall={"anger": 1.0, "neutral": None},
    )
    text = format_evaluation(run)
    assert text.splitlines()[5].split()[-1] == "-"
    assert "left out of UA and F1: neutral" in text


def test_folds_show_runs_then_pooled_figures_then_the_spread():
    lines = format_evaluation(folds()).splitlines()
    starts = [line.split("  ")[0] for line in lines[2:6]]
    assert starts == [
        "fold00-rep00",
        "fold01-rep00",
        "rep00, 2 of 2 folds pooled",
        "rep00, over folds",
    ]
    assert "70.0 ± 2.0" in lines[5]
    # one repetition is no mean over repetitions, and one fold has no deviation over folds
    assert "over 1" not in "\n".join(lines)


def test_one_fold_has_no_row_over_folds():
    found = folds()
    found["repetitions"] = [item | {"folds": 1} for item in found["repetitions"]]
    assert "over folds" not in format_evaluation(found)


def test_the_title_says_whether_speakers_are_apart():
    title = format_evaluation(folds(independence="speaker-dependent")).splitlines()[0]
    assert title == "demo, emotion, mtl, loso (speaker-dependent)"


def test_an_unknown_number_of_folds_is_a_question_mark():
    text = format_evaluation(folds(folds_expected=None, over_repetitions=spread(None, None, 0)))
    assert "2 of ? folds pooled" in text
    assert "no repetition has all its folds" in text


def test_an_ensemble_has_a_line_of_its_own():
    assert "ensemble" not in format_evaluation(folds())
    lines = format_evaluation(folds(ensemble=figures(members=3))).splitlines()
    (line,) = [line for line in lines if line.startswith("ensemble of 3 repetitions")]
    assert line.split()[4:7] == ["4", "2", "75.0"]


@pytest.mark.parametrize(("number", "text"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs")])
def test_a_number_has_its_noun(number, text):
    assert count_of(number, "run") == text
