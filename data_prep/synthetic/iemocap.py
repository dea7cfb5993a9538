"""The layout of IEMOCAP: sessions of a woman and a man, two dialogs each, and their labels.

All but the grammar is made up. As in the corpus, a turn's means are those of its external
raters, and its emotion is what two of three of them say, or `xxx`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_prep.synthetic.speech import SAMPLE_RATE_HZ, write_utterance
from data_prep.synthetic.voice import STYLES, Voice, draw_voices
from ser_aae.errors import UserError

DEFAULT_SPEAKERS = 10
MAX_SPEAKERS = 10

_FOUR_CLASSES = ("ang", "ang", "exc", "hap", "neu", "neu", "sad", "sad")
DIALOGS = {"F_impro01": (*_FOUR_CLASSES, "xxx"), "M_script01_1": (*_FOUR_CLASSES, "fru")}
"""Dialog, after the session, to the codes of the turns that each of its two speakers has."""

_STYLES = {
    "ang": STYLES["anger"],
    "exc": replace(STYLES["happiness"], level_db=5.0, activation=4.0),
    "fru": replace(STYLES["anger"], level_db=3.0, activation=3.2, valence=2.2),
    "hap": replace(STYLES["happiness"], activation=3.2),
    "neu": STYLES["neutral"],
    "sad": STYLES["sadness"],
    "xxx": replace(STYLES["neutral"], activation=3.0, valence=2.7),
}
_DOMINANCE = {"ang": 4.0, "exc": 3.4, "fru": 3.3, "hap": 2.9, "neu": 2.8, "sad": 2.8, "xxx": 3.0}
_WORDS = {
    "ang": "Anger",
    "exc": "Excited",
    "fru": "Frustration",
    "hap": "Happiness",
    "neu": "Neutral",
    "sad": "Sadness",
}
_SELF_RATERS = ("F1", "F2", "F3", "M1", "M3", "M5")
"""The actors who rated themselves, by gender and session."""

_HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n"
_TRANSCRIPT = "Synthetic speech, without words."


def write(folder: Path, speakers: int, seed: int) -> None:
    """Write the sessions: a pair of speakers each, so that the last may have a woman alone.

    Raises:
        UserError: More speakers than the corpus has.
    """
    if speakers > MAX_SPEAKERS:
        raise UserError(f"expected at most {MAX_SPEAKERS} speakers of iemocap, got {speakers}")
    voices = draw_voices(speakers, seed)
    for session in range(1, (speakers + 1) // 2 + 1):
        pair = voices[2 * session - 2 : 2 * session]
        for dialog, (name, codes) in enumerate(DIALOGS.items()):
            generator = np.random.default_rng([seed, session, dialog])
            _write_dialog(
                folder / f"Session{session}", f"Ses0{session}{name}", codes, pair, generator
            )


def _write_dialog(
    folder: Path,
    dialog: str,
    codes: Sequence[str],
    voices: Sequence[Voice],
    generator: np.random.Generator,
) -> None:
    """Write the sound of a dialog in which the speakers take turns, its labels and its text."""
    blocks: dict[str, str] = {}
    spoken = []
    start_s = 2.0
    for number, code in enumerate(generator.permutation(codes)):
        for voice in voices:
            turn = f"{dialog}_{voice.gender}{number:03d}"
            length_s = generator.uniform(1.5, 3.0)
            path = folder / "sentences" / "wav" / dialog / f"{turn}.wav"
            samples = write_utterance(path, voice, _STYLES[code], length_s, generator)
            end_s = start_s + samples / SAMPLE_RATE_HZ
            times = f"[{start_s:.4f} - {end_s:.4f}]"
            blocks[turn] = _block(times, turn, code, generator)
            spoken.append(f"{turn} [{start_s:08.4f}-{end_s:08.4f}]: {_TRANSCRIPT}\n")
            start_s = end_s + generator.uniform(0.2, 0.8)
    # a sigh between turns has neither label nor sound of its own
    spoken.append(f"{dialog}_FXX0 [{start_s:08.4f}-{start_s + 0.5:08.4f}]: [BREATHING]\n")
    labels = [_HEADER, *(blocks[turn] for turn in sorted(blocks))]
    _write_text(folder / "dialog" / "EmoEvaluation" / f"{dialog}.txt", "\n".join(labels))
    _write_text(folder / "dialog" / "transcriptions" / f"{dialog}.txt", "".join(spoken))


def _block(times: str, turn: str, code: str, generator: np.random.Generator) -> str:
    """Return what the label file says of a turn: its own line, then one a rater."""
    speaker = turn.rpartition("_")[2][0] + turn[4]  # such as F1
    own = [speaker] if speaker in _SELF_RATERS else []
    votes = zip(["E2", "E3", "E4", *own], _votes(code, generator), strict=False)
    style = _STYLES[code]
    typical = (style.valence, style.activation, _DOMINANCE[code])
    external = ["E1", "E2", "E3"][: generator.choice([2, 3], p=[0.9, 0.1])]
    drawn = {rater: generator.normal(typical, 0.6) for rater in (*external, *own)}
    ratings = {rater: np.clip(np.round(row), 1, 5) for rater, row in drawn.items()}
    # the speaker's own rating is listed, but is not in the mean
    means = np.mean([ratings[rater] for rater in external], axis=0)
    lines = [
        f"{times}\t{turn}\t{code}\t[{', '.join(f'{mean:.4f}' for mean in means)}]",
        *(f"C-{rater}:\t{word};\t()" for rater, word in votes),
        *(
            f"A-{rater}:\tval {valence:.0f}; act {activation:.0f}; dom  {dominance:.0f};\t()"
            for rater, (valence, activation, dominance) in ratings.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _votes(code: str, generator: np.random.Generator) -> list[str]:
    """Return the words of three raters, two of one mind unless the code is `xxx`, and one more."""
    others = [word for other, word in _WORDS.items() if other != code]
    drawn = list(generator.permutation(others)[:4])
    external = drawn[:3] if code == "xxx" else [_WORDS[code]] * 2 + drawn[:1]
    return [*generator.permutation(external), drawn[3]]


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
