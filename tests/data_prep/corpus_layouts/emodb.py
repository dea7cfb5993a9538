"""EMO-DB as the original archive unpacks, and what release 2.0 adds beside it."""

from corpus_layouts.sound import write_tone

NBSP = "\xa0"
RATINGS = f"""Satz\terkannt\tnatürlich\tStärke
03a01Fa.wav\t{NBSP}90,00\t100,00\t1,5
08b02Aa.wav\t100,00{NBSP}\t87,50\t1,0
09a05Tb.wav\t{NBSP}{NBSP}85,25\t95,00\t1,0
11a02Wc.wav\tn/a\t\x85\t1,0
Mittel\t86,02\t\t

"""
AMBIGUOUS = "file,emotion,emotion.confidence\nwav/14a04Ec.wav,disgust,0.45\n"


def write(data_root):
    root = data_root / "emodb"
    for stem in (
        "03a01Fa",  # Freude
        "08b02Aa",  # Angst
        "09a05Tb",
        "10b10Ed",
        "11a02Wc",
        "15a07Lf",  # Langeweile, version f
        "16b01Nb",
        "17a01Wa",  # there is no speaker 17
        "03a01Fa-louder",
    ):
        write_tone(root / "wav" / f"{stem}.wav")
    (root / "erkennung.txt").write_text(RATINGS, encoding="latin-1")
    (root / "lablaut").mkdir()
    (root / "lablaut" / "03a01Faxx.lablaut").write_text("signal 03a01Fa\n")
    return "emodb"


def write_release_2(data_root):
    """Write one clear recording, one ambiguous, and the laryngographs of both."""
    root = data_root / "emodb"
    for folder in ("laryngo", "wav"):
        for stem in ("03a01Fa", "14a04Ec"):
            write_tone(root / folder / f"{stem}.wav")
    (root / "db.emotion.categories.ambiguous.csv").write_text(AMBIGUOUS)
    (root / "db.laryngo.emotion.csv").write_text("file,emotion\nlaryngo/03a01Fa.wav,happiness\n")
    return "emodb"
