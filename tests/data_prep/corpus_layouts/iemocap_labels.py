"""IEMOCAP in full size: every dialog and every turn, with made-up values in the published counts.

The counts are those of the release as several public tables of it agree on; who says what in
which dialog, every rating but seven and every time is made up. `arrange` deals them out,
`write_tree` writes the files.
"""

import os
from collections import Counter, defaultdict
from dataclasses import dataclass

from corpus_layouts.sound import write_tone

HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n"

# session: code: turns of the woman, of the man
FOUR_CLASSES = {
    1: {"ang": (147, 82), "hap+exc": (132, 146), "sad": (78, 116), "neu": (171, 213)},
    2: {"ang": (67, 70), "hap+exc": (166, 161), "sad": (113, 84), "neu": (135, 227)},
    3: {"ang": (92, 148), "hap+exc": (128, 158), "sad": (172, 133), "neu": (130, 190)},
    4: {"ang": (205, 122), "hap+exc": (185, 118), "sad": (62, 81), "neu": (76, 182)},
    5: {"ang": (78, 92), "hap+exc": (159, 283), "sad": (132, 113), "neu": (221, 163)},
}
HAPPY = {1: 135, 2: 117, 3: 135, 4: 65, 5: 143}
"""Of `hap+exc`, those that are `hap`."""
OTHERS = {
    1: {"xxx": 415, "fru": 280, "sur": 25, "fea": 12, "oth": 1, "dis": 1},
    2: {"xxx": 436, "fru": 325, "sur": 17, "fea": 9, "oth": 1},
    3: {"xxx": 572, "fru": 382, "sur": 28, "fea": 2, "dis": 1},
    4: {"xxx": 564, "fru": 481, "sur": 19, "fea": 7, "oth": 1},
    5: {"xxx": 520, "fru": 381, "sur": 18, "fea": 10},
}
WOMEN_OF_OTHERS = 2151
IMPROVISED = {
    "xxx": 800, "fru": 971, "neu": 1099, "ang": 289, "sad": 608, "exc": 663, "hap": 284,
    "sur": 60, "fea": 8, "oth": 1, "dis": 1,
}  # fmt: skip
WOMEN_WITH_MARKERS = {"F": 2395, "M": 2546}
"""Turns of women, and of men, in dialogs in which the woman wears the markers."""

KINDS = {
    "four": ("ang", "exc", "hap", "neu", "sad"),
    "rest": ("fru", "sur", "fea", "oth", "dis"),
    "undecided": ("xxx",),
}
LEVELS = {
    "valence": {"four": (1565, 2555, 1411), "rest": (994, 955, 52), "undecided": (664, 1296, 547)},
    "activation": {
        "four": (726, 3685, 1120), "rest": (145, 1446, 410), "undecided": (241, 1946, 320),
    },
}  # fmt: skip
"""Turns of low, medium and high means: at most 2, at most 3.5, above."""
ON_EDGES = {"valence": (2075, 816), "activation": (927, 2039)}
"""Turns whose mean is exactly 2, exactly 3.5."""
OUT_OF_RANGE = {
    **{f"Ses03M_impro07_{turn}": ("valence", 5.5) for turn in ("M003", "M010", "M013", "M021")},
    "Ses01M_script03_1_F026": ("dominance", 0.5),
    "Ses02M_script02_2_F046": ("dominance", 0.5),
    "Ses04M_script03_2_M009": ("dominance", 0.5),
}
# from the highest: so that the direction of a dimension can be seen in its means
FALLING = {
    "valence": ("hap", "exc", "neu", "sur", "oth", "fea", "sad", "ang", "fru", "dis"),
    "activation": ("ang", "exc", "fea", "sur", "fru", "hap", "dis", "oth", "neu", "sad"),
}


@dataclass
class Turn:
    """A turn on its way to a name and ratings."""

    session: int
    code: str
    gender: str = ""
    improvised: bool = False
    markers: str = ""
    dialog: str = ""
    name: str = ""
    valence: float = 3.0
    activation: float = 3.0
    dominance: float = 3.0


def dialogs(session, markers, improvised):
    """Return the names of a session's dialogs of one actor with markers."""
    bodies = [f"script0{play}_{scene}" for play, scenes in ((1, 3), (2, 2), (3, 2))
              for scene in range(1, scenes + 1)]  # fmt: skip
    if session == 5 and markers == "M":
        bodies.append("script01_1b")
    if improvised:
        bodies = [f"impro0{number}" for number in range(1, 8 + (session > 1))]
    if (session, markers, improvised) == (3, "M", True):
        bodies = [body for body in bodies if body not in ("impro05", "impro08")]
        bodies += ["impro05a", "impro05b", "impro08a", "impro08b"]
    return [f"Ses0{session}{markers}_{body}" for body in bodies]


def arrange():
    """Return all turns, in no order that matters."""
    turns = _deal_speakers()
    for code, count in IMPROVISED.items():
        of_code = [turn for turn in turns if turn.code == code]
        for turn, is_improvised in zip(of_code, _spread(count, len(of_code)), strict=True):
            turn.improvised = is_improvised
    turns.sort(key=lambda turn: (turn.session, turn.improvised, turn.gender))
    for gender, count in WOMEN_WITH_MARKERS.items():
        own = [turn for turn in turns if turn.gender == gender]
        for turn, by_woman in zip(own, _spread(count, len(own)), strict=True):
            turn.markers = "F" if by_woman else "M"
    _name(turns)
    for dimension in LEVELS:
        _rate(turns, dimension)
    by_name = {turn.name: turn for turn in turns}
    for name, (dimension, mean) in OUT_OF_RANGE.items():
        setattr(by_name[name], dimension, mean)
    return turns


def _spread(chosen, total):
    """Return `total` truth values, `chosen` of them true, evenly spread."""
    return [(i + 1) * chosen // total > i * chosen // total for i in range(total)]


def _deal_speakers():
    turns = []
    for session, codes in FOUR_CLASSES.items():
        for code, counts in codes.items():
            own = [Turn(session, code, gender) for gender, count in zip("FM", counts, strict=True)
                   for _ in range(count)]  # fmt: skip
            if code == "hap+exc":
                for turn, happy in zip(own, _spread(HAPPY[session], len(own)), strict=True):
                    turn.code = "hap" if happy else "exc"
            turns += own
    others = [Turn(session, code) for session, codes in OTHERS.items()
              for code, count in codes.items() for _ in range(count)]  # fmt: skip
    for turn, by_woman in zip(others, _spread(WOMEN_OF_OTHERS, len(others)), strict=True):
        turn.gender = "F" if by_woman else "M"
    return turns + others


def _name(turns):
    """Deal the turns out to the dialogs and number them there, women's and men's apart."""
    groups = defaultdict(list)
    for turn in turns:
        groups[turn.session, turn.markers, turn.improvised].append(turn)
    numbers = Counter()
    for key, group in groups.items():
        names = dialogs(*key)
        names += [name for name in names if name.endswith("script02_2")]  # a long dialog
        for index, turn in enumerate(group):
            turn.dialog = names[index % len(names)]
            turn.name = f"{turn.dialog}_{turn.gender}{numbers[turn.dialog, turn.gender]:03d}"
            numbers[turn.dialog, turn.gender] += 1


def _rate(turns, dimension):
    """Give the turns means of a dimension: levels by group, then a value within the level."""
    falling = FALLING[dimension]
    levels = ([], [], [])
    for kind, codes in KINDS.items():
        group = [turn for turn in turns if turn.code in codes]
        group.sort(
            key=lambda turn: (
                OUT_OF_RANGE.get(turn.name, ("", 0))[0] != dimension,
                falling.index(turn.code) if turn.code in falling else 0,
            )
        )
        low, medium, high = LEVELS[dimension][kind]
        for level, start, end in ((2, 0, high), (1, high, high + medium), (0, high + medium, None)):
            levels[level].extend(group[start:end])
        if len(group) != low + medium + high:
            raise ValueError(f"{len(group)} turns of {kind}, not {low + medium + high}")
    within = ((1.5, 1.0, 1.6667), (2.5, 3.0, 2.5, 3.0, 2.3333), (4.0, 4.5, 3.6667, 5.0))
    for level, edge, on_edge, values in zip(
        levels, (2.0, 3.5, 0.0), (*ON_EDGES[dimension], 0), within, strict=True
    ):
        for index, turn in enumerate(level):
            setattr(turn, dimension, edge if index < on_edge else values[index % len(values)])


WORDS = {
    "ang": "Anger", "dis": "Disgust", "exc": "Excited", "fea": "Fear", "fru": "Frustration",
    "hap": "Happiness", "neu": "Neutral", "oth": "Other", "sad": "Sadness", "sur": "Surprise",
}  # fmt: skip
SELF_RATED = ("F1", "F2", "F3", "M1", "M3", "M5")


def write_tree(root, turns):
    """Write the release: label, transcript and raters' files, and a tiny sound a turn."""
    by_dialog = defaultdict(list)
    for turn in turns:
        by_dialog[turn.dialog].append(turn)
    sounds = [write_tone(root / "Documentation" / f"{hz}.wav", seconds=0.02, frequency_hz=hz)
              for hz in (220.0, 330.0, 440.0)]  # fmt: skip
    for dialog, spoken in by_dialog.items():
        session = root / f"Session{dialog[4]}"
        _write_dialog(session / "dialog", dialog, sorted(spoken, key=lambda turn: turn.name))
        folder = session / "sentences" / "wav" / dialog
        folder.mkdir(parents=True)
        (folder / f"._{spoken[0].name}.wav").write_bytes(b"\x00\x05\x16\x07")
        for index, turn in enumerate(spoken):
            os.link(sounds[index % len(sounds)], folder / f"{turn.name}.wav")


def _write_dialog(folder, dialog, turns):
    blocks, transcript, votes, ratings = [HEADER], [], [], []
    for index, turn in enumerate(turns):
        # women's and men's turns alternate, so that the order of names is not that of time
        start_s = 2.0 + 7.0 * (index * 37 % len(turns)) + index / 10000
        end_s = start_s + 1.5 + index % 5
        blocks.append(_block(turn, index, f"[{start_s:.4f} - {end_s:.4f}]"))
        transcript.append(f"{turn.name} [{start_s:08.4f}-{end_s:08.4f}]: Made-up words {index}.\n")
        votes.append(f"{turn.name} :{WORDS.get(turn.code, 'Other')}; ()\n")
        ratings.append(f"{turn.name} :act 4; :val 3; :dom 2; ()\n")
    transcript.sort(key=lambda line: line[line.find("[") :])  # in order of time
    transcript += [f"{dialog}_FXX0 [900.0000-901.0000]: [BREATHING]\n", "M: He means it.\n"]
    for name, text in {
        f"EmoEvaluation/{dialog}.txt": "\n".join(blocks),
        f"EmoEvaluation/._{dialog}.txt": "\x00\x05\x16\x07[1 - 2]",
        f"EmoEvaluation/Categorical/{dialog}_e2_cat.txt": "".join(votes),
        f"EmoEvaluation/Attribute/{dialog}_e3_atr.txt": "".join(ratings),
        f"EmoEvaluation/Self-evaluation/{dialog}_f{dialog[4]}_cat.txt": "".join(votes),
        f"transcriptions/{dialog}.txt": "".join(transcript),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _block(turn, index, times):
    """Return a turn's line and its raters', whose votes and ratings agree with it."""
    means = (turn.valence, turn.activation, turn.dominance)
    raters = next(n for n in (2, 3, 6) if all(abs(m * n - round(m * n)) < 1e-3 for m in means))
    columns = [_parts(round(mean * raters), raters) for mean in means]
    speaker = f"{turn.gender}{turn.session}"
    lines = [f"{times}\t{turn.name}\t{turn.code}\t[{', '.join(f'{m:.4f}' for m in means)}]"]
    lines += [f"C-E{rater}:\t{vote};\t()" for rater, vote in enumerate(_votes(turn, index), 2)]
    lines += [f"C-{speaker}:\tOther;\t()"] if speaker in SELF_RATED else []
    lines += [
        # a dominance of none counts as 0
        f"A-E{rater}:\tval {v}; act {a}; dom  {d or ''};\t({'unsure, [1 - 2]' if v > 4 else ''})"
        for rater, (v, a, d) in enumerate(zip(*columns, strict=True), 1)
    ]
    lines += [f"A-{speaker}:\tval 1; act 1; dom  1;\t()"] if speaker in SELF_RATED else []
    return "\n".join(lines) + "\n"


def _parts(total, count):
    """Return `count` whole numbers, as equal as can be, that sum to `total`."""
    return [total // count + (index < total % count) for index in range(count)]


def _votes(turn, index):
    """Return three raters' words: two for the code, or a tie where there is none."""
    if turn.code != "xxx":
        word = WORDS[turn.code]
        return [word, "" if index == 40 else WORDS["oth"], word if turn.code != "oth" else "Other"]
    if index % 8 == 0:
        return ["Anger; Frustration", "Frustration; Anger", "Neutral"]
    return ["Neutral", "Anger", "Sadness"]
