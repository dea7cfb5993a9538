"""IEMOCAP in three sessions of five, nested, with the release's traps; all values made up."""

from corpus_layouts.sound import write_tone

ROOT = "IEMOCAP_full_release"
HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n"

LABELS = {
    "Ses01F_impro01": """
[6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]
C-E2:	Neutral;	()
C-E3:	Neutral;	(curious, [unsure])
C-E4:	;	()
C-F1:	Neutral; Anger;	()
A-E3:	val 3; act 2; dom  2;	()
A-E4:	val 2; act 3; dom  3;	()
A-F1:	val 1; act 5; dom  1;	()

[21.5000 - 23.0000]	Ses01F_impro01_F001	ang	[1.5000, 4.0000, 4.3333]
C-E2:	Anger;	()
C-E3:	Anger; Frustration;	()
C-E4:	Anger;	()
A-E3:	val 1; act 4; dom  ;	()
A-E4:	val 2; act 4; dom  4;	()

[8.9000 - 11.2500]	Ses01F_impro01_M000	exc	[4.0000, 3.5000, 3.0000]
C-E2:	Excited;	()

[24.1000 - 26.0000]	Ses01F_impro01_M001	xxx	[2.5000, 3.0000, 3.0000]
C-E2:	Anger;	()
C-E3:	Neutral;	()
C-E4:	Sadness;	()
""",
    "Ses01M_script01_1": """
[2.0000 - 3.0000]	Ses01M_script01_1_F000	hap	[3.6667, 3.0000, 2.6667]

[3.5000 - 4.5000]	Ses01M_script01_1_M000	sad	[2.0000, 2.0000, 0.5000]
""",
    "Ses03M_impro05a": """
[2.0000 - 3.0000]	Ses03M_impro05a_F000	fru	[2.0000, 3.5000, 3.5000]
C-F3:	Frustration;	()

[3.5000 - 4.5000]	Ses03M_impro05a_M000	oth	[5.5000, 3.0000, 3.0000]
""",
    "Ses05M_script01_1": """
[2.0000 - 3.0000]	Ses05M_script01_1_F000	ang	[1.0000, 5.0000, 5.0000]

[3.5000 - 4.5000]	Ses05M_script01_1_M000	neu	[3.0000, 2.5000, 3.0000]

[5.5000 - 6.5000]	Ses05M_script01_1_M001	neu	[3.0000, 2.5000, 3.0000]
""",
    "Ses05M_script01_1b": """
[2.0000 - 3.0000]	Ses05M_script01_1b_F000	sad	[1.5000, 1.5000, 2.0000]

[3.5000 - 4.5000]	Ses05M_script01_1b_M000	hap	[4.5000, 4.0000, 3.0000]
""",
}
TRANSCRIPT = """Ses01F_impro01_F000 [006.2901-008.2357]: May I ask something?
Ses01F_impro01_MXX0 [008.3000-008.7000]: [BREATHING]
M: He says this off the page.
Ses01F_impro01_M000 [008.9000-011.2500]: Of course: go on!
"""
WITHOUT_SOUND = "Ses05M_script01_1_M001"
WITHOUT_LABEL = "Ses01F_impro01_F009"


def turns(dialog):
    """Return the names of a dialog's labelled turns."""
    lines = LABELS[dialog].splitlines()
    return [line.split("\t")[1] for line in lines if line.startswith("[")]


def write_labels(root, dialog, content=None):
    """Write a label file: the dialog's own, or other text or bytes."""
    path = root / f"Session{dialog[4]}" / "dialog" / "EmoEvaluation" / f"{dialog}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = HEADER + LABELS[dialog] if content is None else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sound_path(root, turn):
    """Return where the sound of a turn lies."""
    dialog = turn.rpartition("_")[0]
    return root / f"Session{turn[4]}" / "sentences" / "wav" / dialog / f"{turn}.wav"


def write_plain(root):
    """Write the sessions without anything that becomes no utterance, sessions 2 and 4 aside."""
    for dialog in LABELS:
        write_labels(root, dialog)
        for turn in turns(dialog):
            write_tone(sound_path(root, turn))
    return root


def write(data_root):
    root = write_plain(data_root / "iemocap" / ROOT)
    sound_path(root, WITHOUT_SOUND).unlink()
    write_tone(sound_path(root, WITHOUT_LABEL))
    apple = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"
    sound = sound_path(root, "Ses01F_impro01_F000")
    sound.with_name(f"._{sound.name}").write_bytes(apple)
    dialog = root / "Session1" / "dialog"
    (dialog / "EmoEvaluation" / "._Ses01F_impro01.txt").write_bytes(apple)
    for name, text in {
        "EmoEvaluation/Attribute/Ses01F_impro01_e3_atr.txt": "F000 :act 4; :val 3; :dom 2; ()\n",
        "EmoEvaluation/Attribute/Ses01F_impro01_e3_atr.anvil": "<annotation/>\n",
        "EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt": "F000 :Neutral state; ()\n",
        "EmoEvaluation/Self-evaluation/Ses01F_impro01_f1_cat.txt": "F000 :Anger; ()\n",
        "EmoEvaluation/Categorical/Ses01F_impro01.txt": HEADER + LABELS["Ses01F_impro01"],
        "transcriptions/Ses01F_impro01.txt": TRANSCRIPT,
        "transcriptions/._Ses01F_impro01.txt": "no text\n",
    }.items():
        (dialog / name).parent.mkdir(parents=True, exist_ok=True)
        (dialog / name).write_text(text)
    write_tone(dialog / "wav" / "Ses01F_impro01.wav", channels=2)  # both actors at once
    (root / "README.txt").write_text("The release's own.\n")
    return "iemocap"
