"""The notebook as somebody runs it, from its first cell to its last."""

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "notebooks" / "first-steps.ipynb"


def test_it_is_kept_without_outputs():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not [cell for cell in code if cell["outputs"] or cell["execution_count"]]
    assert "find_spec" in "".join(code[0]["source"]), "the first cell installs what is not there"


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
