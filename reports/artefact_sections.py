"""Sections of a report that show the paper's tables and figures, and the gaps in them."""

from collections.abc import Sequence
from pathlib import Path

from reports.artefact_pictures import CLUSTERS, CURVES, draw_pictures, read_centroids
from reports.artefact_tables import (
    cells_table,
    confidence_heading,
    confidence_table,
    rates_table,
    side_by_side,
    write_tables,
)
from reports.commands import prepare_commands, with_setup
from reports.filling import Filling
from reports.origins import departures_table, departures_text, origin_line
from reports.page import Section
from reports.picture_form import ON_SCREEN, PictureForm
from reports.published import REMARKS
from reports.ratings import find_corpus, level_table
from ser_aae.errors import UserError
from ser_aae.protocols.leakage import VOICES
from ser_aae.results.places import Places
from ser_aae.results.text import count_of

LEVELS = "table-2"
_DEPARTURES = "Settings of ours that depart from the presets"
_RATES = "Equal error rates (%) of speaker verification: both populations together, and each alone"


def draw_artefact(
    filling: Filling, stem: Path, places: Places, form: PictureForm = ON_SCREEN
) -> tuple[Section, list[Path]]:
    """Write an artefact as Markdown, LaTeX and CSV, and the pictures of a figure.

    `stem` is the path of the files without suffix: `out / "table-3"`.

    Returns:
        The section, and the files.
    """
    artefact = filling.artefact
    section = Section(title=_title(filling), badges=_badges(filling))
    section.lead = _lead(filling)
    section.warnings = [*_warnings(filling), *find_picture_gaps(filling, places)]
    frames = side_by_side(filling)
    if artefact.name == LEVELS:
        frames = {"": level_table(filling.setup, Path(places.store))}
    command = filling.command if filling.missing or filling.incomplete else ""
    section.tables = [(part or "Ours and the paper's", f, command) for part, f in frames.items()]
    rates = rates_table(filling)
    if len(rates):
        frames = {**frames, _RATES: rates}
        section.tables.append((_RATES, rates, ""))
    confidence = confidence_table(filling)
    if len(confidence):
        heading = confidence_heading(filling)
        frames = {**frames, heading: confidence}
        # the table of a sweep is long, and the curve shows more
        if artefact.name in CURVES:
            section.details.append((heading, confidence))
        else:
            section.tables.append((heading, confidence, ""))
    section.pictures, behind = draw_pictures(filling, stem.with_suffix(".png"), places, form)
    remark = REMARKS.get(artefact.name)
    said = (*artefact.notes, *([remark] if remark else ()))
    section.notes = [(text, "") for text in said]
    data = cells_table(filling) if filling.cells else frames[""]
    section.origin = origin_line(filling)
    departures = departures_table(filling)
    if len(departures):
        section.details.insert(0, (_DEPARTURES, departures))
    if filling.cells:
        section.details.append(("What each cell is made of, and its command", data))
    text = departures_text(filling)
    files = [*write_tables(section, frames, data, text, stem), *behind]
    drawn = [file for path, _ in section.pictures for file in form.files_of(path, in_paper=True)]
    return section, [*files, *drawn]


def _title(filling: Filling) -> str:
    kind, _, number = filling.artefact.name.partition("-")
    prefix = f"{kind.title()} {number}: " if kind in ("table", "figure") else ""
    return prefix + filling.artefact.title


def _badges(filling: Filling) -> list[str]:
    synthetic = ["synthetic"] if filling.synthetic else []
    used = [item.cell.config.dataset for item in filling.cells] or filling.setup.datasets
    corpora = dict.fromkeys(map(filling.setup.title_of, used))
    return [*synthetic, f"budget {filling.setup.budget.name}", ", ".join(corpora)]


def _lead(filling: Filling) -> str:
    if not filling.cells:
        return "Counted on the prepared corpora; nothing is trained for it."
    total, incomplete = len(filling.cells), len(filling.incomplete)
    counted = f"{total - len(filling.missing) - incomplete} of {count_of(total, 'cell')} filled"
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


def find_picture_gaps(filling: Filling, places: Places) -> list[str]:
    """Return the reasons why Table 2 lacks counts or Fig. 2 its picture, with what mends it."""
    name, setup = filling.artefact.name, filling.setup
    there = [item for item in filling.cells if item.mean is not None]
    if name == LEVELS:
        return _preparation_hints("Not counted", setup.datasets, filling, places)
    if name != CLUSTERS or not there:
        return []
    shown = there[0].cell.config.dataset
    rated = [dataset for dataset in setup.datasets if setup.stored_name(dataset) == shown]
    found = _preparation_hints("No picture", rated, filling, places)
    if read_centroids(there[0]) is None:
        found.append("No picture: the runs of this figure wrote no centroids; train them again.")
    return found


def _preparation_hints(
    what: str, datasets: Sequence[str], filling: Filling, places: Places
) -> list[str]:
    setup, store = filling.setup, Path(places.store)
    absent = [name for name in datasets if find_corpus(store, name, setup) is None]
    if not absent:
        return []
    commands = prepare_commands(map(setup.source, absent), with_setup(places, setup))
    names = " and ".join(map(setup.title_of, absent))
    return [f"{what}: {names} not prepared in {places.store}; give --store, or run: {commands}"]


def refuse_gaps(fillings: Sequence[Filling], places: Places) -> None:
    """Raise unless every cell has all runs that its setup asks for, and every picture can be drawn.

    `fillings` are all artefacts of all setups, those without runs included.

    Raises:
        UserError: There is no artefact, or one has a gap; each with the command that mends it.
    """
    if not fillings:
        raise UserError(
            f"{places.runs}: expected the runs of a table or figure, found none; "
            "`ser-aae reproduce` trains them"
        )
    gaps = []
    for filling in fillings:
        name, whole = filling.artefact.name, len(filling.cells)
        lacking = len(filling.missing) + len(filling.incomplete)
        if lacking:
            cells = count_of(whole, "cell")
            gaps.append(f"  {name}: {lacking} of {cells} without all runs; run {filling.command}")
        gaps += [f"  {name}: {reason}" for reason in find_picture_gaps(filling, places)]
    if gaps:
        lines = dict.fromkeys(gaps)  # two setups may lack the same
        raise UserError("\n".join(("expected a report without a gap, found:", *lines)))
