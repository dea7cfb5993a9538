"""Seals and kinds of JSON objects: no changed value passes, and files without a seal are read."""

import json

import pytest
from mistakes import error_of
from stored import read_unsealed, write_unsealed

from ser_aae.errors import DamagedError
from ser_aae.files.atomic import has_file, read_json, read_jsonl, write_bytes, write_json
from ser_aae.files.records import Record
from ser_aae.files.seals import SEAL, seal

CONTENT = {"name": "Zoë", "rates": [0.1 + 0.2, 1e-9], "inner": {"a": None, "b": (1, True)}}


class Inner(Record):
    """An object in an object."""

    a: int | None
    b: list[int | bool] = []  # noqa: RUF012 (pydantic copies it)


class Kind(Record):
    """The kind of `CONTENT`."""

    name: str
    rates: list[float]
    inner: Inner | None = None


@pytest.fixture
def path(tmp_path):
    write_json(tmp_path / "a.json", CONTENT)
    return tmp_path / "a.json"


def test_what_is_read_back_is_what_was_written(path):
    assert read_json(path, kind=Kind) == {**CONTENT, "inner": {"a": None, "b": [1, True]}}
    assert len(json.loads(path.read_text())[SEAL]) == 16


def test_no_changed_bit_of_any_byte_passes_for_another_value(path):
    content, whole = path.read_bytes(), read_json(path)
    refused = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            found = read_json(path)
        except DamagedError:
            refused += 1
        else:  # a changed name of the seal is another key, beside values that are as they were
            assert {name: found[name] for name in whole} == whole
    # another last digit may be the same number
    assert refused >= len(content) - len(SEAL) - 1


def test_a_file_of_before_has_no_seal_and_is_read(path):
    write_unsealed(path, {"name": "x", "rates": []})
    assert read_json(path, kind=Kind) == {"name": "x", "rates": []}


def test_a_key_named_like_the_seal_is_sealed_anew():
    assert seal(seal({"a": 1})) != seal({"a": 1})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": 3}, "name: expected a string, found 3"),
        ({"rates": [1, "x"]}, "rates.1: expected a number, found 'x'"),
        ({"rates": None}, "rates: expected a list, found None"),
        ({"inner": {"b": []}}, "expected inner.a, found none"),
        ({"inner": {"a": True}}, "inner.a: expected a integer, found True"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(path, change, said):
    write_unsealed(path, read_unsealed(path) | change)
    assert error_of(read_json, path, "a file", "write it", Kind) == f"{path}: {said}; write it"


@pytest.mark.parametrize("text", ["", " \n", "{", "[" * 100_000, '{"a": NaN}', "\xff", "3", "[]"])
def test_what_is_no_object_is_told_in_one_line(path, text):
    path.write_bytes(text.encode("latin-1"))
    said = error_of(read_json, path, mend="write it")
    assert said.startswith(f"{path}: ")
    assert said.endswith("; write it")
    assert "\n" not in said


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    place = tmp_path / "a.json"
    place.mkdir()
    for call in (
        lambda: read_json(place),
        lambda: read_jsonl(place),
        lambda: has_file(place),
        lambda: write_bytes(place, b"x"),
    ):
        assert error_of(call).startswith(f"{place}: expected ")
    assert list(tmp_path.iterdir()) == [place]


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "run").touch()
    said = error_of(write_bytes, tmp_path / "run" / "a.json", b"x")
    assert said == f"{tmp_path / 'run'}: expected a folder, found a file; move it away"
    assert "found none" in error_of(read_json, tmp_path / "run" / "a.json")


def test_a_line_of_another_kind_is_named_with_its_number(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"name": "\u2028", "rates": []}\n{"name": 1, "rates": []}\n', encoding="utf-8")
    said = error_of(read_jsonl, path, "write it", Kind)
    assert said == f"{path}:2: name: expected a string, found 1; write it"
