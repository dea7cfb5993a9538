"""A stand-in of the Hugging Face Hub on this machine: the addresses that the package asks."""

import base64
import contextlib
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from huggingface_hub import constants

TOKEN = "hf_stand_in"  # noqa: S105
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """A server whose `repos` are name to file to content; those in `private` want the token."""

    daemon_threads = True

    def __init__(self):
        self.repos: dict[str, dict[str, bytes]] = {}
        self.private: set[str] = set()
        self.commits: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


@contextlib.contextmanager
def running_hub(folder, monkeypatch):
    """Give a server that the package takes for the Hub, with the token and a cache in a folder."""
    server = Hub()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    ask_at(server.address, monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "token"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield server
    server.shutdown()
    server.server_close()


def ask_at(address, monkeypatch):
    """Have the package ask there, which reads its endpoint when it is imported."""
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
            if self._may_read(found[1], found[2]):
                files = self.server.repos[found[1]].items()
                self._answer([_entry(name, content) for name, content in files])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            if self._may_read(found[1], found[2]):
                self._send_file(self.server.repos[found[1]].get(found[3]))
        else:
            self._refuse(404, "", f"nothing is at {path}")

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = urlsplit(self.path).path
        if not self._is_known():
            self._refuse(401, "", "Invalid username or password.")
        elif path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif re.fullmatch(r"/api/models/.+/preupload/main", path):
            names = [each["path"] for each in json.loads(body)["files"]]
            mode = {"uploadMode": "regular", "shouldIgnore": False}
            self._answer({"files": [{"path": name, **mode} for name in names]})
        elif found := re.fullmatch(r"/api/models/(.+)/commit/main", path):
            self._commit(found[1], [json.loads(line) for line in body.splitlines()])
        else:
            self._refuse(404, "", f"nothing is at {path}")

    def _create(self, asked):
        repo = f"{asked['organization']}/{asked['name']}"
        if repo in self.server.repos:
            self._refuse(409, "", "You already created this model repo", f"/{repo}")
            return
        self.server.repos[repo] = {}
        if asked["visibility"] == "private":
            self.server.private.add(repo)
        self._answer({"url": f"{self.server.address}/{repo}"})

    def _commit(self, repo, lines):
        for line in lines:
            if line["key"] == "header":
                self.server.commits.append(line["value"]["summary"])
            elif line["key"] == "file":
                content = base64.b64decode(line["value"]["content"])
                self.server.repos[repo][line["value"]["path"]] = content
        url = f"{self.server.address}/{repo}/commit/{COMMIT}"
        self._answer({"success": True, "commitUrl": url, "commitOid": COMMIT})

    def _is_known(self):
        return self.headers.get("authorization") == f"Bearer {TOKEN}"

    def _may_read(self, repo, revision):
        is_hidden = repo in self.server.private and not self._is_known()
        if repo not in self.server.repos or is_hidden:
            self._refuse(401, "RepoNotFound", "Repository not found")
        elif revision not in ("main", COMMIT):
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
        else:
            return True
        return False

    def _send_file(self, content):
        if content is None:
            self._refuse(404, "EntryNotFound", "Entry not found")
            return
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}  # noqa: S324
        self._send(200, content, headers)

    def _answer(self, plain):
        self._send(200, json.dumps(plain).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status, code, message, page=""):
        body = json.dumps({"error": message, "url": self.server.address + page}).encode()
        kind = {"Content-Type": "application/json"}
        self._send(status, body, {**kind, "X-Error-Code": code, "X-Error-Message": message})

    def _send(self, status, content, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *words):
        """Nothing is printed."""


def _entry(name, content):
    return {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
