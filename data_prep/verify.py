"""Checking a corpus by reading all of it: its counts, its sound, and sound that is there twice.

Two things are told apart, since neither finds the other:

*   Duplicates: utterances whose decoded samples are equal. Bytes of files are no measure of
    that: RAVDESS' files carry metadata, and FLAC and WAV differ around the same samples.
*   Overlaps: utterances that hold the same stretch, cut differently from one recording and
    coded again, so that no two samples need be equal. They are found by landmarks, after
    A. L.-C. Wang, "An industrial-strength audio search algorithm", ISMIR 2003: here peaks of
    the waveform and the distances between them. What the landmarks suggest is then compared
    sample by sample. Speech that was resampled, or made louder, is not found.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.ndimage import maximum_filter1d
from tqdm import tqdm

from data_prep.corpora import find_adapter
from data_prep.corpus import Corpus
from ser_aae.datasets import stored_name
from ser_aae.errors import UserError
from ser_aae.frontend.audio import read_audio
from ser_aae.utterance import Utterance

UNLABELLED_CLASS = "unlabelled"
"""Stands for the emotion of utterances without one."""

PEAK_DISTANCE_S = 0.02
"""A peak is the highest sample as far as this to both sides: about one a pitch period or two."""
AUDIBLE = 0.01
"""Lower samples (-40 dB of full scale) are background: neither peaks nor evidence."""
TOLERANCE = 2.0**-13
"""Four steps of 16-bit sound: a second coding moves URDU's samples by one."""
LEAST_OVERLAP_S = 0.5
BLOCK_S = 0.05
_LEAST_LANDMARKS = 3
_NEIGHBOURS = 8
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


@dataclass(frozen=True)
class Heard:
    """What the sound of one utterance is, or why it cannot be read.

    Attributes:
        samples: How many.
        rate_hz: Of the file.
        channels: Of the file.
        digest: Of the rate and the decoded samples, channels averaged.
        keys: `(landmarks,)` uint64; equal where the same peaks follow each other.
        positions: `(landmarks,)` where each begins, in samples.
        problem: Why it cannot be read; all else is empty then.
    """

    samples: int = 0
    rate_hz: int = 0
    channels: int = 0
    digest: str = ""
    keys: np.ndarray | tuple[()] = ()
    positions: np.ndarray | tuple[()] = ()
    problem: str = ""


def verify(
    dataset: str, data_root: Path, workers: int = 1, progress: bool = False
) -> dict[str, Any]:
    """Read a corpus whole and return what there is to say of it, as plain values.

    Args:
        dataset: A corpus' name, or `csv:FILE`.
        data_root: The folder that holds the corpora.
        workers: Threads that read.
        progress: Show a bar on the standard error.

    Returns:
        `ok` (no count differs, no file is unreadable), `dataset`, `version`, `root`, `counts`
        (rows of `what`, `expected` or `None`, `found`, `ok`), `classes`, `speakers` (rows with
        `gender` and `emotions`), `durations`, `sampling_rates_hz` and `channels` (value to
        number of files), `unreadable`, `duplicates`, `overlaps`, `unknown_labels`, `dropped`.

    Raises:
        UserError: No such corpus, nothing there, or its labels are damaged.
    """
    if workers < 1:
        raise UserError(f"expected at least 1 worker, got {workers}")
    adapter, name = find_adapter(dataset), stored_name(dataset)
    corpus = adapter.read(data_root, allow_partial=True)
    with ThreadPoolExecutor(workers) as pool:
        try:
            heard = pool.map(lambda utterance: _hear(utterance, corpus.root), corpus.utterances)
            bar = tqdm(
                heard, name, len(corpus.utterances), unit=" utterances", disable=not progress
            )
            sounds = list(bar)
        finally:
            pool.shutdown(cancel_futures=True)  # Ctrl-C does not wait for the rest
    counts = _compare_counts(corpus)
    unreadable = [
        {"file": utterance.path, "utterance": utterance.utterance_id, "reason": sound.problem}
        for utterance, sound in zip(corpus.utterances, sounds, strict=True)
        if sound.problem
    ]
    return {
        "ok": all(row["ok"] for row in counts) and not unreadable,
        "dataset": name,
        "version": adapter.version,
        "root": str(corpus.root),
        "counts": counts,
        **_describe_labels(corpus),
        **_describe_sound(corpus.utterances, sounds),
        "unreadable": unreadable,
        "duplicates": _find_duplicates(corpus.utterances, sounds),
        "overlaps": _find_overlaps(corpus, sounds),
    }


def _compare_counts(corpus: Corpus) -> list[dict[str, Any]]:
    """Return a row for each count; `expected` is `None` where nothing is known of it."""
    rows = []
    for what in [
        *corpus.expected,
        *(what for what in corpus.counts if what not in corpus.expected),
    ]:
        wanted, found = corpus.expected.get(what), corpus.counts.get(what, 0)
        ok = wanted is None or found == wanted
        rows.append({"what": what, "expected": wanted, "found": found, "ok": ok})
    return rows


def _describe_labels(corpus: Corpus) -> dict[str, Any]:
    emotions: dict[str, Counter[str]] = defaultdict(Counter)
    genders: dict[str, set[str]] = defaultdict(set)
    for item in corpus.utterances:
        emotions[item.speaker][item.emotion or UNLABELLED_CLASS] += 1
        genders[item.speaker].add(item.gender)
    dropped: dict[str, list[str]] = defaultdict(list)
    for entry in corpus.dropped:
        dropped[entry.reason].append(entry.where)
    return {
        "classes": dict(sorted(sum(emotions.values(), Counter()).items())),
        "speakers": [
            {
                "speaker": speaker,
                "gender": " and ".join(sorted(genders[speaker])),
                "utterances": emotions[speaker].total(),
                "emotions": dict(sorted(emotions[speaker].items())),
            }
            for speaker in sorted(emotions)
        ],
        "unknown_labels": list(corpus.unknown_labels),
        "dropped": [{"reason": reason, "where": dropped[reason]} for reason in sorted(dropped)],
    }


def _describe_sound(utterances: Sequence[Utterance], sounds: Sequence[Heard]) -> dict[str, Any]:
    """Return durations over utterances, rates and channels over files, of what can be read."""
    lengths_s = [sound.samples / sound.rate_hz for sound in sounds if not sound.problem]
    files = {
        utterance.path: sound
        for utterance, sound in zip(utterances, sounds, strict=True)
        if not sound.problem
    }
    rates, channels = (
        Counter(getattr(sound, field) for sound in files.values())
        for field in ("rate_hz", "channels")
    )
    durations = {"hours": sum(lengths_s) / 3600}
    for name, of in (("min_s", np.min), ("median_s", np.median), ("max_s", np.max)):
        durations[name] = float(of(lengths_s)) if lengths_s else 0.0
    return {
        "durations": {name: round(value, 4) for name, value in durations.items()},
        # keys as text, as JSON has them
        "sampling_rates_hz": {str(rate): rates[rate] for rate in sorted(rates)},
        "channels": {str(number): channels[number] for number in sorted(channels)},
    }


def _read(utterance: Utterance, root: Path) -> tuple[np.ndarray, int, int]:
    """Return `(samples,)` float32 at the file's own rate, that rate, the number of channels."""
    path = utterance.audio_path(root)
    try:
        header = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError) as error:
        read_audio(path, 1)  # knows why, and says it as `ser-aae prepare` does
        raise UserError(f"{path}: header cannot be read ({error})") from error
    samples = read_audio(path, header.samplerate, utterance.start_s, utterance.end_s)
    return samples, header.samplerate, header.channels


def _hear(utterance: Utterance, root: Path) -> Heard:
    try:
        samples, rate_hz, channels = _read(utterance, root)
    except UserError as error:
        path = utterance.audio_path(root)
        reason = str(error).removeprefix(f"{path}: ").replace(str(path), path.name)
        return Heard(problem=reason)
    digest = hashlib.sha256(f"{rate_hz} ".encode() + samples.tobytes()).hexdigest()
    return Heard(len(samples), rate_hz, channels, digest, *_landmarks(samples, rate_hz))


def _landmarks(samples: np.ndarray, rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """Return keys and positions of four peaks in a row, as their three distances tell them.

    Distances stay the same wherever a recording is cut. Four peaks at equal distances are
    left out: any two tones of one pitch have those.
    """
    reach = int(PEAK_DISTANCE_S * rate_hz)
    is_peak = (samples == maximum_filter1d(samples, 2 * reach + 1)) & (samples > AUDIBLE)
    peaks = np.flatnonzero(is_peak)
    if len(peaks) <= len(_MIX):
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    distances = np.lib.stride_tricks.sliding_window_view(np.diff(peaks), len(_MIX))
    uneven = np.ptp(distances, axis=1) > len(_MIX)
    keys = distances.astype(np.uint64) @ _MIX + np.uint64(rate_hz)
    return keys[uneven], peaks[: -len(_MIX)][uneven]


def _find_duplicates(utterances: Sequence[Utterance], sounds: Sequence[Heard]) -> list[dict]:
    same: dict[str, list[Utterance]] = defaultdict(list)
    for utterance, sound in zip(utterances, sounds, strict=True):
        if not sound.problem:
            same[sound.digest].append(utterance)
    return [_together(group) for group in same.values() if len(group) > 1]


def _find_overlaps(corpus: Corpus, sounds: Sequence[Heard]) -> list[dict]:
    """Return pairs of utterances that share a stretch, with at least how many seconds of it."""
    seconds: dict[tuple[int, int], float] = defaultdict(float)
    for first, second, lag in _suggest_overlaps(sounds):
        if sounds[first].digest != sounds[second].digest:
            found = _seconds_alike(corpus, first, second, lag)
            seconds[first, second] = max(seconds[first, second], found)
    return [
        _together([corpus.utterances[row] for row in pair]) | {"seconds": round(found, 2)}
        for pair, found in seconds.items()
        if found >= LEAST_OVERLAP_S
    ]


def _suggest_overlaps(sounds: Sequence[Heard]) -> list[tuple[int, int, int]]:
    """Return pairs of rows and the lag, in samples, at which several landmarks agree."""
    keys = np.concatenate([np.empty(0, np.uint64), *(sound.keys for sound in sounds)])
    positions = np.concatenate([np.empty(0, np.int64), *(sound.positions for sound in sounds)])
    rows = np.repeat(np.arange(len(sounds)), [len(sound.keys) for sound in sounds])
    order = np.argsort(keys, kind="stable")  # stable: rows ascend where keys are equal
    keys, positions, rows = keys[order], positions[order], rows[order]
    found = [np.empty((0, 3), np.int64)]
    for step in range(1, _NEIGHBOURS + 1):
        same = np.flatnonzero((keys[step:] == keys[:-step]) & (rows[step:] != rows[:-step]))
        lags = positions[same] - positions[same + step]
        found.append(np.stack([rows[same], rows[same + step], lags], axis=1))
    pairs, landmarks = np.unique(np.concatenate(found), axis=0, return_counts=True)
    return [tuple(pair) for pair in pairs[landmarks >= _LEAST_LANDMARKS].tolist()]


def _seconds_alike(corpus: Corpus, first: int, second: int, lag: int) -> float:
    """Return how much audible sound of two utterances is alike, `lag` apart, in seconds."""
    here, rate_hz, _ = _read(corpus.utterances[first], corpus.root)
    there, _, _ = _read(corpus.utterances[second], corpus.root)
    here, there = here[max(lag, 0) :], there[max(-lag, 0) :]
    block = int(BLOCK_S * rate_hz)
    length = min(len(here), len(there)) // block * block
    here, there = here[:length].reshape(-1, block), there[:length].reshape(-1, block)
    alike = np.abs(here - there).max(axis=1) <= TOLERANCE
    audible = np.abs(here).max(axis=1) > AUDIBLE
    return float(np.count_nonzero(alike & audible)) * BLOCK_S


def _together(utterances: Sequence[Utterance]) -> dict[str, Any]:
    return {
        "utterances": [utterance.utterance_id for utterance in utterances],
        "speakers": sorted({utterance.speaker for utterance in utterances}),
    }
