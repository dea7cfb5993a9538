"""Reasons for which TensorFlow sees no GPU, each by made-up facts of a machine."""

import json
from dataclasses import replace

import pytest

from ser_aae.cli import main
from ser_aae.training import device_report
from ser_aae.training.device_report import DeviceFacts, find_obstacles

READY = DeviceFacts(
    system="Linux",
    machine="x86_64",
    container=False,
    gpus=(),
    hardware=True,
    driver=True,
    driver_library=True,
    wheel="tensorflow",
    version="2.17.1",
    cuda=True,
    missing_libraries=(),
    visible=None,
)
"""A machine with all that a GPU takes, on which TensorFlow sees none."""

NOTHING = {"hardware": False, "driver": False, "driver_library": False}
INSTALL = 'pip install "tensorflow[and-cuda]==2.17.1"'
GPUS_ALL = "docker run --gpus all"


@pytest.mark.parametrize(
    ("facts", "cause", "mend"),
    [
        ({"driver": False, "driver_library": False}, "driver is not loaded", "nvidia-smi"),
        ({"driver_library": False}, "libcuda.so.1 is not found", "install the driver whole"),
        (NOTHING, "no NVIDIA GPU and no driver", "nothing if there is none"),
        (NOTHING | {"container": True, "cuda": False}, "no NVIDIA GPU", GPUS_ALL),
        ({"wheel": "tensorflow-cpu", "cuda": False}, "tensorflow-cpu is built for", INSTALL),
        ({"cuda": False, "machine": "aarch64"}, "for CPUs on aarch64", "NVIDIA builds"),
        ({"missing_libraries": ("cublas", "cudnn")}, "not found: cublas, cudnn", INSTALL),
        ({"visible": ""}, "CUDA_VISIBLE_DEVICES= hides", "unset CUDA_VISIBLE_DEVICES"),
        ({"visible": "-1"}, "CUDA_VISIBLE_DEVICES=-1 hides", "unset CUDA_VISIBLE_DEVICES"),
        ({"container": True, "driver_library": False}, "without the GPU", GPUS_ALL),
        ({"container": True, "cuda": False}, "image is built for CPUs", "TENSORFLOW=gpu"),
        ({"system": "Windows", "cuda": False} | NOTHING, "Windows itself has no GPU", "WSL2"),
        ({"system": "Darwin", "cuda": False} | NOTHING, "no GPU on Darwin", "on Linux"),
        ({}, "does not say what else it lacks", "TF_CPP_MIN_LOG_LEVEL=0"),
    ],
)
def test_each_reason_is_told_with_what_mends_it(facts, cause, mend):
    (found,) = find_obstacles(replace(READY, **facts))
    assert cause in found.cause
    assert mend in found.mend


def test_reasons_stand_in_the_order_in_which_to_mend_them():
    facts = replace(READY, container=True, driver_library=False, cuda=False, visible="1")
    causes = [each.cause for each in find_obstacles(facts)]
    assert [word in cause for word, cause in zip(("GPU", "CPUs", "hides"), causes, strict=True)]


def test_a_gpu_that_is_seen_has_no_obstacle(monkeypatch):
    facts = replace(READY, gpus=("NVIDIA T4", "NVIDIA T4"), visible="0,1")
    assert find_obstacles(facts) == []
    monkeypatch.setattr(device_report, "gather_facts", lambda: facts)
    assert device_report.device_line() == "device: NVIDIA T4, NVIDIA T4"


def test_a_training_says_in_one_line_what_it_is_computed_on(monkeypatch):
    monkeypatch.setattr(device_report, "gather_facts", lambda: replace(READY, visible="-1"))
    line = device_report.device_line()
    assert line.startswith("device: CPU, ")
    assert "no GPU: CUDA_VISIBLE_DEVICES=-1 hides every GPU" in line
    assert line.endswith("(ser-aae devices)")


def test_the_command_tells_people_and_programs_the_same(capsys, monkeypatch):
    monkeypatch.setattr(device_report, "gather_facts", lambda: replace(READY, visible="-1"))
    assert main(["devices"]) == 0
    text = capsys.readouterr().out
    assert main(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "because   CUDA_VISIBLE_DEVICES=-1" in text
    assert "mended by unset CUDA_VISIBLE_DEVICES" in text
    assert found["obstacles"][0]["mend"] == "unset CUDA_VISIBLE_DEVICES"
    assert found["memory_bytes"] > 10**8
    assert f"{found['memory_bytes'] / 1e9:.1f} GB" in text


def test_the_facts_are_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "vendor").write_text("0x10de\n")
    monkeypatch.setattr(device_report, "_PCI_DEVICES", tmp_path)
    monkeypatch.setattr(device_report, "_KERNEL_DRIVER", (tmp_path,))
    facts = device_report.gather_facts()
    assert facts.hardware
    assert facts.driver
    assert facts.visible == "-1"
    assert facts.version.startswith("2.")
    assert find_obstacles(replace(facts, gpus=()))


def test_the_memory_of_a_container_is_its_limit(tmp_path, monkeypatch):
    (tmp_path / "max").write_text("max\n")
    (tmp_path / "limit").write_text("1000\n")
    monkeypatch.setattr(device_report, "_MEMORY_LIMITS", (tmp_path / "max",))
    assert device_report._memory_bytes() > 1000
    monkeypatch.setattr(device_report, "_MEMORY_LIMITS", (tmp_path / "max", tmp_path / "limit"))
    assert device_report._memory_bytes() == 1000
