"""How fast recordings become shards, beside plain librosa on the same files.

    python benchmarks/prepare.py --dataset ravdess --data-root data --files 200

Both sides run in one thread of one process, in turns, and see the same files; the best of
the rounds counts, since whatever else the machine does can only slow one down. Ours reads,
removes silence, computes the spectrogram and writes the shard. librosa's is what a script
would do: `librosa.load`, `librosa.feature.melspectrogram` and `librosa.power_to_db`.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import soundfile
from threadpoolctl import threadpool_limits

from data_prep.corpora import find_adapter
from data_prep.shards import write_shard
from data_prep.workers import Task, compute_task
from ser_aae.config import FrontEndConfig


def select_task(dataset: str, data_root: Path, files: int, frontend: FrontEndConfig) -> Task:
    """Return up to `files` utterances, spread evenly over the corpus."""
    corpus = find_adapter(dataset).read(data_root, allow_partial=True)
    count = min(files, len(corpus.utterances))
    chosen = np.linspace(0, len(corpus.utterances) - 1, count).round().astype(int)
    utterances = tuple(corpus.utterances[index] for index in chosen)
    return Task(utterances, corpus.root, frontend, skip_unreadable=False)


def prepare_with_ser_aae(task: Task) -> None:
    """Compute the spectrograms and write them as one shard."""
    with tempfile.TemporaryDirectory() as folder:
        write_shard(Path(folder), 0, 0, compute_task(task), inputs="")


def prepare_with_librosa(task: Task) -> None:
    """Compute what librosa calls a log mel spectrogram; nothing is written."""
    config = task.frontend
    with threadpool_limits(1):
        for utterance in task.utterances:
            path = utterance.audio_path(task.root)
            signal, rate_hz = librosa.load(path, sr=config.sample_rate_hz)
            mel = librosa.feature.melspectrogram(
                y=signal,
                sr=rate_hz,
                n_fft=config.fft_size,
                hop_length=round(config.shift_ms * rate_hz / 1000),
                win_length=round(config.window_ms * rate_hz / 1000),
                window="hamming",
                n_mels=config.bins,
            )
            librosa.power_to_db(mel)


def seconds_of(work: Callable[[Task], None], task: Task) -> float:
    """Return how long the work takes."""
    begin = time.perf_counter()
    work(task)
    return time.perf_counter() - begin


def main() -> None:
    """Measure and print both speeds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="ravdess")
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    task = select_task(arguments.dataset, arguments.data_root, arguments.files, FrontEndConfig())
    paths = [utterance.audio_path(task.root) for utterance in task.utterances]
    hours = sum(soundfile.info(path).duration for path in paths) / 3600
    sides = {"ser-aae": prepare_with_ser_aae, "librosa": prepare_with_librosa}
    for work in sides.values():  # imports, compiled functions, and the disk's cache
        work(task)
    taken = {name: [] for name in sides}
    for _ in range(arguments.rounds):
        for name, work in sides.items():
            taken[name].append(seconds_of(work, task))
    speed = {name: hours / min(seconds) * 60 for name, seconds in taken.items()}
    print(f"{len(paths)} files of {arguments.dataset}, {hours:.2f} h, {arguments.rounds} rounds")
    for name, value in speed.items():
        print(f"{name}: {value:.1f} h of speech per minute and core")
    print(f"ratio: {speed['ser-aae'] / speed['librosa']:.2f}")


if __name__ == "__main__":
    main()
