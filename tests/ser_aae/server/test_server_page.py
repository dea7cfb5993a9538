"""The page: in a real browser, and as files that a browser is given."""

import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_aae.server.page import FILES

ROOT = Path(__file__).resolve().parents[3]
RAVDESS = ROOT.parent / "shared" / "corpora" / "ravdess"
INPUT = "#recording input[type=file]"
TEXT = "document.querySelector({!r}).innerText"
ANSWERED = "!!document.querySelector('#timeline img')?.naturalWidth"


@pytest.fixture(scope="module")
def page(start_browser, served):
    found = start_browser()
    yield found
    found.close()


@pytest.fixture
def fresh(page, served):
    """The page as it is when somebody comes."""
    page.ask("Page.navigate", url=served.url)
    page.wait_for("document.readyState === 'complete' && !document.querySelector('#notes').hidden")
    return page


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
    fresh, served, spoken, toy_recogniser
):
    page = fresh
    page.choose_file(INPUT, spoken)
    page.wait_for(ANSWERED)
    recognition = toy_recogniser.recognise_file(spoken, 0.5)
    assert list(recognition.posteriors) == ["emotion", "gender", "speaker"]
    for task in ("emotion", "gender"):
        shares = {
            {"F": "female", "M": "male"}.get(name, name): round(100 * p)
            for name, p in recognition.posteriors[task].items()
        }
        assert bars(page, task) == pytest.approx(shares, abs=1)
    assert page.value("document.querySelector('#bars-speaker')") is None
    words = page.value("document.querySelector('#timeline img').alt")
    steps = [step.to_dict()["best"].get("emotion", "silence") for step in recognition.timeline]
    told = re.findall(r"(\w+) from", words.partition(": ")[2])
    assert told == [name for name, _ in itertools.groupby(steps)]
    # the fixture's speakers and warning hold tags, which are shown and not taken for such
    assert "Anna <i>" in page.value(TEXT.format("#speakers"))
    assert "<b>loud</b>" in page.value(TEXT.format("#notes"))
    assert page.value("document.querySelectorAll('#speakers i, #notes b').length") == 0
    assert f"{recognition.duration_s:.1f} s" in page.value(TEXT.format("#said"))
    for place in ("#recording", "#bars-emotion", "#bars-gender", "#timeline img", "#speakers"):
        assert colours_at(page, place) > 20, place
    assert served.kept() == []


def test_silence_is_called_so(fresh, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(2 * 16000), 16000)
    fresh.choose_file(INPUT, path)
    fresh.wait_for(ANSWERED)
    assert fresh.value(TEXT.format("#said")) == "2.0 s of silence."
    assert fresh.value(TEXT.format("#bars")) == ""
    assert fresh.value("document.querySelector('#speakers').hidden")
    words = fresh.value("document.querySelector('#timeline img').alt")
    assert words.endswith("silence from 0 to 2 s")
    assert fresh.value("document.querySelector('#oddities').hidden")


def test_what_is_odd_stands_above_the_answer(fresh, tmp_path):
    hum = 0.2 * np.sin(2 * np.pi * 50 * np.arange(2 * 16000) / 16000)
    soundfile.write(tmp_path / "hum.wav", hum, 16000)
    fresh.choose_file(INPUT, tmp_path / "hum.wav")
    fresh.wait_for(ANSWERED)
    assert not fresh.value("document.querySelector('#oddities').hidden")
    assert "no speech" in fresh.value(TEXT.format("#oddities")).lower()


def test_what_was_given_is_played_from_the_browser_itself(fresh, recording):
    fresh.choose_file(INPUT, recording)
    player = "document.querySelector('#player')"
    fresh.wait_for(f"{player}.duration > 3.9 && !document.querySelector('#results').hidden")
    assert fresh.value(f"{player}.src").startswith("blob:")
    assert fresh.value(TEXT.format("#name")) == "tone.wav"


def test_a_dropped_file_is_answered(fresh, recording):
    data = {"items": [], "files": [str(recording)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        fresh.ask("Input.dispatchDragEvent", type=kind, x=500, y=600, data=data)
    fresh.wait_for(ANSWERED)


def test_what_is_no_audio_is_said_on_the_page(fresh, served, tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"nothing to hear")
    fresh.choose_file(INPUT, path)
    fresh.wait_for(TEXT.format("#error") + ".includes('expected sound')")
    assert fresh.value("document.querySelector('#results').hidden")
    assert fresh.value(TEXT.format("#said")) == ""
    assert fresh.value("document.body.hasAttribute('aria-busy')") is False
    assert served.kept() == []


def test_too_large_a_file_is_not_even_sent(fresh, tmp_path):
    path = tmp_path / "large.wav"
    path.write_bytes(bytes(1_048_577))
    asked = len(fresh.requested)
    fresh.choose_file(INPUT, path)
    fresh.wait_for(TEXT.format("#error") + ".includes('at most 1 MB')")
    assert not [url for url in fresh.requested[asked:] if "/api/" in url]


def test_the_last_of_two_recordings_is_shown(fresh, recording, tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"nothing to hear")
    fresh.choose_file(INPUT, path)
    fresh.choose_file(INPUT, recording)
    fresh.wait_for(ANSWERED)
    assert fresh.value("document.querySelector('#error').hidden")


def test_what_the_microphone_hears_is_answered(fresh, served):
    click = "document.querySelector('#record').click() ?? true"
    fresh.value(click)
    fresh.wait_for(TEXT.format("#elapsed") + ".includes('0:02')")
    assert fresh.value(TEXT.format("#record")) == "Stop"
    fresh.value(click)
    fresh.wait_for(TEXT.format("#said") + ".includes('of it speech')")
    assert float(fresh.value(TEXT.format("#said")).partition(" s, ")[0]) >= 1.5
    fresh.wait_for(ANSWERED)
    fresh.wait_for("document.querySelector('#player').duration >= 1.5")
    assert served.kept() == []


def test_a_recording_that_is_not_wanted_is_dropped(fresh, recording):
    fresh.value("document.querySelector('#record').click() ?? true")
    fresh.wait_for(TEXT.format("#record") + " === 'Stop'")
    fresh.choose_file(INPUT, recording)
    fresh.wait_for(ANSWERED)
    assert fresh.value(TEXT.format("#record")) == "Record"
    assert fresh.value(TEXT.format("#said")).startswith("4.0 s")


@pytest.mark.parametrize(
    ("devices", "said"),
    [
        ("undefined", "of this machine or of https:// alone"),
        (
            "{getUserMedia: async () => { throw new DOMException('', 'NotAllowedError') }}",
            "gives no microphone",
        ),
    ],
)
def test_without_a_microphone_the_page_says_so(fresh, devices, said):
    fresh.value(f"Object.defineProperty(navigator, 'mediaDevices', {{value: {devices}}}) && true")
    fresh.value("document.querySelector('#record').click() ?? true")
    fresh.wait_for(TEXT.format("#error") + f".includes('{said}')")
    assert fresh.value(TEXT.format("#record")) == "Record"


def test_a_server_that_is_gone_is_said(fresh, recording):
    fresh.ask("Network.setBlockedURLs", urls=["*/api/predict*"])
    fresh.choose_file(INPUT, recording)
    fresh.wait_for(TEXT.format("#error") + ".includes('does not answer')")
    fresh.ask("Network.setBlockedURLs", urls=[])


def test_a_recording_ends_at_the_limit_by_itself(fresh):
    # 1 MB of 16-bit sound is some ten seconds, which the fixture's model need not be waited for
    fresh.value("document.querySelector('#record').click() ?? true")
    fresh.wait_for(ANSWERED)
    assert fresh.value("document.querySelector('#error').hidden")
    assert float(fresh.value(TEXT.format("#said")).partition(" s, ")[0]) <= 20


def test_all_is_reached_by_the_keyboard_and_named(fresh, recording):
    fresh.choose_file(INPUT, recording)
    fresh.wait_for(ANSWERED)
    reached = []
    for _ in range(4):
        for kind in ("keyDown", "keyUp"):
            fresh.ask("Input.dispatchKeyEvent", type=kind, key="Tab", windowsVirtualKeyCode=9)
        reached.append(fresh.value("document.activeElement.id"))
    assert reached[:3] == ["record", "file", "player"]
    nodes = fresh.ask("Accessibility.getFullAXTree")["nodes"]
    named = {(n["role"]["value"], n.get("name", {}).get("value")) for n in nodes if "role" in n}
    assert {("button", "Record"), ("heading", "Emotion"), ("figure", "Timeline")} <= named
    roles = {role for role, _ in named}
    assert {"status", "main", "table", "list"} <= roles


@pytest.mark.parametrize("width", [320, 1000])
def test_nothing_is_wider_than_the_screen(fresh, recording, width):
    size = {"width": width, "height": 1300, "deviceScaleFactor": 1, "mobile": False}
    fresh.ask("Emulation.setDeviceMetricsOverride", **size)
    fresh.choose_file(INPUT, recording)
    fresh.wait_for(ANSWERED)
    assert fresh.value("document.documentElement.scrollWidth") <= width
    fresh.ask("Emulation.setDeviceMetricsOverride", **size | {"width": 1000})


def test_dark_is_dark(fresh, recording):
    fresh.ask(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    fresh.choose_file(INPUT, recording)
    fresh.wait_for(ANSWERED)
    assert fresh.picture().mean() < 0.3
    assert [url for url in fresh.requested if "picture=dark" in url]
    fresh.ask("Emulation.setEmulatedMedia", features=[])


def test_the_browser_asked_nobody_else(fresh, page, served, recording):
    fresh.choose_file(INPUT, recording)  # whatever other tests this process has run
    fresh.wait_for(ANSWERED)
    elsewhere = [u for u in page.requested if not u.startswith((served.url, "data:", "blob:"))]
    assert {f"{served.url}/", f"{served.url}/page.js"} <= set(page.requested)
    assert any("/api/predict" in url for url in page.requested)
    assert elsewhere == []
    # neither a request that the policy stopped nor one that led nowhere; of a refused recording
    # a browser writes the status, and one request was stopped on purpose
    expected = ("422 (Unprocessable", "ERR_BLOCKED_BY_CLIENT")
    assert [text for text in page.said if not any(each in text for each in expected)] == []


def test_the_server_called_nobody(served, client):
    client.get("/")
    assert served.outside == []


def test_the_policy_lets_nothing_inline_run(fresh):
    fresh.value("""document.body.insertAdjacentHTML("beforeend",
        "<b id=odd style='color:red' onclick='window.evil = 1'>x</b>") ?? true""")
    fresh.value("document.querySelector('#odd').click() ?? true")
    fresh.value("""document.head.append(Object.assign(document.createElement("script"),
        {textContent: "window.evil = 2"})) ?? true""")
    assert fresh.value("window.evil") is None
    assert fresh.value("getComputedStyle(document.querySelector('#odd')).color") != "rgb(255, 0, 0)"


def test_the_policy_and_the_files_name_nothing_elsewhere_and_nothing_inline(client):
    found = client.get("/")
    policy = found.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", found.text)
    named = re.findall(r"(?:src|href)=\"([^\"]+)\"", found.text)
    assert {"page.js", "page.css", "icon.svg"} == set(named)
    for name in ("page.js", "recorder.js", "microphone.js", "page.css"):
        text = client.get(f"/{name}").text
        assert not re.search(r"url\(|@import|innerHTML|(?:https?:)?//\w+\.", text)


@pytest.mark.parametrize(("address", "media_type"), [(a, kind) for a, (_, kind) in FILES.items()])
def test_a_file_is_answered_with_its_type(client, address, media_type):
    assert client.get(address).headers["content-type"].startswith(media_type)


def test_the_page_is_part_of_the_package():
    folder = ROOT / "ser_aae" / "server" / "static"
    assert {path.name for path in folder.iterdir()} == {"login.html"} | {
        name for name, _ in FILES.values()
    }
    assert '"ser_aae.server" = ["static/*"]' in (ROOT / "pyproject.toml").read_text()


def test_ten_pages_at_once_are_all_answered(served, client, recording):
    query = {"timeline_seconds": 0.5, "picture": "light"}

    def ask(_):
        return client.post("/api/predict", params=query, files={"file": recording.read_bytes()})

    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(ask, range(10)))
    assert [each.status_code for each in found] == [200] * 10
    assert served.kept() == []
