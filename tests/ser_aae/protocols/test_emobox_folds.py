"""EmoBox's form of lists on the names that a real corpus has."""

import json
from pathlib import Path

import pytest

from ser_aae.config import ProtocolConfig
from ser_aae.labels import FOUR
from ser_aae.protocols.splits import make_split

RAVDESS = Path(__file__).parents[3] / "../shared/corpora/ravdess"

ACTORS = {"06": "Fearful", "05": "Angry", "03": "Happy", "01": "Neutral", "04": "Sad"}
"""RAVDESS' code to EmoBox's word."""


@pytest.mark.skipif(not RAVDESS.is_dir(), reason="needs ../shared/corpora/ravdess")
def test_the_real_names_of_ravdess_are_found_under_emoboxs(tmp_path):
    from data_prep.corpora import ravdess

    utterances = [u for u in ravdess.read(RAVDESS).utterances if u.emotion in FOUR]
    for name, odd in (("train", 1), ("test", 0)):
        lines = [
            {
                "key": f"ravdess-{u.utterance_id}",
                "dataset": "ravdess",
                "wav": f"downloads/ravdess/audio/Audio_Speech_Actors_01-24/{u.path}",
                "emo": ACTORS[u.emotion_raw],
            }
            for u in utterances
            if int(u.speaker[-2:]) % 2 == odd
        ]
        # EmoBox lists all eight emotions
        lines.append({"key": "x", "wav": "x.wav", "emo": "Fearful"})
        path = tmp_path / "fold_1" / f"ravdess_{name}_fold_1.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    split = make_split(utterances, ProtocolConfig(name="folds", directory=str(tmp_path)), 0)
    assert len(split.test) == len(utterances) // 2
    assert {utterances[row].gender for row in split.test} == {"F"}
    assert len({utterances[row].speaker for row in split.validation}) == 2  # of twelve
