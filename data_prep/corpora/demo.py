"""demo: synthetic speech to try everything on, made by `data_prep.synthetic`.

Eight voices (four high, four low) in four sessions say syllables in four emotions. No person
spoke: figures on it show that the program works, nothing about emotion.

`utterances.csv` has the columns of `csv_file`:

    file,speaker,gender,emotion,activation,valence,session
    wav/s1f/s1f-anger-01.wav,s1f,F,anger,4.0,1.5,s1
"""

from dataclasses import replace
from pathlib import Path

from data_prep.corpus import Corpus, build_corpus
from data_prep.csv_table import read_table
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import UserError

NAME = "demo"
VERSION = "1"
TITLE = "synthetic speech of eight voices, for trying things out"
LICENSE = "CC0 1.0 (synthetic)"
OBTAIN = "Make it: ser-aae synthesise --dataset demo."
BIBTEX = ""
TREE = """  <data root>/demo/utterances.csv
  <data root>/demo/wav/s1f/s1f-anger-01.wav ..."""
LANGUAGE = ""
FACTS = CorpusFacts(elicitation="synthetic")

EMOTION_CODES: dict[str, str] = {}
EXPECTED: dict[str, int] = {}
EXCLUDED: dict[str, str] = {}

TABLE = "utterances.csv"


def read(location: Path) -> Corpus:
    """Read the recordings that `utterances.csv` in the folder lists."""
    table = location / TABLE
    if not table.is_file():
        raise UserError(f"{table}: expected\n{TREE}\nfound no such file. {OBTAIN}")
    corpus = read_table(table, NAME)
    named = (replace(item, utterance_id=Path(item.path).stem) for item in corpus.utterances)
    return replace(build_corpus(location, named), places=corpus.places)
