"""A server with a toy model in a thread, and a real browser that is asked through a pipe."""

import asyncio
import base64
import contextlib
import io
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import matplotlib.image
import numpy as np
import pytest
import soundfile
import uvicorn

from ser_aae.config import FrontEndConfig
from ser_aae.inference.recogniser import Recogniser
from ser_aae.inference.signature import SPECTROGRAM, Signature
from ser_aae.server.app import build_app
from ser_aae.server.limits import Limits
from ser_aae.server.queue import RecognitionQueue
from ser_aae.server.uploads import Uploads

RATE_HZ = 16000
PATIENCE_S = 180.0
"""Seconds that anything may take on a busy machine before a test gives up."""

CLASSES = {"emotion": ("anger", "neutral"), "gender": ("F", "M"), "speaker": ("a", "b", "c")}
LOOPBACK = ("127.0.0.1", "localhost")


def _say_by_level(segments):
    """A model: the louder, the angrier; low tones are men's."""
    loud = 1 / (1 + np.exp(-(segments.max(axis=(1, 2)) - 10) / 5))
    halves = segments.mean(axis=1).reshape(len(segments), 2, -1).max(axis=2)
    high = 1 / (1 + np.exp(halves[:, 0] - halves[:, 1]))
    equal = np.full((len(segments), 3), 1 / 3)
    return {
        "emotion": np.stack([loud, 1 - loud], axis=1),
        "gender": np.stack([high, 1 - high], axis=1),
        "speaker": equal,
        "d_vector": np.stack([loud, high], axis=1),
    }


@dataclass
class Served:
    """A server that runs; `outside` are the addresses elsewhere that this process called."""

    url: str
    uploads: Uploads
    outside: list = field(default_factory=list)

    def kept(self):
        """Return the files of clients that lie there."""
        return [path for path in self.uploads.folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="session")
def toy_recogniser():
    """A recogniser without TensorFlow."""
    about = Signature(
        input=SPECTROGRAM,
        frontend=FrontEndConfig(bins=32, scale="linear"),
        segment_frames=64,
        shift_frames=32,
        fewest_segments=1,
        pad="repeat",
        classes=CLASSES,
        warnings=("a toy: <b>loud</b> is angry",),
    )
    return Recogniser(about, _say_by_level)


@pytest.fixture(scope="session")
def served(toy_recogniser, tmp_path_factory):
    """A server of 1 MB and 20 s at most, on a free port; two speakers are enrolled."""
    limits = Limits(megabytes=1.0, seconds=20.0)
    with pytest.MonkeyPatch.context() as patch:
        # a folder beside which nobody else writes meanwhile
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("uploads")))
        uploads = Uploads(limits)
    near = [("Anna <i>", 0.9), ("Ben", -0.2)]
    queue, running = RecognitionQueue(toy_recogniser, limits, lambda _: near), []

    async def serve(listening):
        config = uvicorn.Config(
            build_app(queue, uploads, LOOPBACK), log_level="warning", timeout_graceful_shutdown=1
        )
        running.append(uvicorn.Server(config))
        await running[0].serve(sockets=[listening])

    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        found = Served(f"http://127.0.0.1:{listening.getsockname()[1]}", uploads)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(socket.socket, "connect", _noting(socket.socket.connect, found.outside))
        thread = threading.Thread(target=lambda: asyncio.run(serve(listening)), daemon=True)
        thread.start()
        wait_until(lambda: running and running[0].started)
        yield found
        running[0].should_exit = True
        thread.join(PATIENCE_S)


def _noting(connect, outside):
    def noted(self, address):
        if self.family != socket.AF_UNIX and address[0] not in (*LOOPBACK, "::1"):
            outside.append(address)
        return connect(self, address)

    return noted


def wait_until(is_true, patience_s=PATIENCE_S):
    """Return the first value that is true."""
    until = time.monotonic() + patience_s
    while not (value := is_true()):
        if time.monotonic() > until:
            pytest.fail(f"waited {patience_s} s in vain")
        time.sleep(0.1)
    return value


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    """Four seconds: half of them a tone at 5 kHz, then a pause."""
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    tone = 0.5 * np.sin(2 * np.pi * 5000 * np.arange(2 * RATE_HZ) / RATE_HZ)
    draw = np.random.default_rng(0).normal(0, 1e-5, 4 * RATE_HZ)
    soundfile.write(path, draw + np.pad(tone, (0, 2 * RATE_HZ)), RATE_HZ, subtype="PCM_16")
    return path


@pytest.fixture
def client(served):
    """A client of the server."""
    with httpx.Client(base_url=served.url, timeout=PATIENCE_S, trust_env=False) as client:
        yield client


class Page:
    """One page of a headless Chromium, asked over the DevTools protocol.

    The protocol runs over two pipes (messages end with a zero byte), so it needs no package.
    """

    def __init__(self, program, folder):
        """Start the browser."""
        theirs, self._write = os.pipe()
        self._read, ours = os.pipe()
        order = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        order += ["--disable-dev-shm-usage", "--disable-background-networking"]
        # a microphone that beeps every second, and may be used
        order += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        order += ["--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"]
        # the browser reads from descriptor 3 and writes to 4
        shell = ["bash", "-c", f'exec "$@" 3<&{theirs} 4>&{ours}', "bash", *order]
        self._process = subprocess.Popen(
            shell, pass_fds=(theirs, ours), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(theirs)
        os.close(ours)
        self._numbers, self._rest, self._session = itertools.count(1), b"", None
        self.requested, self.said = [], []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Network", "Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            **{"width": 1000, "height": 1300, "deviceScaleFactor": 1, "mobile": False},
        )

    def ask(self, method, **params):
        """Send a command and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    pytest.fail(f"{method}: {answer['error']}")
                return answer["result"]

    def _next(self):
        while b"\0" not in self._rest:
            piece = os.read(self._read, 1 << 16)
            if not piece:
                pytest.fail("the browser went away")
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(text)
        if message.get("method") == "Network.requestWillBeSent":
            self.requested.append(message["params"]["request"]["url"])
        if message.get("method") == "Log.entryAdded":
            self.said.append(message["params"]["entry"]["text"])
        return message

    def value(self, expression):
        """Return the value of an expression in the page."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"].get("value")

    def wait_for(self, expression):
        """Return the first value of an expression that is true."""
        return wait_until(lambda: self.value(expression))

    def choose_file(self, selector, path):
        """Give a file to an input."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def picture(self):
        """Return what is seen, `(height, width, 3)` from 0 to 1; kept where make asks for it."""
        content = base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        if folder := os.environ.get("SER_AAE_PICTURES"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / "page.png").write_bytes(content)
        return matplotlib.image.imread(io.BytesIO(content))[..., :3]

    def close(self):
        """End the browser."""
        self._process.terminate()
        self._process.wait(30)
        os.close(self._read)
        os.close(self._write)


@pytest.fixture(scope="session")
def start_browser(tmp_path_factory):
    """A function that starts a browser; skips where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("no Chromium is installed")

    def start():
        return Page(program, Path(tmp_path_factory.mktemp("profile")))

    return start
