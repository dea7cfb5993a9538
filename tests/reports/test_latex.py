"""LaTeX of tables: what is escaped, the structure, and that it compiles where pdflatex is."""

import re
import shutil
import subprocess
from collections import Counter

import pandas as pd
import pytest

from reports.latex import LONG, MOST_ROWS, escape, latex_document, to_latex
from reports.page import Section
from reports.table_formats import to_html

NASTY = r"50 % & more_of {it} #1 $x$ \ ~ ^ ± × ² é ş ł 感 <script> “q”"
FRAME = pd.DataFrame({"": ["a", NASTY], "UA": ["57.6 ± 4.9", "-"], "n": ["672", "1"]})
LONG_FRAME = pd.DataFrame({"run": [f"fold{n:02d}" for n in range(MOST_ROWS + 1)], "UA": "1.0"})


@pytest.fixture
def document():
    section = Section("One & only", name="abc", lead="UA 57.6_", warnings=["100 % known"])
    section.tables = [
        ("All folds, 95 % interval", FRAME, "a command"),
        ("Each run", LONG_FRAME, ""),
    ]
    return latex_document("Results", "made of 3 runs", [section, Section("No table")])


def test_what_latex_would_read_is_escaped():
    assert escape("a_b & 5 % {x} #1 $") == r"a\_b \& 5 \% \{x\} \#1 \$"
    assert escape("\\ ~ ^") == r"\textbackslash{} \textasciitilde{} \textasciicircum{}"
    assert escape("57.6 ± 4.9") == r"57.6 $\pm$ 4.9"
    assert escape("Ümläut ş ł") == "Ümläut ş ł"
    assert escape("感 ▲") == "[U+611F] [U+25B2]"
    assert escape("two\n lines") == "two lines"


def test_a_table_has_the_rows_and_columns_of_its_frame():
    text = to_latex(FRAME, "A caption, 5 %", "one")
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + len(FRAME)
    assert all(len(re.findall(r"(?<!\\)&", row)) == 2 for row in rows)
    assert r"\caption{A caption, 5 \%}" in text
    assert "usepackage" not in text


def test_a_column_of_long_texts_is_a_paragraph():
    narrow, wide = (
        to_latex(pd.DataFrame({"a": ["x"], "b": ["y" * length]}), "", "").splitlines()[2]
        for length in (LONG, LONG + 1)
    )
    assert narrow == r"\begin{tabular}{lc}"
    assert wide == r"\begin{tabular}{lp{0.25\linewidth}}"


def test_a_document_is_whole_and_escaped(document):
    opened = Counter(re.findall(r"\\begin\{(\w+)\}", document))
    assert opened == Counter(re.findall(r"\\end\{(\w+)\}", document))
    assert (opened["tabular"], opened["longtable"], opened["document"]) == (1, 1, 1)
    body = document.partition(r"\begin{document}")[2]
    assert not re.search(r"(?<!\\)[%#]", body.replace("{!}{%", ""))
    assert "<script>" in body
    assert "No table" not in body


def test_the_numbers_are_those_of_the_page(document):
    of_page = re.findall(r"\d+\.\d", to_html(FRAME))
    assert of_page
    assert all(number in document for number in of_page)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_it_compiles(document, tmp_path):
    (tmp_path / "tables.tex").write_text(document, encoding="utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(words, check=False, cwd=tmp_path, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "tables.pdf").stat().st_size > 1000


PATH = "/home/somebody_else/recordings-of-2024/a_session/Actor_09/03-01-01-01-01-01-09.wav"


def test_a_long_path_may_be_broken_and_a_short_word_not():
    assert escape("a/b-c_d") == r"a/b-c\_d"
    broken = escape(PATH)
    assert broken.replace(r"\allowbreak{}", "") == PATH.replace("_", r"\_")
    assert r"somebody\_\allowbreak{}else/\allowbreak{}recordings" in broken


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_a_long_path_stays_in_its_column(tmp_path):
    frame = pd.DataFrame({"file": [PATH], "speaker": ["09"], "truth": ["neutral"]})
    section = Section(title="Paths", lead="", tables=[("Wrong answers", frame, "")])
    (tmp_path / "tables.tex").write_text(latex_document("t", "m", [section]), encoding="utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(words, check=True, cwd=tmp_path, capture_output=True, timeout=300)
    assert b"Overfull" not in done.stdout
