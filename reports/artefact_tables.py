"""Tables of an artefact: our figures beside the paper's, and the origin of each cell."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from reports.curves import group_cells
from reports.filling import MISSING, Filled, Filling, is_reference
from reports.latex import to_latex
from reports.page import Section
from reports.paired_tests import comparison_columns
from reports.published import Stated, cited_figures
from reports.summary import interval_text, mean_text
from reports.table_formats import to_csv, to_markdown
from ser_aae.experiments.cells import UA
from ser_aae.files.atomic import write_bytes
from ser_aae.results.run_kinds import ALONE


def write_tables(
    section: Section,
    frames: Mapping[str, pd.DataFrame],
    data: pd.DataFrame,
    departures: str,
    stem: Path,
) -> list[Path]:
    """Write Markdown, LaTeX and CSV of an artefact; return their paths.

    Markdown ends with the text on departures from the paper's preset.
    """
    said = " ".join((section.lead, *section.warnings))
    made_of = " ".join(text for text in (said, section.origin) if text)
    markdown = [f"# {section.title}", said]
    latex = []
    for number, (part, frame) in enumerate(frames.items()):
        markdown += [*([f"## {part}"] if part else []), to_markdown(frame)]
        title = f"{section.title}, {part}" if part else section.title
        label = f"{stem.name}-{number + 1}" if number else stem.name
        latex.append(to_latex(frame, f"{title}. {made_of}", label))
    markdown += [section.origin] if section.origin else []
    markdown += [text for text, _ in section.notes]
    markdown += [departures] if departures else []
    written = {".md": "\n\n".join(markdown) + "\n", ".tex": "\n".join(latex), ".csv": to_csv(data)}
    for suffix, text in written.items():
        write_bytes(stem.with_suffix(suffix), text.encode())
    return [stem.with_suffix(suffix) for suffix in written]


def side_by_side(filling: Filling) -> dict[str, pd.DataFrame]:
    """Return a table for each panel of an artefact, ours beside the paper's, in per cent.

    Rows of other authors, which Tables 3 and 4 cite, stand below ours of the same panel.
    """
    others: dict[tuple[str, str, str], Stated] = {}
    if any(item.paper for item in filling.cells):  # else other corpora than the paper's
        others = {(p, r, c): figure for p, r, c, figure in cited_figures(filling.artefact.name)}
    parts: dict[str, pd.DataFrame] = {}
    for part, cells in group_cells(filling.cells).items():
        places = {(item.cell.row, item.cell.column): item for item in cells}
        foreign = {(row, column): f for (p, row, column), f in others.items() if p == part}
        columns = list(dict.fromkeys(column for _, column in places))
        rows = [
            {"": row} | _columns(row, columns, places, foreign)
            for row in dict.fromkeys(row for row, _ in (*places, *foreign))
        ]
        frame = pd.DataFrame(rows).astype(str)
        unstated = [n for n in frame if n.endswith(", paper") and (frame[n] == "-").all()]
        parts[part] = frame.drop(columns=unstated)
    return parts


def rates_table(filling: Filling) -> pd.DataFrame:
    """Return equal error rates over both populations and over each alone, a row a cell.

    It is empty where no run verified speakers of its test part.
    """
    rows = [
        {
            "": item.cell.row,
            "corpus": item.cell.column,
            "both together": our_text(item),
            **{ALONE[ending]: mean_text(found) for ending, found in item.alone.items()},
        }
        for item in filling.cells
        if any(found.mean is not None for found in item.alone.values())
    ]
    return pd.DataFrame(rows).astype(str)


def _columns(
    row: str,
    columns: Sequence[str],
    places: Mapping[tuple[str, str], Filled],
    foreign: Mapping[tuple[str, str], Stated],
) -> dict[str, str]:
    """Return a row's texts: two columns for each, ours and the paper's."""
    texts = {}
    for column in columns:
        item = places.get((row, column))
        paper = item.paper if item else foreign.get((row, column))
        texts[f"{column}, ours"] = "-" if item is None else our_text(item)
        texts[f"{column}, paper"] = "-" if paper is None else str(paper)
    return texts


def our_text(item: Filled) -> str:
    """Return our figure in per cent, followed by what the cell lacks."""
    if item.mean is None:
        return MISSING
    return f"{mean_text(item)} ({item.lacks})" if item.lacks else mean_text(item)


def confidence_table(filling: Filling) -> pd.DataFrame:
    """Return one row for each UA that is there: its interval, and the test against the reference.

    Columns of the test are left out where the artefact compares nothing.
    """
    rows = [
        {
            "part": item.cell.panel,
            "row": item.cell.row,
            "column": item.cell.column,
            "UA": our_text(item),
            "95 % interval": interval_text(item.interval),
            "speakers": str(item.speakers),
            "n": str(item.n),
            "folds run": item.folds,  # the column "folds" is of the paired test
            "repetitions": f"{item.repetitions} of {filling.setup.repetitions_asked}",
        }
        | (
            comparison_columns(
                item.comparison, is_reference=is_reference(filling.artefact, item.cell)
            )
            if filling.artefact.reference
            else {}
        )
        for item in filling.cells
        if item.cell.score == UA and item.mean is not None
    ]
    frame = pd.DataFrame(rows).astype(str)
    has_parts = any(row["part"] for row in rows)
    return frame if has_parts else frame.drop(columns="part", errors="ignore")


def confidence_heading(filling: Filling) -> str:
    """Return the heading of `confidence_table`."""
    reference = filling.artefact.reference
    tested = f"; Wilcoxon's paired test against {reference}" if reference else ""
    return f"UA with 95 % intervals by bootstrap over speakers{tested}"


def cells_table(filling: Filling) -> pd.DataFrame:
    """Return one row a cell: figures in per cent as numbers, the runs behind them, the command."""
    rows = [
        {
            "part": item.cell.panel,
            "row": item.cell.row,
            "column": item.cell.column,
            "x": "" if item.cell.x is None else f"{item.cell.x:g}",
            "figure": item.cell.score,
            "ours": _number(item.mean),
            "deviation": _number(item.std),
            "spread": item.spread or MISSING,
            "interval from": _number(item.interval and item.interval.low),
            "interval to": _number(item.interval and item.interval.high),
            "n": str(item.n or ""),
            "folds": item.folds,
            "repetitions": str(item.repetitions or ""),
            "incomplete": item.lacks or "no",
            "protocol": item.protocol,
            "synthetic": ", ".join(item.synthetic) or "no",
            "paper": "" if item.paper is None else str(item.paper),
            "source": "" if item.paper is None else item.paper.source,
            "command": item.command,
        }
        for item in filling.cells
    ]
    return pd.DataFrame(rows).astype(str)


def _number(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f}"
