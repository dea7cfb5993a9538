"""Traced graphs of a training, given back when it has ended."""

import gc
from collections.abc import Iterator, Set
from contextlib import contextmanager

from tensorflow.python.framework import ops

_PREFIX = "CustomGradient-"


def _names() -> set[str]:
    return {name for name in ops.gradient_registry.list() if name.startswith(_PREFIX)}


def give_back_traces(kept: Set[str] = frozenset()) -> None:
    """Give back the graphs that nobody uses any more, but for gradients under these names."""
    for name in _names() - kept:
        del ops.gradient_registry._registry[name]
    # a graph and its operations hold each other
    gc.collect()


@contextmanager
def traces_given_back() -> Iterator[None]:
    """Give back at the end the memory of graphs that were traced meanwhile.

    TensorFlow registers the gradient of each `tf.custom_gradient` that it traces under a new name,
    keeps it for as long as the process lives, and with it the graph: a hundred megabytes for a
    training, in searches and over all folds too. A traced step holds its gradients itself and asks
    for none by name any more. There is no public way to take a name back.
    """
    before = _names()
    try:
        yield
    finally:
        give_back_traces(before)
