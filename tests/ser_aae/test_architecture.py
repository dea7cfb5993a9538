"""What may import what, and how long things may be, read from the source without running it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ser_aae", "data_prep", "tuning", "reports")
TENSORFLOW = {"tensorflow", "tensorflow_io", "keras", "keras_tuner"}
WITHOUT_TENSORFLOW = (
    *("labels", "config", "config_fields", "config_file", "utterance", "errors", "datasets"),
    *(
        "files",
        "progress",
        "store",
        "parts",
        "metrics",
        "results",
        "splits",
        "leakage",
        "assembly",
        "adversary",
    ),
    *("presets", "selection", "targets", "fold_files", "listed_folds", "statistics"),
    *("experiments", "description", "recognition"),
    *("frontend", "cli", "commands"),
)
DATA_PREP_MAY = {
    f"ser_aae.{name}"
    for name in ("errors", "labels", "config", "utterance", "frontend", "records", "store", "files")
} | {"ser_aae.datasets"}


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {name_of(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}


def imports(node, deep=True):
    """Yield the modules that a node imports, in its functions too if `deep`."""
    for child in ast.iter_child_nodes(node):
        for_types_alone = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if for_types_alone or (isinstance(child, ast.FunctionDef) and not deep):
            continue
        if isinstance(child, ast.Import):
            yield from (item.name for item in child.names)
        elif isinstance(child, ast.ImportFrom):
            # `from a import b` is a.b where that is a module
            full = [f"{child.module}.{item.name}" for item in child.names]
            yield from (name if name in SOURCES else child.module for name in full)
        else:
            yield from imports(child, deep)


def functions(tree):
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def is_below(name, *packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def reached(name, deep):
    """Return the modules that importing `name` loads, with the packages they lie in."""
    found, todo = set(), [name]
    while todo:
        module = todo.pop()
        if module not in found:
            found.add(module)
            parents = [module.rpartition(".")[0]] if "." in module else []
            todo += [*parents, *(imports(TREES[module], deep) if module in TREES else ())]
    return found


@pytest.mark.parametrize(
    "name",
    [name for name in SOURCES if is_below(name, *(f"ser_aae.{n}" for n in WITHOUT_TENSORFLOW))],
)
def test_the_facts_load_no_tensorflow(name):
    loaded = reached(name, deep=False)
    assert not {module.partition(".")[0] for module in loaded} & TENSORFLOW


@pytest.mark.parametrize("name", [name for name in SOURCES if is_below(name, "reports")])
def test_reports_load_no_tensorflow_even_when_they_run(name):
    top = {module.partition(".")[0] for module in reached(name, deep=True)}
    assert not top & (TENSORFLOW | {"data_prep", "tuning"})


@pytest.mark.parametrize("name", [name for name in SOURCES if is_below(name, "data_prep")])
def test_data_prep_knows_only_the_facts(name):
    wanted = {module for module in imports(TREES[name]) if is_below(module, *PACKAGES)}
    assert all(is_below(module, "data_prep", *DATA_PREP_MAY) for module in wanted), wanted


def test_adapters_never_import_each_other():
    adapters = [name for name in SOURCES if name.startswith("data_prep.corpora.")]
    assert len(adapters) >= 5
    for name in adapters:
        others = [m for m in imports(TREES[name]) if is_below(m, "data_prep.corpora")]
        assert not others, f"{name}: {others}"


@pytest.mark.parametrize("name", [name for name in SOURCES if is_below(name, "ser_aae")])
def test_only_commands_know_the_other_packages_and_only_inside_functions(name):
    found = imports(TREES[name], deep=not is_below(name, "ser_aae.commands"))
    assert not [module for module in found if is_below(module, "data_prep", "tuning", "reports")]


@pytest.mark.parametrize("name", SOURCES)
def test_files_and_functions_are_short(name):
    assert len(SOURCES[name].read_text(encoding="utf-8").splitlines()) <= 300
    for function in functions(TREES[name]):
        start = function.body[0]
        # a docstring is no work to read
        skipped = 0 if ast.get_docstring(function) is None else start.end_lineno - start.lineno + 1
        assert function.end_lineno - function.lineno + 1 - skipped <= 40, function.name


def test_tests_are_short_too():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "tests").rglob("*.py")
    }
    assert lengths
    assert not {name: length for name, length in lengths.items() if length > 300}


def test_the_files_of_a_run_have_their_names_in_one_place():
    home = "ser_aae.results.folder"
    names = {
        node.value.value
        for node in TREES[home].body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    wanted = {name for name in names if "." in name}
    assert {"config.json", "best.weights.h5", "weights.npz"} <= wanted
    for name in SOURCES.keys() - {home}:
        found = {n.value for n in ast.walk(TREES[name]) if isinstance(n, ast.Constant)}
        assert not wanted & found, name


def test_no_module_is_called_after_nothing():
    stems = {path.stem for path in SOURCES.values()}
    assert not stems & {"utils", "util", "helpers", "common", "misc"}


@pytest.mark.parametrize("module", ["reports.build", "data_prep.build", "ser_aae.assembly"])
def test_a_module_loads_where_tensorflow_is_absent(module):
    blocked = "; ".join(f"sys.modules[{name!r}] = None" for name in sorted(TENSORFLOW))
    code = f"import sys; {blocked}; import {module}"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)
