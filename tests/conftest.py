"""Fixtures of all tests."""

import ctypes
import gc

import psutil
import pytest
from filelock import FileLock
from processes import take_interrupts

MOST_BYTES = 3 << 29
"""What a process may hold, 1.5 GB, before it looks for what it can give back."""


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


@pytest.fixture(autouse=True)
def memory_is_given_back():
    """Let go of the graphs of former tests, which hold each other in circles."""
    yield
    if psutil.Process().memory_info().rss > MOST_BYTES:
        import keras

        keras.utils.clear_session()
        ctypes.CDLL(None).malloc_trim(0)


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
    import tensorflow as tf
    from tiny import train_recorded_run

    are_few = tf.config.functions_run_eagerly()
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if hasattr(request.config, "workerinput") else own) / "recorded"
    with FileLock(place.with_suffix(".lock")):
        # alike, whichever test asks first
        tf.config.run_functions_eagerly(False)
        run = train_recorded_run(place)
        tf.config.run_functions_eagerly(are_few)
    return run


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory):
    """A data root with a demo corpus of two voices, 80 utterances; not to be changed."""
    from data_prep.synthetic import synthesise

    root = tmp_path_factory.mktemp("data")
    synthesise("demo", root, speakers=2)
    return root
