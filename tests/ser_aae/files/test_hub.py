"""Models on the Hub: fetched and pushed through a stand-in, and every refusal in words."""

import sys
import time

import pytest
from hub import ask_at, running_hub
from mistakes import error_of

from ser_aae.extras import explain_missing
from ser_aae.files.hub import HubAddress, fetch_file, is_meant, parse_address, push_files

ENDINGS = (".onnx", ".keras")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with running_hub(tmp_path, monkeypatch) as server:
        yield server


@pytest.mark.parametrize(
    ("text", "repo", "revision", "file"),
    [
        ("hf://me/voices", "me/voices", None, None),
        ("hf://me/voices/", "me/voices", None, None),
        ("hf://me/voices/a/model.onnx", "me/voices", None, "a/model.onnx"),
        ("hf://me/voices@v1.0/model.onnx", "me/voices", "v1.0", "model.onnx"),
    ],
)
def test_an_address_names_repository_revision_and_file(text, repo, revision, file):
    assert parse_address(text) == HubAddress(repo, revision, file)
    assert str(parse_address(text)) == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    [
        "hf://",
        "hf://me",
        "hf:///voices",
        "hf://me/..",
        "hf://../voices",
        "hf://me/voices/../../a.onnx",
        "hf://me/voices@../a.onnx",
        "hf://me/voices//a.onnx",
        "hf://me/two words",
        "hf:/me/voices",
        "hf:me/voices",
        "HF://me/voices",
        "https://huggingface.co/me/voices",
    ],
)
def test_what_is_no_address_is_refused(text):
    assert is_meant(text)
    assert error_of(parse_address, text).startswith(f"{text}: expected hf://OWNER/NAME")


@pytest.mark.parametrize("text", ["hf/model.onnx", "runs/hf:1", "https://example.org/m.onnx"])
def test_other_names_are_no_addresses(text):
    assert not is_meant(text)


def test_a_file_of_another_kind_is_refused_before_the_hub_is_asked(hub):
    said = error_of(fetch_file, parse_address("hf://me/voices/z.txt"), ENDINGS)
    assert said.startswith("hf://me/voices/z.txt: expected an exported model (.onnx")
    assert said.endswith("got z.txt")


def test_what_is_pushed_is_fetched_again(hub, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"weights")
    files = {"README.md": b"a card", "model.onnx": tmp_path / "model.onnx"}
    assert push_files("me/voices", files, "First") == f"{hub.address}/me/voices"
    assert hub.repos == {"me/voices": {"README.md": b"a card", "model.onnx": b"weights"}}
    assert hub.private == {"me/voices"}
    assert hub.commits == ["First"]

    push_files("me/voices", {"README.md": b"another"}, "Second")  # it is there by now
    assert hub.repos["me/voices"]["README.md"] == b"another"
    for address in ("hf://me/voices", "hf://me/voices/model.onnx", "hf://me/voices@main"):
        path = fetch_file(parse_address(address), ENDINGS)
        assert (path.suffix, path.read_bytes()) == (".onnx", b"weights")


def test_a_file_that_was_fetched_needs_no_network(hub, monkeypatch):
    hub.repos["me/voices"] = {"model.onnx": b"weights"}
    address = parse_address("hf://me/voices/model.onnx")
    assert fetch_file(address, ENDINGS).read_bytes() == b"weights"
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # it tries again, for 20 s
    ask_at("http://127.0.0.1:9", monkeypatch)
    assert fetch_file(address, ENDINGS).read_bytes() == b"weights"
    for other in ("hf://me/voices/other.onnx", "hf://me/voices"):
        assert "cannot be reached" in error_of(fetch_file, parse_address(other), ENDINGS)
    assert "cannot be reached" in error_of(push_files, "me/voices", {"a": b"b"}, "Third")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.keras": b"", "b.keras": b"", "c.txt": b""}, "one exported model, found a.keras, b.k"),
        ({"README.md": b""}, r"an exported model (.onnx, .keras), found README.md"),
        ({}, "found no file"),
    ],
)
def test_of_a_repository_without_one_model_the_files_are_named(hub, files, expected):
    hub.repos["me/voices"] = files
    assert expected in error_of(fetch_file, parse_address("hf://me/voices"), ENDINGS)


def test_the_ending_that_comes_first_is_preferred(hub):
    hub.repos["me/voices"] = {"a.keras": b"keras", "b.onnx": b"onnx"}
    assert fetch_file(parse_address("hf://me/voices"), ENDINGS).read_bytes() == b"onnx"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("hf://you/nothing", "expected a repository of models, found none"),
        ("hf://me/voices/none.onnx", "expected a file of the repository, found none"),
        ("hf://me/voices@v9/model.onnx", "expected a revision of the repository, found none"),
        ("hf://me/secret/model.onnx", "one that is private"),
    ],
)
def test_what_is_not_there_is_told(hub, monkeypatch, address, expected):
    hub.repos |= {"me/voices": {"model.onnx": b""}, "me/secret": {"model.onnx": b""}}
    hub.private.add("me/secret")
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    said = error_of(fetch_file, parse_address(address), ENDINGS)
    assert address in said
    assert expected in said


def test_nothing_is_sent_without_a_token(hub, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    said = error_of(push_files, "me/voices", {"README.md": b"a card"}, "First")
    assert "expected a token of the Hub that may write, found none" in said
    assert hub.repos == {}
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    said = error_of(push_files, "me/voices", {"README.md": b"a card"}, "First")
    assert "the Hub refuses it (Invalid username or password.)" in said
    for other in ("me/voices/model.onnx", "voices", "hf://me/voices", ""):
        said = error_of(push_files, other, {"README.md": b"a card"}, "First")
        assert said == f"expected a repository of the Hub, OWNER/NAME, got {other}"


def test_without_the_package_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for work in (
        lambda: push_files("me/voices", {}, "First"),
        lambda: fetch_file(HubAddress("me/voices", None, "a.onnx"), [".onnx"]),
    ):
        with pytest.raises(ModuleNotFoundError) as error:
            work()
        assert explain_missing(error.value).endswith("pip install 'ser-aae[hub]'")
