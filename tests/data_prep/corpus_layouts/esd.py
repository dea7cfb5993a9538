"""ESD with and without folders of a split, and a transcript in each of its encodings."""

from corpus_layouts.sound import write_tone

ENGLISH = (
    "{0}_000051\tThis is a ‘short’ café sentence\x85\tNeutral\n"
    "{0}_000401\tThis is a café sentence.\tAngry\n"
)
MANDARIN = "{0}_000051\t这是一句话。\t中立\r\n{0}_000401\t这是一句话。\t生气\r\n"
ENCODINGS = {
    "0001": "gb2312",
    "0003": "utf-16",
    "0009": "utf-8",
    "0011": "utf-8-sig",
    "0012": "utf-16",
    "0016": "latin-1",
    "0018": "utf-16-le",  # without a byte order mark
}
MALFORMED = """0015_000137 This one has blanks.  Neutral
0015_000138\tThis one has no emotion.
0015_000139\t\tThis one has one tab more.\tNeutral

and this is the rest of another line
0015_001401\tI am happy.Surprise
"""


def write(data_root):
    root = data_root / "esd"
    for speaker, encoding in ENCODINGS.items():
        split = "train/" if speaker in ("0001", "0011") else ""
        write_tone(root / speaker / "Neutral" / f"{split}{speaker}_000051.wav")
        write_tone(root / speaker / "Angry" / f"{split}{speaker}_000401.wav")
        text = (MANDARIN if speaker <= "0010" else ENGLISH).format(speaker)
        if encoding == "latin-1":
            text = text.replace("‘", "'").replace("’", "'")
        (root / speaker / f"{speaker}.txt").write_bytes(text.encode(encoding))
    for file in ("Neutral/0015_000137", "Neutral/0015_000138", "Neutral/0015_000139"):
        write_tone(root / "0015" / f"{file}.wav")
    write_tone(root / "0015" / "Surprise" / "0015_001401.wav")
    (root / "0015" / "0015.txt").write_text(MALFORMED)
    write_tone(root / "0011" / "Angry" / "0011.wav")
    write_tone(root / "0021" / "Angry" / "0021_000401.wav")
    (root / "ReadMe.txt").write_text("ESD\n")
    return "esd"
