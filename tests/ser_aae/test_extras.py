"""Extras: what runs without the others' packages, and what a command says that lacks one."""

import ast
import json
import os
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from processes import ROOT, run_code
from tiny import export_small

from ser_aae.extras import PACKAGE, explain_missing, extras_with, package_of

PLACES = ("ser_aae", "data_prep", "tuning", "reports", "benchmarks", "docs/hooks")
OURS = {"ser_aae", "data_prep", "tuning", "reports"}

WITHOUT = """
import contextlib, io, json, os, runpy, sys
hidden, lines = json.loads(sys.argv[1])

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())

def run(words):
    if not words[0].endswith(".py"):
        from ser_aae.cli import main
        return main(words)
    sys.argv, sys.path[0] = words, os.path.dirname(words[0])
    try:
        runpy.run_path(words[0], run_name="__main__")
    except Exception:
        sys.excepthook(*sys.exc_info())

for words in lines:
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        try:
            code = run(words)
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, said.getvalue(), told.getvalue()]), file=sys.__stdout__)
"""
"""Lines to run one after the other in a process that has only some packages."""


def needed_by(extra):
    """Return the distributions that are installed with an extra, `""` for those of no extra."""
    todo, found = [Requirement(f"{PACKAGE}[{extra}]")], set()
    while todo:
        wanted = todo.pop()
        for each in ("", *wanted.extras):
            if (wanted.name, each) not in found:
                found.add((wanted.name, each))
                todo += [
                    item
                    for item in map(Requirement, distribution(wanted.name).requires or [])
                    if item.marker is None or item.marker.evaluate({"extra": each})
                ]
    return {canonicalize_name(name) for name, _ in found}


def run_with(extra, folder, *lines):
    """Run lines in a folder, where nothing is installed but the core and an extra.

    A line is one of `ser-aae`, or the path of a benchmark and its options.

    Returns:
        Exit code, standard output and standard error of each.
    """
    kept = needed_by(extra)
    hidden = [
        module
        for module, owners in packages_distributions().items()
        if not kept & set(map(canonicalize_name, owners))
    ]
    words = [[str(word) for word in line] for line in lines]
    done = run_code(
        WITHOUT,
        json.dumps([hidden, words]),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def imported(place):
    """Return the names of other projects' modules that a module, or all of a folder, import."""
    paths = (ROOT / place).rglob("*.py") if (ROOT / place).is_dir() else [ROOT / place]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    own = {path.stem for path in (ROOT / place).glob("*.py")} | OURS | set(sys.stdlib_module_names)
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [item.name for node in nodes if isinstance(node, ast.Import) for item in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names} - own


def missing(name):
    return ModuleNotFoundError(f"No module named {name!r}", name=name)


def by_extra(kept):
    """Return the extras of those of the project's own requirements that are to be kept."""
    items = filter(kept, map(Requirement, requires(PACKAGE)))
    extras = [str(item.marker or "").partition('extra == "')[2].rstrip('"') for item in items]
    return list(dict.fromkeys(extras))


# what is declared


@pytest.mark.parametrize("place", PLACES)
def test_everything_that_is_imported_is_declared(place):
    assert not [name for name in imported(place) if not explain_missing(missing(name))]


def test_an_extra_that_names_a_package_of_another_has_that_in_it():
    for package in {item.name for item in map(Requirement, requires(PACKAGE))} - {PACKAGE}:
        owner, *others = by_extra(lambda item, name=package: item.name == name)
        having = by_extra(lambda item, extra=owner: item.name == PACKAGE and extra in item.extras)
        assert set(others) <= set(having), package


def test_all_has_every_extra_that_is_no_tool_and_fits_the_rest():
    known = set(distribution(PACKAGE).metadata.get_all("Provides-Extra"))
    own = {extra for extra in known if "all" in by_extra(lambda item, e=extra: e in item.extras)}
    assert own == known - {"all", "bench", "dev", "docs", "tfio", "mlflow", "wandb"}


BROUGHT = {
    "ser_aae/batches": ("train", "tfio"),
    "ser_aae/commands": ("train",),
    "ser_aae/export": ("export",),
    "ser_aae/files": ("hub",),
    "ser_aae/frontend": ("train",),
    "ser_aae/grid": ("cluster",),
    "ser_aae/inference": ("train", "predict", "litert", "export"),
    "ser_aae/model": ("train",),
    "ser_aae/server": ("serve",),
    "ser_aae/store": ("train",),
    "ser_aae/training": ("train", "mlflow", "wandb"),
    "data_prep": ("train",),
    "reports": ("hub",),
    "tuning": ("tune",),
}
"""Room or package to the extras whose packages it may import; all others are of the core."""


def places():
    rooms = [path for path in (ROOT / "ser_aae").iterdir() if path.name != "__pycache__"]
    return sorted(path.relative_to(ROOT).as_posix() for path in rooms) + sorted(OURS - {"ser_aae"})


@pytest.mark.parametrize("place", places())
def test_a_room_imports_what_its_extras_bring(place):
    allowed = {"", *BROUGHT.get(place, ())}
    for name in imported(place):
        bringing = allowed & set(extras_with(package_of(name)))
        assert bringing, f"{name}: of {extras_with(package_of(name))}"


# what is said


@pytest.mark.parametrize(
    ("module", "extra", "package", "wanted"),
    [
        ("tensorflow", "", "tensorflow", "'ser-aae[train]'"),
        ("tensorflow", "tune", "tensorflow", "'ser-aae[tune]'"),
        ("tensorflow", "serve", "tensorflow", "'ser-aae[train]'"),
        ("onnxruntime", "serve", "onnxruntime", "'ser-aae[serve]'"),
        ("keras_tuner", "", "keras-tuner", "'ser-aae[tune]'"),
        ("distributed", "", "dask", "'ser-aae[cluster]'"),
        ("pkg_resources", "tfio", "setuptools", "'ser-aae[tfio]'"),
        ("huggingface_hub", "", "huggingface-hub", "'ser-aae[hub]'"),
        ("mlflow", "", "mlflow-skinny", "'ser-aae[mlflow]'"),
        ("tensorflow_io", "", "tensorflow-io", "'ser-aae[tfio]'"),
        ("yaml", "", "pyyaml", "ser-aae"),
    ],
)
def test_a_missing_package_is_told_with_its_extra(module, extra, package, wanted):
    said = explain_missing(missing(module), extra)
    assert said.startswith(f"this needs {package}, which is not installed")
    assert said.endswith(f"pip install {wanted}")


@pytest.mark.parametrize(
    "error", [missing("nobody"), missing("keras.nothing"), ImportError("no name"), OSError("x")]
)
def test_other_errors_are_not(error):
    assert explain_missing(error) == ""


def test_extras_know_each_other():
    assert extras_with("onnxruntime") == ["predict", "serve", "export", "all", "bench"]


# what runs


def test_the_core_reads_corpora_and_reports(recorded_run, tmp_path):
    data, run = tmp_path / "data", recorded_run.folder
    where = ("--dataset", "demo", "--data-root", data)
    lines = [
        ("corpora",),
        ("synthesise", "--dataset", "demo", "--speakers", "2", "--data-root", data),
        ("verify-corpus", *where),
        ("export-manifest", *where, "--format", "csv", "--out", tmp_path / "labels.csv"),
        ("evaluate", run),
        ("errors", run),
        ("report", "--runs", run.parents[2], "--out", tmp_path / "report", "--workers", "1"),
    ]
    for line, (code, _, told) in zip(lines, run_with("", tmp_path, *lines), strict=True):
        assert code == 0, f"{line}: {told}"


def test_onnx_is_classified_without_tensorflow(recorded_run, tmp_path):
    model = export_small(tmp_path, "onnx")
    sound = next(recorded_run.recordings.rglob("*.wav"))
    words = ("predict", model, sound, "--json")
    ((code, said, told),) = run_with("predict", tmp_path, words)
    assert code == 0, told
    assert json.loads(said)[0]["posteriors"]["emotion"]


LACKING = {
    "train": (("train", "--dataset", "demo"), "train"),
    "prepare": (("prepare", "--dataset", "demo"), "train"),
    "train-plan": (("train", "--dataset", "demo", "--plan"), "train"),
    "tune": (("tune", "--dataset", "demo"), "tune"),
    "reproduce": (("reproduce", "ravdess", "--scheduler", "tcp://127.0.0.1:9"), "cluster"),
    "export": (("export", "RUN", "--format", "onnx", "--out", "model.onnx"), "export"),
    "serve": (("serve", "RUN"), "serve"),
    "card": (("card", "RUN"), "hub"),
    "predict-run": (("predict", "RUN", "SOUND"), "train"),
    "predict-onnx": (("predict", "model.onnx", "SOUND"), "predict"),
    "predict-litert": (("predict", "model.tflite", "SOUND"), "litert"),
    "enrol": (("enrol", "RUN", "SOUND", "--speaker", "ann", "--out", "voices.json"), "train"),
}
"""Commands as a user of the bare core types them, and the extra that each should name."""


def test_a_command_names_the_extra_that_it_lacks(recorded_run, tmp_path):
    models = {f"model{path.suffix}": path for path in _models(tmp_path)}
    sound = next(recorded_run.recordings.rglob("*.wav"))
    meant = {"RUN": recorded_run.folder, "SOUND": sound, **models}
    lines = [[str(meant.get(word, word)) for word in words] for words, _ in LACKING.values()]
    for (words, extra), (code, _, told) in zip(
        LACKING.values(), run_with("", tmp_path, *lines), strict=True
    ):
        assert code == 2, f"{words}: {told}"
        last = told.splitlines()[-1]
        assert last.startswith("ser-aae: error: this needs "), words
        assert last.endswith(f"pip install 'ser-aae[{extra}]'"), words


def _models(folder):
    return [export_small(folder, kind) for kind in ("onnx", "litert")]


BENCHMARKS = {
    "evaluation_segments": (),
    "adversary": (),
    "costs": (),
    "growth_parts": ("make", "first-batch", "2", "."),
    "opensmile_svm": ("--dataset", "demo", "--data-root", "DATA", "--folds", "3"),
    "pipeline": (),
    "predict": ("--model", "model.onnx", *["SOUND"] * 5),
    "prepare": ("--dataset", "demo", "--data-root", "DATA"),
    "progress_bar": (),
    "torch_step": (),
    "train_step": (),
}
"""Benchmarks that lack a package of the extra `bench` themselves, and their options."""

OF_COMMANDS = {"growth", "predict_memory", "prepare_memory", "train_memory", "tune_workers"}
"""Benchmarks of programs that say it."""

OF_THE_CORE = {"speech_detectors", "measuring", "torch_model", "wear"}
"""Benchmarks that lack nothing, and modules that are none."""


def test_a_benchmark_names_the_extra_that_it_lacks(recorded_run, tmp_path):
    known = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert known == BENCHMARKS.keys() | OF_COMMANDS | OF_THE_CORE
    meant = {"DATA": "data", "SOUND": next(recorded_run.recordings.rglob("*.wav"))}
    corpus = ("synthesise", "--dataset", "demo", "--speakers", "3", "--data-root", "data")
    lines = [
        (ROOT / "benchmarks" / f"{name}.py", *(meant.get(word, word) for word in words))
        for name, words in BENCHMARKS.items()
    ]
    _, *ends = run_with("", tmp_path, corpus, *lines)
    for name, (code, _, told) in zip(BENCHMARKS, ends, strict=True):
        assert code == 2, f"{name}: {told}"
        assert told.startswith(f"{name}.py: error: this needs "), name
        assert told.endswith("pip install 'ser-aae[bench]'\n"), name


def test_a_benchmark_of_a_command_ends_as_that_does(capsys):
    from measuring import measure_peak_mb

    for act in (
        lambda: measure_peak_mb([sys.executable, "-c", "exit(2)"]),
        lambda: sys.excepthook(None, subprocess.CalledProcessError(2, ["x"]), None),
    ):
        with pytest.raises(SystemExit) as end:
            act()
        assert end.value.code == 2
    assert capsys.readouterr().err == ""  # the command has said it
