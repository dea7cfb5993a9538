"""One annotation of emotions is chosen, never the union of all tables."""

import audformat
import pytest

from data_prep.audformat_files.choice import best_columns, choose_tables, emotion_columns, split_of
from data_prep.audformat_files.tables import Database
from ser_aae.errors import UserError

TRAIN, TEST = ("emotion.categories.train.gold_standard", "emotion.categories.test.gold_standard")
EMODB = ["emotion", "emotion.categories.ambiguous", TRAIN, TEST]
CREMA = [
    f"emotion.categories.{modality}{split}{gold}"
    for modality in ("", "face.", "multimodal.", "desired.")
    for split in ("train", "dev", "test")
    for gold in ("", ".gold_standard")
]


@pytest.fixture
def database(tmp_path):
    """Return a function that makes a database of tables with columns and raters."""

    def make(tables, schemes=None, raters=None, splits=(), columns=("emotion",)):
        db = audformat.Database("x")
        for name, kind in (raters or {}).items():
            db.raters[name] = audformat.Rater(kind)
        for split in splits:
            db.splits[split] = audformat.Split("other")
        for name, labels in (schemes or {"emotion": ["anger", "neutral"]}).items():
            db.schemes[name] = audformat.Scheme("str", labels=labels)
        for table_id in tables:
            db[table_id] = audformat.Table(audformat.filewise_index(["a.wav"]))
            of_table = tables[table_id] if isinstance(tables, dict) else columns
            for column in of_table:
                scheme, rater = of_table[column] if isinstance(of_table, dict) else (column, None)
                db[table_id][column] = audformat.Column(scheme_id=scheme, rater_id=rater)
        db.save(str(tmp_path), header_only=True)
        return Database(tmp_path)

    return make


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (["emotion"], ["emotion"]),
        (["a.test", "a.train", "a.dev"], ["a.dev", "a.test", "a.train"]),
        (["test", "train"], ["test", "train"]),
        (["a.test-1", "a.test-2", "a.train"], ["a.test-1", "a.test-2", "a.train"]),
        (["emotion", "emotion.ambiguous"], ["emotion"]),
        (["emotion", "laryngo.emotion"], ["emotion"]),
        (EMODB, [TEST, TRAIN]),
        ([*EMODB, *(f"laryngo.{name}" for name in EMODB)], [TEST, TRAIN]),
        (CREMA, [f"emotion.categories.{part}.gold_standard" for part in ("dev", "test", "train")]),
    ],
)  # fmt: skip
def test_gold_standards_and_plain_names_are_preferred(database, tables, expected):
    assert list(choose_tables(database(tables))) == expected


def test_a_gold_rater_is_preferred(database):
    tables = {
        "first": {"emotion": ("emotion", "crowd")},
        "second": {"emotion": ("emotion", "winner")},
        "third": {"emotion": ("emotion", None)},
    }
    raters = {"crowd": "human", "winner": "vote"}

    assert choose_tables(database(tables, raters=raters)) == ("second",)


@pytest.mark.parametrize(
    "tables",
    [["first", "second"], ["emotion.acted", "emotion.heard"], ["emotion", "emotion.train"]],
)
def test_equal_tables_are_listed_with_how_to_choose(database, tables):
    found = database(tables)
    with pytest.raises(UserError) as caught:
        choose_tables(found)

    message = str(caught.value)
    assert "found 2 of equal right" in message
    for table_id in tables:
        assert f"audformat:{found.root}#{table_id}" in message
        assert choose_tables(found, table_id) == (table_id,)


def test_splits_are_listed_as_one_choice(database):
    found = database(["a.test", "a.train", "b"])
    with pytest.raises(UserError) as caught:
        choose_tables(found)

    assert "#a.test+a.train\n" in str(caught.value)
    assert choose_tables(found, "a.test+a.train") == ("a.test", "a.train")


@pytest.mark.parametrize("wanted", ["emotion.wrong", "emotion+wrong", "+"])
def test_tables_that_are_not_there_are_refused(database, wanted):
    with pytest.raises(UserError, match=r"expected tables of the database \(emotion\)"):
        choose_tables(database(["emotion"]), wanted)


@pytest.mark.parametrize(
    ("labels", "is_one"),
    [
        (["anger", "sadness"], True),
        (["Wut", "neutral", "verwirrt"], True),
        ({"A": "anger", "N": "neutral"}, True),
        (["negative", "neutral", "positive"], False),  # a sentiment
        (["female", "male", "other"], False),  # genders
        (["anger", "angry", "on", "off"], False),  # one emotion, twice
        (["calm", "other"], False),  # a noise
        (None, False),
    ],
)
def test_schemes_of_emotions_are_known_by_their_labels(database, labels, is_one):
    found = database(["t"], schemes={"label": labels}, columns=["label"])

    assert emotion_columns(found, found.header.tables["t"]) == (["label"] if is_one else [])


def test_a_scheme_called_emotion_needs_no_labels(database):
    tables = {"t": {"perceived": ("emotion", None), "note": ("text", None)}}
    found = database(tables, schemes={"emotion": None, "text": None})

    assert emotion_columns(found, found.header.tables["t"]) == ["perceived"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"r1": ("emotion", "a"), "r2": ("emotion", "b")}, ["r1", "r2"]),
        ({"r1": ("emotion", "a"), "emotion": ("emotion", None)}, ["emotion"]),
        ({"r1": ("emotion", "a"), "emotion": ("emotion", "a"), "g": ("emotion", "gold")}, ["g"]),
        ({"emotion": (None, None), "emotion.confidence": (None, "gold")}, ["emotion"]),
    ],
)
def test_the_best_columns_of_a_table(database, columns, expected):
    raters = {"a": "human", "b": "human", "gold": "ground truth"}
    found = database({"t": columns}, raters=raters)

    assert best_columns(found, found.header.tables["t"], ("emotion",)) == expected


@pytest.mark.parametrize(
    ("table_id", "expected"),
    [("emotion.train", "train"), ("emotion.dev.gold_standard", "dev"), ("test-2", "test-2"),
     ("emotion.fold-1", "fold-1"), ("emotion.trainer", ""), ("emotion", "")],
)  # fmt: skip
def test_splits_stand_in_names(database, table_id, expected):
    assert split_of(database([table_id], splits=["fold-1"]), table_id) == expected


def test_a_split_by_its_own_word_comes_first(database):
    found = database(["emotion.train"], splits=["other"])
    found.header.tables["emotion.train"].split_id = "other"

    assert split_of(found, "emotion.train") == "other"


def test_ratings_are_taken_where_there_are_no_emotions(database):
    schemes = {"arousal": None, "speaker": None}
    tables = {"files": {"speaker": ("speaker", None)}, "dims": {"arousal": ("arousal", None)}}

    assert choose_tables(database(tables, schemes=schemes)) == ("dims",)


def test_a_database_without_emotions_is_explained(database):
    found = database({"files": {"speaker": ("speaker", None)}}, schemes={"speaker": None})
    with pytest.raises(UserError, match="none in files") as caught:
        choose_tables(found)

    assert f"audformat:{found.root}#TABLE" in str(caught.value)
    assert choose_tables(found, "files") == ("files",)
