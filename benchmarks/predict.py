"""Time that a trained model takes to start and to answer, beside openSMILE and a linear SVM.

Each contestant gets processes of its own, in turns, and the same recordings, one at a time.
Start-up is the time from the start of the process to its first answer, by the clock and in seconds
of CPUs, which a busy machine changes less; the real-time factor is the time for all further
recordings over their length. The SVM's classes are drawn: its speed is measured,
and its answers are not.

    python benchmarks/predict.py --model runs/.../fold00-rep00 --model model.onnx *.wav
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile
from measuring import make_parser

from ser_aae.errors import UserError
from ser_aae.results.text import align

FEATURE_SET = "eGeMAPSv02"
_START_VARIABLE = "SER_AAE_BENCHMARK_STARTED"

Answer = Callable[[Path], object]


def fit_svm(files: Sequence[Path], out: Path) -> None:
    """Fit a linear SVM on the files' features with drawn classes, and keep it in a file."""
    # here, so that a model's start-up has no part in the import
    import joblib
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    features_of = _features()
    features = np.concatenate([features_of(path) for path in files])
    classes = np.random.default_rng(0).permutation(np.arange(len(files)) % 4)
    joblib.dump(make_pipeline(StandardScaler(), LinearSVC()).fit(features, classes), out)


def measure(answer: Answer, files: Sequence[Path], started: float) -> dict[str, float]:
    """Return seconds to the first answer (of the clock, of CPUs), and of all further ones."""
    answer(files[0])
    start_up_s, start_up_cpu_s = time.time() - started, time.process_time()
    begin = time.perf_counter()
    for path in files[1:]:
        answer(path)
    seconds = time.perf_counter() - begin
    audio_s = sum(soundfile.info(path).duration for path in files[1:])
    start_up = {"start_up_s": start_up_s, "start_up_cpu_s": start_up_cpu_s}
    return {**start_up, "seconds": seconds, "audio_s": audio_s}


def run_worker(contestant: str, model: Path, files: Sequence[Path]) -> dict[str, float]:
    """Load a contestant in this process and measure it."""
    started = float(os.environ[_START_VARIABLE])
    if contestant == "opensmile":
        import joblib

        svm, features_of = joblib.load(model), _features()
        return measure(lambda path: svm.predict(features_of(path)), files, started)
    from ser_aae.inference.recogniser import Recogniser

    return measure(Recogniser.load(model).recognise_file, files, started)


def run_all(models: Sequence[Path], files: Sequence[Path], repeats: int) -> list[list[str]]:
    """Return a table: for each contestant the medians over processes.

    Raises:
        UserError: A contestant does not run.
    """
    heads = ["contestant", "start-up s", "beside openSMILE", "of CPUs", "ms a recording"]
    rows = [[*heads, "real-time factor"]]
    with tempfile.TemporaryDirectory() as folder:
        svm = Path(folder) / "svm.joblib"
        fit_svm(files, svm)
        contestants = [("opensmile", svm, f"openSMILE {FEATURE_SET}, linear SVM")]
        contestants += [("model", path, path.name) for path in models]
        # in turns: whatever else the machine does meets all of them
        rounds = [
            [_measure_apart(contestant, path, files) for contestant, path, _ in contestants]
            for _ in range(repeats)
        ]
    first_start_up = 0.0  # openSMILE's
    for (_, _, title), found in zip(contestants, zip(*rounds, strict=True), strict=True):
        start_up, cpu, seconds = (
            float(np.median([each[key] for each in found]))
            for key in ("start_up_s", "start_up_cpu_s", "seconds")
        )
        factor = seconds / found[0]["audio_s"]
        each_ms = 1000 * seconds / (len(files) - 1)
        first_start_up = first_start_up or start_up
        beside = f"{start_up / first_start_up:.2f}"
        cells = [f"{start_up:.2f}", beside, f"{cpu:.2f}", f"{each_ms:.1f}", f"{factor:.4f}"]
        rows.append([title, *cells])
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", type=Path, action="append", required=True, metavar="MODEL")
    parser.add_argument("--repeats", type=int, default=3, help="processes of each contestant")
    parser.add_argument("--worker", metavar="CONTESTANT", help=argparse.SUPPRESS)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="five or more")
    options = parser.parse_args(arguments)
    try:
        if options.worker:
            print(json.dumps(run_worker(options.worker, options.model[0], options.files)))
            return 0
        if len(options.files) < 5:
            raise UserError(f"expected five recordings or more, got {len(options.files)}")
        rows = run_all(options.model, options.files, options.repeats)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(align(rows)))
    return 0


def _features() -> Callable[[Path], np.ndarray]:
    """Return a function that gives the functionals of a recording, `(1, features)`."""
    import opensmile  # here, so that the rest works without the `bench` extra

    smile = opensmile.Smile(opensmile.FeatureSet[FEATURE_SET], opensmile.FeatureLevel.Functionals)
    return lambda path: smile.process_file(str(path)).to_numpy(np.float32)


def _measure_apart(contestant: str, model: Path, files: Sequence[Path]) -> dict[str, float]:
    command = [sys.executable, __file__, "--worker", contestant, "--model", str(model)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", _START_VARIABLE: str(time.time())}
    done = subprocess.run(
        [*command, *map(str, files)], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise UserError(f"{model}: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
