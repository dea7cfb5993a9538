"""Verification trials: error rates by hand, and their file."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_curve

from ser_aae.errors import UserError
from ser_aae.results.folder import VERIFICATION
from ser_aae.results.trials import (
    COLUMNS,
    TEST,
    VERIFIED,
    det_curve,
    read_trials,
    score_trials,
    write_trials,
)


def trials(speakers=8, each=30, shift=2.0, seed=0):
    """Normal scores of every utterance against every speaker; targets lie higher."""
    draw = np.random.default_rng(seed)
    rows = [
        {
            "enrolled": f"c:{enrolled}",
            "corpus": "c",
            "utterance_id": f"{speaker}-{number}",
            "speaker": f"c:{speaker}",
            "score": draw.normal() + shift * (enrolled == speaker),
            "target": enrolled == speaker,
        }
        for speaker in range(speakers)
        for number in range(each)
        for enrolled in range(speakers)
    ]
    return pd.DataFrame(rows)


def few(targets, impostors):
    """Trials with the given scores."""
    rows = [("a", f"t{i}", "a", score, True) for i, score in enumerate(targets)]
    rows += [("a", f"i{i}", "b", score, False) for i, score in enumerate(impostors)]
    names = [name for name in COLUMNS if name != "corpus"]
    return pd.DataFrame(rows, columns=names).assign(corpus="c")


def test_trials_come_back_as_they_were_written(tmp_path):
    path = tmp_path / "run" / VERIFICATION
    write_trials(path, trials())
    back = read_trials(path)
    pd.testing.assert_frame_equal(back, trials(), check_dtype=False)
    assert score_trials(back) == score_trials(trials())
    assert [item.name for item in path.parent.iterdir()] == [VERIFICATION]


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0, 4.0])
def test_the_equal_error_rate_is_where_scikit_learns_curve_crosses(shift):
    frame = trials(shift=shift, each=100)
    accepted, found, _ = roc_curve(frame["target"], frame["score"], drop_intermediate=False)
    nearest = np.argmin(np.abs(accepted - (1 - found)))
    wanted = (accepted[nearest] + 1 - found[nearest]) / 2
    # a target more or less
    assert score_trials(frame)["equal_error_rate"] == pytest.approx(wanted, abs=1 / 800)


def test_normal_scores_give_the_rate_that_theory_has():
    # two normals that lie 2 apart cross at 1, beyond which lies 0.1587 of each
    rate = score_trials(trials(each=400))["equal_error_rate"]
    assert rate == pytest.approx(0.1587, abs=0.01)


@pytest.mark.parametrize(
    ("targets", "impostors", "rate"),
    [
        ([0.9, 0.8], [0.1, 0.2, 0.3], 0.0),
        ([0.9, 0.2], [0.8, 0.1], 0.5),
        ([0.5, 0.6, 0.7, 0.2], [0.1, 0.1, 0.1, 0.3], 0.25),
    ],
)
def test_rates_that_can_be_counted_by_hand(targets, impostors, rate):
    assert score_trials(few(targets, impostors))["equal_error_rate"] == pytest.approx(rate)


def test_what_was_tried_is_counted():
    found = score_trials(trials(speakers=5, each=7))
    assert found["verification_trials"] == 5 * 7 * 5
    assert found["verification_targets"] == 5 * 7
    assert found["verification_speakers"] == 5
    assert all(isinstance(value, int | float | str) for value in found.values())


def test_targets_alone_have_no_rate():
    with pytest.raises(UserError, match="one kind"):
        score_trials(few([0.1, 0.2], []))


def test_the_curve_trades_one_error_for_the_other():
    curve = det_curve(trials())
    assert curve["threshold"].is_monotonic_increasing
    assert curve["false_match_rate"].is_monotonic_decreasing
    assert curve["false_non_match_rate"].is_monotonic_increasing
    assert not curve.duplicated(["false_match_rate", "false_non_match_rate"]).any()
    frame = trials()
    for row in curve.iloc[::37].itertuples():
        accepted = frame["score"] >= row.threshold
        assert accepted[~frame["target"]].mean() == pytest.approx(row.false_match_rate)
        assert (~accepted)[frame["target"]].mean() == pytest.approx(row.false_non_match_rate)


def test_the_rate_lies_on_the_curve():
    curve = det_curve(trials())
    gap = (curve["false_match_rate"] - curve["false_non_match_rate"]).abs()
    nearest = curve.loc[gap.idxmin(), ["false_match_rate", "false_non_match_rate"]].mean()
    assert score_trials(trials())["equal_error_rate"] == pytest.approx(nearest, abs=0.005)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_told(tmp_path, column):
    with pytest.raises(UserError, match=f"missing: {column}"):
        write_trials(tmp_path / "t.parquet", trials().drop(columns=column))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("score", float("nan"), "a number as score"),
        ("target", False, "whether enrolled and speaker are one"),
        ("speaker", "c:1", "whether enrolled and speaker are one"),
        ("utterance_id", "0-1", "a pair to stand once"),
    ],
)
def test_a_doctored_trial_is_refused(tmp_path, column, value, message):
    frame = trials()
    frame.loc[0, column] = value
    with pytest.raises(UserError, match=message):
        write_trials(tmp_path / "t.parquet", frame)
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(UserError, match=message):
        read_trials(tmp_path / "t.parquet")


def test_absent_and_damaged_trials_are_told_with_what_mends_it(tmp_path):
    with pytest.raises(UserError, match="found none; train the run again"):
        read_trials(tmp_path / VERIFICATION)
    (tmp_path / VERIFICATION).write_bytes(b"PAR1 not really")
    with pytest.raises(UserError, match="damaged"):
        read_trials(tmp_path / VERIFICATION)


def populations(speakers, own):
    """Trials of some speakers, the last `own` of whom are of the test part."""
    frame = trials(speakers=speakers, each=20, shift=1.0)
    last = {f"c:{number}" for number in range(speakers - own, speakers)}
    return frame.assign(
        enrolled_part=np.where(frame["enrolled"].isin(last), TEST, VERIFIED),
        tested_part=np.where(frame["speaker"].isin(last), TEST, VERIFIED),
    )


def test_two_populations_have_a_rate_together_and_one_each():
    frame = populations(8, own=3)
    found = score_trials(frame)
    plain = frame.drop(columns=["enrolled_part", "tested_part"])
    assert found["equal_error_rate"] == score_trials(plain)["equal_error_rate"]
    parts = {"_of_corpus": VERIFIED, "_of_test_part": TEST}
    for ending, part in parts.items():
        alone = plain[(frame["enrolled_part"] == part) & (frame["tested_part"] == part)]
        wanted = score_trials(alone)
        assert found[f"equal_error_rate{ending}"] == wanted["equal_error_rate"]
        assert found[f"verification_trials{ending}"] == len(alone)
    assert found["verification_test_speakers"] == 3
    # what was said of either side is in the digest
    assert found["verification_digest"] != score_trials(plain)["verification_digest"]


def test_a_speaker_alone_in_the_test_part_has_the_others_as_impostors():
    frame = populations(8, own=1)
    found = score_trials(frame)
    either = frame[(frame["enrolled"] == "c:7") | (frame["speaker"] == "c:7")]
    assert found["verification_trials_of_test_part"] == len(either) == 20 * 8 + 7 * 20
    wanted = score_trials(either[list(COLUMNS)])["equal_error_rate"]
    assert found["equal_error_rate_of_test_part"] == wanted


def test_trials_of_before_have_one_rate():
    found = score_trials(trials())
    assert {name for name in found if "rate" in name} == {"equal_error_rate"}
    assert "verification_test_speakers" not in found


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda frame: frame.drop(columns="tested_part"), "missing: tested_part"),
        (lambda frame: frame.assign(tested_part="nobody"), "verified corpus or test part as tes"),
    ],
)
def test_populations_that_cannot_be_are_refused(tmp_path, change, told):
    with pytest.raises(UserError, match=told):
        write_trials(tmp_path / VERIFICATION, change(populations(4, own=1)))
