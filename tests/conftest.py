"""Fixtures of all tests."""

import pytest
from processes import take_interrupts


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

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(scope="session")
def recorded_run(tmp_path_factory):
    """A run of 64 recordings of 8 speakers, which are told apart by their tones."""
    # here, for TensorFlow is not needed by every test
    from tiny import train_recorded_run

    return train_recorded_run(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory):
    """A data root with a demo corpus of two voices, 80 utterances; not to be changed."""
    from data_prep.synthetic import synthesise

    root = tmp_path_factory.mktemp("data")
    synthesise("demo", root, speakers=2)
    return root
