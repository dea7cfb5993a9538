"""The arithmetic a step is said to take, against counts by hand."""

from dataclasses import replace

import pytest

from benchmarks import train_step as benchmark
from ser_aae.config import ModelConfig
from ser_aae.model.aae import MultitaskAAE
from ser_aae.model.networks import build_decoder, build_encoder


def test_convolutions_of_the_encoder():
    counts = benchmark.forward_flop(build_encoder(ModelConfig(), (128, 256, 1)))
    assert counts == [
        2 * 128 * 256 * 25 * 16,
        2 * 64 * 64 * 9 * 16 * 32,
        2 * 32 * 32 * 9 * 32 * 32,
    ]


def test_transposed_convolutions_count_by_their_input():
    counts = benchmark.forward_flop(build_decoder(ModelConfig(), (16, 16, 32)))
    assert counts == [
        2 * 16 * 16 * 9 * 32 * 32,
        2 * 32 * 32 * 9 * 32 * 16,
        2 * 64 * 64 * 25 * 16 * 1,
    ]


def test_a_step_of_the_cnn_is_one_pass_forward_and_two_back():
    config = replace(ModelConfig(), kind="cnn")
    model = MultitaskAAE(config, {"emotion": 4}, (32, 64, 1))
    trunk = benchmark.forward_flop(model.encoder)
    head = sum(benchmark.forward_flop(model.classifiers["emotion"]))
    expected = 3 * sum(trunk) - trunk[0] + 3 * head
    assert benchmark.step_flop(model, "serial") == pytest.approx(expected)


def test_each_phase_adds_arithmetic():
    flop = {
        kind: benchmark.step_flop(
            MultitaskAAE(replace(ModelConfig(), kind=kind), {"emotion": 4}, (32, 64, 1)), "serial"
        )
        for kind in ("cnn", "ae", "stl")
    }
    assert flop["cnn"] < flop["ae"] < flop["stl"]


def test_a_joint_step_spares_two_passes_of_the_encoder():
    model = MultitaskAAE(ModelConfig(), {"emotion": 4}, (32, 64, 1))
    encoder = benchmark.forward_flop(model.encoder)
    spared = benchmark.step_flop(model, "serial") - benchmark.step_flop(model, "joint")
    assert spared == pytest.approx(2 * (3 * sum(encoder) - encoder[0]))


def test_calls_take_turns():
    calls = []
    functions = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    found = benchmark.medians(functions, rounds=3)
    assert calls == ["a", "a", "b", "b"] + ["a", "b"] * 3
    assert set(found) == {"a", "b"}
