"""The arithmetic a step is said to take, against counts by hand."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from ser_aae.config import ModelConfig
from ser_aae.model.aae import MultitaskAAE
from ser_aae.model.networks import build_decoder, build_encoder

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "train_step.py"


@pytest.fixture(scope="module")
def benchmark():
    """Return the benchmark as a module; it lies in no package."""
    description = importlib.util.spec_from_file_location("train_step", PATH)
    module = importlib.util.module_from_spec(description)
    description.loader.exec_module(module)
    return module


def test_convolutions_of_the_encoder(benchmark):
    counts = benchmark.forward_flop(build_encoder(ModelConfig(), (128, 256, 1)))
    assert counts == [
        2 * 128 * 256 * 25 * 16,
        2 * 64 * 64 * 9 * 16 * 32,
        2 * 32 * 32 * 9 * 32 * 32,
    ]


def test_transposed_convolutions_count_by_their_input(benchmark):
    counts = benchmark.forward_flop(build_decoder(ModelConfig(), (16, 16, 32)))
    assert counts == [
        2 * 16 * 16 * 9 * 32 * 32,
        2 * 32 * 32 * 9 * 32 * 16,
        2 * 64 * 64 * 25 * 16 * 1,
    ]


def test_a_step_of_the_cnn_is_one_pass_forward_and_two_back(benchmark):
    config = replace(ModelConfig(), kind="cnn")
    model = MultitaskAAE(config, {"emotion": 4}, (32, 64, 1))
    trunk = benchmark.forward_flop(model.encoder)
    head = sum(benchmark.forward_flop(model.classifiers["emotion"]))
    expected = 3 * sum(trunk) - trunk[0] + 3 * head
    assert benchmark.step_flop(model) == pytest.approx(expected)


def test_each_phase_adds_arithmetic(benchmark):
    flop = {
        kind: benchmark.step_flop(
            MultitaskAAE(replace(ModelConfig(), kind=kind), {"emotion": 4}, (32, 64, 1))
        )
        for kind in ("cnn", "ae", "stl")
    }
    assert flop["cnn"] < flop["ae"] < flop["stl"]


def test_calls_take_turns(benchmark):
    calls = []
    functions = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    found = benchmark.medians(functions, rounds=3)
    assert calls == ["a", "a", "b", "b"] + ["a", "b"] * 3
    assert set(found) == {"a", "b"}
