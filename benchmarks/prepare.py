"""Speed at which recordings become shards, beside plain librosa on the same files.

    python benchmarks/prepare.py --dataset ravdess --data-root data --files 200

Both sides run in one thread of one process, in turns, and see the same files; the best of
the rounds counts, since other work of the machine can only slow one down. Ours reads,
removes silence, computes the spectrogram and writes the shard. librosa's does as a script
would: `librosa.load`, `librosa.feature.melspectrogram` and `librosa.power_to_db`.
"""

import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from measuring import make_parser, seconds_by_turns
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
    """Compute log mel spectrograms as librosa does; nothing is written."""
    import librosa  # here, so that it is told where it is not installed

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


def main() -> None:
    """Measure and print both speeds and their ratio."""
    defaults = {"dataset": "ravdess", "data_root": Path("data"), "files": 200, "rounds": 3}
    arguments = make_parser(__doc__, **defaults).parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    task = select_task(arguments.dataset, arguments.data_root, arguments.files, FrontEndConfig())
    paths = [utterance.audio_path(task.root) for utterance in task.utterances]
    hours = sum(soundfile.info(path).duration for path in paths) / 3600
    sides = {
        "ser-aae": partial(prepare_with_ser_aae, task),
        "librosa": partial(prepare_with_librosa, task),
    }
    seconds_by_turns(sides, 1)  # imports, compiled functions, and the disk's cache
    taken = seconds_by_turns(sides, arguments.rounds)
    speed = {name: hours / min(seconds) * 60 for name, seconds in taken.items()}
    print(f"{len(paths)} files of {arguments.dataset}, {hours:.2f} h, {arguments.rounds} rounds")
    for name, value in speed.items():
        print(f"{name}: {value:.1f} h of speech per minute and core")
    print(f"ratio: {speed['ser-aae'] / speed['librosa']:.2f}")


if __name__ == "__main__":
    main()
