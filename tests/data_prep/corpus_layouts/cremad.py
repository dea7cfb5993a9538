"""CREMA-D as a clone: sounds, one git-lfs pointer, and its tables of actors and votes."""

from corpus_layouts.sound import write_tone

POINTER = "AudioWAV/1002_TIE_ANG_XX.wav"
POINTER_TEXT = f"""version https://git-lfs.github.com/spec/v1
oid sha256:{"0123456789abcdef" * 4}
size 63464
"""
ACTORS = """"ActorID","Age","Sex","Race","Ethnicity"
1001,51,"Male","Caucasian","Not Hispanic"
1002,21,"Female","Unknown","Hispanic"
1076,25,"Female","Caucasian","Not Hispanic"
"""
SUMMARY = """"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote",\
"MultiModalLevel"
"1","1001_IEO_HAP_LO","N","70.5","H","57","H","51.25"
"2","1001_DFA_SAD_XX","N:S","60:41.50","D","33","S","44"
"3","1002_WSI_FEA_HI","F","66","A:D:N","39.00:62.00:55.33","F","58"
"4","1002_TIE_DIS_MD","NA","NA","D","61","",""
"""
TABULATED = """"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote"
"100001",0,0,1,0,9,0,"1001_IEO_HAP_LO",10,0.9,"N"
"200001",0,0,0,9,1,0,"1001_IEO_HAP_LO",10,0.9,"H"
"""


def write(data_root):
    root = data_root / "cremad"
    for stem in (
        "1001_IEO_HAP_LO",
        "1001_DFA_SAD_XX",
        "1002_WSI_FEA_HI",
        "1002_TIE_DIS_MD",  # nobody voted
        "1040_ITH_SAD_X",  # an X short; the actor is not in the table
        "1076_MTI_SAD_XX",  # the silent one
        "1001-IEO-HAP-LO",
    ):
        write_tone(root / "AudioWAV" / f"{stem}.wav")
    (root / POINTER).write_text(POINTER_TEXT)
    (root / "AudioMP3").mkdir()
    (root / "AudioMP3" / "1001_IEO_HAP_LO.mp3").write_text(POINTER_TEXT)
    (root / "processedResults").mkdir()
    (root / "processedResults" / "summaryTable.csv").write_text(SUMMARY)
    (root / "processedResults" / "tabulatedVotes.csv").write_text(TABULATED)
    (root / "VideoDemographics.csv").write_text(ACTORS)
    return "cremad"
