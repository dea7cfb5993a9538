"""Programs that tests start: what they inherit of this process."""

import signal

import pytest
from processes import run_code

TOLD = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
INHERITED = f"""
import signal, subprocess, sys
sys.path.insert(0, "tests")
from processes import take_interrupts
take_interrupts()
sys.exit(subprocess.run([sys.executable, "-c", {TOLD!r}]).returncode)
"""


@pytest.fixture
def ignored():
    """Ctrl-C as a suite in the background has it, until the test ends."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_reaches_what_tests_start():
    assert run_code(TOLD).stdout == "True\n"


def test_in_the_background_it_has_to_be_set_back(ignored):
    assert run_code(TOLD).stdout == "False\n"
    assert run_code(INHERITED).stdout == "True\n"
