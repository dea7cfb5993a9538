"""MSP-IMPROV in its full size: made-up values, arranged to the counts that were published.

Types and consensus: tables 3 and 4 of the corpus' paper (IEEE Transactions on Affective
Computing 8(1), 2017). Turns a speaker and the levels of their averages: the label tables of
EMO-SUPERB, which have 8385 of the 8438 turns; here the others have no averages.
"""

import itertools
import os

import numpy as np
from corpus_layouts.sound import write_tone

CONSENSUS = {
    "T": {"A": 115, "S": 106, "H": 136, "N": 283, "O": 1, "X": 11},
    "R": {"A": 169, "S": 80, "H": 88, "N": 241, "O": 3, "X": 39},
    "S": {"A": 470, "S": 633, "H": 1048, "N": 1789, "O": 70, "X": 371},
    "P": {"A": 38, "S": 66, "H": 1372, "N": 1164, "O": 11, "X": 134},
}
RATED = {
    "F01": 434, "M01": 545, "F02": 732, "M02": 690, "F03": 946, "M03": 819,
    "F04": 546, "M04": 562, "F05": 752, "M05": 747, "F06": 792, "M06": 820,
}  # fmt: skip
"""Turns with published averages; sessions 5 and 6 have 1505 and 1622 turns in all."""
UNRATED = dict(zip(RATED, (4, 5, 4, 5, 4, 5, 5, 5, 3, 3, 5, 5), strict=True))

# value to number of turns: how they spread within a level is made up
ACTIVATION = {
    1.0: 700, 1.6: 1400, 2.166667: 1400, 2.333333: 846, 2.5: 161,
    2.6: 973, 2.75: 900, 3.0: 700, 3.4: 400, 3.5: 62, 3.6: 500, 4.333333: 300, 5.0: 43,
}  # fmt: skip
"""1 calm to 5 excited; stored the other way round."""
VALENCE = {1.0: 214, 2.0: 1000, 2.5: 1000, 2.666667: 1531, 3.25: 1500, 3.5: 500, 4.0: 2640}

READERS = ("F02", "F03", "F05", "F06", "M01", "M02", "M03")
_LETTERS, _WORDS = "AHNS", ("Angry", "Happy", "Neutral", "Sad", "Other")
_SECONDARY = ("", "Frustrated,Disgusted", "Other(a; b),Excited", "Depressed", 'Other("so/so"?)')


def write(data_root):
    """Write the tree; files of sound and of words are links to a few of each."""
    root = data_root / "msp"
    tones = [write_tone(root / ".made" / f"{hz}.wav", seconds=0.01, rate_hz=hz) for hz in
             (44100, 48000)]  # fmt: skip
    words = root / ".made" / "words.txt"
    words.write_text("a few words\n")
    transcripts = root / "Human_transcriptions" / "All_human_transcriptions"
    transcripts.mkdir(parents=True)
    for number, (name, is_rated) in enumerate(names()):
        scene, speaker, scenario, _ = name.split("-")
        folder = root / "Audio" / f"session{int(speaker[1:])}" / scene / scenario
        folder.mkdir(parents=True, exist_ok=True)
        os.link(tones[number % 2], folder / f"MSP-IMPROV-{name}.wav")
        if is_rated:
            os.link(words, transcripts / f"MSP-IMPROV-{name}.txt")
    (root / "Evalution.txt").write_text("\n".join(blocks()))
    return "msp"


def names():
    """Yield the name of each turn without its prefix, and whether it has averages."""
    natural = _shares(sum(CONSENSUS["P"].values()))
    for speaker, rated in RATED.items():
        own, partner = speaker[0], "FM".replace(speaker[0], "")
        sentences = range(1, 11 if speaker[1:] in ("01", "03") else 16)
        scenes = [f"S{sentence:02d}{letter}" for sentence in sentences for letter in _LETTERS]
        total = rated + UNRATED[speaker]
        # each target sentence once, and one again; 80 items read, and 60 of all again
        dialogs = [(scene, "T", own + partner) for scene in scenes]
        turns = _numbered(speaker, dialogs, len(dialogs) + 1)
        if speaker in READERS:
            items = [f"S{sentence:02d}{letter}" for sentence in range(1, 21) for letter in _LETTERS]
            again = 9 if READERS.index(speaker) < 4 else 8
            turns += _numbered(speaker, [(item, "R", own * 2) for item in items], 80 + again)
        for scenario, end in (("P", len(turns) + natural[speaker]), ("S", total)):
            dialogs = [(scene, scenario, actors) for actors in ("FM", "MF") for scene in scenes]
            turns += _numbered(speaker, dialogs, end - len(turns))
        yield from ((name, index >= UNRATED[speaker]) for index, name in enumerate(turns))


def _numbered(speaker, dialogs, count):
    """Return names of turns dealt out over dialogs, numbered from 01 in each."""
    dealt = zip(range(count), itertools.cycle(dialogs), strict=False)
    return [
        f"{scene}-{speaker}-{scenario}-{actors}{index // len(dialogs) + 1:02d}"
        for index, (scene, scenario, actors) in dealt
    ]


def _shares(total):
    """Return a number of turns for each speaker, in proportion to all turns of the speaker."""
    bounds = np.round(np.cumsum([0, *RATED.values()]) * total / sum(RATED.values())).astype(int)
    return dict(zip(RATED, np.diff(bounds).tolist(), strict=True))


def blocks():
    """Yield the lines of each turn as one text."""
    generator = np.random.default_rng(0)
    letters = {kind: _shuffled(counts, generator) for kind, counts in CONSENSUS.items()}
    activation, valence = _shuffled(ACTIVATION, generator), _shuffled(VALENCE, generator)
    for index, (name, is_rated) in enumerate(names()):
        scenario = name.split("-")[2]
        a, v = (6 - next(activation), next(valence)) if is_rated else (np.nan, np.nan)
        d = np.nan if index % 11 == 0 else 3.25
        numbers = f"A:{a:.6f}; V:{v:.6f}; D:{d:.6f} ; N:4.000000;".replace("nan", "NaN")
        raters = generator.integers(20, 41) if scenario == "T" else generator.integers(5, 11)
        ratings = generator.integers(1, 6, (raters, 4)).tolist()
        lines = [_rater_line(number, values) for number, values in enumerate(ratings, start=index)]
        lines += lines[:1] if index % 7 == 0 else []
        consensus = next(letters[scenario])
        yield "\n".join([f"UTD-IMPROV-{name}.avi; {consensus}; {numbers}", *lines, ""])


def _shuffled(counts, generator):
    """Return an iterator over the keys, each as often as its count says."""
    keys = np.repeat(list(counts), list(counts.values()))
    return iter(generator.permutation(keys).tolist())


def _rater_line(number, values):
    a, v, d, n = values
    worker = f"WORKER{number % 97}-p{number % 50:02d}"
    secondary = _SECONDARY[number % len(_SECONDARY)]
    dominance = "NaN" if number % 13 == 0 else f"{d}.000000"
    numbers = f"A:{a}.000000; V:{v}.000000; D:{dominance}; N:{n}.000000;"
    return f"{worker}; {_WORDS[number % len(_WORDS)]}; {secondary}; {numbers}"
