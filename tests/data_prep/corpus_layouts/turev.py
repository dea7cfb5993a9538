"""TurEV-DB as its repository holds it, with a model's copies, and names that contradict folders."""

from corpus_layouts.sound import write_tone

OUTPUT = "Model Output for Test Data/testEmotions500HighPass/sound/Angry/1157_kz_acik.wav"
ONLY_OUTPUT = "Model Output for Test Data/testEmotions500HighPass/sound/Angry/1157_kz_beste.wav"


def write(data_root):
    root = data_root / "turev"
    for number, file in enumerate(
        (
            "Sound Source/Angry/1157_kz_acik.wav",
            "Sound Source/Angry/1234_KZ_Algi.wav",
            "Sound Source/Calm/1234_sk_acik.wav",
            "Sound Source/Happy/1234_mt_acik.flac",
            "Sound Source/Sad/1157_hl_acik.wav",
            "Sound Source/Sad/7895_hl_ogul1.wav",  # a number behind the word
            "Sound Source/Sad/1157_kz_cay.wav",  # angry by its name, sad by its folder
            "Sound Source/Sad/recording.wav",
            OUTPUT,
            ONLY_OUTPUT,
        )
    ):
        write_tone(root / file, rate_hz=44100, frequency_hz=300 + 50 * number)
    (root / "README.md").write_text("# Turkish Emotion-Voice Database TurEV-DB\n")
    (root / "Spectrograms" / "Angry").mkdir(parents=True)
    (root / "Spectrograms" / "Angry" / "1157_kz_acik.jpg").write_bytes(b"\xff\xd8\xff")
    return "turev"
