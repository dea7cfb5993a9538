"""Sections of a report that stand for the paper's tables and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.aggregate import Filling
from reports.artefact_pictures import CLUSTERS, CURVES, draw_pictures, read_centroids
from reports.artefact_tables import (
    cells_table,
    confidence_heading,
    confidence_table,
    side_by_side,
    write_tables,
)
from reports.commands import prepare_commands, with_setup
from reports.page import Section
from reports.published import REMARKS
from reports.ratings import find_corpus, level_table
from ser_aae.protocols.leakage import VOICES
from ser_aae.results.places import Places

LEVELS = "table-2"


@dataclass(frozen=True)
class Drawn:
    """What became of an artefact.

    Attributes:
        section: On the page.
        files: Written beside it.
    """

    section: Section
    files: list[Path]


def draw_artefact(filling: Filling, stem: Path, places: Places) -> Drawn:
    """Write an artefact as Markdown, LaTeX and CSV, a figure as PNG and PDF too.

    Args:
        filling: Its cells.
        stem: Of the files: `out / "table-3"`.
        places: Where run folders lie, and prepared corpora for what is counted on them.

    Returns:
        The section, and the files without those that are pictures of the section.
    """
    artefact = filling.artefact
    section = Section(title=_title(filling), badges=_badges(filling))
    section.lead = _lead(filling)
    section.warnings = [*_warnings(filling), *what_cannot_be_shown(filling, places)]
    is_counted = artefact.name == LEVELS
    frames = (
        {"": level_table(filling.setup, Path(places.store))}
        if is_counted
        else side_by_side(filling)
    )
    command = filling.command if filling.missing or filling.incomplete else ""
    section.tables = [(part or "Ours and the paper's", f, command) for part, f in frames.items()]
    confidence = confidence_table(filling)
    if len(confidence):
        heading = confidence_heading(filling)
        frames = {**frames, heading: confidence}
        # of a sweep it is long, and its curve tells more
        if artefact.name in CURVES:
            section.details.append((heading, confidence))
        else:
            section.tables.append((heading, confidence, ""))
    section.pictures, behind = draw_pictures(filling, stem.with_suffix(".png"), places)
    remark = REMARKS.get(artefact.name)
    section.notes = [(text, "") for text in (*artefact.notes, *([remark] if remark else ()))]
    data = cells_table(filling) if filling.cells else frames[""]
    if filling.cells:
        section.details.append(("What each cell is made of, and its command", data))
    files = [*write_tables(section, frames, data, stem), *behind]
    return Drawn(section, [*files, *(path.with_suffix(".pdf") for path, _ in section.pictures)])


def _title(filling: Filling) -> str:
    kind, _, number = filling.artefact.name.partition("-")
    is_papers = kind in ("table", "figure")
    return (
        f"{kind.title()} {number}: {filling.artefact.title}"
        if is_papers
        else filling.artefact.title
    )


def _badges(filling: Filling) -> list[str]:
    synthetic = ["synthetic"] if filling.synthetic else []
    used = [item.cell.config.dataset for item in filling.cells] or filling.setup.datasets
    corpora = dict.fromkeys(map(filling.setup.title_of, used))
    return [*synthetic, f"budget {filling.setup.budget.name}", ", ".join(corpora)]


def _lead(filling: Filling) -> str:
    if not filling.cells:
        return "Counted on the prepared corpora; nothing is trained for it."
    missing, incomplete = len(filling.missing), len(filling.incomplete)
    counted = (
        f"{len(filling.cells) - missing - incomplete} of {len(filling.cells)} cells are filled"
    )
    if incomplete:
        counted += f", {incomplete} incomplete"
    spreads = list(dict.fromkeys(item.spread for item in filling.cells if item.spread))
    said = f" Figures are {'; '.join(spreads)}." if spreads else ""
    return f"{counted}.{said}"


def _warnings(filling: Filling) -> list[str]:
    found = []
    if filling.synthetic:
        found.append(
            f"Synthetic: no person spoke in {', '.join(filling.synthetic)}. These figures show "
            "that the program works, and nothing about emotion in speech; the paper's beside them "
            "are of other corpora."
        )
    if filling.setup.budget.name == "smoke":
        found.append(
            "Budget smoke: tiny networks, an epoch or two, one fold. The figures mean nothing."
        )
    shared = [words.partition(":")[0] for words in VOICES.values()]
    dependent = {item.protocol for item in filling.cells if any(s in item.protocol for s in shared)}
    if dependent:
        found.append(f"Not speaker-independent: {', '.join(sorted(dependent))}.")
    return found


def what_cannot_be_shown(filling: Filling, places: Places) -> list[str]:
    """Return why Table 2 lacks counts or Fig. 2 its picture, and what mends it."""
    name, setup = filling.artefact.name, filling.setup
    there = [item for item in filling.cells if item.mean is not None]
    if name == LEVELS:
        return _not_prepared("Not counted", setup.datasets, filling, places)
    if name != CLUSTERS or not there:
        return []
    shown = there[0].cell.config.dataset
    rated = [dataset for dataset in setup.datasets if setup.stored_name(dataset) == shown]
    found = _not_prepared("No picture", rated, filling, places)
    if read_centroids(there[0], Path(places.runs)) is None:
        found.append("No picture: the runs of this figure wrote no centroids; train them again.")
    return found


def _not_prepared(
    what: str, datasets: Sequence[str], filling: Filling, places: Places
) -> list[str]:
    setup, store = filling.setup, Path(places.store)
    absent = [name for name in datasets if find_corpus(store, name, setup) is None]
    if not absent:
        return []
    commands = prepare_commands(map(setup.source, absent), with_setup(places, setup))
    names = " and ".join(map(setup.title_of, absent))
    return [f"{what}: {names} not prepared in {places.store}; give --store, or run: {commands}"]
