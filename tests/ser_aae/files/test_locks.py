"""Claims on a folder: one process at a time, and nothing stale of one that was killed."""

import errno
import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ser_aae.errors import UserError
from ser_aae.files.locks import claim, holder

ROOT = Path(__file__).resolve().parents[3]


def test_a_claim_excludes_all_others_until_it_ends(tmp_path):
    folder = tmp_path / "runs" / "fold00-rep00"
    with claim(folder) as first:
        with claim(folder) as second, claim(folder.with_name("fold01-rep00")) as other:
            assert [first, second, other] == [True, False, True]
        with claim(folder) as third:
            assert not third  # a claim that failed frees nothing
    with claim(folder) as again:
        assert again
    assert not folder.exists()
    assert list(folder.parent.iterdir()) == []


def test_a_claim_falls_with_the_process_that_is_killed(tmp_path):
    code = (
        "import sys, pathlib\nfrom ser_aae.files.locks import claim\n"
        "with claim(pathlib.Path(sys.argv[1])) as held:\n"
        "    print(held, flush=True)\n    input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    ) as process:
        assert process.stdout.readline() == "True\n"
        with claim(tmp_path / "run") as mine:
            assert not mine
        process.kill()
        process.wait()
        assert (tmp_path / ".run.lock").exists()
        with claim(tmp_path / "run") as mine:
            assert mine


def test_a_lock_that_was_removed_while_it_was_waited_for_is_none(tmp_path, monkeypatch):
    lock = tmp_path / ".run.lock"
    real, removed = fcntl.flock, []

    def lose_the_first(descriptor, kind):
        real(descriptor, kind)
        if not removed:
            removed.append(os.fstat(descriptor).st_ino)
            lock.unlink()

    monkeypatch.setattr(fcntl, "flock", lose_the_first)
    with claim(tmp_path / "run", wait=True) as mine, claim(tmp_path / "run") as second:
        assert mine
        assert not second
        assert lock.exists()


def test_whoever_waits_has_the_folder_as_soon_as_it_is_let_go(tmp_path):
    code = (
        "import sys, pathlib\nfrom ser_aae.files.locks import claim\n"
        "with claim(pathlib.Path(sys.argv[1]), wait=True) as held:\n    print(held)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    with claim(tmp_path / "run") as mine:
        assert mine
        waiting = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=2)
    assert waiting.communicate(timeout=60)[0] == "True\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(UserError, match=rf"locks \({os.strerror(number)}\); train on a"),
        claim(tmp_path / "run"),
    ):
        pytest.fail("claimed without a lock")


def test_another_error_is_not_told_as_one_of_locks(tmp_path, monkeypatch):
    def break_down(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", break_down)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)), claim(tmp_path / "run"):
        pytest.fail("claimed without a lock")


def test_whoever_is_refused_can_say_who_holds_the_folder(tmp_path):
    with claim(tmp_path / "run"):
        assert holder(tmp_path / "run") == f"process {os.getpid()} on {socket.gethostname()}"
        with claim(tmp_path / "run") as second:
            assert not second
        assert holder(tmp_path / "run") == f"process {os.getpid()} on {socket.gethostname()}"
    assert holder(tmp_path / "run") == "another process"


def test_the_name_of_one_that_was_killed_is_overwritten(tmp_path):
    (tmp_path / ".run.holder").write_text(
        "process 123456789012 on a-machine-with-a-long-name.example"
    )
    with claim(tmp_path / "run"):
        assert holder(tmp_path / "run").startswith(f"process {os.getpid()} on ")
        assert "example" not in holder(tmp_path / "run")
