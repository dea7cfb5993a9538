"""BAVED as FLAC and WAV, with names that its table of speakers contradicts, and a copy."""

import json

from corpus_layouts.sound import write_tone

SPEAKERS = {
    "0": {"age": 21, "gender": "m"},
    "3": {"age": 21, "gender": "f"},
    "46": {"age": 20, "gender": "m"},
    "52": {"age": 20, "gender": "m"},  # has no recording
    "53": {"age": 20, "gender": "m"},
    "100": {"age": 6, "gender": "f"},
}


def write(data_root):
    root = data_root / "baved"
    for number, file in enumerate(
        (
            "0/0-m-21-0-1-105.flac",
            "0/0-m-21-6-2-201.flac",  # in the folder of another word
            "1/100-f-6-1-0-0.wav",
            "2/3-f-21-2-2-1081.flac",
            "2/03-f-21-2-2-1082.flac",  # padded
            "0/3-m-21-0-0-7.flac",  # a woman in the table
            "0/3-f-22-0-0-8.flac",  # of 21 years in the table
            "0/60-f-21-0-0-9.flac",  # a speaker nobody lists
            "0/3-f-21-7-0-10.flac",  # there is no word 7
            "0/3-f-21-0-3-11.flac",  # nor a level 3
            "0/recording.wav",
        )
    ):
        write_tone(root / file, frequency_hz=300 + 50 * number)
    for copy in ("3/46-m-20-3-2-954.flac", "3/53-m-20-3-2-1021.flac"):
        write_tone(root / copy, frequency_hz=900)
    (root / "speakers_info.json").write_text(json.dumps(SPEAKERS, indent=4))
    (root / "README.md").write_text("# Basic Arabic Vocal Emotions Dataset\n")
    (root / "naming.txt").write_text("speaker_id(int) - speaker_gender(m or f)\n")
    return "baved"
