"""Rows are read without running what lies in them."""

import pickle

import audformat
import pandas as pd
import pytest
from corpus_layouts import audformat as layout
from mistakes import error_of

from data_prep.audformat_files.tables import Database, label_text, read_rows
from data_prep.corpora import find_adapter

GOLD = "emotion.categories.test.gold_standard"


@pytest.fixture
def folder(tmp_path):
    """The folder of the layout's database."""
    layout.write(tmp_path)
    return tmp_path / layout.FOLDER


def test_a_pickle_is_never_opened(folder):
    for table_id in [*Database(folder).header, "files", "speakers"]:
        layout.set_trap(folder, table_id)

    corpus = find_adapter(f"audformat:{folder}").read(folder)

    assert len(corpus.utterances) == len(layout.ROWS)
    assert not (folder / layout.TRAP).exists()


# audformat 1.4.3 on pandas 3.1
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.set_index:DeprecationWarning")
@pytest.mark.parametrize(("trapped", "asked"), [(GOLD, GOLD), ("speakers", "files")])
def test_the_library_would_open_it(folder, trapped, asked):
    """Otherwise the test above could not fail; labels in another table are enough."""
    layout.set_trap(folder, trapped)
    database = audformat.Database.load(str(folder), load_data=False)
    assert not (folder / layout.TRAP).exists()

    assert isinstance(database[asked].df, pd.DataFrame)

    assert (folder / layout.TRAP).exists()


def test_a_table_that_is_only_a_pickle_is_refused(folder):
    (folder / f"db.{GOLD}.csv").unlink()

    message = error_of(read_rows, folder, GOLD)

    assert f"only db.{GOLD}.pkl" in message
    assert "storage_format='csv'" in message
    assert not (folder / layout.TRAP).exists()


@pytest.mark.parametrize("storage", ["csv", "parquet"])
def test_both_storage_formats_give_the_same_rows(tmp_path, storage):
    database = layout.build()
    database.save(str(tmp_path), storage_format=storage)

    row = read_rows(tmp_path, GOLD)[2]
    # text of one time or another, by the version of pandas
    assert [pd.Timedelta(row.pop(name)).total_seconds() for name in ("start", "end")] == [0, 0.1]
    assert row == {
        "file": "wav/08a02Tb.wav",
        "emotion": "",
        "arousal": "",
        "valence": "0.5",
        "emotion.confidence": "0.9",
    }
    assert read_rows(tmp_path, GOLD)[1]["end"] == ""
    assert read_rows(tmp_path, "speakers") == [
        {"speaker": "3", "gender": "male"},
        {"speaker": "8", "gender": "female"},
    ]
    assert read_rows(tmp_path, "files")[0]["speaker"] == "3"


def test_parquet_wins_over_csv(tmp_path):
    database = layout.build()
    database.save(str(tmp_path), storage_format="parquet")
    (tmp_path / "db.speakers.csv").write_text("speaker,gender\n4,male\n")

    assert [row["speaker"] for row in Database(tmp_path).rows("speakers")] == ["3", "8"]


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("db.files.csv", b"file,speaker\n\na.wav\n", "csv:3: expected 2 columns"),
        ("db.files.csv", b"file,speaker\na.wav,1,2\n", "csv:2: expected 2 columns"),
        ("db.files.csv", b'file,speaker\na.wav,"1\nb.wav,"2\n', "csv:2: expected a row in one"),
        ("db.files.csv", b"file,speaker\n\xff\xfe,1\n", "csv:2: expected a table in UTF-8"),
        ("db.files.csv", b"name,speaker\na.wav,1\n", "no column 'file'"),
        ("db.files.csv", b"", "found an empty file"),
        ("db.files.parquet", b"no parquet", "expected a parquet table"),
        ("db.files.parquet", b"", "expected a parquet table"),
    ],
)
def test_damaged_tables_are_explained(folder, name, content, part):
    (folder / name).write_bytes(content)

    assert part in error_of(Database(folder).rows, "files")


def test_an_absent_table_is_explained(folder):
    (folder / "db.files.csv").unlink()

    assert "found nothing" in error_of(Database(folder).rows, "files")


def test_a_row_finds_that_of_its_segment_or_of_its_file(folder):
    database = Database(folder)
    segment = database.rows(GOLD)[1]

    assert database.row_of(GOLD, segment) is segment
    assert database.row_of("files", segment)["speaker"] == "8"
    assert database.row_of("files", {"file": "wav/none.wav"}) == {}
    assert database.row_of(GOLD, {"file": segment["file"]}) == {}
    (folder / "db.files.csv").write_text("file,speaker\na.wav,3\na.wav,8\n")
    assert Database(folder).row_of("files", {"file": "a.wav"})["speaker"] == "3"


@pytest.mark.parametrize(
    ("text", "dtype", "expected"),
    [("03", "int", "3"), ("3.0", "int", "3"), ("03", "str", "03"), ("x", "int", "x"),
     ("", "int", ""), ("inf", "int", "inf")],
)  # fmt: skip
def test_labels_of_whole_numbers(text, dtype, expected):
    assert label_text(text, audformat.Scheme(dtype)) == expected
    assert label_text(text, None) == text


def test_labels_have_properties_of_all_kinds(folder):
    database = Database(folder)
    schemes = database.header.schemes
    schemes["described"] = audformat.Scheme("str", labels={"W": "anger"})
    schemes["known"] = audformat.Scheme("int", labels={3: {"gender": "male", "age": 31}})

    assert database.labels("speaker")["8"]["gender"] == "female"
    assert database.labels("described") == {"W": {"": "anger"}}
    assert database.labels("known") == {"3": {"gender": "male", "age": "31"}}
    assert database.labels("gender") == {"female": {}, "male": {}}
    assert database.labels("arousal") == {}


def test_the_trap_works(tmp_path):
    trap = tmp_path / layout.TRAP
    pickle.loads(pickle.dumps(layout.Trap(trap)))  # noqa: S301 - our own
    assert trap.is_dir()
