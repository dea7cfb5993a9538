"""MSP-IMPROV in the two layouts that circulate, with what its label file and copies hold.

All values and words are made up.
"""

from corpus_layouts.sound import write_tone

LABELS = """\
UTD-IMPROV-S01A-F01-P-FM01.avi; H; A:3.500000; V:4.333333; D:3.000000 ; N:4.250000;
WORKER7Q-p03; Happy; Excited,Surprised; A:3.000000; V:4.000000; D:3.000000; N:4.000000;
WORKER_2-p11; Happy; ; A:4.000000; V:5.000000; D:NaN; N:5.000000;
WORKER7Q-p03; Happy; Excited,Surprised; A:3.000000; V:4.000000; D:3.000000; N:4.000000;
WORKER05-p02; Neutral; Other("so-so"/well; [bored]?); A:4.000000; V:4.000000; D:3.000000; N:NaN;

UTD-IMPROV-S01A-F01-S-FM01.avi; A; A:2.500000; V:1.750000; D:NaN ; N:3.600000;
WORKER05-p02; Angry; Frustrated; A:2.000000; V:2.000000; D:NaN; N:4.000000;

UTD-IMPROV-S01A-F01-S-MF01.avi; X; A:3.000000; V:2.500000; D:3.200000 ; N:4.000000;
WORKER05-p02; Sad; A:1; V:1; D:1; N:1; depressed; A:3.000000; V:3.000000; D:3.000000; N:4.000000;
WORKER06-p02; Angry; ; A:3.000000; V:2.000000; D:3.000000; N:4.000000;

UTD-IMPROV-S01A-M01-S-FM01.avi; O; A:NaN; V:NaN; D:2.000000 ; N:3.000000;
WORKER06-p02; Other; Other(confused; maybe bored),Frustrated; A:NaN; V:NaN; D:2.000000; N:3.000000;

UTD-IMPROV-S16N-F02-R-FF01.avi; N; A:4.000000; V:3.000000; D:3.000000 ; N:2.000000;
WORKER06-p02; Neutral; Neutral; A:4.000000; V:3.000000; D:3.000000; N:2.000000;

UTD-IMPROV-S02S-M02-T-MF01.avi; S; A:3.666667; V:2.000000; D:2.500000 ; N:3.000000;
WORKER06-p02; Sad; Depressed; A:3.666667; V:2.000000; D:2.500000; N:3.000000;

UTD-IMPROV-S02S-F02-T-FM01.avi; S; A:4.000000; V:2.000000; D:2.500000 ; N:3.000000;
WORKER06-p02; Sad; ; A:4.000000; V:2.000000; D:2.500000; N:3.000000;
"""

TURNS = (
    ("session1/S01A/P", "S01A-F01-P-FM01", 44100, 1),
    ("session1/S01A/S", "S01A-F01-S-FM01", 48000, 1),
    ("session1/S01A/S", "S01A-F01-S-MF01", 44100, 2),
    ("session1/S01A/S", "S01A-M01-S-FM01", 44100, 1),
    ("session2/S16N/R", "S16N-F02-R-FF01", 44100, 1),
    ("session2/S02S/T", "S02S-M02-T-MF01", 44100, 1),
)
"""Folder, name, rate and channels; the label file has one turn more."""

LABEL_WITHOUT_AUDIO = ":23"
AUDIO_WITHOUT_LABEL = "session1/S01A/P/MSP-IMPROV-S01A-M01-P-FM07.wav"
TRANSCRIPTS = "Human_transcriptions/All_human_transcriptions"


def write(data_root, sound_folder="Audio", label_file="Evalution.txt"):
    """Write the layout of the audio package, or with other arguments that beside the videos."""
    root = data_root / "msp"
    sound = root / sound_folder
    for folder, name, rate_hz, channels in TURNS:
        write_tone(sound / folder / f"MSP-IMPROV-{name}.wav", rate_hz=rate_hz, channels=channels)
    write_tone(sound / AUDIO_WITHOUT_LABEL)
    write_tone(sound / "session1/S01A/clapper.wav")
    write_tone(root / "copy/session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav")
    write_tone(root / "from-video/UTD-IMPROV-S01A-F01-P-FM01.wav")
    (sound / "session1/S01A/P/._MSP-IMPROV-S01A-F01-P-FM01.wav").write_bytes(b"\x00\x05\x16\x07")
    (sound / "session1/S01A/P/UTD-IMPROV-S01A-F01-P-FM01.avi").write_bytes(b"a video")
    (root / label_file).write_text(LABELS, encoding="utf-8")
    (root / "._Evalution.txt").write_bytes(b"\x00\x05\x16\x07")
    (root / "Readme.txt").write_text("UTD-IMPROV-S01A-F01-P-FM01.avi is the first turn\n")
    (root / TRANSCRIPTS).mkdir(parents=True)
    words = root / TRANSCRIPTS / "UTD-IMPROV-S01A-F01-P-FM01.txt"
    words.write_text("so that [inaudible 00:05:57]\nwas it\n")
    return "msp"
