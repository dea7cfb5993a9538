"""Channels of a recording: their mean, or one of them."""

from pathlib import Path

import numpy as np

from ser_aae.errors import UserError

Channel = int | None
"""Number of a channel, the first being 1; `None` is the mean of all."""

_NAMES: dict[str, Channel] = {"": None, "mix": None, "left": 1, "right": 2}

EXPECTED = "a channel (mix, left, right, or a number from 1 on)"
"""Description of what `parse_channel` takes."""


def parse_channel(text: str) -> Channel:
    """Return the channel that a word or number names; an empty text is the mean of all.

    Raises:
        ValueError: It names none.
    """
    word = text.strip().casefold()
    if word in _NAMES:
        return _NAMES[word]
    if not (word.isascii() and word.isdecimal() and int(word) > 0):
        raise ValueError(f"expected {EXPECTED}, got {text!r}")
    return int(word)


def average_channels(samples: np.ndarray) -> np.ndarray:
    """Return the mean of the channels of `(samples, channels)` float32, `(samples,)` float32."""
    if samples.shape[1] == 1:
        return samples[:, 0]
    mono: np.ndarray = samples.mean(axis=1, dtype=np.float32)
    return mono


def take_channel(samples: np.ndarray, channel: Channel, where: Path | str) -> np.ndarray:
    """Return one channel of `(samples, channels)` float32, or the mean of all, `(samples,)`.

    Raises:
        UserError: There is no such channel in `where`.
    """
    if channel is None:
        return average_channels(samples)
    if channel > samples.shape[1]:
        raise no_channel(where, channel, samples.shape[1])
    return np.ascontiguousarray(samples[:, channel - 1])


def no_channel(where: Path | str, channel: int, channels: int) -> UserError:
    """Return the error of a recording that lacks a channel."""
    found = "one channel" if channels == 1 else f"{channels} channels"
    return UserError(
        f"{where}: expected a channel {channel}, found {found}; choose another, or mix"
    )
