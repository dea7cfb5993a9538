"""A recognition as plain values."""

import json

from ser_aae.inference.recognition import Moment, Recognition

POSTERIORS = {"emotion": {"anger": 0.2, "sadness": 0.8}, "gender": {"F": 0.9, "M": 0.1}}


def test_a_recognition_is_one_json_document():
    steps = (Moment(0.0, 1.0, POSTERIORS), Moment(1.0, 1.5, {}))
    found = Recognition(1.5, 0.9, 2, POSTERIORS, steps, ("be careful",))
    assert found.best == {"emotion": "sadness", "gender": "F"}
    assert [step.best.get("emotion") for step in steps] == ["sadness", None]
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["best"]["emotion"] == "sadness"
    assert plain["posteriors"] == POSTERIORS
    assert [step["silent"] for step in plain["timeline"]] == [False, True]
    assert plain["timeline"][1] == {
        "start_s": 1.0,
        "end_s": 1.5,
        "silent": True,
        "best": {},
        "posteriors": {},
    }
    assert plain["warnings"] == ["be careful"]
    assert plain["oddities"] == []


def test_no_posteriors_are_silence():
    assert Recognition(2.0, 0.0, 0, {}, (), ()).silent
    assert not Recognition(2.0, 1.0, 1, POSTERIORS, (), ()).silent
