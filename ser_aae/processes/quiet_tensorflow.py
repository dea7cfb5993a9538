"""Importing TensorFlow without the lines that its C++ code prints at that.

From 2.19 on it prints them whatever `TF_CPP_MIN_LOG_LEVEL` says (its issue 100442). On a
healthy machine they tell of oneDNN and of a GPU that is not there, and look like errors.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_NAME = "tensorflow"


def quieten_tensorflow() -> None:
    """Have TensorFlow print nothing when this process imports it, whichever module does so."""
    if _NAME not in sys.modules and not any(isinstance(each, _Quiet) for each in sys.meta_path):
        sys.meta_path.insert(0, _Quiet())


class _Quiet(MetaPathFinder):
    """The finder of TensorFlow alone, until that is imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the other finders find, whose loading is quiet."""
        if fullname != _NAME:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        sys.meta_path.insert(0, self)  # who only asks whether it is installed imports it later
        load = spec.loader.exec_module

        def load_quietly(module: ModuleType) -> None:
            sys.meta_path.remove(self)
            with no_standard_error():
                load(module)

        spec.loader.exec_module = load_quietly  # type: ignore[method-assign]
        return spec


@contextmanager
def no_standard_error() -> Iterator[None]:
    """Send what the process prints to its standard error nowhere: C++ knows Python's stream not."""
    try:
        kept = os.dup(2)
    except OSError:  # it has none
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
