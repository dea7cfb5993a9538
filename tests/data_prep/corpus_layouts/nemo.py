"""nEMO: a table with blanks before its speakers, and files that it does not list."""

from corpus_layouts.sound import write_tone

HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
ROWS = (
    'EB0_anger_1.wav\tanger\tZażółć "gęślą jaźń!\tzażółć gęślą jaźń\t        EB0\tfemale\t27\n'
    "EB0_surprised_90.wav\tsurprised\tTo już?\tto już\t        EB0\tfemale\t27\n"
    'KS0_fear_13.wav\tfear\t"Cisza."\tcisza\t        KS0\tmale\t23\n'
    "KS0_happiness_1.wav\thappiness\tTak.\ttak\t        KS0\tmale\t23\n"
    "KS0_neutral_2.wav\tneutral\tNie.\tnie\t        KS0\tmale\t23\n"
    "MP0_sadness_2.wav\tsadness\tNie.\tnie\t        MP0\tmale\t24\n"
    "MP0_sadness_3.wav\tsadness\tMoże.\tmoże\t        MP0\tmale\t24\n"  # has no file
    "MP0_sadness_4.wav\tanger\tDom.\tdom\t        MP0\tmale\t24\n"  # says two things
)


def write(data_root):
    root = data_root / "nemo"
    for stem in (
        "EB0_anger_1",
        "EB0_surprised_90",
        "KS0_fear_13",
        "KS0_happiness_1",
        "KS0_neutral_2",
        "MP0_sadness_2",
        "MP0_sadness_4",
        "TP0_neutral_5",  # has no row
    ):
        write_tone(root / "samples" / f"{stem}.wav", rate_hz=24000)
    (root / "data.tsv").write_bytes((HEADER + ROWS).encode())
    (root / "README.md").write_text("# nEMO\n")
    return "nemo"
