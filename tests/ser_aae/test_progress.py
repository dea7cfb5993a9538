"""Lines and bars, on a terminal and elsewhere."""

import fcntl
import io
import os
import pty
import struct
import sys
import termios

import pytest
from processes import run_code

from ser_aae import progress
from ser_aae.progress import move_bar, open_bar, show_line, show_result


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def open_screen(monkeypatch):
    """A function that makes the standard error a terminal; pytest sets it anew after a fixture."""

    def open_now(refresh_s=0.0):
        monkeypatch.setattr(sys, "stderr", Screen())
        monkeypatch.setattr(progress, "REFRESH_S", refresh_s)
        return sys.stderr

    return open_now


def test_a_terminal_has_a_bar_that_is_gone_at_the_end(open_screen):
    screen = open_screen()
    with open_bar(2, "title", "steps") as bar:
        move_bar(bar, 1, lambda: "loss 1.5")
        assert "title" in screen.getvalue()
        assert "1/2" in screen.getvalue()
        assert "loss 1.5" in screen.getvalue()
    assert screen.getvalue().endswith("\r")


def test_lines_stand_above_the_bar(open_screen, capsys):
    screen = open_screen()
    with open_bar(2, "title", "steps"):
        show_line("a line")
        show_result("a result")
    lines = screen.getvalue().split("\n")
    assert lines[0].endswith("\ra line")
    assert "title" in lines[1]
    assert capsys.readouterr().out == "a result\n"


def test_a_file_has_the_lines_alone(capsys):
    with open_bar(2, "title", "steps") as bar:
        move_bar(bar, 1, lambda: pytest.fail("nobody sees it"))
        show_line("a line")
    assert capsys.readouterr() == ("", "a line\n")


def test_who_takes_lines_elsewhere_gets_no_bar(open_screen):
    screen = open_screen()
    with open_bar(2, "title", "steps", show=[].append) as bar:
        move_bar(bar, 1)
    assert screen.getvalue() == ""


def test_what_stands_beside_a_bar_is_computed_when_it_is_drawn_alone(open_screen):
    open_screen(refresh_s=3600.0)
    with open_bar(2, "title", "steps") as bar:
        move_bar(bar, 1, lambda: pytest.fail("it is not drawn yet"))
        assert bar.n == 1


@pytest.mark.parametrize("columns", [0, 1, 2, 5, 30, 100])
@pytest.mark.parametrize("rows", [0, 1, 2, 24])
def test_a_bar_stays_within_its_line(rows, columns, monkeypatch):
    """A longer one would begin a new line with each drawing."""
    own, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
    monkeypatch.setattr(progress, "REFRESH_S", 0.0)
    with open(other, "w") as screen:
        monkeypatch.setattr(sys, "stderr", screen)
        with open_bar(3, "a title that is long", "steps") as bar:
            for step in range(1, 4):
                move_bar(bar, step, lambda: "loss 1.234")
    drawn = os.read(own, 100_000).decode().split("\r")
    os.close(own)
    assert "a title that is long"[: (columns or 80) - 1] in "".join(drawn)
    assert max(map(len, drawn)) < max(columns or 80, 2)
    assert "\n" not in "".join(drawn)


def test_a_bar_follows_a_terminal_that_becomes_narrow(open_screen, monkeypatch):
    screen, width = open_screen(), 60
    monkeypatch.setattr(progress, "_columns", lambda _: width)
    with open_bar(3, "title", "steps") as bar:
        width = 9
        start = len(screen.getvalue())
        move_bar(bar, 1)
        (drawn,) = screen.getvalue()[start:].strip("\r").split("\r")
    assert len(drawn.rstrip()) <= 9


def test_a_bar_starts_no_thread():
    code = (
        "import threading; from ser_aae.progress import open_bar\n"
        "with open_bar(2, 'title', 'steps'): print(threading.active_count())"
    )
    assert run_code(code).stdout.strip() == "1"
