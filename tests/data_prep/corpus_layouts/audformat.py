"""A small database in the manner of EmoDB 2.0, with what lies in wait in such databases.

Gold standards of two splits, the same labels for files of another signal (`laryngo.*`), a
table of doubtful ones, speakers whose gender stands in a miscellaneous table, segments
without an end, a rating without a range, parquet beside CSV, and a pickle that must not be
opened: it makes a file when it is.
"""

import os
import pickle
from pathlib import Path

import audformat
import pandas as pd
from corpus_layouts.sound import write_tone

FOLDER = "emodb-like 2.0"
TRAP = "opened.txt"
"""The file that the pickle makes beside `db.yaml` where someone opens it."""

ROWS = {  # file: speaker, emotion, arousal from -1 to 1
    "wav/03a01Fa.wav": (3, "happiness", 0.5),
    "wav/03a01Nc.wav": (3, "neutral", 0.0),
    "wav/08a01Wa.wav": (8, "anger", 1.0),
    "wav/08a02La.wav": (8, "boredom", -1.0),
    "wav/08a02Tb.wav": (8, None, None),
}
DOUBTFUL = "wav/03a04Wc.wav"
TRAIN = list(ROWS)[:2]
TEST = list(ROWS)[2:]


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def write(data_root):
    folder = data_root / FOLDER
    build().save(str(folder), storage_format="csv")
    for file in (*ROWS, DOUBTFUL):
        write_tone(folder / file)
        write_tone(folder / file.replace("wav/", "laryngo/"))
    set_trap(folder, "emotion.categories.test.gold_standard")
    return f"audformat:{folder}"


def set_trap(folder: Path, table_id: str):
    """Lay a pickle beside a table, newer than it, so that audformat itself would prefer it."""
    trap = folder / f"db.{table_id}.pkl"
    trap.write_bytes(pickle.dumps(Trap(folder / TRAP)))
    later = trap.stat().st_mtime + 10
    os.utime(trap, (later, later))
    return trap


def build():
    """Return the database, without its media."""
    db = audformat.Database("emodb-like", source="synthetic", usage="research", languages=["de"])
    db.raters["gold"] = audformat.Rater("human")
    db.splits["train"] = audformat.Split("train")
    db.splits["test"] = audformat.Split("test")
    labels = ["anger", "boredom", "happiness", "neutral", "sadness"]
    db.schemes["emotion"] = audformat.Scheme("str", labels=labels)
    db.schemes["arousal"] = audformat.Scheme("float", minimum=-1, maximum=1)
    db.schemes["valence"] = audformat.Scheme("float")
    db.schemes["gender"] = audformat.Scheme("str", labels=["female", "male"])
    db.schemes["duration"] = audformat.Scheme("time")
    db["speakers"] = audformat.MiscTable(pd.Index([3, 8], name="speaker", dtype="Int64"))
    db["speakers"]["gender"] = audformat.Column(scheme_id="gender")
    db["speakers"]["gender"].set(["male", "female"])
    db.schemes["speaker"] = audformat.Scheme("int", labels="speakers")
    for prefix, media in (("", "wav/"), ("laryngo.", "laryngo/")):
        add_files(db, f"{prefix}files", media)
        add_emotions(db, f"{prefix}emotion.categories.ambiguous", [DOUBTFUL], media)
        for split, files in (("train", TRAIN), ("test", TEST)):
            name = f"{prefix}emotion.categories.{split}.gold_standard"
            # as in EmoDB 2.0: of the laryngograms, the name alone tells the split
            add_emotions(db, name, files, media, split_id=None if prefix else split)
    return db


def add_files(db, table_id, media):
    files = [*ROWS, DOUBTFUL]
    db[table_id] = audformat.Table(audformat.filewise_index(_named(files, media)))
    db[table_id]["speaker"] = audformat.Column(scheme_id="speaker")
    db[table_id]["speaker"].set([int(Path(file).name[:2]) for file in files])
    db[table_id]["duration"] = audformat.Column(scheme_id="duration")
    db[table_id]["duration"].set(pd.to_timedelta([0.2] * len(files), unit="s"))


def add_emotions(db, table_id, files, media, split_id=None):
    index = audformat.filewise_index(_named(files, media))
    if "test" in table_id:
        starts = pd.to_timedelta([0, 0.05, 0], unit="s")
        index = audformat.segmented_index(_named(files, media), starts, [pd.NaT, pd.NaT, "0.1s"])
    rows = [ROWS.get(file, (3, "anger", 0.0)) for file in files]
    db[table_id] = audformat.Table(index, split_id=split_id)
    for place, name in ((1, "emotion"), (2, "arousal")):
        db[table_id][name] = audformat.Column(scheme_id=name, rater_id="gold")
        db[table_id][name].set([row[place] for row in rows])
    db[table_id]["valence"] = audformat.Column(scheme_id="valence")
    db[table_id]["valence"].set([0.5] * len(files))
    db[table_id]["emotion.confidence"] = audformat.Column()
    db[table_id]["emotion.confidence"].set(["0.9"] * len(files))


def _named(files, media):
    return [file.replace("wav/", media) for file in files]
