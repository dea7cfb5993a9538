"""Marks of tests that need a package which is not in every set of packages."""

from importlib.util import find_spec

import pytest

needs_tensorflow_io = pytest.mark.skipif(
    find_spec("tensorflow_io") is None,
    reason="tensorflow-io is not installed; it is in requirements.txt and in the extra tfio",
)
