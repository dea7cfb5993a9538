"""Fetching corpora from a server on this machine, which cuts off, answers wrongly, or refuses."""

import hashlib
import io
import tarfile
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from corpus_layouts import cremad as cremad_layout
from corpus_layouts import librispeech as librispeech_layout
from corpus_layouts import ravdess as ravdess_layout
from disks import resize, small_disk
from web import Content, Web

from data_prep import corpora, download
from data_prep.archives import Archive, unpack
from data_prep.corpora import find_adapter, list_corpora, ravdess
from data_prep.download import Wanted, choose_archives, fetch, fetch_file
from ser_aae.cli import main
from ser_aae.errors import UserError
from ser_aae.files.locks import claim

RAVDESS = "Audio_Speech_Actors_01-24.zip"
PIECE = 500
"""Bytes that are written at a time."""


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "_CHUNK", PIECE)
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def zip_of(folder, inner=""):
    """Return a zip with the files of a folder."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, Path(inner) / path.relative_to(folder))
    return content.getvalue()


def tar_of(folder, inner=""):
    """Return a compressed tar with the files of a folder."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.add(folder, inner or ".")
    return content.getvalue()


def md5(data):
    return f"md5:{hashlib.md5(data, usedforsecurity=False).hexdigest()}"


@pytest.fixture
def published(web, tmp_path):
    """RAVDESS as its layout, with the checksum of the zip that the server has."""
    ravdess_layout.write(tmp_path / "elsewhere")
    data = zip_of(tmp_path / "elsewhere" / "ravdess")
    web.files[RAVDESS] = Content(data)
    archive = Archive(f"{web.address}/{RAVDESS}?download=1", md5(data), "its page")
    return Wanted(find_adapter("ravdess"), archive)


@pytest.fixture
def known(published, tmp_path, monkeypatch):
    """What the command knows of RAVDESS: where this server has it, and what its layout counts."""
    counts = ravdess.read(tmp_path / "elsewhere" / "ravdess").counts
    monkeypatch.setattr(ravdess, "DOWNLOADS", (published.archive,))
    monkeypatch.setattr(ravdess, "EXPECTED", dict(counts))
    corpora._adapters.cache_clear()
    yield published
    corpora._adapters.cache_clear()


def files_of(root):
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def nothing_is_left(data_root, kept=()):
    """Return whether no corpus is there, and of downloads what is to be gone on with alone."""
    found = {path.name for path in data_root.rglob("*") if path.is_file()}
    return found == set(kept) and not (data_root / "ravdess").exists()


# what comes as it should


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "a hidden file", "a link"])
def test_a_corpus_comes_into_its_place(published, tmp_path, there):
    root = tmp_path / "data"
    place = root / "ravdess"
    if there == "a link":
        root.mkdir()
        place.symlink_to(tmp_path / "disk")
    elif there != "nothing":
        place.mkdir(parents=True)
    if there == "a hidden file":
        (place / ".DS_Store").write_bytes(b"\x00")

    fetch(published, root)

    wanted = files_of(tmp_path / "elsewhere" / "ravdess")
    assert files_of(place) == wanted | ({".DS_Store"} if there == "a hidden file" else set())
    assert {path.name for path in root.iterdir()} - {".downloads"} == {"ravdess"}
    assert files_of(root / ".downloads") == set()


def test_archives_without_checksum_length_or_rests_come_too(published, web, tmp_path):
    web.files[RAVDESS].has_length = web.files[RAVDESS].has_rests = False
    archive = replace(published.archive, checksum="", source="")

    fetch(replace(published, archive=archive), tmp_path / "data")

    assert find_adapter("ravdess").is_found(tmp_path / "data")


def test_a_folder_around_the_corpus_is_left_out(web, tmp_path):
    ravdess_layout.write(tmp_path / "elsewhere")
    source = tmp_path / "elsewhere" / "ravdess"
    web.files["a.tar.gz"] = Content(tar_of(source, "RAVDESS-master"))
    archive = Archive(f"{web.address}/a.tar.gz", inner="RAVDESS-*")

    fetch(Wanted(find_adapter("ravdess"), archive), tmp_path / "data")
    assert files_of(tmp_path / "data" / "ravdess") == files_of(source)

    with pytest.raises(UserError, match="expected one folder TESS-\\* in it, found 0"):
        fetch(Wanted(find_adapter("tess"), replace(archive, inner="TESS-*")), tmp_path / "data")
    assert not (tmp_path / "data" / "tess").exists()


def test_parts_come_beside_each_other_with_their_tables(web, tmp_path):
    librispeech_layout.write(tmp_path / "elsewhere")
    source = find_adapter("librispeech").parse(tmp_path / "elsewhere" / "librispeech").root
    parts = [path.name for path in source.iterdir() if path.is_dir()]
    for part in parts:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as archive:
            archive.add(source / part, f"LibriSpeech/{part}")
            archive.add(source / "SPEAKERS.TXT", "LibriSpeech/SPEAKERS.TXT")
        web.files[f"{part}.tar.gz"] = Content(content.getvalue())
    assert len(parts) > 1
    for part in parts:
        archive = Archive(f"{web.address}/{part}.tar.gz", part=part, inner="LibriSpeech")
        item = Wanted(find_adapter("librispeech"), archive)
        assert not item.is_there(tmp_path / "data")
        fetch(item, tmp_path / "data")
        assert item.is_there(tmp_path / "data")

    read = find_adapter("librispeech").parse(tmp_path / "data" / "librispeech")
    whole = find_adapter("librispeech").parse(tmp_path / "elsewhere" / "librispeech")
    assert [u.utterance_id for u in read.utterances] == [u.utterance_id for u in whole.utterances]


def test_a_part_comes_to_where_a_user_has_put_the_others(web, tmp_path):
    librispeech_layout.write(tmp_path / "elsewhere")
    source = find_adapter("librispeech").parse(tmp_path / "elsewhere" / "librispeech").root
    part = next(path.name for path in sorted(source.iterdir()) if path.is_dir())
    web.files["x.tar.gz"] = Content(tar_of(source / part, f"LibriSpeech/{part}"))
    place = tmp_path / "data" / "librispeech"
    place.mkdir(parents=True)
    (place / "SPEAKERS.TXT").write_text((source / "SPEAKERS.TXT").read_text())
    archive = Archive(f"{web.address}/x.tar.gz", part=part, inner="LibriSpeech")

    fetch(Wanted(find_adapter("librispeech"), archive), tmp_path / "data")

    assert (place / part).is_dir()
    assert not (place / "LibriSpeech").exists()


def pointed_corpus(web, tmp_path):
    """CREMA-D with pointers in the place of its sounds, which the server has one by one."""
    cremad_layout.write(tmp_path / "elsewhere")
    source = tmp_path / "elsewhere" / "cremad"
    sounds = [path for path in sorted(source.rglob("*.wav")) if path.stat().st_size > 1000]
    for path in sounds:
        data = path.read_bytes()
        web.files[f"media/{path.relative_to(source).as_posix()}"] = Content(data)
        path.write_text(
            "version https://git-lfs.github.com/spec/v1\n"
            f"oid sha256:{hashlib.sha256(data).hexdigest()}\nsize {len(data)}\n"
        )
    for path in source.rglob("*.wav"):  # the layout's own pointer, to a sound nobody has
        if path not in sounds and path.parent.name == "AudioWAV":
            path.unlink()
    (source / "VideoFlash").mkdir()
    (source / "VideoFlash" / "1001_IEO_HAP_LO.flv").write_text(sounds[0].read_text())
    web.files["master.zip"] = Content(zip_of(source, "CREMA-D-master"))
    archive = Archive(
        f"{web.address}/master.zip", inner="CREMA-D-*", pointed=f"{web.address}/media/",
        recordings="AudioWAV",
    )  # fmt: skip
    return Wanted(find_adapter("cremad"), archive), sounds, source


def test_recordings_that_a_repository_points_to_come_one_by_one(web, tmp_path):
    item, sounds, source = pointed_corpus(web, tmp_path)
    fetch(item, tmp_path / "data")

    for path in sounds:
        name = path.relative_to(source).as_posix()
        placed = tmp_path / "data" / "cremad" / name
        if name.startswith("AudioWAV/"):
            assert placed.read_bytes() == web.files[f"media/{name}"].data
        else:
            assert not placed.exists()
    assert not list((tmp_path / "data" / "cremad").rglob("*.flv"))


def test_recordings_that_are_there_are_not_fetched_again(web, tmp_path):
    item, sounds, source = pointed_corpus(web, tmp_path)
    last = f"media/{sounds[-1].relative_to(source).as_posix()}"
    content = web.files.pop(last)
    with pytest.raises(UserError, match="404"):
        fetch(item, tmp_path / "data")
    web.files[last] = content
    web.asked.clear()

    fetch(item, tmp_path / "data")

    assert [path for path, _ in web.asked] == [last]


# what is cut off, wrong or refused


def test_a_connection_that_is_cut_is_taken_up_again(published, web, tmp_path):
    content = web.files[RAVDESS]
    half = len(content.data) // 2 // PIECE * PIECE
    content.cuts = [half, PIECE + 1]

    fetch(published, tmp_path / "data")

    ranges = [asked for _, asked in web.asked]
    assert ranges == ["", f"bytes={half}-", f"bytes={half + PIECE}-"]
    assert find_adapter("ravdess").is_found(tmp_path / "data")


def test_what_has_come_is_kept_for_the_next_command(published, web, tmp_path):
    content = web.files[RAVDESS]
    half = len(content.data) // 2 // PIECE * PIECE
    content.cuts = [half, 0, 0, 0]
    with pytest.raises(UserError, match="give the same command again: it goes on") as caught:
        fetch(published, tmp_path / "data")
    assert "no address here was ever tried" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert nothing_is_left(tmp_path / "data", {f"{RAVDESS}.part", f"{RAVDESS}.part-of"})
    web.asked.clear()
    content.cuts.clear()

    fetch(published, tmp_path / "data")

    assert [asked for _, asked in web.asked] == [f"bytes={half}-"]


def test_a_file_that_has_changed_meanwhile_comes_anew(published, web, tmp_path):
    content = web.files[RAVDESS]
    first, content.data = content.data, b"another one" * 1000
    content.cuts = [5000, 0, 0, 0]
    with pytest.raises(UserError, match="connection failed"):
        fetch(published, tmp_path / "data")
    content.data = first
    content.cuts.clear()

    fetch(published, tmp_path / "data")

    assert find_adapter("ravdess").is_found(tmp_path / "data")


def test_a_rest_of_another_file_is_not_joined(published, web, tmp_path):
    content = web.files[RAVDESS]
    content.cuts, content.is_careless = [5000, 0, 0, 0], True
    right, content.data = content.data, content.data[::-1]
    with pytest.raises(UserError, match="connection failed"):
        fetch(published, tmp_path / "data")
    content.data = right
    content.cuts.clear()

    fetch(published, tmp_path / "data")

    assert [asked for _, asked in web.asked[-2:]] == ["bytes=5000-", ""]


def test_a_file_that_had_come_whole_is_taken_as_it_is(published, web, tmp_path):
    folder = tmp_path / "data" / ".downloads" / "ravdess"
    folder.mkdir(parents=True)
    (folder / f"{RAVDESS}.part").write_bytes(web.files[RAVDESS].data)
    (folder / f"{RAVDESS}.part-of").write_text(web.files[RAVDESS].version)

    fetch(published, tmp_path / "data")

    assert [asked for _, asked in web.asked] == [f"bytes={len(web.files[RAVDESS].data)}-"]


@pytest.mark.parametrize("version", [b'"\xff', b'"a\n', b" ", b""])
def test_a_damaged_version_of_a_beginning_has_it_come_anew(published, web, tmp_path, version):
    folder = tmp_path / "data" / ".downloads" / "ravdess"
    folder.mkdir(parents=True)
    (folder / f"{RAVDESS}.part").write_bytes(web.files[RAVDESS].data[:PIECE])
    (folder / f"{RAVDESS}.part-of").write_bytes(version)

    fetch(published, tmp_path / "data")

    assert find_adapter("ravdess").is_found(tmp_path / "data")


def test_a_server_that_gives_no_rests_begins_anew(published, web, tmp_path):
    content = web.files[RAVDESS]
    content.has_rests = False
    content.cuts = [1000]

    fetch(published, tmp_path / "data")

    assert [asked for _, asked in web.asked] == ["", ""]


def test_a_wrong_checksum_leaves_nothing(published, web, tmp_path):
    content = web.files[RAVDESS]
    right, content.data = content.data, content.data[:-1] + b"\x01"
    with pytest.raises(UserError, match=r"expected a file with md5:\w+, as its page says"):
        fetch(published, tmp_path / "data")
    assert nothing_is_left(tmp_path / "data")
    content.data = right

    fetch(published, tmp_path / "data")


def test_an_address_that_is_not_there_is_told(published, web, tmp_path):
    web.files.clear()
    with pytest.raises(UserError, match=r"404 .*Audio_Speech_Actors.*; no address here .*zenodo"):
        fetch(published, tmp_path / "data")
    assert nothing_is_left(tmp_path / "data")


def test_a_server_that_is_not_there_is_told(tmp_path):
    archive = Archive("http://127.0.0.1:9/a.zip")  # the port of `discard`, which nobody serves
    with pytest.raises(UserError, match=r"127.0.0.1:9/a.zip: the connection failed"):
        fetch_file(archive, tmp_path / "data", "Ask for it.")


@pytest.mark.parametrize("data", [b"<html>Log in first</html>", b"", b"PK\x03\x04 cut off"])
def test_what_is_no_archive_leaves_no_corpus(published, web, tmp_path, data):
    web.files[RAVDESS].data = data
    archive = replace(published.archive, checksum="", source="")
    with pytest.raises(UserError, match="expected a zip or tar archive, found none, or a damaged"):
        fetch(replace(published, archive=archive), tmp_path / "data")
    assert nothing_is_left(tmp_path / "data")


@pytest.mark.parametrize("make", [zip_of, tar_of])
@pytest.mark.parametrize("damage", ["a changed byte", "cut"])
def test_a_damaged_archive_leaves_no_corpus(published, web, tmp_path, make, damage):
    data = bytearray(make(tmp_path / "elsewhere" / "ravdess"))
    data[len(data) // 2] ^= 0xFF
    web.files[RAVDESS].data = bytes(data if damage == "a changed byte" else data[: len(data) // 2])
    archive = replace(published.archive, checksum="", source="")
    with pytest.raises(UserError, match="expected a zip or tar archive, found none, or a damaged"):
        fetch(replace(published, archive=archive), tmp_path / "data")
    assert nothing_is_left(tmp_path / "data")


def with_a_password(data):
    """Return a zip whose members say that they need a password."""
    at = data.index(b"PK\x01\x02")
    return data[:6] + b"\x01" + data[7 : at + 8] + b"\x01" + data[at + 9 :]


def with_a_place_before_its_begin(data):
    """Return a zip whose first member begins before the file does."""
    return data[:-6] + bytes([data[-6] + 1]) + data[-5:]


@pytest.mark.parametrize("wrong", [with_a_password, with_a_place_before_its_begin])
def test_a_wrong_bit_in_a_directory_is_damage_too(tmp_path, wrong):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("03-01-01-01-01-01-01.wav", b"RIFF")
    path = tmp_path / "a.zip"
    path.write_bytes(wrong(content.getvalue()))
    with pytest.raises(UserError, match="expected a zip or tar archive, found none, or a damaged"):
        unpack(path, tmp_path)
    assert not path.exists()


def hostile_zip(name, link=""):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("Actor_01/03-01-01-01-01-01-01.wav", b"RIFF")
        member = zipfile.ZipInfo(name)
        if link:
            member.external_attr = 0o120777 << 16
        archive.writestr(member, link or "mine")
    return content.getvalue()


def hostile_tar(name, link=""):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        member = tarfile.TarInfo(name)
        if link:
            member.type, member.linkname = tarfile.SYMTYPE, link
        archive.addfile(member, io.BytesIO(b""))
    return content.getvalue()


@pytest.mark.parametrize("make", [hostile_zip, hostile_tar])
@pytest.mark.parametrize(
    ("name", "link", "told"),
    [
        ("../outside.wav", "", "outside of the corpus' folder"),
        ("Actor_01/../../outside.wav", "", "outside of the corpus' folder"),
        ("/outside.wav", "", "outside of the corpus' folder"),
        ("..\\outside.wav", "", "outside of the corpus' folder"),
        ("C:\\outside.wav", "", "outside of the corpus' folder"),
        ("outside.wav", "../../outside", "as a link or a device"),
    ],
)
def test_an_archive_that_would_write_elsewhere_is_refused(
    published, web, tmp_path, make, name, link, told
):
    web.files[RAVDESS].data = make(name, link)
    archive = replace(published.archive, checksum="", source="")
    before = files_of(tmp_path)
    with pytest.raises(UserError, match=rf"would be written {told}; nothing was unpacked"):
        fetch(replace(published, archive=archive), tmp_path / "data")
    assert files_of(tmp_path) == before


def test_what_another_process_fetches_is_left_to_it(published, tmp_path):
    with (
        claim(tmp_path / "data" / ".downloads" / "ravdess"),
        pytest.raises(UserError, match="fetches it already; wait for that"),
    ):
        fetch(published, tmp_path / "data")


def test_unpacking_passes_a_full_disk_on(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.wav").write_bytes(bytes(400_000))
    (tmp_path / "a.zip").write_bytes(zip_of(tmp_path / "source"))
    with small_disk(tmp_path / "disk", 100) as disk, pytest.raises(OSError, match="No space left"):
        unpack(tmp_path / "a.zip", disk)


# names


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("RAVDESS", ["ravdess"]),
        ("crema-d", ["cremad"]),
        ("librispeech", ["librispeech:test-clean", "librispeech:train-clean-360"]),
        ("librispeech:dev-other", ["librispeech:dev-other"]),
    ],
)
def test_names_stand_for_archives(name, chosen):
    assert sorted(item.name for item in choose_archives(name)) == chosen


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("iemocap", "iemocap: this command cannot fetch it. .*sail.usc.edu"),
        ("msp", "msp: this command cannot fetch it. Ask the MSP lab"),
        ("librispeech:test", r"expected a part of librispeech \(dev-clean, .*\), got 'test'"),
        ("ravdess:song", r"expected a part of ravdess \(none\), got 'song'"),
        ("ravdes", "did you mean ravdess"),
    ],
)
def test_names_that_cannot_be_fetched_are_told(name, told):
    with pytest.raises(UserError, match=told):
        choose_archives(name)


@pytest.mark.parametrize("adapter", list_corpora(), ids=lambda adapter: adapter.name)
def test_checksums_have_a_source_and_the_form_of_one(adapter):
    lengths = {"md5": 32, "sha256": 64}
    for archive in adapter.downloads:
        assert bool(archive.checksum) == bool(archive.source)
        if archive.checksum:
            algorithm, _, digits = archive.checksum.partition(":")
            assert len(digits) == lengths[algorithm]
            int(digits, 16)
        assert archive.name.endswith((".zip", ".tar.gz"))
        assert not archive.part or f"speakers of {archive.part}" in adapter.expected


# the command


def run(capsys, *words):
    code = main(["download", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_command_fetches_reads_and_does_nothing_twice(known, web, tmp_path, capsys):
    words = ("ravdess", "--data-root", tmp_path / "data", "--accept-terms")
    code, out, err = run(capsys, *words)

    assert code == 0, err
    assert "terms     CC BY-NC-SA 4.0" in err
    assert f"checksum  {known.archive.checksum}, as its page says" in err
    assert "no address here was ever tried" in err
    assert "utterances: 4, ok" in out
    web.asked.clear()

    code, out, err = run(capsys, *words[:-1])
    assert (code, out, web.asked) == (0, "", [])
    assert f"ravdess: {tmp_path / 'data' / 'ravdess'} is there already" in err


def test_terms_that_are_not_accepted_fetch_nothing(known, web, tmp_path, capsys):
    code, _, err = run(capsys, "ravdess", "--data-root", tmp_path / "data")

    assert code == 2
    assert "CC BY-NC-SA 4.0" in err
    assert "with --accept-terms" in err
    assert web.asked == []
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("Yes\n", 0), ("no\n", 2), ("", 2)])
def test_a_terminal_is_asked(known, web, tmp_path, capsys, monkeypatch, typed, code):
    terminal = io.StringIO(typed)
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    assert run(capsys, "ravdess", "--data-root", tmp_path / "data")[0] == code
    assert bool(web.asked) == (code == 0)


def test_counts_decide_where_no_checksum_is_published(known, web, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ravdess, "DOWNLOADS", (replace(known.archive, checksum="", source=""),))
    monkeypatch.setattr(ravdess, "EXPECTED", ravdess.EXPECTED | {"speakers": 24})
    corpora._adapters.cache_clear()
    words = ("ravdess", "--data-root", tmp_path / "data", "--accept-terms")
    code, out, err = run(capsys, *words)

    assert code == 2
    assert "none is published; the counts of the corpus decide" in err
    assert "speakers: expected 24, found 2" in out
    assert "speakers: expected 24, found 2, see the report; mend it" in err
    web.asked.clear()
    code, _, err = run(capsys, *words)  # what is there is not touched
    assert (code, web.asked) == (2, [])
    assert "speakers: expected 24, found 2" in err


@pytest.mark.parametrize(
    ("damage", "code", "asked"),
    [
        (("part", "cut"), 0, f"bytes={PIECE}-"),
        (("part", "empty"), 0, ""),
        (("part", "absent"), 0, ""),
        (("part", "a bit changed"), 2, f"bytes={2 * PIECE}-"),
        (("part", "a folder"), 2, None),
        (("part-of", "empty"), 0, ""),
        (("part-of", "absent"), 0, ""),
        (("part-of", "a bit changed"), 0, f"bytes={2 * PIECE}-"),  # the server has no such version
        (("part-of", "a folder"), 2, None),
    ],
)
def test_damage_of_what_an_interrupt_left(known, web, tmp_path, capsys, damage, code, asked):
    file, way = damage
    folder = tmp_path / "data" / ".downloads" / "ravdess"
    folder.mkdir(parents=True)
    begin = web.files[RAVDESS].data[: 2 * PIECE]
    (folder / f"{RAVDESS}.part").write_bytes(begin)
    (folder / f"{RAVDESS}.part-of").write_text(web.files[RAVDESS].version)
    path = folder / f"{RAVDESS}.{file}"
    content = path.read_bytes()
    path.unlink()
    if way == "cut":
        path.write_bytes(content[:PIECE])
    elif way == "empty":
        path.touch()
    elif way == "a bit changed":
        path.write_bytes(content[:5] + bytes([content[5] ^ 1]) + content[6:])
    elif way == "a folder":
        path.mkdir()

    words = ["download", "ravdess", "--data-root", str(tmp_path / "data"), "--accept-terms"]
    assert main(words) == code, capsys.readouterr().err
    assert find_adapter("ravdess").is_found(tmp_path / "data") == (code == 0)
    if asked is None:
        assert path.name in capsys.readouterr().err
    else:
        assert [each for _, each in web.asked] == [asked]
    if way == "a bit changed":
        assert main(words) == 0


def test_a_full_disk_is_told_and_gone_on_with(known, web, tmp_path, capsys):
    size = len(web.files[RAVDESS].data) // 1000
    with small_disk(tmp_path / "disk", size * 2 // 3) as disk:
        words = ("ravdess", "--data-root", disk, "--accept-terms")
        code, _, err = run(capsys, *words)
        assert code == 2
        assert "the disk is full; make room and give the same command again" in err
        assert not (disk / "ravdess").exists()
        resize(disk, size * 3 // 2)  # for the archive, not for what is in it
        assert run(capsys, *words)[0] == 2
        assert not (disk / "ravdess").exists()
        resize(disk, 10 * size)
        web.asked.clear()
        assert run(capsys, *words)[0] == 0
        assert web.asked == []
        assert files_of(disk / ".downloads") == set()


def test_commands_that_lack_a_corpus_name_this_one(tmp_path, capsys):
    (tmp_path / "my data").mkdir()
    words = ("train", "--dataset", "ravdess", "--data-root", str(tmp_path / "my data"))
    assert main([*words, "--store", str(tmp_path / "store")]) == 2

    fetched = f"Or: ser-aae download ravdess --data-root '{tmp_path / 'my data'}'"
    assert fetched in capsys.readouterr().err
    assert main(["train", "--dataset", "iemocap", "--store", str(tmp_path / "store")]) == 2
    assert "ser-aae download" not in capsys.readouterr().err
