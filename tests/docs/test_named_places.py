"""Files, packages and modules that the documents name are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
DOCUMENTS = [*TOP, *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
ROOMS = "|".join(path.parent.name for path in (ROOT / "ser_aae").glob("*/__init__.py"))

PATH = re.compile(r"(?:ser_aae|data_prep|tuning|reports|benchmarks|tests|docs)/[\w./-]*")
PLACE_IN_A_ROOM = re.compile(rf"(?:{ROOMS})/\w*")
MODULE = re.compile(r"(?:ser_aae|data_prep|tuning|reports)(?:\.\w+)+")


def spans(document):
    """Return what a document has between single backticks."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return set(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text))


def is_there(path):
    return path.exists() or path.with_name(f"{path.name}.py").is_file()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_are_there(document):
    assert not [
        name for name in spans(document) if PATH.fullmatch(name) and not (ROOT / name).exists()
    ]


def test_the_architecture_names_rooms_and_modules_that_are_there():
    named = [name for name in spans("docs/architecture.md") if PLACE_IN_A_ROOM.fullmatch(name)]
    assert len(named) >= 20
    assert not [name for name in named if not is_there(ROOT / "ser_aae" / name)]


def test_the_architecture_names_every_room():
    assert {f"{room}/" for room in ROOMS.split("|")} <= spans("docs/architecture.md")


# the list of changes names modules by what they were called, too
@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "CHANGELOG.md"])
def test_modules_are_there(document):
    for name in filter(MODULE.fullmatch, spans(document)):
        path = ROOT / name.replace(".", "/")
        in_a_module = path.parent.with_suffix(".py")
        assert is_there(path) or (
            in_a_module.is_file() and path.name in in_a_module.read_text(encoding="utf-8")
        ), name
