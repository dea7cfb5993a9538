"""Report on a folder of runs: the paper's tables and figures and each experiment, on one page."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from reports.artefact_sections import draw_artefact, refuse_gaps
from reports.commands import evaluate_command, with_setup
from reports.comparison_sections import compared_sections, experiments_section
from reports.experiment_sections import Drawing, draw_experiment, leakage_sentence
from reports.filling import Filling, fill, synthetic_corpora
from reports.latex import latex_document
from reports.own_files import move_in, name_files, read_names, remove_former, staged
from reports.page import Section, page
from reports.paired_tests import PAIRED_TEST_NOTE
from reports.picture_form import ON_SCREEN, PictureForm
from reports.records import run_records
from reports.run_checks import check_runs
from reports.search_sections import search_sections
from reports.side_by_side import compute_all
from reports.summary import (
    CONFIDENCE_NOTE,
    Evaluations,
    evaluate_all,
    interval_text,
    mean_text,
    summarise,
)
from reports.table_formats import to_csv, to_markdown
from reports.titles import corpus_title
from ser_aae import __version__
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import UserError
from ser_aae.experiments.artefacts import ARTEFACTS, OWN_CORPUS, choose
from ser_aae.experiments.cells import Artefact
from ser_aae.experiments.setup import BUDGETS, Setup, read_setups
from ser_aae.files.atomic import write_bytes
from ser_aae.progress import move_bar, open_bar, show_line
from ser_aae.results.copies import find_copies
from ser_aae.results.folder import load_runs
from ser_aae.results.model_files import remarks_on_all
from ser_aae.results.places import Places
from ser_aae.results.search_folder import read_searches
from ser_aae.results.text import count_of

SHOWN_WHOLE = ("table-3", "table-4", "figure-2", *OWN_CORPUS)
"""Artefacts whose experiments have a section each; the many of the others share one table."""

TABLES = "tables.tex"
"""File with all tables of the page as one LaTeX document."""

PAGE = "index.html"
"""File of the page itself."""

_TITLE = "Speech emotion recognition: results"
_INTRODUCTION = (
    "In per cent, on utterances. UA, unweighted accuracy: the mean recall over the classes; WA, "
    "weighted accuracy: the share of utterances that are right. The last section says how the "
    "figures are made."
)
_FIGURES_NOTE = (
    "Every figure is recomputed from the predictions of the runs and agrees with what each run "
    "wrote down itself; a report with a figure that does not is refused. Speaker-only UA: what a "
    "predictor gets that knows only who speaks. Columns headed paper are as printed in arXiv "
    "1907.06078, and the only figures that are not computed."
)


@dataclass(frozen=True)
class Wishes:
    """Wishes for a report.

    Attributes:
        check: Compare the bytes of all predictions with the digests that runs wrote, too.
        complete: Refuse a report with a cell that lacks a run, before anything is written.
            Artefacts that `reproduce all` leaves out count where one of their cells has a run.
        latex: Write all tables of the page as one LaTeX document, too.
        form: Form of the pictures.
    """

    check: bool = False
    complete: bool = False
    latex: bool = False
    form: PictureForm = ON_SCREEN


def build_report(
    runs: Path,
    out: Path,
    store: Path = Path("store"),
    corpora: Mapping[str, CorpusFacts] | None = None,
    workers: int = 1,
    wishes: Wishes = Wishes(),
) -> list[Path]:
    """Write the report of all runs below a folder, and remove what an earlier one left there.

    Nothing is written where it is refused or interrupted, and an earlier report stays as it was.

    Args:
        runs: Folder of run folders, at any depth, of the setups they were run for, and of
            searches.
        out: Folder for `index.html`, tables as Markdown, LaTeX and CSV, and pictures.
        store: Prepared corpora: levels and clusters are counted on them, and commands name it.
        corpora: Facts of corpora by their names in the store.
        workers: Most processes; the report is the same with any number.
        wishes: Wishes beyond the usual.

    Returns:
        The files written, `index.html` first.

    Raises:
        UserError: Neither a complete run nor a search, or a run whose files are damaged or
            disagree; or, where it is to be complete, a cell that lacks a run.
    """
    with staged(out) as folder:
        names = _write_report(runs, folder, store, corpora or {}, workers, wishes)
        former = read_names(out / PAGE)
        move_in(folder, out, names)
        remove_former(out, former, names)
    return [out / name for name in names]


def _write_report(
    runs: Path,
    out: Path,
    store: Path,
    corpora: Mapping[str, CorpusFacts],
    workers: int,
    wishes: Wishes,
) -> list[str]:
    """Write a report into an empty folder, and return the names of its files, the page first."""
    checked = check_runs(runs, workers) if wishes.check else []
    places, form = Places(runs=runs, store=store), wishes.form
    searches = read_searches(runs)
    copies = find_copies(runs)
    evaluations = evaluate_all(runs, may_be_none=bool(searches), workers=workers, without=copies)
    fillings = find_artefacts(places, evaluations, corpora)
    absent = _find_absent(fillings, places, evaluations)
    if wishes.complete:
        asked = [item for item in absent if item.artefact.name not in OWN_CORPUS]
        refuse_gaps([*fillings, *asked], places)
    drawn = _draw_artefacts(fillings, out, places, form)
    shown, brief = _divide(evaluations, fillings)
    first = [experiments_section(shown, corpora)] if shown else []
    first += [section for section, _ in drawn] + compared_sections(evaluations, corpora)
    pictured = search_sections(searches, places, out, form)
    drawings = _list_drawings(shown, fillings, out, places, corpora)
    drawings = [replace(drawing, form=form) for drawing in drawings]
    pictured += compute_all(draw_experiment, drawings, workers, "draws")
    sections = first + pictured
    sections += [_overview(brief)] if brief else []
    sections += [_absent_section(absent)] if absent else []
    sections.append(_closing_section([*checked, *_tell_copies(copies)], evaluations))
    made_of = _describe_runs(evaluations, searches, corpora)
    written = _report_texts(runs, copies, evaluations, made_of, sections)
    if wishes.latex:
        written = {TABLES: latex_document(_TITLE, made_of, sections)} | written
    pictures = [path for _, paths in drawn for path in paths]
    pictures += [f for each in pictured for path, _ in each.pictures for f in form.files_of(path)]
    return _write_texts(out, written, [path.name for path in pictures])


def _write_texts(out: Path, texts: Mapping[str, str], pictures: Sequence[str]) -> list[str]:
    """Write the texts of a report, and return the names of all its files, the page first."""
    names = [*reversed(texts), *pictures]
    for name, text in texts.items():
        whole = name_files(text, names) if name == PAGE else text
        write_bytes(out / name, whole.encode())
    return names


def _draw_artefacts(
    fillings: Sequence[Filling], out: Path, places: Places, form: PictureForm
) -> list[tuple[Section, list[Path]]]:
    """Return the section of each artefact, and the files that were written for it."""
    drawn = []
    with open_bar(len(fillings), "draws", "tables and figures") as bar:
        for filling, stem in zip(fillings, _stems(fillings), strict=True):
            drawn.append(draw_artefact(filling, out / stem, places, form))
            move_bar(bar, len(drawn))
    return drawn


def _list_drawings(
    shown: Evaluations,
    fillings: Sequence[Filling],
    out: Path,
    places: Places,
    corpora: Mapping[str, CorpusFacts],
) -> list[Drawing]:
    """Return what is drawn of each experiment that has a section of its own."""
    setups = {item.folder: filling.setup for filling in fillings for item in filling.cells}
    return [
        Drawing(folder, evaluation, with_setup(places, setups.get(folder)), out, corpora)
        for folder, evaluation in shown.items()
    ]


def _tell_copies(copies: Mapping[Path, Path]) -> list[str]:
    """Return a sentence for each copy of an experiment, which is shown on the terminal too."""
    told = [
        f"left out {copy}: a copy of {original}, whose runs would count twice"
        for copy, original in sorted(copies.items())
    ]
    for line in told:
        show_line(f"warning: {line}")
    return told


def _closing_section(checked: Sequence[str], evaluations: Evaluations) -> Section:
    """Return how figures are made and how sure they are, and what was checked of the runs."""
    unchecked = remarks_on_all(
        Path(run["folder"]) for each in evaluations.values() for run in each["runs"]
    )
    remarks = (
        *(f"{line[:1].upper()}{line[1:]}." for line in checked),
        *(f"{line}." for line in unchecked),
    )
    title, texts = "How the figures are made", [_FIGURES_NOTE, *remarks]
    if evaluations:
        title += ", and how sure they are"
        texts += [CONFIDENCE_NOTE, PAIRED_TEST_NOTE]
    return Section(title, notes=[(text, "") for text in texts])


def _describe_runs(
    evaluations: Evaluations, searches: Sized, corpora: Mapping[str, CorpusFacts]
) -> str:
    """Return the line under the title: data, runs, date of the last one, version."""
    runs = [run for each in evaluations.values() for run in each["runs"]]
    names = sorted({corpus_title(each["dataset"], corpora) for each in evaluations.values()})
    dates = sorted(done[:10] for run in runs if (done := run["stored"].get("finished")))
    parts = [
        ", ".join(names),
        f"{count_of(len(runs), 'run')} of {count_of(len(evaluations), 'experiment')}" * bool(runs),
        f"{len(searches)} {'search' if len(searches) == 1 else 'searches'}" * bool(searches),
        f"last of {dates[-1]}" if dates else "",
        f"ser-aae {__version__}",
    ]
    return "; ".join(part for part in parts if part)


def _report_texts(
    runs: Path,
    copies: Collection[Path],
    evaluations: Evaluations,
    made_of: str,
    sections: Sequence[Section],
) -> dict[str, str]:
    """Return the texts of the report by file name, the page last."""
    warning = _synthetic_warning(evaluations.values())
    return {
        # unrounded, for a paired test of rounded figures has other ties, and another p
        "runs.csv": to_csv(run_records(evaluations)),
        "results.csv": to_csv(load_runs(runs, copies)),
        "results.md": _markdown(made_of, warning, sections),
        PAGE: page(_TITLE, _INTRODUCTION, sections, warning, made_of),
    }


def find_artefacts(
    places: Places, evaluations: Evaluations, corpora: Mapping[str, CorpusFacts] | None = None
) -> list[Filling]:
    """Return the artefacts that have a run, of each setup; Table 2 where a setup was written.

    Where no setup was written, the setups tried are those of the budgets on the paper's corpora.
    """
    # of setups that share a table the one with most repetitions is kept, as the first
    written = read_setups(Path(places.runs), corpora)
    written.sort(key=lambda setup: -setup.repetitions_asked)
    setups = written or [Setup(budget=budget, corpora=corpora or {}) for budget in BUDGETS.values()]
    found: dict[tuple[str, ...], Filling] = {}
    for setup in setups:
        # without a setup, runs on one corpus must not bring its nearly empty own table
        for artefact in _artefacts_of(setup) if written else choose(["all"], setup):
            filling = fill(artefact, setup, places, evaluations)
            if len(filling.missing) < len(filling.cells) or (written and not filling.cells):
                # two setups with one base have the same table on a corpus of its own
                digests = [cell.config.digest() for cell in artefact.cells]
                found.setdefault((artefact.name, *(digests or setup.datasets)), filling)
    names = list(ARTEFACTS)
    return sorted(found.values(), key=lambda item: names.index(item.artefact.name))


def _artefacts_of(setup: Setup) -> Iterable[Artefact]:
    for make in ARTEFACTS.values():
        try:
            yield make(setup)
        except UserError:  # this setup does not allow it, as Table 4 with one corpus
            continue


def _stems(fillings: Sequence[Filling]) -> list[str]:
    """Return a file name for each: `table-3`, and `table-3-2` for that of a second setup."""
    names = [filling.artefact.name for filling in fillings]
    counts = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return [f"{name}-{n}" if n > 1 else name for name, n in zip(names, counts, strict=True)]


def _divide(
    evaluations: Evaluations, fillings: Sequence[Filling]
) -> tuple[Evaluations, Evaluations]:
    """Return the experiments with a section each, and those with a line each."""
    in_any = {item.folder for filling in fillings for item in filling.cells}
    main = (filling for filling in fillings if filling.artefact.name in SHOWN_WHOLE)
    in_main = {item.folder for filling in main for item in filling.cells}
    whole = {f: item for f, item in evaluations.items() if f in in_main or f not in in_any}
    return whole, {f: item for f, item in evaluations.items() if f not in whole}


def _overview(evaluations: Evaluations) -> Section:
    rows = []
    for folder, item in evaluations.items():
        ua = summarise(item)
        rows.append(
            {
                "experiment": f"{folder.parent.name}/{folder.name}",
                "UA": mean_text(ua),
                "95 % interval": interval_text(ua.interval),
                "n": ua.n,
                "folds": ua.folds,
                "repetitions": ua.repetitions,
                "speakers": item["independence"],
                "synthetic": ", ".join(synthetic_corpora(item)) or "no",
                "leakage": leakage_sentence(item),
                "command": evaluate_command(folder),
            }
        )
    frame = pd.DataFrame(rows).astype(str)
    section = Section(title="The other experiments of these tables and figures")
    section.badges = ["synthetic"] if any(map(synthetic_corpora, evaluations.values())) else []
    section.lead = (
        f"{count_of(len(rows), 'experiment')}, a line each; UA pooled over the folds there are."
    )
    section.details = [("Figures, leakage checks and commands", frame)]
    return section


def _absent_section(absent: Sequence[Filling]) -> Section:
    rows = [{"what": item.artefact.title, "command": item.command} for item in absent]
    return Section(title="Not run yet", tables=[("What runs it", pd.DataFrame(rows), "")])


def _find_absent(
    fillings: Sequence[Filling], places: Places, evaluations: Evaluations
) -> list[Filling]:
    """Return the artefacts without a run, of the setups that have runs of another artefact."""
    there = {(id(item.setup), item.artefact.name) for item in fillings}
    setups = {id(item.setup): item.setup for item in fillings}
    others = (
        fill(artefact, setup, places, evaluations)
        for key, setup in setups.items()
        for artefact in _artefacts_of(setup)
        if (key, artefact.name) not in there and artefact.cells
    )
    return [filling for filling in others if len(filling.missing) == len(filling.cells)]


def _synthetic_warning(evaluations: Iterable[Mapping[str, Any]]) -> str:
    names = sorted({name for item in evaluations for name in synthetic_corpora(item)})
    if not names:
        return ""
    return (
        f"Synthetic speech: {', '.join(names)}. No person spoke in it; what is computed from it "
        "shows that the program works, and nothing about emotion in speech."
    )


def _markdown(made_of: str, warning: str, sections: Sequence[Section]) -> str:
    warned = [f"> {warning}", ""] if warning else []
    lines = [f"# {_TITLE}", "", made_of, "", *warned, _INTRODUCTION, ""]
    for section in sections:
        name = f" ({section.name})" if section.name else ""
        lines += [f"## {section.title}{name}", "", ", ".join(section.badges), "", section.lead, ""]
        lines += [f"> {text}\n" for text in section.warnings]
        for heading, frame, command in section.tables:
            lines += [f"### {heading}", "", to_markdown(frame)]
            lines += [f"`{command}`", ""] if command else []
        for text, command in section.notes:
            lines += [text, "", *([f"`{command}`", ""] if command else [])]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
