"""The table of kills in the documents is the one that the script wrote, and nothing went wrong."""

import csv

from processes import ROOT

PAGE = (ROOT / "docs" / "kills.md").read_text(encoding="utf-8")


def read_rows():
    with (ROOT / "docs" / "data" / "kills.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_page_has_the_rows_of_the_file():
    rows = read_rows()
    for cells in (list(rows[0]), *(list(row.values()) for row in rows)):
        assert f"| {' | '.join(cells)} |\n" in PAGE


def test_every_kill_ended_well():
    for row in read_rows():
        assert row["same end"] == row["kills"]
        assert [row[name] for name in ("orphans", "damaged", "leftovers")] == ["0"] * 3
