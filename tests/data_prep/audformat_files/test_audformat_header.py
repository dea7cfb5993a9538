"""Headers are read without running or believing what stands in them."""

import audformat
import pytest
import yaml
from corpus_layouts import audformat as layout
from mistakes import error_of

from data_prep.audformat_files.header import DEEPEST, HEADER, read_header
from data_prep.corpora import find_adapter
from ser_aae.errors import UserError


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.mkdir ['{}']",
        "!!python/object/new:os.mkdir ['{}']",
        "!!python/name:os.mkdir",
    ],
)
def test_a_header_calls_no_function(tmp_path, tag):
    trap = tmp_path / layout.TRAP
    header = f"name: x\nsource: ''\nusage: research\nmeta: {tag.format(trap)}\n"
    (tmp_path / HEADER).write_text(header)

    assert "expected the plain YAML of audformat" in error_of(read_header, tmp_path)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", "got a NoneType"),
        ("- a\n- b\n", "got a list"),
        ("name: [", "expected the plain YAML"),
        ("name: 2020-02-30\n", "expected the plain YAML"),
        ("name: \xe9\n".encode("latin-1"), "expected the plain YAML"),
        ("name: x\nusage: research\n", "KeyError: 'source'"),
        ("name: x\nsource: y\nusage: fun\n", "BadValueError"),
        ("name: x\nsource: y\nusage: other\ntables: {a: {type: filewise, split_id: b}}", "BadId"),
    ],
)
def test_a_damaged_header_is_explained(tmp_path, header, part):
    (tmp_path / HEADER).write_bytes(header if isinstance(header, bytes) else header.encode())
    message = error_of(read_header, tmp_path)

    assert message.startswith(f"{tmp_path / 'db.yaml'}: expected")
    assert part in message


def test_a_folder_without_a_header_is_explained(tmp_path):
    assert "found no db.yaml" in error_of(read_header, tmp_path)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize(
    ("levels", "part"),
    # PyYAML has a limit of its own from 6.0.4 on
    [(2 * DEEPEST, f"more than {DEEPEST} levels"), (100_000, "expected the plain YAML")],
)
def test_lists_nested_deeply_do_not_end_the_process(tmp_path, closed, levels, part):
    (tmp_path / HEADER).write_text("[" * levels + "]" * levels * closed)

    assert part in error_of(read_header, tmp_path)


@pytest.mark.parametrize("start", ["- ", "a{}: "], ids=["list", "mapping"])
def test_aliases_that_stand_for_more_than_memory_holds_are_refused(tmp_path, start):
    lines = [f"{start}&a0 [x]"] + [f"{start}&a{n} [{f'*a{n - 1}, ' * 9}]" for n in range(1, 12)]
    (tmp_path / HEADER).write_text("\n".join(line.format(n) for n, line in enumerate(lines)))

    assert "values, aliases counted" in error_of(read_header, tmp_path)


def test_aliases_may_stand_for_what_is_said_twice(tmp_path):
    emotions = "{dtype: str, labels: &words [anger, joy]}"
    others = "{dtype: str, labels: *words}"
    (tmp_path / HEADER).write_text(
        f"name: x\nsource: y\nusage: other\nschemes: {{a: {emotions}, b: {others}}}\n"
    )

    assert read_header(tmp_path).schemes["b"].labels == ["anger", "joy"]


@pytest.mark.parametrize(
    ("place", "value", "part"),
    [
        (("languages",), [None], "languages: expected text, got a NoneType"),
        (("schemes", "arousal", "minimum"), "low", "schemes.arousal: expected a number, got a str"),
        (("tables", "files", "columns", "speaker", "scheme_id"), [], "expected text, got a list"),
        (("tables", "files", "columns", "speaker", "rater_id"), {}, "expected text, got a dict"),
        (("tables", "files", "columns", 7), {}, "tables.files.columns: expected text, got a int"),
        (("misc_tables", "speakers", "levels", "more"), "str", "expected a table of one level"),
    ],
)  # fmt: skip
def test_what_the_library_takes_unchecked_is_refused(tmp_path, place, value, part):
    dataset = layout.write(tmp_path)
    path = tmp_path / layout.FOLDER / HEADER
    header = yaml.safe_load(path.read_text())
    inner = header
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    audformat.Database.load_header_from_yaml(header)  # which says nothing
    path.write_text(yaml.safe_dump(header, sort_keys=False))

    with pytest.raises(UserError, match=r"db\.yaml: ") as caught:
        find_adapter(dataset).read(tmp_path)
    assert part in str(caught.value)
