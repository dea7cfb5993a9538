"""How a model wears: UA on recordings that are quieter, noisier, coded, cut or hurried.

    python benchmarks/wear.py runs/ravdess-emotion-mtl-speaker-kfold/97510d11 \
        --data-root ../shared/corpora --store store --csv wear.csv --picture wear.png

Each run of an experiment, one a fold, answers its own test recordings (or, with `--part
validation`, those by which settings may be chosen) as they are and in each condition. Nothing is
trained. `--svm` puts a linear SVM on openSMILE's functionals beside it, which is trained on the
same folds' recordings as they are (`benchmarks/opensmile_svm.py`) and answers the changed ones.

Every changed recording is rounded to 16 bits and clipped at full scale, as a file of it would be.
Noise is drawn anew for each recording and is the same for every model.
"""

import io
import os
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.signal
import soundfile
from measuring import make_parser
from tqdm import tqdm

from data_prep.corpora import find_adapter
from reports.style import COLOURS, drawn_to
from ser_aae.config import RunConfig
from ser_aae.data.run_data import assemble, count_folds
from ser_aae.errors import UserError
from ser_aae.files.atomic import write_bytes
from ser_aae.frontend.audio import read_audio
from ser_aae.inference.recogniser import Recogniser
from ser_aae.protocols.splits import make_split
from ser_aae.results import metrics
from ser_aae.results.complete_run import read_config
from ser_aae.results.folder import find_runs, is_complete
from ser_aae.results.text import align, percent
from ser_aae.utterance import Utterance

RATE_HZ = 16000
CLEAN = "as it is"
PARTS = ("test", "validation")
MODEL, SVM = "model", "SVM"

_SPEAKERS_OF_BABBLE = 6


@dataclass(frozen=True)
class Place:
    """What a condition may draw from.

    Attributes:
        draw: Random numbers of the recording and the condition.
        voices: Recordings of other people, of whom babble is made; empty where there are none.
    """

    draw: np.random.Generator
    voices: Sequence[np.ndarray]


Change = Callable[[np.ndarray, Place], np.ndarray]
"""Makes of a recording `(samples,)` at 16 kHz another one."""


def change_level(decibels: float) -> Change:
    """Return a change of the level; what is beyond full scale is clipped."""
    return lambda signal, _: signal * 10 ** (decibels / 20)


def telephone(signal: np.ndarray, _: Place) -> np.ndarray:
    """Return what a telephone leaves: 300 to 3400 Hz, 8000 samples a second, mu-law."""
    band = scipy.signal.butter(4, (300, 3400), "bandpass", fs=RATE_HZ, output="sos")
    narrow = scipy.signal.resample_poly(scipy.signal.sosfilt(band, signal), 1, 2)
    coded = _code(narrow, RATE_HZ // 2, format="WAV", subtype="ULAW")
    return scipy.signal.resample_poly(coded, 2, 1)


def mp3(signal: np.ndarray, _: Place) -> np.ndarray:
    """Return the recording after MP3 at 64 kbit/s."""
    # libsndfile goes from 160 kbit/s at level 0 to 8 at level 1
    level = (160 - 64) / (160 - 8)
    options = {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": level}
    return _code(signal, RATE_HZ, **options)


def add_noise(decibels: float) -> Change:
    """Return a change that adds white noise at a ratio of the mean powers."""
    return lambda signal, place: _mix(signal, place.draw.normal(size=len(signal)), decibels)


def add_babble(decibels: float) -> Change:
    """Return a change that adds six people who speak at once, at a ratio of the mean powers."""

    def change(signal: np.ndarray, place: Place) -> np.ndarray:
        chosen = place.draw.choice(len(place.voices), _SPEAKERS_OF_BABBLE, replace=False)
        babble = sum(_fill(place.voices[number], len(signal), place.draw) for number in chosen)
        return _mix(signal, babble, decibels)

    return change


def reverberate(signal: np.ndarray, _: Place) -> np.ndarray:
    """Return the recording as heard in a room of 6 by 5 by 3 m, two metres off, RT60 0.6 s."""
    import pyroomacoustics  # of the extra bench

    size_m = [6.0, 5.0, 3.0]
    absorption, order = pyroomacoustics.inverse_sabine(0.6, size_m)
    room = pyroomacoustics.ShoeBox(
        size_m, fs=RATE_HZ, materials=pyroomacoustics.Material(absorption), max_order=order
    )
    room.add_source([2.0, 2.5, 1.5], signal=signal)
    room.add_microphone([4.0, 2.5, 1.5])
    room.simulate()
    heard = room.mic_array.signals[0]
    return heard * (np.abs(signal).max() / max(np.abs(heard).max(), 1e-9))


def cut_second(signal: np.ndarray, _: Place) -> np.ndarray:
    """Return the second around the middle of the recording's energy."""
    energy = np.cumsum(signal**2)
    middle = int(np.searchsorted(energy, energy[-1] / 2))
    start = max(min(middle - RATE_HZ // 2, len(signal) - RATE_HZ), 0)
    return signal[start : start + RATE_HZ]


def change_tempo(rate: float) -> Change:
    """Return a change of the tempo that leaves the pitch."""

    def change(signal: np.ndarray, _: Place) -> np.ndarray:
        import librosa  # loads slowly

        return librosa.effects.time_stretch(signal, rate=rate)

    return change


CONDITIONS: Mapping[str, Change] = {
    CLEAN: lambda signal, _: signal,
    "20 dB quieter": change_level(-20),
    "10 dB louder, clipped": change_level(10),
    "telephone": telephone,
    "MP3, 64 kbit/s": mp3,
    **{f"noise, {ratio} dB": add_noise(ratio) for ratio in (20, 10, 0)},
    **{f"babble, {ratio} dB": add_babble(ratio) for ratio in (20, 10, 0)},
    "a room": reverberate,
    "one second": cut_second,
    "half as fast": change_tempo(0.5),
    "twice as fast": change_tempo(2.0),
}


def _code(signal: np.ndarray, rate_hz: int, **options: Any) -> np.ndarray:
    """Return a recording after a file of it was written and read."""
    coded = io.BytesIO()
    soundfile.write(coded, np.clip(signal, -1, 1), rate_hz, **options)
    coded.seek(0)
    return soundfile.read(coded)[0]


def _mix(signal: np.ndarray, other: np.ndarray, decibels: float) -> np.ndarray:
    powers = [np.mean(np.square(each)) for each in (signal, other)]
    return signal + other * np.sqrt(powers[0] / max(powers[1], 1e-12) / 10 ** (decibels / 10))


def _fill(voice: np.ndarray, length: int, draw: np.random.Generator) -> np.ndarray:
    """Return a voice again and again for so many samples, from a random one on, at one level."""
    rolled = np.roll(voice, draw.integers(len(voice)))
    return np.resize(rolled, length) / max(np.sqrt(np.mean(rolled**2)), 1e-9)


def changed(signal: np.ndarray, condition: str, name: str, voices: Sequence[np.ndarray]) -> Any:
    """Return a recording in a condition, `(samples,)` float32 of 16 bits.

    `name` is the recording's; with the condition it seeds what is drawn.
    """
    draw = np.random.default_rng(zlib.crc32(f"{condition} {name}".encode()))
    found = CONDITIONS[condition](signal.astype(np.float64), Place(draw, voices))
    return np.float32(np.clip(np.round(found * 32768), -32768, 32767) / 32768)


def read_signal(item: Utterance, root: Path) -> np.ndarray:
    """Return an utterance's samples at 16 kHz."""
    return read_audio(item.audio_path(root), RATE_HZ, item.start_s, item.end_s, item.channel)


def read_voices(data_root: Path, dataset: str, most: int = 60) -> list[np.ndarray]:
    """Return a recording of each speaker of a corpus, in the order of their names.

    Raises:
        UserError: The corpus is not there.
    """
    corpus = find_adapter(dataset).read(data_root)
    first: dict[str, Utterance] = {}
    for item in corpus.utterances:
        first.setdefault(item.speaker, item)
    return [read_signal(first[name], corpus.root) for name in sorted(first)[:most]]


@dataclass(frozen=True)
class Fold:
    """The recordings of a part of a fold.

    Attributes:
        run: The folder of its model.
        config: The run's config.
        utterances: The part's.
        truths: Their classes.
    """

    run: Path
    config: RunConfig
    utterances: Sequence[Utterance]
    truths: Sequence[str]


def read_folds(experiment: Path, store: Path, part: str) -> list[Fold]:
    """Return the part of each complete run of an experiment of one seed.

    Raises:
        UserError: There is none, a fold is there twice, or the store lacks the corpus.
    """
    runs = [run for run in find_runs(experiment) if is_complete(run)]
    configs = [read_config(run) for run in runs]
    numbers = [config.protocol.fold for config in configs]
    if not runs or len(set(numbers)) < len(numbers):
        raise UserError(
            f"{experiment}: expected complete runs, one a fold, found those of folds {numbers}; "
            "name an experiment of one seed"
        )
    folds = []
    for run, config in zip(runs, configs, strict=True):
        data = assemble(config, store)
        found = getattr(data, part)
        classes = [data.target.classes[n] for n in found.labels[config.task][found.rows]]
        folds.append(Fold(run, config, found.utterances, classes))
    return folds


def answer_by_model(
    folds: Sequence[Fold], root: Path, conditions: Sequence[str], voices: Sequence[np.ndarray]
) -> pd.DataFrame:
    """Return a row for each recording and condition: `who`, condition, truth and answer.

    Where a model hears silence alone the answer is `""`, which is wrong.
    """
    rows = []
    for fold in folds:
        recogniser, task = Recogniser.load(fold.run), fold.config.task
        pairs = list(zip(fold.utterances, fold.truths, strict=True))
        for item, truth in tqdm(pairs, desc=fold.run.name, unit="recording", file=sys.stderr):
            signal = read_signal(item, root)
            for condition in conditions:
                heard = changed(signal, condition, item.utterance_id, voices)
                answer = recogniser(heard, RATE_HZ).best.get(task, "")
                rows.append((MODEL, condition, item.speaker, truth, answer))
    return pd.DataFrame(rows, columns=["who", "condition", "speaker", "truth", "answer"])


def summarise(answers: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the UA of each condition and model, in 0 to 1, a column each who answers."""
    names, known = list(dict.fromkeys(answers["condition"])), [*classes, ""]
    table = {
        who: [
            metrics.unweighted_accuracy(own["truth"].tolist(), own["answer"].tolist(), known)[0]
            for name in names
            for own in (frame[frame["condition"] == name],)
        ]
        for who, frame in answers.groupby("who", sort=False)
    }
    return pd.DataFrame(table, index=pd.Index(names, name="condition"))


def answer_by_svm(
    folds: Sequence[Fold],
    root: Path,
    conditions: Sequence[str],
    voices: Sequence[np.ndarray],
    store: Path,
) -> pd.DataFrame:
    """Return rows as `answer_by_model` does, of a linear SVM on ComParE functionals.

    Raises:
        UserError: A fold of the protocol is missing, whose recordings the SVM would learn from.
    """
    if len(folds) != (total := count_folds(folds[0].config, store)):
        raise UserError(
            f"--svm: expected complete runs of all {total} folds, found {len(folds)}; train the "
            "others too"
        )
    import opensmile  # of the extra bench
    import opensmile_svm

    smile = opensmile.Smile(
        opensmile.FeatureSet[opensmile_svm.FEATURE_SETS[0]], opensmile.FeatureLevel.Functionals
    )

    def describe(item: Utterance, condition: str) -> np.ndarray:
        heard = changed(read_signal(item, root), condition, item.utterance_id, voices)
        return smile.process_signal(heard, RATE_HZ).to_numpy(np.float32)[0]

    utterances = [
        replace(item, emotion=truth)
        for fold in folds
        for item, truth in zip(fold.utterances, fold.truths, strict=True)
    ]
    features = {
        condition: np.stack(
            [describe(item, condition) for item in tqdm(utterances, condition, file=sys.stderr)]
        )
        for condition in conditions
    }
    frames, first = [], 0
    for fold in folds:
        own = np.arange(first, first := first + len(fold.utterances))
        split = make_split(utterances, fold.config.protocol, 0)
        model, _, _ = opensmile_svm.fit_fold(features[CLEAN], utterances, split)
        frames += [
            pd.DataFrame(
                {
                    "who": SVM,
                    "condition": condition,
                    "speaker": [item.speaker for item in fold.utterances],
                    "truth": fold.truths,
                    "answer": model.predict(features[condition][own]),
                }
            )
            for condition in conditions
        ]
    return pd.concat(frames)


def draw_table(table: pd.DataFrame, chance: float, path: Path) -> None:
    """Draw a bar for each condition and whoever answers, with chance as a line."""
    with drawn_to(path, 0.32 * len(table) + 1.2) as figure:
        axes = figure.subplots()
        height, places = 0.8 / len(table.columns), np.arange(len(table))
        for number, who in enumerate(table.columns):
            shift = (number - (len(table.columns) - 1) / 2) * height
            values = 100 * table[who].to_numpy()
            axes.barh(places + shift, values, height, color=COLOURS[number], label=who)
        axes.axvline(100 * chance, color="black", linewidth=0.8, linestyle=":", label="chance")
        axes.set_yticks(places, table.index)
        axes.invert_yaxis()
        axes.set(xlabel="UA (%)", xlim=(0, 100))
        axes.legend()


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer, print the table, write what is asked for; return the exit code."""
    store = Path(os.environ.get("SER_AAE_STORE", "store"))
    parser = make_parser(__doc__, store=store, babble="baved")
    parser.add_argument("experiment", type=Path, help="a folder of runs, one a fold")
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--part", choices=PARTS, default=PARTS[0])
    parser.add_argument("--only", nargs="+", choices=list(CONDITIONS), help="beside " + CLEAN)
    parser.add_argument("--svm", action="store_true", help="an SVM on openSMILE beside it")
    parser.add_argument("--csv", type=Path, help="file for the table")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args(arguments)
    conditions = list(dict.fromkeys([CLEAN, *(options.only or CONDITIONS)]))
    try:
        folds = read_folds(options.experiment, options.store, options.part)
        needs_voices = any(name.startswith("babble") for name in conditions)
        voices = read_voices(options.data_root, options.babble) if needs_voices else []
        root = find_adapter(folds[0].config.dataset).read(options.data_root).root
        answers = answer_by_model(folds, root, conditions, voices)
        if options.svm:
            others = answer_by_svm(folds, root, conditions, voices, options.store)
            answers = pd.concat([answers, others])
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    classes = sorted({truth for fold in folds for truth in fold.truths})
    table = summarise(answers, classes)
    rows = [["condition", *table.columns]]
    rows += [[str(name), *map(percent, values)] for name, values in table.iterrows()]
    print("\n".join(align(rows)))
    if options.csv:
        write_bytes(options.csv, table.round(4).to_csv().encode())
    if options.picture:
        draw_table(table, 1 / len(classes), options.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
