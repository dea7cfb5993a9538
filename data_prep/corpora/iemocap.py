"""IEMOCAP: ten actors in five dyadic sessions, scripted and improvised.

10039 turns of 151 dialogs, 12.4 hours, English, 16 kHz mono. A session has one woman and one
man who are in no other. `sentences/wav` has a file a turn; `EmoEvaluation` a file a dialog: a
comment, then a block a turn, of which only the first line is read. Its numbers are seconds
within the dialog and the mean valence, activation and dominance of the external raters:

    [6.2901 - 8.2357]<TAB>Ses01F_impro01_F000<TAB>neu<TAB>[2.5000, 2.5000, 2.5000]
    C-E2:<TAB>Neutral;<TAB>()                         a rater's vote
    A-F1:<TAB>val 3; act 2; dom  1;<TAB>()            the actress' own rating: not in the mean

Names are Ses0<session><who wears the markers>_<dialog>_<who speaks><number>: speaker and
gender are the letter behind the last `_`. The letter behind the session is of another person in
half of the turns. Where raters agree on nothing the code is `xxx`; such a turn has no emotion, and
still its ratings. Excitement counts as happiness, as in the 5531 utterances of the literature
(Sec. 4.1.1); `emotion_raw` tells them apart. Seven means lie outside 1 to 5 and are kept.
"""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from data_prep.corpus import (
    Corpus,
    build_corpus,
    collect_labelled,
    explain_damage,
    files_below,
    folders_below,
    read_label_file,
    split_lines,
)
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import UserError
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Dropped, Utterance

NAME = "iemocap"
VERSION = "full release"
TITLE = "IEMOCAP, acted English dialogs of ten actors"
LICENSE = "academic and non-commercial use under a signed release form, no redistribution"
OBTAIN = (
    "Request it with the release form of https://sail.usc.edu/iemocap (free for research) and "
    "unpack it there."
)
BIBTEX = """@article{busso2008iemocap,
  author  = {Busso, Carlos and Bulut, Murtaza and Lee, Chi-Chun and Kazemzadeh, Abe and
             Mower, Emily and Kim, Samuel and Chang, Jeannette N. and Lee, Sungbok and
             Narayanan, Shrikanth S.},
  title   = {{IEMOCAP}: Interactive emotional dyadic motion capture database},
  journal = {Language Resources and Evaluation},
  volume  = {42},
  number  = {4},
  pages   = {335--359},
  year    = {2008}
}"""
TREE = """  <data root>/iemocap/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt
  <data root>/iemocap/Session1/dialog/transcriptions/Ses01F_impro01.txt   (optional)
  <data root>/iemocap/Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav
  ... Session1 to Session5, or the same below <data root>/iemocap/IEMOCAP_full_release/"""
LANGUAGE = "eng"
FACTS = CorpusFacts(title="IEMOCAP", elicitation="acted", level_edges=(2.0, 3.5))

UNDECIDED = "xxx"
"""The code of a turn without a majority."""
EMOTION_CODES = {"exc": "happiness", UNDECIDED: ""}
"""Codes that are not read as the words they abbreviate."""

_TURNS = (1819, 1811, 2136, 2103, 2170)
_TURNS_OF_SESSIONS = {f"Session{number}": turns for number, turns in enumerate(_TURNS, start=1)}
EXPECTED = (
    {"utterances": 10039, "speakers": 10, "dialogs": 151, "improvised utterances": 4784}
    | {"utterances of women": 4800, "utterances of men": 5239}
    | {"utterances of excitement": 1041, "utterances without agreement": 2507}
    | {f"utterances of {session}": turns for session, turns in _TURNS_OF_SESSIONS.items()}
    | {"utterances of anger": 1103, "utterances of disgust": 2, "utterances of fear": 40}
    | {"utterances of frustration": 1849, "utterances of happiness": 1636}
    | {"utterances of neutral": 1708, "utterances of other": 3}
    | {"utterances of sadness": 1084, "utterances of surprise": 107}
)
"""Counts of the release; those of women and men tell the speaker's letter from the other one."""

EXCLUDED = {
    "session": "session is not there",
    "file": "neither a file nor a link to one",
    "dialog": "name is not that of a dialog of its session",
    "turn": "name is not that of a turn of its session",
    "sound": "turn has a label, but no file in sentences/wav",
    "label": "turn has no label in dialog/EmoEvaluation",
}

_DIALOG = re.compile(r"Ses0([1-5])[FM]_(impro|script)[0-9][0-9_]*[a-z]?")
# read from behind: positions differ, as in impro05a and script01_1b
_TURN = re.compile(rf"({_DIALOG.pattern})_([FM])[0-9]{{3,}}")
_NUMBER = r"\d+(?:\.\d+)?"
_LABEL = re.compile(
    rf"\[(?P<start>{_NUMBER}) - (?P<end>{_NUMBER})\]\s+(?P<turn>\S+)\s+(?P<code>\S+)\s+"
    rf"\[(?P<V>{_NUMBER}), *(?P<A>{_NUMBER}), *(?P<D>{_NUMBER})\]"
)
_TRANSCRIPT = re.compile(r"(\w+) \[[\d.]+-[\d.]+\]: *(.*)")


@dataclass(frozen=True)
class TurnName:
    """The fields of a turn's name: session as its digit, gender of the one who speaks."""

    dialog: str
    session: str
    is_improvised: bool
    gender: str


def parse_name(turn: str) -> TurnName | None:
    """Return the fields of a turn's name, or `None` where it does not follow the pattern."""
    match = _TURN.fullmatch(turn)
    return TurnName(match[1], match[2], match[3] == "impro", match[4]) if match else None


def parse_label(line: str, dialog: str) -> Utterance:
    """Return the turn of a line of a dialog's label file, with the path its sound should have.

    Raises:
        ValueError: It is no such line, of another dialog, or a mean is not in 0.5 to 5.5.
    """
    match = _LABEL.fullmatch(line.strip())
    if match is None:
        expected = "`[start - end] turn emotion [valence, activation, dominance]`"
        raise ValueError(f"expected {expected}, got {line.strip()!r}")
    turn, name = match["turn"], parse_name(match["turn"])
    # compared whole: Ses05M_script01_1 is the beginning of Ses05M_script01_1b
    if name is None or name.dialog != dialog:
        raise ValueError(f"expected a turn of {dialog}, got {turn!r}")
    valence, activation, dominance = (float(match[part]) for part in "VAD")
    if not all(0.5 <= mean <= 5.5 for mean in (valence, activation, dominance)):
        raise ValueError(f"expected means from 0.5 to 5.5, got {line.strip()!r}")
    emotion = canonical_emotion(EMOTION_CODES.get(match["code"], match["code"]))
    return Utterance(
        corpus=NAME,
        utterance_id=turn,
        path=f"Session{name.session}/sentences/wav/{dialog}/{turn}.wav",
        speaker=f"{NAME}:{name.session}{name.gender}",
        gender=name.gender,
        emotion=emotion,
        emotion_raw=match["code"] if emotion else "",
        session=f"Session{name.session}",
        language=LANGUAGE,
        activation=activation,
        valence=valence,
        extra={
            "dialog": dialog,
            "elicitation": "improvised" if name.is_improvised else "scripted",
            "consensus": match["code"],
            "dominance": str(dominance),
            "dialog_start_s": match["start"],
            "dialog_end_s": match["end"],
        },
    )


def read_labels(path: Path) -> dict[str, Utterance]:
    """Return the turns of a dialog's label file by their names.

    Raises:
        UserError: It has no turn, one twice, or a line that cannot be read.
    """
    turns: dict[str, Utterance] = {}
    for number, line in enumerate(_read_lines(path), start=1):
        if not line.lstrip().startswith("["):  # the comment, or a rater's line
            continue
        with explain_damage(f"{path}:{number}"):
            turn = parse_label(line, dialog=path.stem)
            if turn.utterance_id in turns:
                raise ValueError(f"expected each turn once, got {turn.utterance_id} again")
        turns[turn.utterance_id] = turn
    if not turns:
        raise UserError(f"{path}: expected lines that begin with `[`, found none; fetch it again")
    return turns


def read_transcripts(path: Path) -> dict[str, str]:
    """Return what is said in the turns of a dialog; other lines are the actors' remarks."""
    lines = _read_lines(path) if path.is_file() else []
    matches = (_TRANSCRIPT.fullmatch(line.strip()) for line in lines)
    return {match[1]: match[2] for match in matches if match}


def read(location: Path) -> Corpus:
    """Read the sessions below a folder, or below the one to which they were unpacked.

    Raises:
        UserError: There is no session, or there are two copies, or a label file is damaged.
    """
    root = _find_root(location)
    utterances: list[Utterance] = []
    dropped: list[Dropped] = []
    for session in _TURNS_OF_SESSIONS:
        if (root / session).is_dir():
            labels, excluded = _read_dialogs(root, session)
            spoken, unmatched = _match_sound(root, session, labels)
            utterances += spoken
            dropped += [*excluded, *unmatched]
        else:
            dropped.append(Dropped(session, EXCLUDED["session"]))
    corpus = build_corpus(root, utterances, dropped, EXPECTED)
    return replace(corpus, counts={**corpus.counts, **_count_turns(corpus.utterances)})


def _find_root(location: Path) -> Path:
    """Return the folder that holds the sessions: this one, or one or two below it."""
    below = folders_below(location)
    deeper = (folder for upper in below for folder in folders_below(upper))
    # by where they really are: a link may lead to the same copy
    roots = _roots([location, *below]) or _roots(deeper)
    if len(roots) != 1:
        found = ", ".join(map(str, roots.values())) or "no folder Session1 to Session5"
        raise UserError(f"{location}: expected one copy, as\n{TREE}\nfound {found}. {OBTAIN}")
    return next(iter(roots.values()))


def _roots(folders: Iterable[Path]) -> dict[str, Path]:
    """Return the folders that hold sessions by their real paths."""
    roots: dict[str, Path] = {}
    for folder in folders:
        if any((folder / session).is_dir() for session in _TURNS_OF_SESSIONS):
            roots.setdefault(os.path.realpath(folder), folder)
    return roots


def _read_lines(path: Path) -> list[str]:
    content = read_label_file(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:  # in a rater's comment, so that any one-byte encoding will do
        text = content.decode("latin-1")
    return split_lines(text)


def _read_dialogs(root: Path, session: str) -> tuple[dict[str, Utterance], list[Dropped]]:
    """Return a session's labelled turns by name, with the paths that their sound should have."""
    folder = root / session / "dialog"
    turns: dict[str, Utterance] = {}
    dropped = []
    # one level: the folders below hold the files of single raters
    for path in sorted(folder.glob("EmoEvaluation/*.txt")):
        if path.name.startswith("."):  # `._*.txt`, which macOS leaves beside a real file
            continue
        match = _DIALOG.fullmatch(path.stem)
        where = path.relative_to(root).as_posix()
        if match is None or not session.endswith(match[1]):
            dropped.append(Dropped(where, EXCLUDED["dialog"]))
        elif not path.is_file():
            dropped.append(Dropped(where, EXCLUDED["file"]))
        else:
            transcripts = read_transcripts(folder / "transcriptions" / path.name)
            for name, turn in read_labels(path).items():
                said = {"transcript": transcripts[name]} if name in transcripts else {}
                turns[name] = replace(turn, extra=turn.extra | said)
    return turns, dropped


def _match_sound(
    root: Path, session: str, turns: dict[str, Utterance]
) -> tuple[list[Utterance], list[Dropped]]:
    """Return the turns with the files they have, and whatever has no partner."""
    folder = Path(session, "sentences", "wav")

    def make_utterance(path: Path) -> Utterance | str:
        turn, name = turns.get(path.stem), parse_name(path.stem)
        if turn is None:
            is_turn = name is not None and session.endswith(name.session)
            return EXCLUDED["label" if is_turn else "turn"]
        return replace(turn, path=path.as_posix()) if (root / path).is_file() else EXCLUDED["file"]

    return collect_labelled(
        (folder / path for path in files_below(root / folder, (".wav",))),
        make_utterance,
        {name: turn.path for name, turn in turns.items()},
        EXCLUDED["sound"],
    )


def _count_turns(turns: Collection[Utterance]) -> dict[str, int]:
    """Return the counts that tell a wrong reading of names and codes from a right one."""
    genders = Counter(item.gender for item in turns)
    sessions = Counter(item.session for item in turns)
    codes = Counter(item.extra["consensus"] for item in turns)
    return {
        "dialogs": len({item.extra["dialog"] for item in turns}),
        "improvised utterances": sum(item.extra["elicitation"] == "improvised" for item in turns),
        "utterances of excitement": codes["exc"],
        "utterances of men": genders["M"],
        "utterances of women": genders["F"],
        "utterances without agreement": codes[UNDECIDED],
        **{f"utterances of {session}": sessions[session] for session in _TURNS_OF_SESSIONS},
    }
