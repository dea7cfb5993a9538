"""MSP-Podcast: a table of all partitions, speakers nobody knows, and sound that no row lists."""

from corpus_layouts.sound import write_tone

HEADER = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"
ROWS = (
    "MSP-PODCAST_0001_0008.wav,N,2.2,4.0,2.6,30,Male,Test1",
    "MSP-PODCAST_0001_0009.wav,A,7.0,1.0,5.5,30,Male,Test1",
    "MSP-PODCAST_0002_0001.wav,H,4,7,4,41,Female,Train",
    "MSP-PODCAST_0002_0002.wav,X,3.5,4.5,4.0,41,Female,Train",
    "MSP-PODCAST_0002_0003.wav,S,1.0,2.0,3.0,Unknown,Female,Train",
    "MSP-PODCAST_0003_0001.wav,F,5.0,2.0,3.0,Unknown,Unknown,Train",
    "MSP-PODCAST_0004_0001.wav,U,5.0,5.0,4.0,52,Female,Development",
    "MSP-PODCAST_0005_0001.wav,D,3.0,2.0,4.0,30,Male,Test2",
    "MSP-PODCAST_0005_0002.wav,O,3.0,4.0,4.0,63,Unknown,Test2",
)
ODD = "MSP-PODCAST_1023_0235.wav"


def write(data_root):
    root = data_root / "podcast"
    (root / "Labels").mkdir(parents=True)
    rows = [HEADER, *ROWS, f"{ODD},C,4.0,3.0,4.0,7,Male,Train"]
    (root / "Labels" / "labels_consensus.csv").write_text("\n".join(rows) + "\n")
    (root / "Labels" / "labels_detailed.csv").write_text("FileName,Worker,EmoClass_Major\n")
    for number, row in enumerate(ROWS):
        file = root / "Audios" / row.partition(",")[0]
        write_tone(file, frequency_hz=300 + 50 * number)
    write_tone(root / "Audios" / ODD, rate_hz=44100, channels=2, frequency_hz=900)
    write_tone(root / "Audios" / "MSP-PODCAST_test3_0001.wav", frequency_hz=1000)
    write_tone(root / "Audios" / "MSP-PODCAST_0009_0001.wav", frequency_hz=1100)
    (root / "readme.txt").write_text("MSP-PODCAST Database\n")
    return "podcast"
