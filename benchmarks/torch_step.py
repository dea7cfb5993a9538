"""Cost of a training step beside PyTorch, with the same layers, weights and update.

    python benchmarks/torch_step.py --filters 16,32

Prints the seconds of a step in series and jointly, in float32 and bfloat16, for this package and
for PyTorch with maps channels last, all taking turns. The best of the rounds counts: other work of
the machine slows threads that wait for each other, as PyTorch's do, more than others. Both sides
hold the same weights: their networks' outputs are compared first, and a difference over 1e-4 ends
the program.
PyTorch is of the extra `bench`. Its side computes no accuracies, and needs no mask, as all rows are
labelled. bfloat16 is left out where the processor has no instructions for it. With `--threads 1`
each side has one thread and its processor seconds count, which other work of the machine changes
less.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product

from measuring import make_parser, seconds_by_turns

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from train_step import SHAPE, UPDATES, batch_of, build_step

from ser_aae.config import TrainingConfig

ALIKE = 1e-4
"""The largest difference of an output of the same network."""

PRECISIONS = {"float32": "float32", "mixed_bfloat16": "bfloat16"}


def sides_of(
    filters: tuple[int, ...], batch_size: int, update: str, precision: str
) -> dict[str, Callable[[], object]]:
    """Return a step of each side, by its name.

    Raises:
        SystemExit: The networks of both give other outputs of the same segments.
    """
    import torch  # here, so that the options are read without the `bench` extra
    from torch_model import TorchModel, largest_difference, to_maps

    segments, labels = batch_of(batch_size)
    model, ours = build_step(filters, batch_size, update, precision)
    training = replace(TrainingConfig(), update=update)
    other = TorchModel(model, training, autocast=precision != "float32")
    if precision == "float32":
        difference = largest_difference(model, other, segments.numpy()[:4])
        print(f"{update}: outputs of all networks differ by {difference:.1e} at most")
        if not difference < ALIKE:
            sys.exit(f"expected under {ALIKE:g}: these are not the same networks")
    maps = to_maps(segments.numpy())
    truth = {task: torch.from_numpy(value.numpy()).long() for task, value in labels.items()}
    name = f"{update:6}  {PRECISIONS[precision]:8}"
    return {f"{name}  ours": ours, f"{name}  PyTorch": lambda: other.train_step(maps, truth)}


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__, batch_size=32, rounds=10, threads=os.cpu_count() or 1)
    parser.add_argument("--filters", default="16,32", help="of the first two convolutions")
    arguments = parser.parse_args()
    import torch

    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    torch.set_num_threads(arguments.threads)
    clock = time.process_time if arguments.threads == 1 else time.perf_counter
    tf.random.set_seed(1)
    filters = tuple(int(text) for text in arguments.filters.split(","))
    has_bfloat16 = torch.cpu.get_capabilities().get("avx512_bf16", False)
    precisions = list(PRECISIONS) if has_bfloat16 else ["float32"]
    calls: dict[str, Callable[[], object]] = {}
    for update, precision in product(UPDATES, precisions):
        calls |= sides_of(filters, arguments.batch_size, update, precision)
    seconds_by_turns(calls, 2)  # graphs, kernels and caches
    found = seconds_by_turns(calls, arguments.rounds, clock)
    times = {name: min(each) for name, each in found.items()}
    print(
        f"filters {arguments.filters}, batch {arguments.batch_size}, {SHAPE[0]} x {SHAPE[1]} "
        f"segments, PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
    )
    for name, seconds in times.items():
        rate = arguments.batch_size / seconds
        print(f"{name:26}{seconds:8.3f} s a step{rate:8.1f} segments/s")
    for ours in [name for name in times if name.endswith("ours")]:
        ratio = times[ours.replace("ours", "PyTorch")] / times[ours]
        print(f"{ours[:-6].rstrip():18}ours is {ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
