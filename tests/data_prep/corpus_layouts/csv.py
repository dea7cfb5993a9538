"""The user's own table, in a folder with a blank in its name."""

from corpus_layouts.sound import write_tone

TABLE = """file,speaker,gender,emotion,activation,valence,session,language,start,end,weather
calls/b.wav,bert,male,Wut,4.5,1,call 2,deu,,,rain
calls/a.wav,anna,f,neutral,,,call 1,deu,0,0.1,
calls/a.wav,anna,f,puzzled,2,3,call 1,deu,0.1,0.2,sun
calls/c.flac,anna,,,,,,,,,
"""


def write(data_root):
    folder = data_root / "my calls"
    for file in ("a.wav", "b.wav", "c.flac"):
        write_tone(folder / "calls" / file, rate_hz=24000)
    (folder / "list.csv").write_text(TABLE)
    return f"csv:{folder / 'list.csv'}"
