"""Writing whole or not at all: files, folders, what killed processes leave."""

import pytest
from stored import read_unsealed

from ser_aae.errors import UserError
from ser_aae.files.atomic import (
    read_json,
    read_jsonl,
    remove_partial,
    write_bytes,
    write_json,
    written_whole,
)
from ser_aae.files.digests import digest_of_file, digest_of_plain


def test_a_file_is_replaced_when_the_block_ends_and_keeps_its_ending_meanwhile(tmp_path):
    path = tmp_path / "new" / "best.weights.h5"
    write_bytes(path, b"old")
    with written_whole(path) as temporary:
        assert temporary.name.endswith("best.weights.h5")
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("is_folder", [False, True])
def test_nothing_is_left_of_what_fails(tmp_path, is_folder):
    path = tmp_path / "out"
    with pytest.raises(ValueError, match="stopped"), written_whole(path) as temporary:  # noqa: PT012
        if is_folder:
            temporary.mkdir()
            (temporary / "half").write_bytes(b"half")
        else:
            temporary.write_bytes(b"half")
        raise ValueError("stopped")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_appears_whole_and_replaces_no_other_one(tmp_path):
    path = tmp_path / "lists"
    with written_whole(path) as temporary:
        temporary.mkdir()
        (temporary / "a").write_text("a")
        assert not path.exists()
    assert [each.name for each in path.iterdir()] == ["a"]
    with pytest.raises(OSError, match="not empty"), written_whole(path) as temporary:
        temporary.mkdir()
    assert [each.name for each in tmp_path.rglob("*")] == ["lists", "a"]


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    leave = written_whole(tmp_path / "result.json")
    leave.__enter__().write_text("half")
    with written_whole(tmp_path / "model") as temporary:
        temporary.mkdir()
        temporary.rename(tmp_path / ".1.part-model")
        (tmp_path / ".1.part-model" / "weights").write_text("half")
        temporary.mkdir()
    (tmp_path / ".run.lock").touch()
    remove_partial(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"model", ".run.lock"}


def test_a_number_that_json_cannot_say_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})
    assert read_unsealed(path) == {"a": 1}


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_errors_of_reading_end_with_what_mends_them(tmp_path, content):
    path = tmp_path / "search.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=r"search\.json: .*; train the run again$"):
        read_json(path)
    with pytest.raises(UserError, match=r"search\.json: .*; search again$"):
        read_json(path, "a search", "search again")


def test_a_missing_file_is_called_what_was_expected(tmp_path):
    with pytest.raises(UserError, match="expected a setup, found none"):
        read_json(tmp_path / "setup.json", "a setup", "write it")


def test_a_broken_line_is_named_and_an_unended_one_left_out(tmp_path):
    path = tmp_path / "epochs.jsonl"
    path.write_text('{"a": 1}\n{"a": 2')
    assert read_jsonl(path) == [{"a": 1}]
    path.write_text("{\n{}\n")
    with pytest.raises(UserError, match=r"epochs\.jsonl:1: not JSON .*; prepare again$"):
        read_jsonl(path, "prepare again")


def test_digests_are_those_of_sha256(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"a" * 3_000_000)
    assert digest_of_file(path).startswith("2a152c894398719c")
    assert digest_of_plain({"b": 1, "a": [2]}, 8) == digest_of_plain({"a": [2], "b": 1}, 8)
    assert len(digest_of_plain([], 16)) == 16
