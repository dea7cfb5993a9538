"""Damaged copies, for every adapter: a clear report, no crash, no silent loss.

A new adapter is tested without a change here, once it has its layout in `corpus_layouts`.
"""

import importlib
import json
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from data_prep.corpora import find_adapter, list_corpora
from data_prep.corpus import NOT_UTF8, Corpus, check_counts
from data_prep.corpus_check import check_corpus
from data_prep.manifest import Contents, read_manifest, write_manifest
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.utterance import Sound

NAMES = [adapter.name for adapter in list_corpora()]
LISTED = ("audformat", "csv", "demo", "esd", "iemocap", "msp", "nemo", "podcast")
"""Corpora with a table that has a row a recording; of others the names are the labels."""
TABLES_ALONE = ("audformat", "csv", "demo")
"""Corpora that are what their tables list, whatever else lies there."""
LABELS = (".csv", ".json", ".tsv", ".txt", ".yaml")


@dataclass
class Tree:
    """A copy of a corpus, and what was read of it while it was whole."""

    dataset: str
    root: Path
    whole: Corpus

    def read(self):
        return find_adapter(self.dataset).read(self.root, allow_partial=True)

    @property
    def lists_its_sounds(self):
        """Return whether a table names each file, which is then told when it is to be read."""
        return self.dataset.startswith(("csv:", "demo"))

    def sounds(self, speaker=None):
        """Return the files of all utterances, or of one speaker's."""
        rows = [item for item in self.whole.utterances if speaker in (None, item.speaker)]
        return sorted({item.audio_path(self.whole.root) for item in rows})

    def labels(self):
        """Return the files of text, those of label names and of other names alike."""
        files = [path for path in self.root.rglob("*") if path.suffix.lower() in LABELS]
        return sorted(path for path in files if not path.name.startswith("."))

    def report(self):
        """Return all that a user is told: the report on the corpus, or the one error."""
        try:
            return json.dumps(check_corpus(self.dataset, self.root), ensure_ascii=False)
        except UserError as error:
            return str(error)

    def lost(self):
        """Return the names of the recordings that are utterances no more; all after an error."""
        try:
            kept = {item.utterance_id for item in self.read().utterances}
        except UserError:
            kept = set()
        return {
            Path(item.path).name for item in self.whole.utterances if item.utterance_id not in kept
        }


@pytest.fixture(params=NAMES)
def tree(request, tmp_path):
    return plant(request.param, tmp_path / "data")


def plant(name, root):
    dataset = importlib.import_module(f"corpus_layouts.{name}").write(root)
    return Tree(dataset, root, find_adapter(dataset).read(root, allow_partial=True))


def only(*names):
    """Run a test with some of the corpora."""
    return pytest.mark.parametrize("tree", names, indirect=True)


def test_a_missing_speaker_is_counted_or_missed(tree):
    speaker = tree.whole.utterances[-1].speaker
    gone = tree.sounds(speaker)
    for path in gone:
        path.unlink()

    if tree.lists_its_sounds:
        assert all(path.name in tree.report() for path in gone)
        return
    with pytest.raises(UserError) as caught:
        # the layouts are no complete copies: what they hold stands for it
        check_counts("x", replace(tree.read(), expected=tree.whole.counts))

    speakers = tree.whole.counts["speakers"]
    assert f"speakers: expected {speakers}, found {speakers - 1}\n" in str(caught.value)


@only(*LISTED)
def test_a_label_without_its_sound_is_named(tree):
    path = tree.sounds()[-1]
    path.unlink()

    before = {item.where for item in tree.whole.dropped}
    if tree.lists_its_sounds:
        assert path.name in tree.report()
        with pytest.raises(UserError, match=re.escape(path.name)):
            find_adapter(tree.dataset).read(tree.root)
    else:
        assert path.name in tree.lost()
        (told,) = {item.where for item in tree.read().dropped} - before
        # by its name or by the line of the table
        assert path.stem in told or re.fullmatch(r"(Evalution\.txt|data\.tsv):\d+", told)


@only(*sorted(set(NAMES) - set(TABLES_ALONE)))
def test_a_sound_without_a_label_is_named(tree):
    path = tree.sounds()[0]
    shutil.copy(path, path.with_stem(f"{path.stem} copy"))

    assert tree.lost() == set()
    where = {os.path.basename(item.where) for item in tree.read().dropped}
    assert f"{path.stem} copy{path.suffix}" in where


@only(*TABLES_ALONE)
def test_sound_that_no_table_lists_changes_nothing(tree):
    path = tree.sounds()[0]
    shutil.copy(path, path.with_stem(f"{path.stem} copy"))

    assert tree.read() == tree.whole


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.encode("utf-16"),
        lambda text: text.encode() + b"\xff\xfe\x00\x80 \xe9\n",
        lambda text: b"",
        lambda text: bytes(range(256)) * 8,
    ],
    ids=["utf-16", "a line of bytes", "empty", "bytes alone"],
)
def test_labels_that_are_no_text_are_named_or_do_not_matter(tree, damage):
    for path in tree.labels():
        content = path.read_bytes()
        path.write_bytes(damage(content.decode("utf-8", errors="replace")))

        report, lost = tree.report(), tree.lost()

        # the error names the file; what else is lost is listed, sound by sound
        assert not lost or path.name in report or all(name in report for name in lost), path
        path.write_bytes(content)
    assert tree.read() == tree.whole


@pytest.mark.parametrize("kind", ["folder", "circle", "gone"])
def test_what_only_has_the_name_of_labels_is_named(tree, kind, tmp_path):
    for path in tree.labels():
        path.rename(tmp_path / "kept")
        if kind == "folder":
            path.mkdir()
        else:
            path.symlink_to(path if kind == "circle" else tmp_path / "nowhere")

        report, lost = tree.report(), tree.lost()

        assert not lost or path.name in report or all(name in report for name in lost), path
        path.rmdir() if kind == "folder" else path.unlink()
        (tmp_path / "kept").rename(path)


@pytest.mark.parametrize("kind", ["folder", "circle", "gone"])
def test_what_only_has_the_name_of_sound_is_named(tree, kind, tmp_path):
    path = tree.sounds()[0]
    path.unlink()
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path if kind == "circle" else tmp_path / "nowhere")

    # by its path where the sound is not found, by its turn's line where the label tells it
    assert path.name in tree.report()
    assert tree.lost() in (set(), {path.name}) or tree.dataset.startswith(("csv:", "demo"))


def test_folders_that_lead_in_circles_change_nothing(tree):
    folder = tree.sounds()[0].parent
    (folder / "A circle").symlink_to(folder)
    (folder / "self.wav.d").symlink_to(folder / "self.wav.d")
    (tree.whole.root / "whole").symlink_to(tree.whole.root)

    assert tree.read().utterances == tree.whole.utterances


def test_a_corpus_that_is_a_link_to_itself_is_not_there(tree, tmp_path):
    adapter = find_adapter(tree.dataset)
    root = tmp_path / "circle"
    root.mkdir()
    place = root / adapter.name
    place.symlink_to(place)
    dataset = adapter.name if adapter.given is None else f"{adapter.name}:{place}"

    with pytest.raises(UserError, match="found nothing"):
        find_adapter(dataset).read(root, allow_partial=True)


def test_line_ends_of_windows_change_nothing(tree):
    for path in tree.labels():
        content = path.read_bytes()
        if b"\x00" not in content and b"\r\n" not in content:  # UTF-16, or such already
            path.write_bytes(content.replace(b"\n", b"\r\n"))

    assert tree.read() == tree.whole


@pytest.mark.parametrize("name", NAMES)
def test_folders_may_have_any_name(name, tmp_path):
    plain, odd = (plant(name, tmp_path / folder) for folder in ("data", "Größe 数据 e\u0301 (1)"))

    def told(tree):
        return [(item.utterance_id, item.path, item.emotion) for item in tree.whole.utterances]

    assert told(odd) == told(plain)
    assert all(path.is_file() for path in odd.sounds())


def test_names_that_are_no_utf_8_are_listed_and_can_be_stored(tree, tmp_path):
    folder = tree.sounds()[-1].parent
    odd = os.fsdecode(os.fsencode(folder) + b"\xfc")
    try:
        shutil.copytree(folder, odd)
    except OSError:
        pytest.skip("file names here must be UTF-8")
    shutil.copy(tree.sounds()[0], os.path.join(folder, os.fsdecode(b"d\xe9but.wav")))
    corpus = tree.read()

    frames = [1] * len(corpus.utterances)
    sounds = [Sound("", "")] * len(frames)
    contents = Contents(corpus.utterances, frames, sounds, corpus.dropped, [], [])
    adapter = find_adapter(tree.dataset)
    write_manifest(tmp_path, "x", adapter, FrontEndConfig(), corpus, contents)

    assert corpus.utterances == tree.whole.utterances
    dropped = [item["where"] for item in read_manifest(tmp_path)["dropped"]]
    if not tree.dataset.startswith(TABLES_ALONE):
        assert any(where.endswith("d\\xe9but.wav") for where in dropped)
        assert any(f"{folder.name}\\xfc/" in where for where in dropped)
    json.dumps(check_corpus(tree.dataset, tree.root), ensure_ascii=False).encode()


@only(*sorted(set(NAMES) - set(TABLES_ALONE)))
def test_what_lies_in_a_folder_whose_name_is_no_utf_8_is_listed(tree):
    folder = tree.sounds()[-1].parent
    names = {path.name for path in tree.sounds() if path.parent == folder}
    try:
        os.rename(folder, os.fsencode(folder) + b"\xfc")
    except OSError:
        pytest.skip("file names here must be UTF-8")

    corpus = find_adapter(tree.dataset).parse(tree.whole.root)

    assert names == tree.lost()
    dropped = {os.path.basename(item.where): item.reason for item in corpus.dropped}
    if tree.dataset == "savee":  # there the folder is the speaker
        assert names <= dropped.keys()
    else:
        assert {dropped[name] for name in names} == {NOT_UTF8}
    if not corpus.utterances:
        assert "rename the file, or the folder" in tree.report()
