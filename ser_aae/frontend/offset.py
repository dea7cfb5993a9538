"""Removal of a constant offset, which no loudspeaker plays and every level counts.

It is the mean of what is treated as an utterance: the utterance itself, a block of a long recording
(`ser_aae.frontend.blocks`), the input of a model of waveforms. So shards, blocks and graphs share
one definition, which needs no pass over a recording before the first block. The mean of each window
alone would follow an offset that drifts, but takes away what speech and rooms have under 40 Hz too:
on RAVDESS, which has no offset, it moves the lowest three bands by 2 to 8 dB, the mean of the
utterance hardly any.
"""

import numpy as np

from ser_aae.config import FrontEndConfig


def remove_offset(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Return a signal, `(samples,)` float32, less its mean where the config says so."""
    return signal - signal.mean() if config.remove_offset else signal
