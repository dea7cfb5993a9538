"""SAVEE as its authors pack it, each name in several folders; and flat, as a mirror has it."""

from corpus_layouts.sound import write_tone

FILES = (
    "DC/a01",
    "DC/sa01",
    "JE/a01",
    "JE/su15",
    "JK/d01",
    "JK/f08",
    "KL/h12",
    "KL/n30",
)


def write(data_root):
    root = data_root / "savee"
    for file in FILES:
        write_tone(root / "AudioData" / f"{file}.wav", rate_hz=44100)
    write_tone(root / "AudioData" / "KL" / "DC_n01.wav", rate_hz=44100)  # whose is it?
    write_tone(root / "AudioData" / "a02.wav", rate_hz=44100)  # nobody's
    write_tone(root / "AudioData" / "KL" / "n1.wav", rate_hz=44100)
    (root / "AudioData" / "Info.txt").write_text("Information\n")
    return "savee"


def write_flat(data_root):
    """Write the same recordings in one folder."""
    for file in FILES:
        write_tone(data_root / "savee" / "ALL" / f"{file.replace('/', '_')}.wav", rate_hz=44100)
    return "savee"
