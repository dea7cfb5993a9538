"""The same work in several processes: Ctrl-C while they start."""

import multiprocessing
import os
import signal
import threading
import time

import pytest

from ser_aae.processes.pool import compute_in_order, interrupts_held_back


def test_ctrl_c_is_held_back_while_a_worker_is_started():
    """The kernel hands it to any thread that takes it, and Python then interrupts the main one."""
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    is_started = False
    try:
        with pytest.raises(KeyboardInterrupt), interrupts_held_back():  # noqa: PT012
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
            is_started = True
    finally:
        over.set()
        other.join()
    assert is_started
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_ctrl_c_nothing_is_raised_and_the_rest_is_as_before():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with interrupts_held_back():
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_there_are_no_signal_masks_ctrl_c_is_held_back_all_the_same(monkeypatch):
    """As on Windows."""
    monkeypatch.delattr(signal, "pthread_sigmask")
    is_started = False
    with pytest.raises(KeyboardInterrupt), interrupts_held_back():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        is_started = True
    assert is_started


def test_workers_that_are_killed_while_they_answer_are_not_waited_for():
    # an answer this long is half-way through the pipe at any moment
    answers = compute_in_order(bytes, [150_000_000] * 4, workers=2)
    next(answers)
    answers.close()
    assert not multiprocessing.active_children()
