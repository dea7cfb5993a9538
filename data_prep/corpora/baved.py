"""BAVED, basic Arabic vocal emotions: many speakers, with gender and without emotion classes.

Sixty speakers, 44 men and 16 women, most of them of fewer than twenty recordings, say seven Arabic
words at three levels of expression: 1935 recordings of a word each, 0.9 hours, 16 kHz mono.
The corpus' own README counts 61 speakers and 45 men; speaker 52 has no recording. Level 2 is joy
and anger alike: levels are no classes of emotion, and the corpus serves as auxiliary speech for
the tasks of speaker and gender. Ages are the speakers' own, some of them of children.

File names are speaker, gender, age, word, level and a running number, in a folder a word:

    0/12-f-19-0-2-14.wav          speaker 12, a woman of 19, word 0, high, 14th

Re-distributions as FLAC keep the names. speakers_info.json says gender and age once more:

    {"0": {"age": 21, "gender": "m"}, ...}

Twenty-seven groups of files hold the same samples. Twenty-one of them are all that speakers 46 and
53 have, each recording under both names: a run leaves them out and trains on 58 speakers. One file
lies in the folder of another word than its name's.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from data_prep.corpus import (
    AUDIO_SUFFIXES,
    Corpus,
    build_corpus,
    collect_utterances,
    explain_damage,
    files_below,
    read_label_file,
)
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.utterance import Utterance

NAME = "baved"
VERSION = "1.0.0"
TITLE = "BAVED, Arabic words of 60 speakers (auxiliary: no emotion classes)"
LICENSE = "published for research, no licence file"
OBTAIN = "Clone https://github.com/40uf411/Basic-Arabic-Vocal-Emotions-Dataset to that folder."
BIBTEX = """@misc{aouf2019baved,
  author       = {Aouf, Ali},
  title        = {Basic {Arabic} Vocal Emotions Dataset ({BAVED})},
  howpublished = {https://github.com/40uf411/Basic-Arabic-Vocal-Emotions-Dataset},
  year         = {2019}
}"""
TREE = """  <data root>/baved/speakers_info.json
  <data root>/baved/0/0-m-21-0-1-105.wav
  ... a folder for each of the words 0 to 6, as .wav or .flac"""
LANGUAGE = "ara"
FACTS = CorpusFacts(title="BAVED")

EMOTION_CODES: dict[str, str] = {}
EXPECTED = {"utterances": 1935, "speakers": 60, "men": 44, "women": 16}
EXCLUDED = {
    "name": "name is not <speaker>-<m or f>-<age>-<word 0 to 6>-<level 0 to 2>-<number>",
    "speaker": "speaker is not in speakers_info.json",
    "info": "gender or age in the name is not that of speakers_info.json",
}

SPEAKERS_FILE = "speakers_info.json"
_NAME = re.compile(r"(\d+)-([mf])-(\d+)-([0-6])-([0-2])-(\d+)")


@dataclass(frozen=True)
class RecordingName:
    """The fields of a file name but the last; numbers without padding, gender M or F."""

    speaker: str
    gender: str
    age: int
    word: str
    level: str


def parse_name(stem: str) -> RecordingName | None:
    """Return the fields of a file's stem, or `None` where it does not follow the pattern."""
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    speaker, gender, age, word, level, _ = match.groups()
    return RecordingName(str(int(speaker)), gender.upper(), int(age), word, level)


def parse_speakers(content: bytes) -> dict[str, tuple[str, int]]:
    """Return gender, M or F, and age of each speaker of speakers_info.json.

    Raises:
        ValueError: It is no JSON, or a speaker in it has no gender or age.
    """
    try:
        table = json.loads(content)
    except ValueError as error:
        raise ValueError(f"expected a JSON object of speakers, got none ({error})") from error
    if not isinstance(table, dict):
        raise ValueError(f"expected a JSON object of speakers, got {table!r:.40}")
    return {speaker: _parse_speaker(speaker, entry) for speaker, entry in table.items()}


def read(location: Path) -> Corpus:
    """Read the corpus below a folder; the layout of the folders does not matter.

    The table of speakers is compared with the names of files where it is there.
    """
    table = location / SPEAKERS_FILE
    speakers = None
    if os.path.lexists(table):
        with explain_damage(table):
            speakers = parse_speakers(read_label_file(table))
    files = files_below(location, AUDIO_SUFFIXES)
    utterances, dropped = collect_utterances(files, partial(_utterance, speakers=speakers))
    corpus = build_corpus(location, utterances, dropped, EXPECTED)
    genders = Counter({item.speaker: item.gender for item in corpus.utterances}.values())
    counts = {"men": genders["M"], "women": genders["F"]}
    return replace(corpus, counts={**corpus.counts, **counts})


def _parse_speaker(speaker: str, entry: Any) -> tuple[str, int]:
    gender, age = (entry.get("gender"), entry.get("age")) if isinstance(entry, dict) else ("", 0)
    if gender not in ("m", "f") or type(age) is not int:
        raise ValueError(f"speaker {speaker}: expected gender, m or f, and age, got {entry!r:.60}")
    return gender.upper(), age


def _utterance(path: Path, speakers: Mapping[str, tuple[str, int]] | None) -> Utterance | str:
    name = parse_name(path.stem)
    if name is None:
        return EXCLUDED["name"]
    if speakers is not None and name.speaker not in speakers:
        return EXCLUDED["speaker"]
    if speakers is not None and speakers[name.speaker] != (name.gender, name.age):
        return EXCLUDED["info"]
    extra = {"level": name.level, "age": str(name.age)}
    # in the folder of another word nobody can tell which of the two is spoken
    if path.parent.name == name.word or not path.parent.name.isdecimal():
        extra["sentence"] = name.word
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{name.speaker}",
        gender=name.gender,
        language=LANGUAGE,
        extra=extra,
    )
