"""Predictions of a model that was never trained, for tests of what becomes of them."""

import numpy as np
import pandas as pd


def predictions(truth, predicted, classes, sure=0.7, **columns):
    """Return one row an utterance, with a posterior of `sure` for what is predicted.

    `columns` replace or add to those of a woman's utterances of the corpus `demo`, each heard
    in one segment.
    """
    others = (1 - sure) / (len(classes) - 1)
    posteriors = {
        f"p_{name}": np.where(np.array(predicted) == name, sure, others) for name in classes
    }
    frame = {
        "utterance_id": [f"u{row}" for row in range(len(truth))],
        "corpus": "demo",
        "speaker": "demo:1",
        "gender": "F",
        "truth": truth,
        "predicted": predicted,
        "segments": 1,
    }
    return pd.DataFrame(frame | columns | posteriors)
