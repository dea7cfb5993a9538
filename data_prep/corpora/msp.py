"""MSP-IMPROV: improvised dialogues of pairs of actors.

Six sessions of a woman and a man each, 8438 turns, American English; 7798 turns are angry,
happy, neutral or sad. Turns are target sentences within an improvisation (T) or read (R),
other turns of an improvisation (S), and talk between recordings (P).

File names are sentence and intended emotion; speaker; type; who leads the scene, the partner
and the speaker's turn in it. Sound is called MSP-..., labels and videos UTD-...:

    Audio/session1/S01A/S/MSP-IMPROV-S01A-F01-S-MF03.wav     F01 speaks, in a scene M01 leads

The label file has a block a turn, with a line a rater. Secondary emotions are free text, which
may itself hold `;`. What was intended is not the label, and a block may repeat a rater:

    UTD-IMPROV-S01A-F01-S-MF03.avi; A; A:2.500000; V:2.000000; D:NaN ; N:4.000000;
    WORKER-p02; Other; Other(vexed; tired),Sad; A:2.000000; V:2.000000; D:NaN; N:4.000000;

Activation (A) is stored as 1 very active to 5 very calm; an utterance has 6 - A, so that it
goes up with excitement as elsewhere, and `extra["activation_stored"]` has what is written.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from data_prep.corpus import (
    AUDIO_SUFFIXES,
    Corpus,
    build_corpus,
    files_below,
    read_lines,
    unique_by_stem,
)
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import UserError
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Dropped, Utterance

NAME = "msp"
VERSION = "2017"
TITLE = "MSP-IMPROV, improvised dialogues of 12 actors"
LICENSE = "academic licence of the University of Texas at Dallas; no redistribution"
OBTAIN = (
    "Ask the MSP lab for it, which has your institution sign a licence (free for research): "
    "https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Improv.html"
)
BIBTEX = """@article{busso2017msp,
  author  = {Busso, C. and Parthasarathy, S. and Burmania, A. and AbdelWahab, M. and Sadoughi, N.
             and Mower Provost, E.},
  title   = {{MSP-IMPROV}: An Acted Corpus of Dyadic Interactions to Study Emotion Perception},
  journal = {IEEE Transactions on Affective Computing},
  volume  = {8},
  number  = {1},
  pages   = {67--80},
  year    = {2017}
}"""
TREE = """  <data root>/msp/Evalution.txt (sic; or Evaluation.txt)
  <data root>/msp/Audio/session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav
  ... session1 to session6, with or without the folder Audio; the label file anywhere below"""
LANGUAGE = "eng"
FACTS = CorpusFacts(
    title="MSP-IMPROV",
    elicitation="acted",
    level_edges=(2.5, 3.5),
    aliases=("msp-improv", "msp_improv"),
)

LABEL_FILES = ("Evalution.txt", "Evaluation.txt")
"""The label file as first released, and as spelt since; in any case of letters."""
EMOTION_CODES = {"A": "angry", "H": "happy", "N": "neutral", "O": "other", "S": "sad"}
NO_AGREEMENT = "X"
"""Consensus of raters who did not agree: the turn has ratings, but no emotion."""
ELICITATION = {"P": "natural", "R": "scripted", "S": "improvised", "T": "improvised"}
EXPECTED = (
    {"utterances": 8438, "speakers": 12, "sessions": 6}
    | {"utterances of anger": 792, "utterances of happiness": 2644, "utterances of neutral": 3477}
    | {"utterances of sadness": 885, "utterances of other": 85, "utterances without agreement": 555}
    | {"utterances of type P": 2785, "utterances of type R": 620}
    | {"utterances of type S": 4381, "utterances of type T": 652}
)
"""Counts of tables 3 and 4 of the corpus' paper; the experiments' four emotions make 7798."""
EXCLUDED = {
    "name": "name is not MSP-IMPROV-<sentence>-<speaker>-<type>-<scene>",
    "link": "neither a file nor a link to one",
    "twin": "duplicate of another file of the same turn",
    "label": "audio without a line in the label file",
    "audio": "label without an audio file",
    "line": "neither a turn's line nor the line of one of its raters",
    "again": "turn has a line already, above",
}

_NAME_PATTERN = (
    r"(?:MSP|UTD)-IMPROV-S(\d\d)([AHNS])-([FM]\d\d+)-([PRST])-([FM]{2})(\d\d+)(?:\.\w+)?"
)
_RATINGS_PATTERN = r"\s*;\s*".join(rf"{name}:\s*(\d+(?:\.\d*)?|NaN)" for name in "AVDN") + r"\s*;?"
_NAME = re.compile(_NAME_PATTERN, re.IGNORECASE)
_TURN = re.compile(rf"{_NAME_PATTERN}\s*;\s*([A-Z])\s*;\s*{_RATINGS_PATTERN}", re.IGNORECASE)
# free text goes as far as the ratings at the end of the line, whatever stands in it
_RATER = re.compile(rf"([\w-]+)\s*;\s*(\w+)\s*;(?:.*;)?\s*{_RATINGS_PATTERN}", re.IGNORECASE)


@dataclass(frozen=True)
class TurnName:
    """The fields of a turn's name; who speaks is `speaker`, never a letter of `actors`."""

    sentence: str
    intended: str
    speaker: str
    scenario: str
    actors: str
    number: str

    def __str__(self) -> str:
        """The turn's id: the same whether a copy calls its sound MSP or UTD."""
        scenario = f"{self.scenario}-{self.actors}{self.number}"
        return f"MSP-IMPROV-S{self.sentence}{self.intended}-{self.speaker}-{scenario}"

    @property
    def session(self) -> str:
        """Name of the session's folder, without the padding that the speaker's number has."""
        return f"session{int(self.speaker[1:])}"

    @property
    def dialog(self) -> str:
        """The conversation, which the turns of both its speakers have in common."""
        return f"{self.session}-S{self.sentence}{self.intended}-{self.scenario}-{self.actors}"


@dataclass(frozen=True)
class Turn:
    """A turn of the label file.

    Attributes:
        name: Name of the turn.
        consensus: A letter of `EMOTION_CODES`, or `NO_AGREEMENT`.
        ratings: Activation, valence, dominance and naturalness, as stored.
        votes: Each rater's id to the emotion this rater chose.
    """

    name: TurnName
    consensus: str
    ratings: tuple[float | None, ...]
    votes: dict[str, str] = field(default_factory=dict)


def parse_name(name: str) -> TurnName | None:
    """Return the fields of a turn's name, with or without a suffix; `None` for other names."""
    match = _NAME.fullmatch(name)
    return TurnName(*(text.upper() for text in match.groups())) if match else None


def parse_turn(line: str) -> Turn | None:
    """Return a turn, its votes still empty; `None` where the line is not that of a turn."""
    match = _TURN.fullmatch(line.strip())
    if match is None:
        return None
    fields = [text.upper() for text in match.groups()]
    ratings = tuple(None if text == "NAN" else float(text) for text in fields[7:])
    return Turn(TurnName(*fields[:6]), fields[6], ratings)


def parse_rater(line: str) -> tuple[str, str] | None:
    """Return a rater's id and chosen emotion; `None` where the line is not that of a rater."""
    match = _RATER.fullmatch(line.strip())
    return (match[1], match[2]) if match else None


def read_labels(path: Path) -> tuple[dict[int, Turn], list[int]]:
    """Return the turns of a label file by the number of their line, and the lines of no use.

    Raises:
        UserError: There is no turn in it.
    """
    turns: dict[int, Turn] = {}
    wrong = []
    current = None
    for number, line in enumerate(read_lines(path), start=1):
        if "-IMPROV-" in line.upper():
            current = parse_turn(line)  # None for a damaged one, whose raters follow all the same
            if current is not None:
                turns[number] = current
                continue
        elif current is not None and (vote := parse_rater(line)):
            current.votes.setdefault(*vote)
            continue
        if line.strip():
            wrong.append(number)
    if not turns:
        raise UserError(
            f"{path}: expected lines such as 'UTD-IMPROV-S01A-F01-S-MF03.avi; A; A:2.500000; "
            f"V:2.000000; D:3.000000 ; N:4.000000;', found none in {number}; if it is the label "
            "file, save it as UTF-8 text, else take the corpus' own"
        )
    return turns, wrong


def read(location: Path) -> Corpus:
    """Read the corpus below a folder; the layout of the folders does not matter."""
    texts = [path for path in files_below(location, (".txt",)) if (location / path).is_file()]
    labels = _find_labels(location, texts)
    turns, wrong = read_labels(location / labels)
    audio, dropped = _find_audio(location)
    transcripts = _read_transcripts(location, texts)
    dropped += [Dropped(f"{labels.as_posix()}:{line}", EXCLUDED["line"]) for line in wrong]
    utterances = []
    labelled: dict[TurnName, int] = {}
    for line, turn in turns.items():
        is_first = labelled.setdefault(turn.name, line) == line
        if is_first and turn.name in audio:
            utterances.append(_utterance(audio[turn.name], turn, transcripts.get(turn.name, "")))
        else:
            reason = EXCLUDED["audio" if is_first else "again"]
            dropped.append(Dropped(f"{labels.as_posix()}:{line}", reason))
    bare = (path for name, path in audio.items() if name not in labelled)
    dropped += [Dropped(path.as_posix(), EXCLUDED["label"]) for path in bare]
    return _add_counts(build_corpus(location, utterances, dropped), labelled)


def _find_labels(location: Path, texts: Iterable[Path]) -> Path:
    names = [name.lower() for name in LABEL_FILES]
    found = [path for path in texts if path.name.lower() in names]
    if not found:
        raise UserError(
            f"{location}: expected the label file, called {' or '.join(LABEL_FILES)} in any case "
            f"of letters, there or in a folder below, found none. {OBTAIN}"
        )
    if len({tuple(read_lines(location / path)) for path in found}) > 1:
        listed = " and ".join(path.as_posix() for path in found)
        raise UserError(f"{location}: expected one label file, found {listed}; keep the corpus'")
    return found[0]


def _find_audio(location: Path) -> tuple[dict[TurnName, Path], list[Dropped]]:
    found = files_below(location, AUDIO_SUFFIXES)
    broken = {path for path in found if not (location / path).is_file()}
    paths, dropped = unique_by_stem(path for path in found if path not in broken)
    dropped += [Dropped(path.as_posix(), EXCLUDED["link"]) for path in broken]
    audio: dict[TurnName, Path] = {}
    for path in sorted(paths, key=lambda path: path.stem.upper()):  # MSP- goes before UTD-
        name = parse_name(path.stem)
        if name is None or name in audio:
            dropped.append(Dropped(path.as_posix(), EXCLUDED["twin" if name else "name"]))
        else:
            audio[name] = path
    return audio, dropped


def _read_transcripts(location: Path, texts: Iterable[Path]) -> dict[TurnName, str]:
    """Return the words of the turns that have a file below a folder `...transcriptions`."""
    below = (path for path in texts if "transcription" in path.parent.as_posix().lower())
    names = {path: parse_name(path.stem) for path in below}
    return {
        name: " ".join(" ".join(read_lines(location / path)).split())
        for path, name in names.items()
        if name
    }


def _utterance(path: Path, turn: Turn, transcript: str) -> Utterance:
    name = turn.name
    activation, valence, dominance, naturalness = turn.ratings
    votes = sorted(Counter(turn.votes.values()).items())
    emotion = "" if turn.consensus == NO_AGREEMENT else turn.consensus
    extra = {
        "scenario": name.scenario,
        "elicitation": ELICITATION[name.scenario],
        "sentence": name.sentence,
        "intended": canonical_emotion(EMOTION_CODES[name.intended]),
        "dialog": name.dialog,
        "consensus": turn.consensus,
        "votes": ", ".join(f"{word} {count}" for word, count in votes),
        "activation_stored": activation,
        "dominance": dominance,
        "naturalness": naturalness,
        "transcript": transcript,
    }
    return Utterance(
        corpus=NAME,
        utterance_id=str(name),
        path=path.as_posix(),
        speaker=f"{NAME}:{name.speaker}",
        gender=name.speaker[0],
        emotion=canonical_emotion(EMOTION_CODES.get(emotion, emotion)),
        emotion_raw=emotion,
        session=name.session,
        language=LANGUAGE,
        activation=None if activation is None else 6 - activation,
        valence=valence,
        extra={key: str(value) for key, value in extra.items() if value not in ("", None)},
    )


def _add_counts(corpus: Corpus, labelled: Iterable[TurnName]) -> Corpus:
    """Return the corpus counted by type and session too; sessions should be as labelled."""
    turns = corpus.utterances
    sessions = Counter(f"utterances of {turn.session}" for turn in turns)
    scenarios = Counter(f"utterances of type {turn.extra['scenario']}" for turn in turns)
    expected = Counter(f"utterances of {name.session}" for name in labelled)
    own = {"utterances without agreement": sum(not turn.emotion for turn in turns)}
    counts = {**corpus.counts, "sessions": len(sessions), **own, **scenarios, **sessions}
    return replace(corpus, counts=counts, expected=EXPECTED | dict(expected))
