"""The page: in a real browser, and against clients that are none."""

import json
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
RAVDESS = ROOT.parent / "shared" / "corpora" / "ravdess"
INPUT = "#recording input[type=file]"
TEXT = "document.querySelector({!r}).innerText"


@pytest.fixture(scope="module")
def page(start_browser, served):
    found = start_browser()
    found.ask("Page.navigate", url=served.url)
    found.wait_for(f"!!document.querySelector('{INPUT}')")
    yield found
    found.close()


@pytest.fixture
def spoken(recording):
    """A real recording where there is one; it is the model that is a toy."""
    actor = RAVDESS / "Actor_01"
    return next(iter(sorted(actor.glob("*-05-02-*.wav"))), None) or recording


def bars(page, task):
    """Return class to per cent as the page shows them."""
    text = page.value(TEXT.format(f"#bars-{task}"))
    return {name: int(share) for name, share in re.findall(r"(\w+)\s+(\d+)%", text)}


def colours_at(page, place):
    """Return how many colours are seen there; what is not drawn, or hidden, has few."""
    corners = f"document.querySelector('{place}').getBoundingClientRect()"
    left, top, width, height = (
        round(page.value(f"{corners}.{edge}")) for edge in ("left", "top", "width", "height")
    )
    seen = page.picture()[top : top + height, left : left + width]
    assert seen.shape == (height, width, 3), f"{place} is not wholly on the page"
    return len(np.unique(seen.reshape(-1, 3), axis=0))


def test_an_upload_is_answered_with_bars_timeline_and_speakers(
    page, served, spoken, toy_recogniser, tmp_path
):
    page.choose_file(INPUT, spoken)
    page.wait_for("!!document.querySelector('#timeline img')?.naturalWidth")
    recognition = toy_recogniser.recognise_file(spoken, 0.5)
    assert list(recognition.posteriors) == ["emotion", "gender", "speaker"]
    for task in ("emotion", "gender"):
        shares = {name: round(100 * p) for name, p in recognition.posteriors[task].items()}
        page.wait_for(f"document.querySelector('#bars-{task}')?.innerText.includes('%')")
        assert bars(page, task) == pytest.approx(shares, abs=1)
    words = page.value("document.querySelector('#timeline img').alt")
    steps = [step.to_dict()["best"].get("emotion", "silence") for step in recognition.timeline]
    assert re.findall(r"s (\w+)", words.partition(": ")[2]) == steps
    assert "Anna <i>" in page.value(TEXT.format("#speakers"))
    assert f"{recognition.duration_s:.1f} s" in page.value(TEXT.format("#said"))
    for place in ("#recording", "#bars-emotion", "#bars-gender", "#timeline img", "#speakers"):
        assert colours_at(page, place) > 20, place
    assert served.forgets()


def test_what_is_no_audio_is_said_on_the_page(page, served, tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"nothing to hear")
    page.ask("Page.navigate", url=served.url)
    page.wait_for(f"!!document.querySelector('{INPUT}')")
    page.choose_file(INPUT, path)
    page.wait_for("document.body.innerText.includes('expected audio')")
    assert served.forgets()


def test_what_the_microphone_hears_is_answered(page, served):
    page.ask("Page.navigate", url=served.url)
    click = "document.querySelector('#recording {}').click() ?? true"
    page.wait_for("!!document.querySelector('#recording button[aria-label^=Record]')")
    page.value(click.format("button[aria-label^=Record]"))
    page.wait_for("!!document.querySelector('#recording .record-button')")
    page.value(click.format(".record-button"))
    page.wait_for(TEXT.format("#recording") + ".includes('0:02')")
    page.value(click.format(".stop-button"))
    page.wait_for(TEXT.format("#said") + ".includes('of it speech')")
    assert float(page.value(TEXT.format("#said")).partition(" s, ")[0]) >= 1.5
    page.wait_for("!!document.querySelector('#timeline img')?.naturalWidth")
    assert served.forgets()


def test_the_browser_asked_nobody_else(page, served):
    elsewhere = [u for u in page.requested if not u.startswith((served.url, "data:", "blob:"))]
    assert len(page.requested) > 20
    assert elsewhere == []
    # neither a request that the policy stopped nor one that led nowhere
    assert page.said == []


def test_the_server_called_nobody(served, client):
    client.get("/")
    assert served.outside == []


def test_the_page_names_nothing_to_be_fetched_from_elsewhere(client, served):
    text = client.get("/").text
    links = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']([^\"']+)", text)
    assert links
    assert not [link for link in links if re.match(r"(?:https?:)?//", link)]
    config = client.get("/config").json()
    assert config["analytics_enabled"] is False
    assert config["stylesheets"] == []
    theme = client.get("/theme.css").text
    assert "system-ui" in theme
    assert not re.search(r"url\(.?(?:https?:)?//|@import", theme)


def ask_page(client, path, **more):
    """Do what the page's script does with an upload; return the queue's last message."""
    config = client.get("/config").json()
    event = next(each for each in config["dependencies"] if each["inputs"])
    session = secrets.token_hex(5)
    upload = {"path": path, "meta": {"_type": "gradio.FileData"}, **more}
    join = {"data": [upload], "fn_index": event["id"], "session_hash": session}
    assert client.post("/gradio_api/queue/join", json=join).status_code == 200
    with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as stream:
        for line in stream.iter_lines():
            message = json.loads(line.removeprefix("data: ")) if line else {}
            if message.get("msg") == "process_completed":
                return message
    return None


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../../../etc/passwd",
        "http://127.0.0.1:9/x.wav",
        "https://example.org/x.wav",
        "file:///etc/passwd",
        str(ROOT / "README.md"),
    ],
)
def test_a_file_that_was_not_uploaded_is_neither_fetched_nor_copied(served, client, path):
    message = ask_page(client, path, url=path)
    assert message["success"] is False
    if path.startswith("http"):  # not tried and failed, but refused
        assert "upload it again" in message["output"]["error"]
    assert served.kept() == []
    assert served.outside == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", str(ROOT / "README.md")])
def test_files_of_the_machine_are_not_served(client, path):
    assert client.get(f"/gradio_api/file={path}").status_code in (403, 404)


def upload(client, recording, name="x.wav"):
    with recording.open("rb") as file:
        (path,) = client.post("/gradio_api/upload", files={"files": (name, file)}).json()
    return path


def test_ten_pages_at_once_are_all_answered(served, client, recording):
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: ask_page(client, upload(client, recording)), range(10)))
    assert [each["success"] for each in found] == [True] * 10
    assert served.forgets()


def test_an_upload_by_the_pages_way_is_answered_once(served, client, recording):
    path = upload(client, recording, "../../x.wav")
    assert Path(path).parent.parent == served.uploads.folder
    assert ask_page(client, path)["success"] is True
    assert served.forgets()
    again = ask_page(client, path)
    assert again["success"] is False
    assert "upload it again" in again["output"]["error"]
