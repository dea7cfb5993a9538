"""Direction of imports between packages, and what names and docstrings look like: read, not run."""

import ast

import pytest
from processes import ROOT, run_code

PACKAGES = ("ser_aae", "data_prep", "tuning", "reports")

FLOORS = (
    ("errors", "extras", "labels", "utterance", "corpus_facts", "progress"),
    ("config", "files", "processes"),
    ("frontend", "store", "protocols", "model", "experiments"),
    ("data", "results"),
    ("batches",),
    ("training",),
    ("inference",),
    ("grid", "export", "server"),
    ("commands",),
    ("cli",),
    ("__main__",),
)
"""Packages and single modules of `ser_aae`, from the bottom; a floor imports from those below."""

FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
ENTRANCES = ("cli", "__main__")
WORDS = FLOORS[0]

MAY_IMPORT = {
    "data_prep": (*WORDS, "config", "files", "processes", "frontend", "store", "protocols"),
    "tuning": (*WORDS, "config", "files", "experiments", "results", "training"),
    "reports": (
        *(*WORDS, "config", "files", "processes", "store"),
        *("protocols", "data", "experiments", "results"),
    ),
}
"""Package beside `ser_aae` to the rooms of it that it may import from."""

TENSORFLOW = {"tensorflow", "tensorflow_io", "keras", "keras_tuner"}
WITHOUT_TENSORFLOW = (
    *(*WORDS, "config", "files", "processes", "frontend", "protocols", "experiments", "data"),
    *("results", "commands", "cli"),
)
"""Rooms that load no TensorFlow; `store` loads it in its records alone, and never on import."""


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


def room_of(name):
    """Return the package or single module of `ser_aae` that a module lies in, `""` for none."""
    return name.split(".")[1] if name.startswith("ser_aae.") else ""


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


def test_every_room_has_its_floor():
    rooms = {room_of(name) for name in SOURCES} - {""}
    assert rooms == set(FLOOR)


@pytest.mark.parametrize("name", [name for name in SOURCES if room_of(name)])
def test_nothing_imports_upwards_or_from_its_own_floor(name):
    own = FLOOR[room_of(name)]
    others = {m for m in imports(TREES[name]) if room_of(m) not in ("", room_of(name))}
    wrong = {module for module in others if FLOOR[room_of(module)] >= own}
    assert not wrong or own == 0, wrong


def test_few_modules_lie_beside_the_packages():
    assert len(list((ROOT / "ser_aae").glob("*.py"))) <= 9


@pytest.mark.parametrize("name", [n for n in SOURCES if room_of(n) in WITHOUT_TENSORFLOW])
def test_these_rooms_load_no_tensorflow(name):
    loaded = reached(name, deep=False)
    assert not {module.partition(".")[0] for module in loaded} & TENSORFLOW


def test_the_store_loads_tensorflow_for_records_alone():
    loading = {
        name
        for name in SOURCES
        if room_of(name) == "store"
        and {module.partition(".")[0] for module in reached(name, deep=False)} & TENSORFLOW
    }
    assert loading == {"ser_aae.store.records"}


@pytest.mark.parametrize("name", [name for name in SOURCES if is_below(name, "reports")])
def test_reports_load_no_tensorflow_even_when_they_run(name):
    top = {module.partition(".")[0] for module in reached(name, deep=True)}
    assert not top & (TENSORFLOW | {"data_prep", "tuning"})


@pytest.mark.parametrize("name", [name for name in SOURCES if is_below(name, *MAY_IMPORT)])
def test_other_packages_import_from_the_rooms_they_may(name):
    package = name.partition(".")[0]
    found = {module for module in imports(TREES[name]) if is_below(module, *PACKAGES)}
    foreign = {m for m in found if not is_below(m, package, "ser_aae")}
    rooms = {room_of(module) for module in found} - {""}
    assert not foreign
    assert rooms <= set(MAY_IMPORT[package]), rooms - set(MAY_IMPORT[package])


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
def test_functions_are_short(name):
    for function in functions(TREES[name]):
        start = function.body[0]
        # a docstring is no work to read
        skipped = 0 if ast.get_docstring(function) is None else start.end_lineno - start.lineno + 1
        assert function.end_lineno - function.lineno + 1 - skipped <= 40, function.name


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


def says_what_it_is(tree):
    first, *_ = (ast.get_docstring(tree) or "How").split(maxsplit=1)
    return first.strip(",:") not in {"What", "Who", "Where", "When", "How", "Which", "Whether"}


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_says_what_it_is_or_does(name):
    assert says_what_it_is(TREES[name])


def test_so_do_the_tests():
    for path in (ROOT / "tests").rglob("*.py"):
        assert says_what_it_is(ast.parse(path.read_text(encoding="utf-8"))), path


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_load_where_tensorflow_is_absent(package):
    wanted = [name for name in SOURCES if is_below(name, package)]
    if package == "ser_aae":
        wanted = [name for name in wanted if room_of(name) in WITHOUT_TENSORFLOW]
    if package == "tuning":
        wanted = ["tuning.space", "tuning.definition"]
    blocked = "; ".join(f"sys.modules[{name!r}] = None" for name in sorted(TENSORFLOW))
    run_code(f"import sys; {blocked}; import {', '.join(wanted)}")
