"""Checking a corpus by reading all of it: its counts, its sound, and sound that is there twice.

Two kinds of repeated sound are sought, each in a way that does not find the other:

*   Duplicates: utterances whose decoded samples are equal. Bytes of files are no measure of
    that: RAVDESS' files carry metadata, and FLAC and WAV differ around the same samples.
*   Overlaps: utterances that hold the same stretch, cut differently from one recording and
    coded again, so that no two samples need be equal; see `shared_sound`.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.corpora import corpus_name, find_adapter
from data_prep.corpus import Corpus, printable
from data_prep.shared_sound import (
    LEAST_OVERLAP_S,
    NO_LANDMARKS,
    Landmarks,
    find_landmarks,
    seconds_alike,
    suggest_overlaps,
)
from data_prep.sound_digests import digest_samples
from data_prep.workers import find_remark, named_faults, read_part, seconds_past_end
from ser_aae.errors import UserError
from ser_aae.frontend.channels import take_channel
from ser_aae.frontend.condition import describe, measure
from ser_aae.progress import move_bar, open_bar
from ser_aae.protocols.spellings import find_spellings
from ser_aae.utterance import Utterance

UNLABELLED_CLASS = "unlabelled"
"""Stands for the emotion of utterances without one."""


@dataclass(frozen=True)
class Sound:
    """The sound of one utterance, or the reason why it cannot be read.

    Attributes:
        samples: The number of samples.
        rate_hz: The sampling rate of the file.
        channels: The number of channels of the file.
        digest: A digest of the rate and the decoded samples of what is listened to.
        landmarks: The places by which stretches of the same sound are found.
        oddities: What is odd about it, a sentence for each kind.
        problem: The reason why the sound cannot be read; all else is empty then.
        remark: What is not as it should be with a file that was read all the same.
        past_s: The time by which the utterance ends after its file, 0 where it does not.
    """

    samples: int = 0
    rate_hz: int = 0
    channels: int = 0
    digest: str = ""
    landmarks: Landmarks = NO_LANDMARKS
    oddities: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    remark: str = ""
    past_s: float = 0.0


def check_corpus(dataset: str, data_root: Path, workers: int = 1) -> dict[str, Any]:
    """Read a corpus whole, in `workers` threads, and return a report on it, as plain values.

    Returns:
        `ok` (no count differs, every file is there whole, each speaker has one spelling),
        `dataset`, `version`, `root`, `counts` (rows of `what`, `expected` or `None`, `found`,
        `ok`), `classes`, `speakers` (rows with `gender` and `emotions`), `spellings` (speakers who
        may be one person, to their numbers of utterances), `durations`, `sampling_rates_hz` and
        `channels` (value to number of files), `unreadable`, `remarks` (on what was read all the
        same), `past_end` (utterances that end after their file), `odd` (rows of `utterance`,
        `kind`, `what`), `duplicates`, `overlaps`, `unknown_labels`, `dropped`.

    Raises:
        UserError: No such corpus, nothing there, or its labels are damaged.
    """
    if workers < 1:
        raise UserError(f"expected at least 1 worker, got {workers}")
    adapter, name = find_adapter(dataset), corpus_name(dataset)
    corpus = adapter.read(data_root, allow_partial=True)
    with ThreadPoolExecutor(workers) as pool:
        try:
            read = pool.map(lambda item: _read_sound(item, corpus.root), corpus.utterances)
            sounds = []
            with open_bar(len(corpus.utterances), name, "utterances") as bar:
                for sound in read:
                    sounds.append(sound)
                    move_bar(bar, len(sounds))
        finally:
            pool.shutdown(cancel_futures=True)  # Ctrl-C does not wait for the rest
    counts = _compare_counts(corpus)
    spellings = find_spellings(corpus.utterances)
    is_read = not any(sound.problem or sound.past_s for sound in sounds)
    return {
        "ok": all(row["ok"] for row in counts) and is_read and not spellings,
        "dataset": name,
        "version": adapter.version,
        "root": printable(str(corpus.root)),
        "counts": counts,
        **_describe_labels(corpus),
        "spellings": spellings,
        **_describe_sound(corpus.utterances, sounds),
        **_describe_reading(corpus.utterances, sounds),
        "duplicates": _find_duplicates(corpus.utterances, sounds),
        "overlaps": _find_overlaps(corpus, sounds),
    }


def _compare_counts(corpus: Corpus) -> list[dict[str, Any]]:
    """Return a row for each count; `expected` is `None` where nothing is known of it."""
    rows = []
    for what in {**corpus.expected, **corpus.counts}:
        wanted, found = corpus.expected.get(what), corpus.counts.get(what, 0)
        ok = wanted in (None, found)
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


def _describe_sound(utterances: Sequence[Utterance], sounds: Sequence[Sound]) -> dict[str, Any]:
    """Return durations over utterances, rates and channels over files, of what can be read."""
    readable = [pair for pair in zip(utterances, sounds, strict=True) if not pair[1].problem]
    lengths_s = [sound.samples / sound.rate_hz for _, sound in readable]
    files = {utterance.path: sound for utterance, sound in readable}
    rates, channels = (
        Counter(getattr(sound, field) for sound in files.values())
        for field in ("rate_hz", "channels")
    )
    durations = {"hours": sum(lengths_s) / 3600}
    for name, statistic in (("min_s", np.min), ("median_s", np.median), ("max_s", np.max)):
        durations[name] = float(statistic(lengths_s)) if lengths_s else 0.0
    return {
        "durations": {name: round(value, 4) for name, value in durations.items()},
        # keys as text, as JSON has them
        "sampling_rates_hz": {str(rate): rates[rate] for rate in sorted(rates)},
        "channels": {str(number): channels[number] for number in sorted(channels)},
    }


def _describe_reading(utterances: Sequence[Utterance], sounds: Sequence[Sound]) -> dict[str, Any]:
    """Return what cannot be read, and what is not as it should be and was read all the same."""
    pairs = [(item, sound) for item, sound in zip(utterances, sounds, strict=True)]
    return {
        "unreadable": [
            {"file": item.path, "utterance": item.utterance_id, "reason": sound.problem}
            for item, sound in pairs
            if sound.problem
        ],
        "remarks": [
            {"utterance": item.utterance_id, "reason": sound.remark}
            for item, sound in pairs
            if sound.remark
        ],
        "past_end": [item.utterance_id for item, sound in pairs if sound.past_s],
        "odd": [
            {"utterance": item.utterance_id, "kind": kind, "what": sentence}
            for item, sound in pairs
            for kind, sentence in sound.oddities.items()
        ],
    }


def _read_samples(utterance: Utterance, root: Path) -> tuple[np.ndarray, int]:
    """Return `(samples, channels)` float32 at the file's own rate, and that rate."""
    path = utterance.audio_path(root)
    return read_part(utterance, path)


def _read_mono(utterance: Utterance, root: Path) -> np.ndarray:
    """Return what is listened to of an utterance, `(samples,)` float32."""
    channels, _ = _read_samples(utterance, root)
    return take_channel(channels, utterance.channel, utterance.audio_path(root))


def _read_sound(utterance: Utterance, root: Path) -> Sound:
    path = utterance.audio_path(root)
    try:
        with named_faults(path):
            channels, rate_hz = _read_samples(utterance, root)
            samples = take_channel(channels, utterance.channel, path)
            landmarks = find_landmarks(samples, rate_hz)
            duration_s = len(samples) / rate_hz
            remark = find_remark(utterance, path, duration_s)
            condition = measure(channels, samples, rate_hz)
    except UserError as error:
        reason = str(error).removeprefix(f"{path}: ").replace(str(path), path.name)
        return Sound(problem=reason)
    digest = digest_samples([samples], rate_hz)
    return Sound(
        len(samples),
        rate_hz,
        channels.shape[1],
        digest,
        landmarks,
        describe(condition, is_mixed=utterance.channel is None),
        remark=remark,
        past_s=seconds_past_end(utterance, duration_s),
    )


def _find_duplicates(utterances: Sequence[Utterance], sounds: Sequence[Sound]) -> list[dict]:
    same: dict[str, list[Utterance]] = defaultdict(list)
    for utterance, sound in zip(utterances, sounds, strict=True):
        if not sound.problem:
            same[sound.digest].append(utterance)
    return [_describe_group(group) for group in same.values() if len(group) > 1]


def _find_overlaps(corpus: Corpus, sounds: Sequence[Sound]) -> list[dict]:
    """Return pairs of utterances that share a stretch, with at least how many seconds of it."""
    seconds: dict[tuple[int, int], float] = defaultdict(float)
    for first, second, lag in suggest_overlaps([sound.landmarks for sound in sounds]):
        if sounds[first].digest != sounds[second].digest:
            pair = [corpus.utterances[row] for row in (first, second)]
            here, there = (_read_mono(item, corpus.root) for item in pair)
            found = seconds_alike(here, there, lag, sounds[first].rate_hz)
            seconds[first, second] = max(seconds[first, second], found)
    return [
        _describe_group([corpus.utterances[row] for row in pair]) | {"seconds": round(found, 2)}
        for pair, found in seconds.items()
        if found >= LEAST_OVERLAP_S
    ]


def _describe_group(utterances: Sequence[Utterance]) -> dict[str, Any]:
    return {
        "utterances": [utterance.utterance_id for utterance in utterances],
        "speakers": sorted({utterance.speaker for utterance in utterances}),
    }
