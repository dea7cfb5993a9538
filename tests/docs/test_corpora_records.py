"""Tables of several corpora in the results, against the committed records of their runs."""

import re
from pathlib import Path

import pandas as pd
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
TITLES = {"RAVDESS": "ravdess", "URDU": "urdu", "TurEV-DB": "turev"}
OTHERS = "both others (above)"


@pytest.fixture(scope="module")
def records():
    """The runs of both files."""
    names = ("corpora-sources.csv", "corpora-left-out.csv")
    for name in names:
        text = (DOCS / "data" / name).read_text(encoding="utf-8")
        assert not re.search(r"/(home|work|tmp|root)/", text)
    frame = pd.concat([pd.read_csv(DOCS / "data" / name) for name in names], ignore_index=True)
    assert frame["speaker_independent"].all()
    return frame


def rows_of(heading):
    """Return row to cells of the table below a heading."""
    text = (DOCS / "results.md").read_text(encoding="utf-8").partition(f"### {heading}\n")[2]
    lines = re.findall(r"^\| (.*) \|$", text.partition("\n#")[0], re.MULTILINE)
    found = [[cell.strip(" *") for cell in line.split(" | ")] for line in lines]
    return {row[0]: row[1:] for row in [found[0], *found[2:]]}


def test_each_source_is_a_run(records):
    head, *rows = rows_of("From one corpus alone").items()
    tested = [cell.removeprefix("tested ").removeprefix("on ") for cell in head[1]]
    left_out = records[records["protocol"] == "leave-one-corpus-out"]
    said = {}
    for source, cells in rows:
        for name, cell in zip(tested, cells, strict=True):
            if cell != "-":
                said[source, name] = float(cell)
    assert len(said) == 9
    for (source, name), value in said.items():
        wanted = {TITLES[name], *([TITLES[source]] if source in TITLES else TITLES.values())}
        full = left_out["settings"].isna() if source == OTHERS else left_out["settings"].notna()
        has_both = [set(joined.split("+")) == wanted for joined in left_out["dataset"]]
        own = left_out[full & pd.Series(has_both, index=left_out.index)]
        order = own["dataset"].iloc[0].split("+")
        (found,) = own.loc[own["fold"] == order.index(TITLES[name]), "unweighted_accuracy"]
        assert value == pytest.approx(100 * found, abs=0.051), (source, name)


@pytest.mark.parametrize(
    ("row", "has_start"), [("from nothing", False), ("from a model of the other two", True)]
)
def test_ten_labels_are_those_of_the_records(records, row, has_start):
    own = records[records["settings"].fillna("").str.contains("labels_per_speaker=10")]
    own = own[own["settings"].str.contains("training.start") == has_start].set_index("fold")
    values = 100 * own["unweighted_accuracy"].sort_index()
    assert list(values.index) == list(range(6))
    *folds, pooled, _, validation = rows_of("Ten labels of each speaker")[row]
    assert [*map(float, folds), float(pooled)] == pytest.approx([*values, values.mean()], abs=0.051)
    shares = 100 * own["validation_unweighted_accuracy"]
    assert float(validation) == pytest.approx(shares.mean(), abs=0.051)


def test_pooling_and_the_second_look_are_those_of_the_records():
    text = (DOCS / "data/corpora-pooled.csv").read_text(encoding="utf-8")
    assert not re.search(r"/(home|work|tmp|root)/", text)
    frame = pd.read_csv(DOCS / "data/corpora-pooled.csv")
    assert frame["speaker_independent"].all()
    is_started = frame["settings"].str.contains("training.start")
    folds = frame[(frame["protocol"] == "speaker-kfold") & ~is_started]
    by_number = folds.groupby("dataset")
    assert set(by_number.size()) == {6}
    alone = 100 * by_number["unweighted_accuracy"].mean()["ravdess"]
    assert float(rows_of("What pooling does")["of RAVDESS alone"][0]) == pytest.approx(
        alone, abs=0.051
    )
    assert by_number["n"].sum().to_dict() == {"ravdess": 576, "ravdess+urdu+turev": 2203}
    again = frame[frame["protocol"] == "leave-one-corpus-out"].set_index("fold").sort_index()
    values = 100 * again["unweighted_accuracy"]
    page = " ".join((DOCS / "results.md").read_text(encoding="utf-8").split())
    said = "UA {:.1f} on RAVDESS, {:.1f} on URDU and {:.1f} on TurEV-DB, mean {:.1f}, from epochs"
    assert said.format(*values, values.mean()) in page
    assert list(again["kept_epoch"]) == [10, 15, 20]
    started = frame[frame["settings"].str.contains("training.start")].sort_values("fold")
    values = 100 * started["unweighted_accuracy"]
    assert len(started) == 6
    *first, last = (f"{value:.1f}" for value in values)
    kept = started["kept_epoch"]
    said = f"UA {', '.join(first)} and {last}, pooled **{values.mean():.1f}**, from epochs"
    assert f"{said} {kept.min()} to {kept.max()}." in page


def test_which_runs_kept_their_first_epochs_is_in_the_records(records):
    early = records[records["kept_epoch"] <= 2]
    kept = set(zip(early["dataset"], early["fold"], early["kept_epoch"], strict=True))
    assert kept == {
        ("ravdess", 4, 1),
        ("ravdess+turev", 0, 1),
        ("urdu+turev", 0, 1),
        ("ravdess+urdu+turev", 0, 2),
    }
