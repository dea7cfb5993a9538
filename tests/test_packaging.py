"""Requirements, documents and continuous integration agree with the code."""

import re
import sys
from importlib.metadata import distribution, metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ser_aae import __version__
from ser_aae.cli import build_parser

ROOT = Path(__file__).resolve().parents[1]
SETS = {
    "3.10": "requirements.txt",
    "3.11": "requirements.txt",
    "3.12": "requirements.txt",
    "3.13": "requirements-latest.txt",
}
"""Python to the packages that are meant for it."""
PYTHONS = tuple(SETS)
TRACKERS = {"mlflow", "wandb"}
LACKING = {"requirements.txt": TRACKERS, "requirements-latest.txt": TRACKERS | {"tfio"}}
"""Set of packages to the extras for users that it does not hold."""
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def pins(python):
    """Return package to its one requirement, as the set of a Python has it."""
    lines = [line for line in read(SETS[python]).splitlines() if not line.startswith("#")]
    meant = [item for item in map(Requirement, lines) if applies(item, python)]
    found = {canonicalize_name(item.name): item for item in meant}
    assert len(found) == len(meant), "a package stands there twice"
    return found


def applies(requirement, python, extras=("",)):
    marker = requirement.marker
    return marker is None or any(
        marker.evaluate({"python_version": python, "python_full_version": python, "extra": extra})
        for extra in extras
    )


def direct(python):
    """Return what the project itself requires with all that the set of a Python is for."""
    tools = {"bench", "dev", "docs"}
    extras = {"", *metadata("ser-aae").get_all("Provides-Extra")} - tools - LACKING[SETS[python]]
    items = map(Requirement, distribution("ser-aae").requires or [])
    return [item for item in items if applies(item, python, extras) and item.name != "ser-aae"]


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_is_an_exact_pin(python):
    for item in pins(python).values():
        (pin,) = item.specifier
        assert pin.operator == "==", item


@pytest.mark.parametrize("python", PYTHONS)
def test_the_pins_are_what_the_project_asks_for(python):
    found = pins(python)
    for item in direct(python):
        (pin,) = found[canonicalize_name(item.name)].specifier
        assert pin.version in item.specifier, item


def test_the_newest_packages_have_no_markers_and_no_tensorflow_io():
    lines = read("requirements-latest.txt").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[a-z0-9.]+", line) for line in pinned)
    assert pinned == sorted(pinned, key=lambda line: line.partition("==")[0])
    assert not [line for line in pinned if line.startswith("tensorflow-io")]


def test_nothing_that_a_pinned_package_needs_is_missing():
    python = ".".join(map(str, sys.version_info[:2]))
    found = pins(python)
    for name in found:
        for text in distribution(name).requires or []:
            item = Requirement(text)
            if applies(item, python):
                needed = found.get(canonicalize_name(item.name))
                assert needed, f"{name} needs {item}"
                (pin,) = needed.specifier
                assert item.specifier.contains(pin.version, prereleases=True), f"{name}: {item}"


def test_nothing_is_pinned_that_nothing_needs():
    python = ".".join(map(str, sys.version_info[:2]))
    todo = direct(python)
    needed = {}
    while todo:
        wanted = todo.pop()
        name, extras = canonicalize_name(wanted.name), {"", *wanted.extras}
        if not extras <= needed.setdefault(name, set()):
            needed[name] |= extras
            items = map(Requirement, distribution(name).requires or [])
            todo += [item for item in items if applies(item, python, extras)]
    assert pins(python).keys() == needed.keys()


@pytest.mark.parametrize(
    ("name", "tensorflow", "pythons"),
    [
        ("tensorflow", "tensorflow", PYTHONS[:-1]),
        ("tensorflow-cpu", "tensorflow-cpu", PYTHONS[:-1]),
        ("latest", "tensorflow", PYTHONS[-1:]),
    ],
)
def test_hashes_are_of_the_pins(name, tensorflow, pythons):
    """Mended by `make hashes`."""
    for python in pythons:
        found = hashed(f"requirements-hashes/{name}.txt", python)
        wanted = {name: item.specifier for name, item in pins(python).items()}
        wanted[tensorflow] = wanted.pop("tensorflow")
        assert found == wanted, python


def hashed(path, python):
    """Return package to its version in a list with hashes, of which each package has some."""
    found = {}
    for entry in read(path).replace("\\\n", "").splitlines():
        if not entry.startswith("#"):
            text, *hashes = entry.split("--hash=")
            item = Requirement(text)
            assert all(re.fullmatch("sha256:[0-9a-f]{64} *", each) for each in hashes)
            assert hashes, item
            if applies(item, python):
                found[canonicalize_name(item.name)] = item.specifier
    return found


def test_the_citation_has_the_version_and_the_papers_authors():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == __version__
    (authors,) = re.findall(r"author  = \{(.*?)\},\n", read("README.md"), flags=re.DOTALL)
    families = [name.split(",")[0] for name in re.split(r"\s+and\s+", authors)]
    cited = citation["preferred-citation"]["authors"]
    assert [one["family-names"] for one in cited] == families


def test_the_classifiers_name_the_pythons_that_are_taken():
    named = metadata("ser-aae").get_all("Classifier")
    assert [f"Programming Language :: Python :: {python}" for python in PYTHONS] == [
        text for text in named if re.search(r":: 3\.\d+$", text)
    ]


def test_the_version_is_in_the_changelog():
    assert f"## {__version__}," in read("CHANGELOG.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document):
    folder = (ROOT / document).parent
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", read(document))
    assert not [link for link in links if not (folder / link).exists()]


def test_the_readme_lists_the_commands_there_are():
    commands = build_parser()._subparsers._group_actions[0].choices
    listed = re.findall(r"^\| `ser-aae ([\w-]+)", read("README.md"), flags=re.MULTILINE)
    assert listed == list(commands)


def test_the_readmes_yaml_and_csv_are_what_the_program_reads(tmp_path):
    from data_prep.csv_table import REQUIRED
    from ser_aae.config.build import build_config

    (text,) = re.findall(r"```yaml\n(.*?)```", read("README.md"), flags=re.DOTALL)
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert build_config(file=path).dataset == "ravdess"
    assert f"```csv\n{','.join(REQUIRED)}\n" in read("README.md")


def test_continuous_integration_and_the_hooks_do_what_a_developer_does():
    assert {"make test", "exec make test-latest PYTHON="} <= {
        line.strip().partition('"')[0] for line in read(".ci/run").splitlines()
    }
    assert "set -euo pipefail" in read(".ci/run")
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    (repository,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    hooks = repository["hooks"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in hooks} == {"system"}
    lint = read("Makefile").partition("lint:")[2]
    for hook in hooks:
        tool = hook["entry"].removeprefix(".venv/bin/").partition(" ")[0]
        assert f"$(BIN)/{tool}" in lint


def test_the_packages_of_the_documentation_are_exact_pins_and_installed():
    listed = read("pyproject.toml").partition("docs = [")[2].partition("]")[0]
    extra = [Requirement(text) for text in re.findall(r'"(.*)"', listed)]
    assert {"mkdocs", "mkdocs-material"} <= {item.name for item in extra}
    for item in extra:
        (pin,) = item.specifier
        assert (pin.operator, distribution(item.name).version) == ("==", pin.version)


def test_the_makefile_names_no_index():
    assert not re.search(r"https?://|--index-url|--extra-index-url", read("Makefile"))


def test_the_licence_is_apaches():
    assert "Apache License" in read("LICENSE")
    assert "Version 2.0, January 2004" in read("LICENSE")
    assert distribution("ser-aae").metadata["License-Expression"] == "Apache-2.0"


def test_what_commands_leave_in_a_checkout_is_neither_kept_nor_spelt():
    """The README tries `make demo` before `make test`: its page would be read letter by letter."""
    (skipped,) = re.findall(r'^skip = "(.*)"$', read("pyproject.toml"), re.MULTILINE)
    left = re.findall(r"^/(.*)/$", read(".gitignore"), re.MULTILINE)
    assert {"demo", "data", "store", "runs", "report"} <= set(left)
    assert {f"./{name}" for name in left} <= set(skipped.split(","))
