"""The user's own recordings, listed in a CSV file: `--dataset csv:FILE`.

A row an utterance; `file` is relative to the CSV's folder, or absolute. Emotion may be
empty (unlabelled speech), gender too (unknown). Activation and valence go from 1 to 5;
`start` and `end` (seconds) take a part of a file, `channel` one of its channels. A
`global_speaker` is the same person in every table. Other columns are kept as they are.

    file,speaker,gender,emotion,activation,valence,session,language
    calls/0001.wav,anna,f,angry,4.0,1.5,call-1,deu
"""

from pathlib import Path

from data_prep.corpus import Corpus
from data_prep.csv_table import read_table
from ser_aae.config.datasets import stored_name
from ser_aae.corpus_facts import CorpusFacts

NAME = "csv"
VERSION = "1"
TITLE = "your own recordings, listed in a CSV file"
LICENSE = "yours"
OBTAIN = "Write the table, one row an utterance, and give its path: --dataset csv:FILE."
BIBTEX = ""
TREE = """  file,speaker,gender,emotion
  calls/0001.wav,anna,f,angry
  (optional columns: activation, valence, session, language, start, end, channel, global_speaker)"""
LANGUAGE = ""
FACTS = CorpusFacts()

EMOTION_CODES: dict[str, str] = {}
EXPECTED: dict[str, int] = {}
EXCLUDED: dict[str, str] = {}


def read(location: Path) -> Corpus:
    """Read the recordings that the CSV file at `location` lists."""
    return read_table(location, stored_name(f"{NAME}:{location}"))
