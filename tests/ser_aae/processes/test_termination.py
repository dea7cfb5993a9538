"""SIGTERM, as a user or a supervisor sends it to a command."""

import importlib
import os
import signal
import subprocess
import sys
import threading

import pytest
from processes import ROOT

from ser_aae.processes.termination import TerminatedError, termination_raised

PROGRAM = """
import ctypes, sys, time
from ser_aae import cli
from ser_aae.commands import corpora

def wait(arguments):
    try:
        print("begun", flush=True)
        time.sleep(600)
    finally:
        print("tidied up", flush=True)
        if "slow" in sys.argv:
            time.sleep(600)
        if "deaf" in sys.argv:  # in C, and with Python's lock: no handler and no thread gets a turn
            ctypes.PyDLL(None).sleep(600)

corpora.run = wait
sys.exit(cli.main(["corpora"]))
"""


def start(*words):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize(
    ("way", "first", "then"),
    [
        ("slow", signal.SIGTERM, signal.SIGTERM),
        ("slow", signal.SIGTERM, signal.SIGINT),
        ("slow", signal.SIGINT, signal.SIGTERM),
        ("slow", signal.SIGINT, signal.SIGINT),
        ("deaf", signal.SIGINT, signal.SIGTERM),
    ],
)
def test_a_second_signal_ends_it_at_once(way, first, then):
    with start(way) as process:
        process.send_signal(first)
        assert process.stdout.readline() == "tidied up\n"
        process.send_signal(then)
        assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == -then


def test_ctrl_c_tidies_up_as_ever():
    with start() as process:
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    assert printed == "tidied up\n"
    assert said == "interrupted; the same command goes on where it stopped\n"
    assert process.returncode == 130


def test_a_command_tidies_up_and_ends_by_the_signal():
    with start() as process:
        process.terminate()
        printed, said = process.communicate(timeout=60)
    assert printed == "tidied up\n"
    assert said == "interrupted; the same command goes on where it stopped\n"
    assert process.returncode == -signal.SIGTERM


def test_afterwards_the_signal_has_its_default_again():
    with pytest.raises(TerminatedError), termination_raised():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with termination_raised():
        assert callable(signal.getsignal(signal.SIGTERM))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with pytest.raises(KeyboardInterrupt), termination_raised():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_handles_the_signal_already_goes_on_doing_so():
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        with termination_raised():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert came == [signal.SIGTERM]


def test_in_another_thread_nothing_is_changed():
    def look():
        with termination_raised():
            found.append(signal.getsignal(signal.SIGTERM))

    found = []
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


IMPORTED = """
import os, signal
swallowed = False
try:
    os.kill(os.getpid(), signal.SIGTERM)
    sum(range(100_000))
except BaseException:
    swallowed = True
"""
"""Module that goes on whatever is raised while it is imported, as imports in C do."""


def test_what_cannot_be_unwound_ends_all_the_same():
    with start("deaf") as process:
        process.terminate()
        assert process.communicate(timeout=60) == ("tidied up\n", "")
    assert process.returncode == -signal.SIGALRM


IMPORTING = """
import sys
from ser_aae.processes import termination

termination._MOST_S = 1
sys.path.insert(0, sys.argv[1])
with termination.termination_raised():
    import endless
"""


def test_an_import_that_takes_too_long_is_no_way_around_the_signal(tmp_path):
    (tmp_path / "endless.py").write_text("import time\nprint('begun', flush=True)\ntime.sleep(600)")
    command = [sys.executable, "-c", IMPORTING, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout.readline() == "begun\n"
        process.terminate()
        assert process.wait(timeout=60) == -signal.SIGALRM


def import_and_wait(name):
    with termination_raised():
        assert not importlib.import_module(name).swallowed
        threading.Event().wait(60)


def test_a_signal_in_the_midst_of_an_import_comes_after_it(tmp_path, monkeypatch):
    (tmp_path / "deaf_module.py").write_text(IMPORTED)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TerminatedError):
        import_and_wait("deaf_module")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_signal_that_waited_too_long_ends_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "deaf_too.py").write_text(IMPORTED)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("ser_aae.processes.termination._AGAIN_S", 2.0)  # the import is over by then
    sent = []
    monkeypatch.setattr(signal, "pthread_kill", lambda *_: sent.append(True))
    with termination_raised():
        assert not importlib.import_module("deaf_too").swallowed
    for timer in threading.enumerate():
        if isinstance(timer, threading.Timer):
            timer.join()
    assert not sent
