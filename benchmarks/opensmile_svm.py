"""A baseline to beat: openSMILE functionals and a linear SVM, on the folds of a protocol.

Per fold: features are standardised with mean and deviation of the training speakers, the SVM
(classes weighted by their frequency) is fitted on them with each C of a small grid, the
validation speakers choose C, and the test speakers are scored once. Nothing is refitted on
training and validation together, so the baseline learns from as many speakers as the network.
The SVM parts each pair of classes (libsvm), or, with `--one-vs-rest`, each class from all others
(liblinear).

    python benchmarks/opensmile_svm.py --dataset ravdess --data-root ../shared/corpora \
        --classes four --cache /tmp/compare.npz

With `--runs` an experiment of `ser-aae train` on the same folds is put beside it: the difference
of UA, the mean of its repetitions, with a bootstrap interval over the test speakers.
"""

import io
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import make_parser
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from tqdm import tqdm

from data_prep.corpora import find_adapter
from ser_aae.config import ProtocolConfig
from ser_aae.config.fields import choices
from ser_aae.errors import UserError
from ser_aae.files.atomic import write_bytes
from ser_aae.frontend.audio import read_audio
from ser_aae.labels import FOUR
from ser_aae.protocols.leakage import Split
from ser_aae.protocols.splits import make_split, num_folds
from ser_aae.results import metrics
from ser_aae.results.folder import PREDICTIONS, find_runs, is_complete
from ser_aae.results.predictions import read_predictions
from ser_aae.results.statistics import LEAST_SPEAKERS, bootstrap_difference
from ser_aae.results.text import align, percent
from ser_aae.utterance import Utterance

FEATURE_SETS = ("ComParE_2016", "eGeMAPSv02")
GRID = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Values of C; of equally good ones the smallest, that is the simplest model, is taken."""

SAMPLE_RATE_HZ = 16000


@dataclass(frozen=True)
class FoldResult:
    """One fold: the C that validation chose, its UA there, and the answers on the test part."""

    c: float
    validation_unweighted_accuracy: float
    rows: tuple[int, ...]
    predicted: tuple[str, ...]


def resolve_classes(text: str, utterances: Sequence[Utterance]) -> tuple[str, ...]:
    """Return the classes of `four`, `all` (sorted), or of names with commas between.

    Raises:
        UserError: A class without utterances.
    """
    present = sorted({item.emotion for item in utterances} - {""})
    named = tuple(part.strip() for part in text.split(","))
    classes = {"four": FOUR, "all": tuple(present)}.get(text, named)
    absent = [name for name in classes if name not in present]
    if absent:
        raise UserError(
            f"--classes: expected some of {', '.join(present)}, received {', '.join(absent)}"
        )
    return classes


def extract(utterances: Sequence[Utterance], root: Path, feature_set: str) -> np.ndarray:
    """Return `(utterances, features)` float32 functionals of 16 kHz mono audio."""
    import opensmile  # here, so that the rest works without the `bench` extra

    smile = opensmile.Smile(opensmile.FeatureSet[feature_set], opensmile.FeatureLevel.Functionals)
    rows = []
    for item in tqdm(utterances, desc=feature_set, unit="utterance", file=sys.stderr):
        path = item.audio_path(root)
        signal = read_audio(path, SAMPLE_RATE_HZ, item.start_s, item.end_s, item.channel)
        rows.append(smile.process_signal(signal, SAMPLE_RATE_HZ).to_numpy(np.float32)[0])
    return np.stack(rows)


def cached_features(
    utterances: Sequence[Utterance], root: Path, feature_set: str, cache: Path | None
) -> np.ndarray:
    """Return the features from the cache where it holds exactly these, else extract them.

    Raises:
        UserError: The cache is damaged, or of other utterances or another feature set.
    """
    key = np.array([feature_set, *(f"{item.corpus}/{item.utterance_id}" for item in utterances)])
    if cache is None:
        return extract(utterances, root, feature_set)
    if not cache.is_file():
        features = extract(utterances, root, feature_set)
        buffer = io.BytesIO()
        np.savez(buffer, key=key, features=features)
        write_bytes(cache, buffer.getvalue())
        return features
    try:
        # opened here: NumPy leaves the file open where it is no archive
        with cache.open("rb") as stream, np.load(stream, allow_pickle=False) as content:
            stored, features = content["key"], content["features"]
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{cache}: not a cache of features ({error}); remove it") from error
    if not np.array_equal(stored, key):
        raise UserError(
            f"{cache}: expected {feature_set} of {len(utterances)} utterances, found "
            f"{stored[0]} of {len(stored) - 1} or of others; name another --cache"
        )
    return features


def fit_fold(
    features: np.ndarray,
    utterances: Sequence[Utterance],
    split: Split,
    one_vs_rest: bool = False,
) -> tuple[Pipeline, float, float]:
    """Fit on the training speakers; return the best model on the validation speakers.

    Returns:
        The model, its C, and its UA on the validation speakers.
    """
    train, validation = np.array(split.train), np.array(split.validation)
    truth = np.array([item.emotion for item in utterances])
    classes = tuple(sorted(set(truth.tolist())))
    best: tuple[Pipeline, float, float] | None = None
    for c in GRID:
        # classes weigh the same together
        svm = (
            LinearSVC(C=c, class_weight="balanced", max_iter=20000, random_state=0)
            if one_vs_rest
            else SVC(kernel="linear", C=c, class_weight="balanced")
        )
        model = make_pipeline(StandardScaler(), svm).fit(features[train], truth[train])
        answers = model.predict(features[validation]).tolist()
        value, _ = metrics.unweighted_accuracy(truth[validation].tolist(), answers, classes)
        if best is None or value > best[2]:
            best = model, c, value
    return best


def run_fold(
    features: np.ndarray,
    utterances: Sequence[Utterance],
    protocol: ProtocolConfig,
    seed: int,
    one_vs_rest: bool = False,
) -> FoldResult:
    """Fit on the training speakers, choose C on the validation speakers, answer the test part."""
    split = make_split(utterances, protocol, seed)
    model, c, value = fit_fold(features, utterances, split, one_vs_rest)
    predicted = model.predict(features[np.array(split.test)])
    return FoldResult(c, value, split.test, tuple(predicted.tolist()))


def summarise(
    results: Sequence[FoldResult], utterances: Sequence[Utterance], classes: Sequence[str]
) -> str:
    """Return the figures of each fold, their spread, and of all folds together as text."""
    truth = [item.emotion for item in utterances]
    rows = [["fold", "n", "C", "validation UA", "WA", "UA"]]
    values = []
    pooled: list[tuple[str, str]] = []
    for fold, result in enumerate(results):
        own = [truth[row] for row in result.rows]
        value, _ = metrics.unweighted_accuracy(own, result.predicted, classes)
        weighted = metrics.weighted_accuracy(own, result.predicted)
        chosen = percent(result.validation_unweighted_accuracy)
        cells = [f"{result.c:g}", chosen, percent(weighted), percent(value)]
        rows.append([str(fold), str(len(own)), *cells])
        values.append(value)
        pooled += zip(own, result.predicted, strict=True)
    own, predicted = (list(part) for part in zip(*pooled, strict=True))
    value, _ = metrics.unweighted_accuracy(own, predicted, classes)
    weighted = metrics.weighted_accuracy(own, predicted)
    rows.append(["pooled", str(len(own)), "", "", percent(weighted), percent(value)])
    spread = f"{percent(float(np.mean(values)))} ± {percent(float(np.std(values, ddof=1)))}"
    matrix = pd.DataFrame(metrics.confusion(own, predicted, classes), classes, classes)
    return "\n".join([*align(rows), f"UA over folds: {spread}", "", str(matrix)])


def read_answers(experiment: Path) -> pd.DataFrame:
    """Return the predictions of all complete runs of an experiment.

    Raises:
        UserError: Runs of no experiment or of several, or predictions that cannot be read.
    """
    runs = [run for run in find_runs(experiment) if is_complete(run)]
    experiments = {run.parent for run in runs}
    if len(experiments) != 1:
        raise UserError(
            f"--runs {experiment}: expected the complete runs of one experiment, found those of "
            f"{len(experiments)}; name the folder that has its folds"
        )
    return pd.concat([read_predictions(run / PREDICTIONS) for run in runs])


def compare(
    results: Sequence[FoldResult],
    utterances: Sequence[Utterance],
    classes: Sequence[str],
    network: pd.DataFrame,
) -> str:
    """Return how far a network's answers are ahead of the SVM's on the same test utterances.

    Raises:
        UserError: They are on other utterances, or on a part of them.
    """
    svm = pd.DataFrame(
        {
            "corpus": item.corpus,
            "utterance_id": item.utterance_id,
            "speaker": item.speaker,
            "truth": item.emotion,
            "predicted": predicted,
        }
        for result in results
        for row, predicted in zip(result.rows, result.predicted, strict=True)
        for item in (utterances[row],)
    )
    try:
        found = bootstrap_difference(svm, network, classes)
    except UserError as error:
        raise UserError(f"--runs: {error}") from error
    told = (
        f"the network, {len(network) // len(svm)} repetition(s): UA {100 * found.estimate:+.1f} "
        "against the SVM, "
    )
    if found.speakers < LEAST_SPEAKERS:
        return f"{told}fewer than five speakers, no interval"
    return (
        f"{told}{100 * found.level:.0f} % of draws over {found.speakers} test speakers from "
        f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = make_parser(__doc__, dataset="ravdess")
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--classes", default="four", help="four, all, or names with commas")
    parser.add_argument("--feature-set", default=FEATURE_SETS[0], choices=FEATURE_SETS)
    parser.add_argument("--one-vs-rest", action="store_true", help="instead of one against one")
    parser.add_argument("--folds", type=int, default=6, help="groups of speakers")
    parser.add_argument("--draw", default=ProtocolConfig().draw, choices=choices("protocol.draw"))
    parser.add_argument("--cache", type=Path, help="file to keep the features in")
    parser.add_argument("--runs", type=Path, help="an experiment to compare, all of its runs")
    options = parser.parse_args(arguments)
    try:
        network = read_answers(options.runs) if options.runs else None
        corpus = find_adapter(options.dataset).read(options.data_root)
        classes = resolve_classes(options.classes, corpus.utterances)
        utterances = [item for item in corpus.utterances if item.emotion in classes]
        protocol = ProtocolConfig(name="speaker-kfold", folds=options.folds, draw=options.draw)
        folds = num_folds(utterances, protocol)
        features = cached_features(utterances, corpus.root, options.feature_set, options.cache)
        results = [
            run_fold(features, utterances, replace(protocol, fold=fold), 0, options.one_vs_rest)
            for fold in range(folds)
        ]
        beside = "" if network is None else compare(results, utterances, classes, network)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    kind = f"linear SVM, one against {'the rest' if options.one_vs_rest else 'one'}"
    print(f"{options.feature_set}, {kind}, {options.dataset}, {len(utterances)} utterances")
    print(summarise(results, utterances, classes))
    if beside:
        print(f"\n{beside}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
