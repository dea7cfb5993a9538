"""Cost of a fold, of the paper's tables and of Figure 4, by counted steps.

    python benchmarks/costs.py --gflops 88

The licensed corpora need not be there: lists as long as they are stand in for them, with as many
speakers, sessions, utterances of each emotion and seconds. The steps of each run are counted on
them as `--plan` counts them. A step takes its arithmetic over the rate that is given (those of two
cores are in docs/speed.md); without `--gflops` each model is measured on this machine.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from measuring import make_parser
from train_step import forward_flop, step_flop

from data_prep.corpora import find_adapter
from data_prep.corpus import build_corpus
from data_prep.manifest import Contents, write_manifest
from ser_aae.cli import build_parser
from ser_aae.commands.reproduce import settings_of_folds
from ser_aae.commands.reproduce_setup import read_setup
from ser_aae.commands.run_config import read_config
from ser_aae.config import FrontEndConfig, RunConfig
from ser_aae.data.run_data import count_folds
from ser_aae.experiments.artefacts import choose, runs_of
from ser_aae.files.atomic import write_bytes
from ser_aae.files.digests import digest_of_file
from ser_aae.frontend.spectrogram import num_frames
from ser_aae.grid.estimate import Measure, estimate_by_steps
from ser_aae.grid.plan import make_plan
from ser_aae.labels import GENDERS
from ser_aae.model.aae import build_model
from ser_aae.progress import duration
from ser_aae.training.planning import StepTimes
from ser_aae.utterance import Sound, Utterance

SHARD = "shard-00000.tfrecord"


@dataclass(frozen=True)
class StandIn:
    """Size of a corpus, or of a subset of one.

    Attributes:
        speakers: Number of speakers, who alternate in gender.
        in_session: Speakers of a session, 0 where the corpus has none.
        emotions: Emotion to the number of its utterances, `""` for none.
        mean_s: Mean length of an utterance in seconds; lengths are drawn around it.
        rated: Whether utterances have an activation and a valence.
        subset: Name of the subset, `""` for a whole corpus.
    """

    speakers: int
    emotions: Mapping[str, int]
    mean_s: float
    in_session: int = 0
    rated: bool = False
    subset: str = ""


_EIGHT = ("neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise")

CORPORA: Mapping[str, Sequence[StandIn]] = {
    # pauses removed, 45 % of 3.7 s are left (docs/speed.md)
    "ravdess": [
        StandIn(
            speakers=24,
            emotions={"neutral": 96} | dict.fromkeys(_EIGHT[1:], 192),
            mean_s=1.7,
        )
    ],
    "iemocap": [
        StandIn(
            speakers=10,
            emotions={"anger": 1103, "happiness": 1636, "sadness": 1084, "neutral": 1708}
            | {
                "frustration": 1849,
                "": 2507,
                "surprise": 107,
                "fear": 40,
                "other": 3,
                "disgust": 2,
            },
            mean_s=4.5,
            in_session=2,
            rated=True,
        )
    ],
    "msp": [
        StandIn(
            speakers=12,
            emotions={"anger": 792, "happiness": 2644, "sadness": 885, "neutral": 3477}
            | {"other": 85, "": 555},
            mean_s=4.1,
            in_session=2,
            rated=True,
        )
    ],
    "librispeech": [
        StandIn(speakers=921, emotions={"": 104014}, mean_s=12.6, subset="train-clean-360"),
        StandIn(speakers=40, emotions={"": 2620}, mean_s=7.4, subset="test-clean"),
    ],
}
"""Corpus to what stands in for it. Pauses of all but RAVDESS are counted with the speech."""

TRAIN = {
    "RAVDESS, a fold": ["--dataset", "ravdess", "--fold", "0"],
    "RAVDESS, six folds": ["--dataset", "ravdess", "--fold", "all"],
    "IEMOCAP, a session": ["--dataset", "iemocap", "--protocol", "loso-session", "--fold", "0"],
    "IEMOCAP, five sessions": [
        *("--dataset", "iemocap", "--protocol", "loso-session", "--fold", "all")
    ],
}
"""Title of a row to the options of `ser-aae train`."""

REPRODUCED = ("table-3", "table-4", "table-5", "table-6", "figure-4")
BUDGETS = ("small", "full")


def write_stand_in(name: str, store: Path) -> None:
    """Write a corpus' list to a store, with a shard that is empty."""
    frontend, adapter = FrontEndConfig(), find_adapter(name)
    corpus = build_corpus(store, _utterances(name))
    draw = np.random.default_rng(0)
    means = {each.subset: each.mean_s for each in CORPORA[name]}
    lengths = [
        draw.gamma(3.0, means[item.extra.get("subset", "")] / 3.0) for item in corpus.utterances
    ]
    frames = [num_frames(round(each * frontend.sample_rate_hz), frontend) for each in lengths]
    folder = store / f"{name}-{frontend.digest()}"
    write_bytes(folder / SHARD, b"")
    row = {"file": SHARD, "bytes": 0, "records": len(frames)}
    row["sha256"] = digest_of_file(folder / SHARD)
    unheard = [Sound("", "")] * len(frames)
    contents = Contents(corpus.utterances, frames, unheard, (), (), [row])
    write_manifest(folder, name, adapter, frontend, corpus, contents)


def _utterances(name: str) -> Iterator[Utterance]:
    draw = np.random.default_rng(0)
    for part in CORPORA[name]:
        emotions = [emotion for emotion, count in part.emotions.items() for _ in range(count)]
        for number, emotion in enumerate(draw.permutation(emotions).tolist()):
            speaker = number % part.speakers
            rating = draw.uniform(1.0, 5.0, 2) if part.rated else (None, None)
            yield Utterance(
                corpus=name,
                utterance_id=f"{part.subset}{number:06d}",
                path=f"{part.subset}/{number:06d}.wav",
                speaker=f"{name}:{part.subset}{speaker:03d}",
                gender=GENDERS[speaker % 2],
                emotion=emotion,
                emotion_raw=emotion,
                session=f"Session{speaker // part.in_session + 1}" if part.in_session else "",
                activation=rating[0],
                valence=rating[1],
                extra={"subset": part.subset} if part.subset else {},
            )


def list_rows(store: Path) -> Iterator[tuple[str, list[RunConfig]]]:
    """Yield each row's title and runs."""

    @cache
    def count(config: RunConfig) -> int:
        return count_folds(config, store)

    parser = build_parser()
    for title, words in TRAIN.items():
        arguments = parser.parse_args(["train", *words])
        config = read_config(arguments)
        every = range(count(config))
        folds = every if arguments.fold == "all" else [config.protocol.fold]
        yield title, [with_fold(config, fold) for fold in folds]
    for name in REPRODUCED:
        for budget in BUDGETS:
            setup = read_setup(parser.parse_args(["reproduce", name, "--budget", budget]))
            artefacts = choose([name], setup)
            repetitions = setup.repetitions_asked
            runs = runs_of(
                artefacts, setup, repetitions, lambda each: count(settings_of_folds(each))
            )
            yield f"{name}, budget {budget}", runs


def with_fold(config: RunConfig, fold: int) -> RunConfig:
    """Return a config for one of its folds."""
    return replace(config, protocol=replace(config.protocol, fold=fold))


def by_arithmetic(gflops: float) -> Measure:
    """Return what computes the times of a model's steps from a rate of arithmetic."""

    def measure(config: RunConfig, num_classes: Mapping[str, int]) -> StepTimes:
        model = build_model(config, num_classes, config.training.precision)
        networks = [model.encoder, *model.classifiers.values()]
        forward = sum(sum(forward_flop(each)) for each in networks)
        batch_s = config.training.batch_size / (gflops * 1e9)
        return StepTimes(step_flop(model, config.training.update) * batch_s, forward * batch_s)

    return measure


def print_rows(store: Path, measure: Measure | None, show: Callable[[str], None] = print) -> None:
    """Print each row: title, number of runs, time of all one after the other."""
    with tempfile.TemporaryDirectory() as empty:
        for title, runs in list_rows(store):
            seconds = estimate_by_steps(make_plan(runs, empty), store, measure)
            show(f"| {title} | {len(runs)} | {duration(seconds)} |")


def main() -> None:
    """Write the lists, and print the rows."""
    parser = make_parser(__doc__)
    parser.add_argument("--gflops", type=float, help="rate of arithmetic, in place of measuring")
    gflops = parser.parse_args().gflops
    print("| what | runs | time, one after the other |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as place:
        for name in CORPORA:
            write_stand_in(name, Path(place))
        print_rows(Path(place), by_arithmetic(gflops) if gflops else None)


if __name__ == "__main__":
    main()
