"""Wheel and source archive: what is in them, and a training from nothing but the wheel."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from processes import MOST_SECONDS, ROOT

SOURCES = (
    *("pyproject.toml", "MANIFEST.in", "README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE"),
    *("requirements.txt", "ser_aae", "data_prep", "tuning", "reports", "tests", "benchmarks"),
)
PACKAGES = ("ser_aae", "data_prep", "tuning", "reports")


def call(*words, **named):
    named = {"capture_output": True, "text": True, "timeout": MOST_SECONDS, **named}
    # where this tree is on the path of all that is started, no other place would be asked
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([str(word) for word in words], check=False, env=kept, **named)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The folder of both, built from a copy, so that nothing is left in this tree."""
    place = tmp_path_factory.mktemp("distribution")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, place / "tree" / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            (place / "tree").mkdir(exist_ok=True)
            shutil.copy(ROOT / name, place / "tree" / name)
    # the source archive, and the wheel from that: so it holds all that a build needs
    build = ("-m", "build", "--no-isolation", "--outdir", place / "dist", place / "tree")
    call(sys.executable, *build)
    return place / "dist"


def files_of(package):
    """Return what a package of this tree holds, apart from what Python writes beside it."""
    paths = (ROOT / package).rglob("*")
    return {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_has_the_packages_and_nothing_else(archives):
    (wheel,) = archives.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == set().union(*map(files_of, PACKAGES))
    assert "ser_aae/server/static/page.js" in names


def test_the_source_archive_builds_and_has_no_tests(archives):
    (archive,) = archives.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    assert set().union(*map(files_of, PACKAGES)) <= names
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"} <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs"))]


def test_an_index_would_take_them(archives):
    call(sys.executable, "-m", "twine", "check", "--strict", *archives.iterdir())


@pytest.fixture
def program(archives, tmp_path):
    """`ser-aae` of a new environment that has the wheel, and this environment's other packages.

    To install those too would take minutes and gigabytes. A line of a `.pth` file puts their folder
    behind the new environment's own, and its `.pth` files are not read: this tree, which is
    installed there in place, is out of reach. What the wheel lacked would be lacking.
    """
    place = tmp_path / "environment"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    (wheel,) = archives.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index")
    call(*pip, wheel)
    own = Path(call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    others = [path for path in sys.path if Path(path).name == "site-packages"]
    (own / "others.pth").write_text("\n".join(others))
    # but setuptools' is, for it brings distutils, which TensorFlow imports and Python 3.12 lacks
    brought, *_ = (path for other in others for path in Path(other).glob("distutils-*.pth"))
    shutil.copy(brought, own / f"setuptools-{brought.name}")
    found = call(python, "-c", "import ser_aae; print(ser_aae.__file__)", cwd=tmp_path)
    assert Path(found.strip()) == own / "ser_aae" / "__init__.py"
    return place / "bin" / "ser-aae"


def test_a_wheel_alone_trains(program, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    small = ("model.filters=4,4", "model.latent_channels=4", "training.pretraining_epochs=1")
    settings = [word for text in small for word in ("--set", text)]
    words = ("train", "--dataset", "demo", "--protocol", "loso-session", "--epochs", "1")
    said = call(program, *words, *settings, cwd=work)
    folder = work / said.splitlines()[-1]
    assert (folder / "result.json").is_file()
    assert "UA" in call(program, "evaluate", folder, cwd=work)
