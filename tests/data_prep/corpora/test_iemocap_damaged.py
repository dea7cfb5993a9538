"""IEMOCAP as it comes in practice: damaged, doubled, linked in circles, oddly named."""

import os
import shutil

import pytest
from corpus_layouts import iemocap as layout
from corpus_layouts.sound import write_tone

from data_prep.build import prepare
from data_prep.corpora import find_adapter, iemocap
from data_prep.manifest import read_manifest
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError

LINE = "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 3.5000, 4.3333]"
DIALOG = "Ses01F_impro01"
TURN = "Ses01F_impro01_F000"


@pytest.fixture
def root(tmp_path):
    """A copy in which every turn has its sound and every sound its label."""
    return layout.write_plain(tmp_path / "data" / "iemocap")


def by_id(corpus):
    return {item.utterance_id: item for item in corpus.utterances}


def dropped(corpus):
    """Return what was dropped but for the two sessions that the layout does not have."""
    absent = {"Session2", "Session4"}
    return {(item.where, item.reason) for item in corpus.dropped if item.where not in absent}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("Ses01F_impro01_F", "Ses01F_impro02_F", "expected a turn of Ses01F_impro01, got"),
        ("_F000", "_FXX0", "expected a turn of"),
        (", 4.3333]", "]", "expected `"),
        ("4.3333", "nan", "expected `"),
        ("\tneu", "", "expected `"),
        ("4.3333]", "4.33", "expected `"),
        ("2.5000", "25000", "expected means from 0.5 to 5.5"),
        ("3.5000", "0.0000", "expected means"),
    ],
)
def test_a_damaged_line_is_told_with_its_number(root, before, after, said):
    text = layout.HEADER + "\n" + LINE.replace(before, after) + "\n"
    path = layout.write_labels(root, "Ses01F_impro01", text)

    with pytest.raises(UserError) as caught:
        iemocap.read(root)

    assert str(caught.value).startswith(f"{path}:3: {said}")


@pytest.mark.parametrize("content", [None, "Documentation/phonemes.txt", "Session1"])
def test_a_folder_that_is_something_else_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / content).parent.mkdir(exist_ok=True)
        (tmp_path / content).write_text("a file")

    with pytest.raises(UserError, match="found no folder Session1 to Session5") as caught:
        iemocap.read(tmp_path)

    assert "release form" in str(caught.value)


def test_two_copies_are_refused(root):
    (root / "copy" / "Session1").mkdir(parents=True)

    with pytest.raises(UserError, match="expected one copy") as caught:
        iemocap.read(root)

    assert f"found {root}, {root / 'copy'}." in str(caught.value)


def test_links_that_lead_in_circles_lose_nothing(root):
    whole = iemocap.read(root)
    (root / "loop").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    folder = root / "Session1" / "sentences" / "wav"
    (folder / "A loop").symlink_to(folder.parent)
    (folder / "An alias").symlink_to(folder / "Ses01F_impro01")

    assert by_id(iemocap.read(root)).keys() == by_id(whole).keys()
    assert dropped(iemocap.read(root)) == set()
    assert all(item.audio_path(root).is_file() for item in iemocap.read(root).utterances)


@pytest.mark.parametrize(
    "how", ["latin-1", "cp1252", "utf-8-sig", "\r\n", "\r", "no last line end"]
)
def test_encoding_and_line_ends_do_not_matter(root, how):
    whole = iemocap.read(root)
    text = (layout.HEADER + layout.LABELS[DIALOG]).replace("(curious", "(déjà vu\x85 curious")
    if how.startswith("\r"):
        text = text.replace("\n", how)
    if how == "utf-8-sig":  # its mark then stands before the bracket
        text = text.removeprefix(layout.HEADER).lstrip()
    if how.startswith("no"):
        text = text.rstrip()
    encoding = how if how in ("latin-1", "utf-8-sig") else "utf-8"
    content = text.encode(encoding)
    if how == "cp1252":
        content = text.replace("\x85", "…").encode(how)

    layout.write_labels(root, DIALOG, content)

    assert iemocap.read(root) == whole


def test_a_transcript_that_is_no_utf_8_is_read_to_its_end(root):
    path = root / "Session1" / "dialog" / "transcriptions" / f"{DIALOG}.txt"
    path.parent.mkdir()
    path.write_bytes(f"{TURN} [006.2901-008.2357]: A d\xe9but\x85 perhaps?\r\n".encode("latin-1"))

    transcript = by_id(iemocap.read(root))[TURN].extra["transcript"]

    assert transcript == "A début\x85 perhaps?"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x05\x16\x07" * 99,
        (layout.HEADER + LINE).encode("utf-16"),
        layout.HEADER.encode(),
    ],
    ids=["empty", "binary", "utf-16", "header"],
)
def test_a_label_file_without_labels_is_told(root, content):
    path = layout.write_labels(root, DIALOG, content)

    with pytest.raises(UserError, match="found none; fetch it again") as caught:
        iemocap.read(root)

    assert str(caught.value).startswith(f"{path}: expected lines that begin with")


def test_a_turn_that_stands_there_twice_is_told(root):
    layout.write_labels(root, DIALOG, f"{layout.HEADER}\n{LINE}\n\n{LINE}\n")

    with pytest.raises(UserError, match=rf"{DIALOG}\.txt:5: expected each turn once, got {TURN}"):
        iemocap.read(root)


@pytest.mark.parametrize(("dialog", "other"), [("1b", "1"), ("1", "1b")])
def test_a_turn_of_a_dialog_whose_name_begins_alike_is_told(root, dialog, other):
    dialog, other = f"Ses05M_script01_{dialog}", f"Ses05M_script01_{other}"
    path = layout.write_labels(root, dialog, layout.LABELS[other])

    with pytest.raises(UserError, match=f"expected a turn of {dialog}, got '{other}_") as caught:
        iemocap.read(root)

    assert str(caught.value).startswith(f"{path}:2: ")


def test_what_is_no_file_is_listed_and_the_rest_read(root):
    folder, lost, link = (layout.sound_path(root, f"{DIALOG}_{turn}") for turn in
                          ("F000", "F001", "M000"))  # fmt: skip
    for path in (folder, lost, link):
        path.unlink()
    folder.mkdir()
    lost.symlink_to(root / "nowhere.wav")
    link.symlink_to(link)
    labels = layout.write_labels(root, "Ses03M_impro05a")
    labels.unlink()
    labels.mkdir()

    corpus = iemocap.read(root)

    reasons = {os.path.basename(where): reason for where, reason in dropped(corpus)}
    assert reasons == {
        folder.name: iemocap.EXCLUDED["file"],
        lost.name: iemocap.EXCLUDED["file"],
        link.name: iemocap.EXCLUDED["file"],
        labels.name: iemocap.EXCLUDED["file"],
        "Ses03M_impro05a_F000.wav": iemocap.EXCLUDED["label"],
        "Ses03M_impro05a_M000.wav": iemocap.EXCLUDED["label"],
    }
    assert f"{DIALOG}_M001" in by_id(corpus)


def test_what_is_in_the_wrong_place_or_there_twice_is_listed(root):
    whole = iemocap.read(root)
    misplaced = root / "Session5" / "dialog" / "EmoEvaluation" / f"{DIALOG}.txt"
    misplaced.write_text(layout.HEADER + layout.LABELS[DIALOG])
    (misplaced.parent / "notes.txt").write_text(LINE)
    foreign = write_tone(root / "Session5" / "sentences" / "wav" / DIALOG / f"{TURN}.wav")
    again = write_tone(layout.sound_path(root, TURN).parent / "copy" / f"{TURN}.wav")

    corpus = iemocap.read(root)

    assert corpus.utterances == whole.utterances
    assert {(root / where, reason) for where, reason in dropped(corpus)} == {
        (misplaced, iemocap.EXCLUDED["dialog"]),
        (misplaced.parent / "notes.txt", iemocap.EXCLUDED["dialog"]),
        (foreign, iemocap.EXCLUDED["turn"]),
        (again, "duplicate of a file of the same name"),
    }


def test_sound_is_found_wherever_it_lies_below_its_folder(root):
    path = layout.sound_path(root, TURN)
    moved = path.parent.parent / "more" / f"{TURN}.WAV"
    moved.parent.mkdir()
    path.rename(moved)

    utterance = by_id(iemocap.read(root))[TURN]

    assert utterance.path == f"Session1/sentences/wav/more/{TURN}.WAV"
    assert utterance.audio_path(root) == moved


def test_odd_names_are_listed_and_can_be_stored(root, tmp_path):
    folder = layout.sound_path(root, TURN).parent
    write_tone(folder / "日本 ä.wav")
    write_tone(folder / f"{TURN} (1).wav")
    try:
        shutil.copy(folder / f"{TURN}.wav", os.fsencode(folder) + b"/d\xe9but.wav")
    except OSError:
        pytest.skip("file names here must be UTF-8")

    result = prepare("iemocap", tmp_path / "data", tmp_path / "store", FrontEndConfig(),
                     allow_partial=True)  # fmt: skip

    listed = [item["where"].rpartition("/")[2] for item in read_manifest(result.folder)["dropped"]]
    assert sorted(listed) == sorted(
        ["Session2", "Session4", "日本 ä.wav", f"{TURN} (1).wav", "d\\xe9but.wav"]
    )
    line = f"dropped 3: {iemocap.EXCLUDED['turn']}: "
    assert any(message.startswith(line) for message in result.messages)


def test_labels_without_any_sound(root, tmp_path):
    for folder in root.glob("Session*/sentences"):
        shutil.rmtree(folder)

    with pytest.raises(UserError, match="found no such audio"):
        find_adapter("iemocap").read(tmp_path / "data", allow_partial=True)


def test_a_session_without_labels_is_listed_sound_by_sound(root):
    shutil.rmtree(root / "Session3" / "dialog")

    corpus = iemocap.read(root)

    assert {item.session for item in corpus.utterances} == {"Session1", "Session5"}
    assert sorted(where.rpartition("/")[2] for where, _ in dropped(corpus)) == [
        "Ses03M_impro05a_F000.wav", "Ses03M_impro05a_M000.wav",
    ]  # fmt: skip
    assert {reason for _, reason in dropped(corpus)} == {iemocap.EXCLUDED["label"]}
