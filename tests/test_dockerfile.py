"""The Dockerfile's choice of packages, made by its own lines with stand-ins for pip and uname."""

import re
import subprocess

import pytest
from processes import ROOT

LIST = "numpy==1.26.4\ntensorflow==2.17.1\ntensorflow-io==0.37.1\n"


@pytest.fixture
def chosen(tmp_path):
    """A function: processor, variant -> exit code, the list that is installed, calls of pip."""

    def choose(machine, variant):
        recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
        (line,) = re.findall(r"^RUN (case .*)$", recipe, flags=re.MULTILINE)
        (tmp_path / "requirements.txt").write_text(LIST)
        stand_ins = f'uname() {{ echo {machine}; }}\npip() {{ echo "$@" >> calls; }}\n'
        environment = {"TENSORFLOW": variant, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            ["sh", "-euc", stand_ins + line], cwd=tmp_path, env=environment, check=False
        )
        calls = tmp_path / "calls"
        called = calls.read_text().splitlines() if calls.exists() else []
        return done.returncode, (tmp_path / "requirements.txt").read_text(), called

    return choose


@pytest.mark.parametrize(
    ("machine", "package"), [("x86_64", "tensorflow-cpu"), ("aarch64", "tensorflow")]
)
def test_the_smaller_package_is_taken_where_there_is_one(chosen, machine, package):
    code, listed, called = chosen(machine, "cpu")
    assert code == 0
    assert listed == LIST.replace("tensorflow==", f"{package}==")
    assert called == ["install --no-deps --no-compile -r requirements.txt"]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_for_gpus_it_is_the_one_with_their_libraries(chosen, machine):
    code, listed, called = chosen(machine, "gpu")
    assert (code, listed) == (0, LIST)
    assert called[-1] == "install tensorflow[and-cuda]==2.17.1"


def test_another_variant_is_refused(chosen, capfd):
    assert chosen("x86_64", "tpu") == (2, LIST, [])
    assert "expected cpu or gpu, got tpu" in capfd.readouterr().err
