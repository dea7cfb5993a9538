"""Values of rows, from own columns, joined tables, labels of schemes and other tables."""

import audformat
import pandas as pd
import pytest
from corpus_layouts.sound import write_tone

from data_prep.corpora import find_adapter
from ser_aae.errors import UserError


@pytest.fixture
def database(tmp_path):
    """Return a function that saves tables as CSV beside a.wav and b.wav, and reads them."""

    def make(schemes, tables, misc=None, **options):
        db = audformat.Database("x", **options)
        for name in ("r1", "r2"):
            db.raters[name] = audformat.Rater("human")
        for name, frame in (misc or {}).items():
            add(db, name, audformat.MiscTable(frame.index), frame)
        for name, keywords in schemes.items():
            db.schemes[name] = audformat.Scheme(**keywords)
        for name, frame in tables.items():
            add(db, name, audformat.Table(frame.index), frame)
        db.save(str(tmp_path), storage_format="csv")
        for file in ("a.wav", "b.wav"):
            write_tone(tmp_path / file)
        return find_adapter(f"audformat:{tmp_path}").read(tmp_path, allow_partial=True)

    def add(db, name, table, frame):
        db[name] = table
        for column in frame:
            scheme = column.split("@")[0]  # "arousal@r1" is a rater's column of that scheme
            known = scheme if scheme in db.schemes else None
            db[name][column] = audformat.Column(scheme_id=known)
            db[name][column].set(frame[column].tolist())

    return make


def frame(**columns):
    """Return a table of a.wav and b.wav."""
    return pd.DataFrame(columns, index=audformat.filewise_index(["a.wav", "b.wav"]))


def text(*labels):
    return {"dtype": "str", "labels": list(labels) or None}


EMOTION = text("anger", "joy")


def test_gender_as_a_property_of_a_label(database):
    speakers = {3: {"gender": "male", "language": "en"}, 8: {"gender": "other", "age": 34}}
    corpus = database(
        {"emotion": EMOTION, "who": {"dtype": "int", "labels": speakers}},
        {"emotion": frame(emotion=["anger", "joy"]), "files": frame(speaker=["3", "8"])},
    )
    assert [item.gender for item in corpus.utterances] == ["unknown", "unknown"]  # no scheme

    corpus = database(
        {"emotion": EMOTION, "speaker": {"dtype": "int", "labels": speakers}},
        {"emotion": frame(emotion=["anger", "joy"], speaker=[3, 8])},
        languages=["de"],
    )
    assert [item.gender for item in corpus.utterances] == ["M", "unknown"]
    assert [item.language for item in corpus.utterances] == ["eng", ""]
    assert [item.emotion for item in corpus.utterances] == ["anger", "happiness"]


def test_columns_of_the_table_come_before_those_of_others(database):
    corpus = database(
        {"emotion": EMOTION, "speaker": text(), "gender": text(), "session": text()},
        {
            "emotion": frame(emotion=["anger", "joy"], gender=["female", "w"]),
            "files": frame(speaker=["x", "y"], gender=["male", "male"], session=["1", "2"]),
        },
        languages=["English", "fr"],
    )
    assert [item.gender for item in corpus.utterances] == ["F", "F"]
    assert [item.session for item in corpus.utterances] == ["1", "2"]
    assert [item.speaker.split(":")[1] for item in corpus.utterances] == ["x", "y"]
    assert [item.language for item in corpus.utterances] == ["", ""]  # one of two: not known


@pytest.mark.parametrize(
    ("low", "high", "given", "expected"),
    [(1, 5, 3.3333333, 3.3333333), (1, 7, 4, 3.0), (-1, 1, 0.5, 4.0), (0, 100, 100, 5.0)],
)
def test_ratings_are_brought_to_one_to_five(database, low, high, given, expected):
    corpus = database(
        {
            "emotion": EMOTION,
            "speaker": text(),
            "arousal": {"dtype": "float", "minimum": low, "maximum": high},
            "dominance": {"dtype": "float", "minimum": low, "maximum": high},
        },
        {
            "emotion": frame(emotion=["anger", "joy"], speaker=["x", "x"]),
            "other": frame(arousal=[given, None], dominance=[None, given]),
        },
    )
    assert [item.activation for item in corpus.utterances] == [expected, None]
    assert corpus.utterances[1].extra == {"dominance": str(expected)}


def test_an_empty_field_of_the_own_table_is_an_answer(database):
    scale = {"dtype": "float", "minimum": 1, "maximum": 5}
    corpus = database(
        {"emotion": EMOTION, "speaker": text(), "arousal": scale},
        {
            "emotion": frame(emotion=["anger", "joy"], speaker=["x", "x"], arousal=[2.0, None]),
            "first_rater": frame(arousal=[5.0, 5.0]),
        },
    )
    assert [item.activation for item in corpus.utterances] == [2.0, None]


def test_raters_are_averaged_and_outvoted(database):
    scale = {"dtype": "float", "minimum": 1, "maximum": 5}
    corpus = database(
        {"emotion": EMOTION, "speaker": text(), "valence": scale},
        {
            "emotion": frame(
                **{
                    "emotion@1": ["anger", "anger"],
                    "emotion@2": ["joy", "joy"],
                    "emotion@3": ["anger", None],
                    "valence@1": [1.0, None],
                    "valence@2": [2.0, 4.0],
                    "speaker": ["x", "x"],
                }
            )
        },
    )
    assert [item.emotion for item in corpus.utterances] == ["anger", ""]
    assert [item.valence for item in corpus.utterances] == [1.5, 4.0]
    assert corpus.utterances[0].extra["emotion@2"] == "joy"
    assert corpus.utterances[0].extra["valence@1"] == "1.0"


def test_a_label_outside_its_scheme_is_none_and_listed(database, tmp_path):
    schemes = {"emotion": EMOTION, "speaker": text()}
    tables = {"emotion": frame(emotion=["anger", "joy"], speaker=["x", "x"])}
    database(schemes, tables)
    table = tmp_path / "db.emotion.csv"
    table.write_text(table.read_text().replace("joy", "wrath"))

    corpus = find_adapter(f"audformat:{tmp_path}").read(tmp_path)

    assert [item.emotion for item in corpus.utterances] == ["anger", ""]
    (dropped,) = corpus.dropped
    assert dropped.where == "db.emotion: b.wav: wrath"


def test_labels_that_are_codes_have_their_meaning(database):
    labels = {"W": "anger", "F": {"de": "Freude", "id": 2}}
    corpus = database(
        {"emotion": {"dtype": "str", "labels": labels}, "speaker": text()},
        {"emotion": frame(emotion=["W", "F"], speaker=["x", "x"])},
    )
    assert [item.emotion for item in corpus.utterances] == ["anger", "happiness"]


def test_rows_that_cannot_be_used_are_listed(database):
    index = audformat.segmented_index(
        ["a.wav", "a.wav", "a.wav", "b.wav", "c.wav"],
        [pd.Timedelta(s, unit="s") for s in (0, 0.1, 0.15, 0, 0)],
        [pd.NaT, pd.Timedelta("0.2s"), pd.Timedelta("0.1s"), pd.NaT, pd.NaT],
    )
    rows = pd.DataFrame({"emotion": ["joy"] * 5, "speaker": ["x", "x", "x", None, "x"]}, index)
    corpus = database({"emotion": EMOTION, "speaker": text()}, {"emotion": rows})

    ids = [item.utterance_id for item in corpus.utterances]
    assert ids == ["a.wav", "a.wav#0.1-0.2"]
    assert {(item.where, item.reason) for item in corpus.dropped} == {
        ("db.emotion: a.wav#0.15-0.1", "segment that ends before it begins"),
        ("db.emotion: b.wav", "row without a speaker"),
        ("c.wav", "media file is not there"),
    }


def test_the_same_segment_in_two_tables_is_one_utterance(database, tmp_path):
    rows = frame(emotion=["anger", "joy"], speaker=["x", "x"])
    corpus = database(
        {"emotion": EMOTION, "speaker": text()}, {"a.train": rows, "a.test": rows.iloc[:1]}
    )
    assert [item.extra["split"] for item in corpus.utterances] == ["test", "train"]
    assert [item.where for item in corpus.dropped] == ["db.a.train: a.wav"]


def test_a_database_without_speakers_is_refused(database):
    with pytest.raises(UserError, match="expected a table with a column speaker, found none in"):
        database({"emotion": EMOTION}, {"emotion": frame(emotion=["anger", "joy"])})
