"""Devices of this machine in words: what TensorFlow sees, and why it sees no GPU.

TensorFlow says nothing of it but in messages of its C++ code, which look alike whether a driver, a
library or a flag of the container is missing. So the facts are gathered here and looked at in the
order in which they have to be mended.
"""

import ctypes
import ctypes.util
import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from ser_aae.files.container import is_container

_NVIDIA = "0x10de"
"""NVIDIA's number among the makers of PCI devices."""

_KERNEL_DRIVER = (Path("/proc/driver/nvidia/version"), Path("/dev/dxg"))
"""What a loaded driver leaves: that of Linux, and that of Windows below its Linux."""

_PCI_DEVICES = Path("/sys/bus/pci/devices")
_PROCESSOR = Path("/proc/cpuinfo")
_MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Limit of a container's memory, in either version of control groups."""

_LIBRARIES = ("cudart", "cublas", "cufft", "cusolver", "cusparse", "cudnn")
"""Libraries of CUDA that TensorFlow opens before it uses a GPU."""

_WHEELS = ("tensorflow", "tensorflow-cpu")
_VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class DeviceFacts:
    """Facts of a machine that decide whether TensorFlow has a GPU.

    Attributes:
        system: Name of the operating system, as `platform.system` has it.
        machine: Kind of processor, `x86_64` or `aarch64`.
        container: Whether this runs in a container of the project's image.
        gpus: Names of the GPUs that TensorFlow sees.
        hardware: Whether a device of NVIDIA's is in the machine, as far as Linux tells.
        driver: Whether NVIDIA's driver is loaded in the kernel.
        driver_library: Whether its library, `libcuda.so.1`, is found.
        wheel: The installed package that holds TensorFlow.
        version: TensorFlow's version.
        cuda: Whether this TensorFlow is built for CUDA.
        missing_libraries: Libraries of CUDA that are not found.
        visible: Value of `CUDA_VISIBLE_DEVICES`, `None` where it is not set.
    """

    system: str
    machine: str
    container: bool
    gpus: tuple[str, ...]
    hardware: bool
    driver: bool
    driver_library: bool
    wheel: str
    version: str
    cuda: bool
    missing_libraries: tuple[str, ...]
    visible: str | None


@dataclass(frozen=True)
class Obstacle:
    """Obstacle between TensorFlow and a GPU, and what mends it."""

    cause: str
    mend: str


def gather_facts() -> DeviceFacts:
    """Return the facts of this machine; it opens a GPU that is there."""
    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(each) for each in gpus]
    wheel = next(filter(_is_installed, _WHEELS), "tensorflow")
    return DeviceFacts(
        system=platform.system(),
        machine=platform.machine(),
        container=is_container(),
        gpus=tuple(each.get("device_name", "GPU") for each in details),
        hardware=any(_read(each) == _NVIDIA for each in _PCI_DEVICES.glob("*/vendor")),
        driver=any(each.exists() for each in _KERNEL_DRIVER),
        driver_library=_can_load("libcuda.so.1"),
        wheel=wheel,
        version=tf.__version__,
        cuda=bool(tf.sysconfig.get_build_info().get("is_cuda_build")),
        missing_libraries=tuple(name for name in _LIBRARIES if not _is_found(name)),
        visible=os.environ.get(_VISIBLE),
    )


def find_obstacles(facts: DeviceFacts) -> list[Obstacle]:
    """Return why TensorFlow sees no GPU, in the order in which to mend it; none where it sees one.

    Several may hold at a time: each would keep a GPU away by itself.
    """
    if facts.gpus:
        return []
    if facts.system != "Linux":
        return [_other_system(facts)]
    if not (facts.hardware or facts.driver or facts.driver_library):
        return [_nothing_seen(facts)]
    found = [_hardware_obstacle(facts), _build_obstacle(facts), _hidden_obstacle(facts)]
    obstacles = [each for each in found if each]
    return obstacles or [
        Obstacle(
            "TensorFlow finds the driver and the libraries and does not say what else it lacks",
            "TF_CPP_MIN_LOG_LEVEL=0 ser-aae devices shows its own messages; a driver or libraries "
            "of other versions than it is built for are the usual reason",
        )
    ]


def device_line() -> str:
    """Return a line on the device that a training is computed on."""
    facts = gather_facts()
    if facts.gpus:
        return f"device: {', '.join(facts.gpus)}"
    abilities = "".join(f", {name}" for name in _abilities()[:1])
    cause = find_obstacles(facts)[0].cause
    return f"device: CPU, {_processors()} processors{abilities}; no GPU: {cause} (ser-aae devices)"


def describe_devices() -> dict[str, Any]:
    """Return what `ser-aae devices` tells, as plain values."""
    facts = gather_facts()
    return {
        **asdict(facts),
        "obstacles": [asdict(each) for each in find_obstacles(facts)],
        "keras": keras.__version__,
        "python": platform.python_version(),
        "processors": _processors(),
        "abilities": _abilities(),
        "memory_bytes": _memory_bytes(),
    }


def _other_system(facts: DeviceFacts) -> Obstacle:
    if facts.system == "Windows":
        return Obstacle(
            "TensorFlow on Windows itself has no GPU since version 2.11",
            "install this program in WSL2, the Linux of Windows, with NVIDIA's driver for it",
        )
    return Obstacle(
        f"TensorFlow's own packages have no GPU on {facts.system}", "train on Linux, or on the CPU"
    )


def _nothing_seen(facts: DeviceFacts) -> Obstacle:
    way = "docker run --gpus all" if facts.container else "install NVIDIA's driver (nvidia-smi)"
    return Obstacle(
        "no NVIDIA GPU and no driver of one is seen here", f"nothing if there is none, else {way}"
    )


def _hardware_obstacle(facts: DeviceFacts) -> Obstacle | None:
    """Return what is wrong with device and driver."""
    if facts.driver and facts.driver_library:
        return None
    if facts.container:
        return Obstacle(
            "the container was started without the GPU",
            "docker run --gpus all, with NVIDIA's driver and container toolkit on the host",
        )
    if facts.driver:
        return Obstacle(
            "NVIDIA's driver is loaded and its library libcuda.so.1 is not found",
            "install the driver whole; ldconfig -p lists libcuda.so.1 then",
        )
    return Obstacle(
        "NVIDIA's driver is not loaded",
        "install it, or restart after it was installed; nvidia-smi lists the GPU then",
    )


def _build_obstacle(facts: DeviceFacts) -> Obstacle | None:
    """Return what is wrong with the installed packages."""
    own = f"tensorflow[and-cuda]=={facts.version}"
    if not facts.cuda and facts.container:
        return Obstacle(
            "the image is built for CPUs",
            "docker build -t ser-aae --build-arg TENSORFLOW=gpu .",
        )
    if not facts.cuda and facts.machine != "x86_64":
        return Obstacle(
            f"the package {facts.wheel} is built for CPUs on {facts.machine}",
            "take a TensorFlow that NVIDIA builds for this machine, or train on the CPU",
        )
    if not facts.cuda:
        return Obstacle(
            f"the package {facts.wheel} is built for CPUs",
            f'pip uninstall {facts.wheel}; pip install "{own}"',
        )
    if facts.missing_libraries:
        missing = ", ".join(facts.missing_libraries)
        return Obstacle(f"libraries of CUDA are not found: {missing}", f'pip install "{own}"')
    return None


def _hidden_obstacle(facts: DeviceFacts) -> Obstacle | None:
    """Return what a variable hides."""
    if facts.visible is None:
        return None
    return Obstacle(
        f"{_VISIBLE}={facts.visible} hides every GPU, or names one that is not there",
        f"unset {_VISIBLE}",
    )


def _is_installed(wheel: str) -> bool:
    try:
        version(wheel)
    except PackageNotFoundError:
        return False
    return True


def _can_load(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _is_found(library: str) -> bool:
    """Return whether a library of CUDA is in one of NVIDIA's packages for Python, or the system."""
    places = [Path(each, "nvidia") for each in sys.path]
    in_packages = any(any(place.glob(f"*/lib/lib{library}.so*")) for place in places)
    return in_packages or ctypes.util.find_library(library) is not None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _abilities() -> list[str]:
    """Return the widest of the vector instructions first; none where Linux does not tell."""
    words = _read(_PROCESSOR).split()
    known = {"avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
    return [name for word, name in known.items() if word in words]


def _memory_bytes() -> int | None:
    """Return the memory of the machine, or of the container where that has less."""
    if not hasattr(os, "sysconf"):  # Windows
        return None
    limits = [int(text) for each in _MEMORY_LIMITS if (text := _read(each)).isdecimal()]
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *limits])


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""
