"""TensorFlow is imported without what its C++ code prints, and its errors are as ever."""

import subprocess
import sys

import pytest
from processes import ROOT

NOISE = "import os; os.write(2, b'noise of C++\\n')\n"
TRY = """
import importlib.util
import os
import sys
sys.path.insert(0, sys.argv[1])
from ser_aae.processes.quiet_tensorflow import quieten_tensorflow
before = list(sys.meta_path)
quieten_tensorflow()
quieten_tensorflow()
assert len(sys.meta_path) == len(before) + 1
importlib.util.find_spec("tensorflow")  # asking is not importing
try:
    import tensorflow
except ImportError as error:
    print(error)
else:
    print(tensorflow.KNOWN)
assert sys.meta_path == before
os.write(2, b"heard\\n")
"""


@pytest.mark.parametrize(
    ("module", "printed"),
    [
        ("KNOWN = 'imported'", "imported"),
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        (None, "No module named 'tensorflow'"),
    ],
    ids=["whole", "damaged", "missing"],
)
def test_importing_it_prints_nothing_and_what_comes_later_is_heard(tmp_path, module, printed):
    if module is not None:
        (tmp_path / "tensorflow.py").write_text(NOISE + module)
    # without the packages of this environment, which has the real one
    command = [sys.executable, "-S", "-c", TRY, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout.strip(), done.stderr) == (printed, "heard\n")


def test_a_process_without_a_standard_error_imports_it_too(tmp_path):
    (tmp_path / "tensorflow.py").write_text("KNOWN = 'imported'")
    closed = "import os; os.close(2)\n" + TRY.rpartition("os.write")[0]
    command = [sys.executable, "-S", "-c", closed, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.returncode) == ("imported\n", 0)
