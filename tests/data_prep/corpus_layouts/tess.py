"""TESS as mirrors hold it: folders of any spelling, odd rates, a second tree, a short name."""

from corpus_layouts.sound import write_tone

ODD_RATE = "OAF_Fear/OAF_food_fear.wav"
STEREO = "YAF_pleasant_surprised/YAF_back_ps.wav"
MISSPELT = "OAF_neutral/OA_bite_neutral.wav"
COPY = "tess toronto emotional speech set data/OAF_angry/OAF_back_angry.wav"


def write(data_root):
    root = data_root / "tess"
    for file in (
        "OAF_angry/OAF_back_angry.wav",
        "OAF_Pleasant_surprise/OAF_back_ps.wav",
        "OAF_disgust/OAF_chain_disgust.wav",
        "YAF_happy/YAF_back_happy.wav",
        "YAF_sad/yaf_dog_sad.WAV",
        MISSPELT,
        COPY,
        "YAF_sad/YAF_sad.wav",
        "YAF_sad/KAF_dog_sad.wav",
    ):
        write_tone(root / file, rate_hz=24414)
    write_tone(root / ODD_RATE, rate_hz=96000)
    write_tone(root / STEREO, rate_hz=24414, channels=2)
    (root / "YAF_sad" / "._YAF_dog_sad.wav").write_bytes(b"\x00\x05\x16\x07")
    return "tess"
