"""Fixtures of all tests."""

import ctypes
import gc

import psutil
import pytest
from filelock import FileLock
from processes import take_interrupts

MOST_BYTES = 3 << 29
"""What a process may hold, 1.5 GB, before it looks for what it can give back."""

GROWTH_BYTES = 1 << 28
"""What it may hold beyond what was left then, before it looks again: each look takes 0.2 s."""


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_taken():
    """Have Ctrl-C act on the tests and what they start, also where the suite runs in background."""
    take_interrupts()


@pytest.fixture(scope="session", autouse=True)
def graphs_run_as_they_are_traced():
    """Leave out TensorFlow's rewriting of graphs in this process.

    It takes longer than the training of networks as small as the tests', and makes a step
    of large ones no faster. The commands that tests start in processes of their own have it.
    """
    import tensorflow as tf

    # the million objects of its modules live on: nothing is gained by looking at them again
    gc.collect()
    gc.freeze()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


class Memory:
    """The memory of this process, from which the graphs of former tests are let go of."""

    def __init__(self):
        self._process = psutil.Process()
        self._most = MOST_BYTES

    def give_back(self):
        """Let go of graphs, which hold each other in circles, where they have become too many."""
        if self._process.memory_info().rss > self._most:
            import keras

            from ser_aae.training.traces import give_back_traces

            give_back_traces()
            keras.utils.clear_session()
            ctypes.CDLL(None).malloc_trim(0)
            self._most = max(MOST_BYTES, self._process.memory_info().rss + GROWTH_BYTES)


@pytest.fixture(scope="session")
def memory():
    return Memory()


@pytest.fixture(autouse=True)
def memory_is_given_back(memory):
    """Look after each test whether this process holds too much."""
    yield
    memory.give_back()


@pytest.fixture(scope="module")
def few_steps():
    """Run the steps of a module's trainings without a graph: to trace one takes longer than a few.

    This is for tests of what lies around training, whose epochs have one to three batches, for a
    dozen steps of the whole method cost what tracing does. Tests of what it computes leave it away.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def recorded_run(request, tmp_path_factory):
    """A run of 64 recordings of 8 speakers, which are told apart by their tones.

    It is read only: all workers of pytest-xdist share the one that the first has trained.
    """
    # here, for TensorFlow is not needed by every test
    from tiny import traced_steps, train_recorded_run

    own = tmp_path_factory.getbasetemp()
    place = (own.parent if hasattr(request.config, "workerinput") else own) / "recorded"
    # traced, so that it is alike whichever test asks first
    with FileLock(place.with_suffix(".lock")), traced_steps():
        return train_recorded_run(place)


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory):
    """A data root with a demo corpus of two voices, 80 utterances; not to be changed."""
    from data_prep.synthetic import synthesise

    root = tmp_path_factory.mktemp("data")
    synthesise("demo", root, speakers=2)
    return root
