"""Flags of `ser-aae report` on pictures and LaTeX: each changes what is written."""

import pytest
from matplotlib.image import imread

from reports.picture_form import DPI, WIDTHS
from ser_aae.cli import main
from ser_aae.config import RunConfig


@pytest.fixture(scope="module")
def runs(leave_cell, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    leave_cell(folder, RunConfig(), folds=1)
    return folder


@pytest.fixture
def ask(runs, tmp_path, capsys):
    """A function: flags -> files of the report by name, which are those that it prints."""

    def make(*flags):
        out = tmp_path / "out"
        words = ["--runs", str(runs), "--store", str(tmp_path), "--out", str(out)]
        assert main(["report", *words, "--workers", "1", *flags]) == 0
        printed = capsys.readouterr().out.splitlines()
        files = {path.name: path for path in out.iterdir()}
        assert sorted(printed) == sorted(map(str, files.values()))
        return files

    return make


def test_without_flags_a_picture_is_a_png_for_a_screen(ask):
    files = ask()
    assert {name.rpartition(".")[2] for name in files} == {"html", "md", "csv", "png"}


def test_every_picture_has_the_kinds_that_are_asked_for(ask):
    files = ask("--format", "pdf,svg")
    pictures = [name for name in files if name.endswith(".png")]
    assert pictures
    for name in pictures:
        assert name.replace(".png", ".pdf") in files
        assert name.replace(".png", ".svg") in files


@pytest.mark.parametrize("width", WIDTHS)
def test_every_picture_has_the_width_and_resolution_that_are_asked_for(ask, width):
    for name, path in ask("--width", width, "--dpi", "60").items():
        if name.endswith(".png"):
            assert imread(path).shape[1] == int(60 * WIDTHS[width])


def test_the_resolution_alone_changes_the_size(ask):
    (usual,) = (imread(path).shape[1] for name, path in ask().items() if name.endswith("n.png"))
    found = ask("--dpi", str(2 * DPI))
    (twice,) = (imread(path).shape[1] for name, path in found.items() if name.endswith("n.png"))
    assert twice == 2 * usual


def test_tables_are_a_latex_document_with_the_numbers_of_the_page(ask):
    files = ask("--latex")
    text = files["tables.tex"].read_text(encoding="utf-8")
    assert text.rstrip().endswith(r"\end{document}")
    assert "75.0" in text
    assert "75.0" in files["index.html"].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--format", "jpeg"], "png,pdf,svg"),
        (["--format", ","], "png,pdf,svg"),
        (["--dpi", "10"], "50 to 1200"),
        (["--dpi", "many"], "50 to 1200"),
        (["--width", "wall"], "column"),
    ],
)
def test_what_no_picture_can_have_is_the_users_mistake(runs, tmp_path, flags, expected, capsys):
    words = ["report", "--runs", str(runs), "--out", str(tmp_path / "out")]
    assert main([*words, *flags]) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_an_earlier_report_left_is_removed_and_what_is_the_users_stays(ask, tmp_path):
    ask("--format", "pdf,svg", "--latex")
    own = tmp_path / "out" / "notes.pdf"
    own.write_bytes(b"mine")
    with pytest.raises(AssertionError):  # it is none of the files that are printed
        ask()
    left = {path.suffix for path in own.parent.iterdir()}
    assert left == {".html", ".md", ".csv", ".png", ".pdf"}
    assert [path.name for path in own.parent.glob("*.pdf")] == ["notes.pdf"]
    own.unlink()
    ask()


@pytest.mark.parametrize(
    "content",
    [
        "a page of somebody else",
        '<meta name="ser-aae-files" content="nonsense">',
        '<meta name="ser-aae-files" content="[&quot;../kept.txt&quot;, &quot;folder&quot;, 1]">',
    ],
)
def test_a_page_of_another_kind_removes_nothing(ask, tmp_path, content):
    (tmp_path / "kept.txt").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text(content)
    ask()
    assert (tmp_path / "kept.txt").exists()
