"""URDU with numbers of one, two and three digits, and files that contradict themselves."""

from corpus_layouts.sound import write_tone


def write(data_root):
    root = data_root / "urdu"
    for file in (
        "Angry/SM1_F10_A010.wav",
        "Angry/SM1_F1_A01.wav",
        "Happy/SF1_F4_H04.wav",
        "Happy/SF4_F3_H019.wav",
        "Neutral/SM27_F1_N0100.wav",
        "Sad/SF04_F01_S12.wav",  # padded, as the README writes it
        "Sad/SM5_F1_N07.wav",  # neutral by its name, sad by its folder
        "Sad/recording.wav",
    ):
        write_tone(root / file, rate_hz=44100)
    (root / "README.md").write_text("# URDU\n")
    (root / "Angry" / ".DS_Store").write_bytes(b"\x00")
    return "urdu"
