"""RAVDESS with what its mirrors add: a song, a video, a second tree, strange names."""

from corpus_layouts.sound import write_padded_wav, write_tone

STEREO = "Actor_02/03-01-05-01-01-01-02.wav"
PADDED = "Actor_02/03-01-08-02-02-02-02.WAV"


def write(data_root):
    root = data_root / "ravdess"
    write_tone(root / "Actor_01" / "03-01-01-01-01-01-01.wav", rate_hz=48000)
    write_tone(root / "Actor_01" / "03-01-02-01-01-01-01.wav", rate_hz=48000)
    write_tone(root / STEREO, rate_hz=48000, channels=2)
    write_padded_wav(root / PADDED)
    write_tone(root / "Actor_01" / "03-02-03-01-01-01-01.wav")  # a song
    write_tone(root / "Actor_01" / "notes.wav")
    (root / "Actor_01" / "01-01-03-01-01-01-01.mp4").write_bytes(b"a video")
    (root / "Actor_01" / "._03-01-01-01-01-01-01.wav").write_bytes(b"\x00\x05\x16\x07")
    copy = root / "audio_speech_actors_01-24" / "Actor_01"
    write_tone(copy / "03-01-01-01-01-01-01.wav", rate_hz=48000)
    return "ravdess"
