"""Choice of what is exported, checked before anything is loaded."""

from dataclasses import dataclass
from pathlib import Path

from ser_aae.errors import UserError
from ser_aae.inference.exported_model import QUANTISED, SUFFIXES
from ser_aae.inference.signature import SPECTROGRAM, WAVEFORM

MOST_POINTS = 0.5
"""Difference in unweighted accuracy beyond which a file is not kept, unless it is asked for.

On a small test part one utterance weighs more.
"""


@dataclass(frozen=True)
class Choice:
    """Choice of what is exported.

    Attributes:
        kind: One of `ser_aae.inference.exported_model.SUFFIXES`.
        quantise: `"none"`, `"float16"` or `"int8"`.
        takes: `"spectrogram"` or `"waveform"`.
        tolerance: Points of unweighted accuracy by which the file may differ from the run.
    """

    kind: str
    quantise: str = "none"
    takes: str = SPECTROGRAM
    tolerance: float = MOST_POINTS


def check_choice(choice: Choice, out: Path) -> None:
    """Refuse a choice that cannot be, or a file to write whose name is not of its kind.

    Raises:
        UserError: It is so.
    """
    for name, value, known in (
        ("--format", choice.kind, tuple(SUFFIXES)),
        ("--quantise", choice.quantise, ("none", "float16", "int8")),
        ("--input", choice.takes, (SPECTROGRAM, WAVEFORM)),
    ):
        if value not in known:
            raise UserError(f"{name}: expected one of {', '.join(known)}, got {value!r}")
    if choice.quantise != "none" and choice.kind not in QUANTISED:
        raise UserError(
            f"--quantise: goes with --format {' or '.join(QUANTISED)}, got {choice.kind}"
        )
    if choice.quantise == "int8" and choice.takes == WAVEFORM:
        raise UserError(
            "--quantise int8: goes with --input spectrogram; 8 bits are too few for the Fourier "
            "transform of a waveform, choose float16"
        )
    suffix = SUFFIXES[choice.kind]
    if out.suffix != suffix:
        ending = f"that ends in {suffix}" if suffix else "without an ending: it is a folder"
        raise UserError(f"--out: expected a name {ending}, got {out.name}")
    if out.is_dir():
        raise UserError(f"{out}: there is a folder already; remove it or choose another --out")
