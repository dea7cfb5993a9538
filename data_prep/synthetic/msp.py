"""The layout of MSP-IMPROV: a label file, and WAV files by session, scene and type."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_prep.synthetic.speech import write_utterance
from data_prep.synthetic.voice import STYLES, draw_voices

DEFAULT_SPEAKERS = 12
NO_AGREEMENT = "X"

_LETTERS = {"anger": "A", "happiness": "H", "neutral": "N", "sadness": "S"}
_WORDS = {"A": "Angry", "H": "Happy", "N": "Neutral", "O": "Other", "S": "Sad"}
_DOMINANCE = {"anger": 4.0, "happiness": 3.4, "neutral": 3.0, "sadness": 2.2}
_NATURALNESS = {"R": 2.5, "T": 3.0, "S": 3.6, "P": 4.4}
"""Types of turns, read, target sentence, improvised and natural, to their mean rating."""
_SECONDARY = ("", "Frustrated,Excited", "Other(torn; or just tired),Surprised")


@dataclass(frozen=True)
class Turn:
    """A turn to be written: how it sounds, and what its name and the raters say of it."""

    emotion: str
    consensus: str
    scenario: str
    scene: str

    def name(self, speaker: str) -> str:
        """Return the turn's name without the prefix, which sound and labels do not share."""
        own, partner = speaker[0], "FM".replace(speaker[0], "")
        # who reads is alone; the other types have whoever leads first, here the speaker or F
        actors = {"R": own + own, "T": own + partner}.get(self.scenario, "FM")
        return f"IMPROV-{self.scene}-{speaker}-{self.scenario}-{actors}01"


def write(folder: Path, speakers: int, seed: int) -> None:
    """Write sessions of a woman and a man, 17 turns a speaker.

    Each emotion in each type, and a turn on which the raters do not agree.
    """
    blocks = []
    for index, voice in enumerate(draw_voices(speakers, seed)):
        session = index // 2 + 1
        for number, turn in enumerate(_turns()):
            generator = np.random.default_rng([seed, index, number])
            length_s = generator.uniform(1.5, 3.0)
            name = turn.name(f"{voice.gender}{session:02d}")
            place = folder / "Audio" / f"session{session}" / turn.scene / turn.scenario
            path = place / f"MSP-{name}.wav"
            write_utterance(path, voice, STYLES[turn.emotion], length_s, generator)
            blocks.append("\n".join(_block(name, turn, generator)) + "\n")
    # spelt as in the first release
    (folder / "Evalution.txt").write_text("\n".join(blocks), encoding="utf-8", newline="\n")


def _turns() -> Iterator[Turn]:
    """Yield a speaker's turns; natural ones fall into scenes that intend something else."""
    letters = list(_LETTERS.values())
    for number, (emotion, letter) in enumerate(_LETTERS.items()):
        for scenario in _NATURALNESS:
            intended = letters[number - 1] if scenario == "P" else letter
            yield Turn(emotion, letter, scenario, scene=f"S{number + 1:02d}{intended}")
    yield Turn("neutral", NO_AGREEMENT, "P", scene="S05N")


def _block(name: str, turn: Turn, generator: np.random.Generator) -> Iterator[str]:
    """Yield the turn's line, with the averages of its five raters, and their lines."""
    style = STYLES[turn.emotion]
    means = (
        6 - style.activation,  # stored from 1 excited to 5 calm
        style.valence,
        _DOMINANCE[turn.emotion],
        _NATURALNESS[turn.scenario],
    )
    ratings = np.clip(np.round(generator.normal(means, 0.6, (len(_WORDS), 4))), 1, 5)
    a, v, d, n = ratings.mean(axis=0)
    # the blank after D is there in the lines of turns alone
    yield f"UTD-{name}.avi; {turn.consensus}; A:{a:.6f}; V:{v:.6f}; D:{d:.6f} ; N:{n:.6f};"
    dissent = list(_WORDS)[generator.integers(len(_WORDS))]
    votes = _WORDS if turn.consensus == NO_AGREEMENT else [*turn.consensus * 4, dissent]
    for rater, (vote, (a, v, d, n)) in enumerate(zip(votes, ratings, strict=True), start=1):
        secondary = _SECONDARY[generator.integers(len(_SECONDARY))]
        values = f"A:{a:.6f}; V:{v:.6f}; D:{d:.6f}; N:{n:.6f};"
        yield f"WORKER{rater}-p{rater:02d}; {_WORDS[vote]}; {secondary}; {values}"
