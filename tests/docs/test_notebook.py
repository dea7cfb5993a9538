"""The notebook as somebody runs it, from its first cell to its last."""

import importlib.util
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "notebooks" / "first-steps.ipynb"


def test_it_is_kept_without_outputs():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not [cell for cell in code if cell["outputs"] or cell["execution_count"]]
    assert "find_spec" in "".join(code[0]["source"]), "the first cell installs what is not there"


@pytest.fixture
def run_first_cell(tmp_path):
    """A function: runs the first cell, which installs the program -> what it defines."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    path = tmp_path / "cell.py"
    path.write_text(next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"))
    return lambda: runpy.run_path(str(path))


@pytest.mark.parametrize("lacking", ["ser_aae", "tensorflow"])
@pytest.mark.parametrize(
    ("version", "listed"),
    [((3, 11, 2), "requirements.txt"), ((3, 13, 0), "requirements-latest.txt")],
)
def test_what_lacks_is_installed_by_the_list_of_the_python(
    run_first_cell, monkeypatch, lacking, version, listed
):
    installed, find = [], importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == lacking else find(name)
    )
    monkeypatch.setattr(subprocess, "run", lambda words, check: installed.append(words[-2:]))
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.chdir(NOTEBOOK.parent)
    run_first_cell()
    assert installed == [[ROOT / listed, ROOT]]


def test_far_from_the_project_it_is_said_what_is_expected(run_first_cell, monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"expected ser-aae\[train\] installed, or this notebook"):
        run_first_cell()


def test_a_command_that_fails_says_why(run_first_cell, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    known = run_first_cell()
    with pytest.raises(SystemExit, match="nowhere: expected a folder of runs, found nothing"):
        known["ser_aae"]("report", "--runs", "nowhere", "--out", "page")


@pytest.mark.filterwarnings("ignore")  # what Jupyter's packages say of one another
def test_every_cell_runs(tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel")
    pytest.importorskip("ipykernel", reason="needs nbclient and ipykernel")
    nbformat = pytest.importorskip("nbformat")
    for name in [name for name in os.environ if name.startswith("SER_AAE_")]:
        monkeypatch.delenv(name)
    paths = (str(ROOT), os.environ.get("PYTHONPATH"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=900, resources=resources).execute()
    assert (tmp_path / "report" / "index.html").is_file()
    said = [out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", ())]
    assert any("UA" in text for text in said)
    assert "emotion" in (tmp_path / "answers.csv").read_text().partition("\n")[0]
