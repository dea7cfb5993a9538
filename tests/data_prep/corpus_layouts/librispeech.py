"""LibriSpeech with two subsets of three listed, FLAC and WAV, and reader 60."""

from corpus_layouts.sound import write_tone

SPEAKERS = """; Some pipe(|) separated metadata about all readers
;
;ID  |SEX| SUBSET           |MINUTES| NAME
14   | F | train-clean-360  | 25.03 | Kristin LeMoine
16   | F | train-clean-360  | 25.11 | Alys AtteWater
17   | M | train-clean-360  | 25.04 | Reader Seventeen
60   | M | train-clean-100  | 20.18 | |CBW|Simon
61   | M | test-clean       | 8.08  | Paul-Gabriel Wiener
"""


def write(data_root):
    root = data_root / "librispeech" / "LibriSpeech"
    for file in (
        "train-clean-360/14/208/14-208-0000.flac",
        "train-clean-360/14/208/14-208-0001.flac",
        "train-clean-360/14/212/14-212-0000.flac",
        "train-clean-360/17/900/17-900-0000.flac",
        "train-clean-100/60/121/60-121-0000.wav",
        "train-clean-100/60/122/60-122-0000.wav",
        "train-clean-100/77/122/77-122-0000.wav",  # a reader nobody lists
        "train-clean-100/60/122/intro.wav",
    ):
        write_tone(root / file)
    (root / "SPEAKERS.TXT").write_text(SPEAKERS)
    (root / "train-clean-360/14/208/14-208.trans.txt").write_text("14-208-0000 A WORD\n")
    return "librispeech"
