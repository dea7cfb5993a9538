"""The same work on many experiments, side by side in processes, with a bar."""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TypeVar

from ser_aae.processes.pool import compute_in_order
from ser_aae.progress import move_bar, open_bar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

ITEMS_A_PROCESS = 8
"""Least number of experiments for which a process is started: its imports take as long as some."""


def compute_all(
    function: Callable[[Item], Answer], items: Sequence[Item], workers: int, title: str
) -> list[Answer]:
    """Return what a function of a module answers to each of some experiments, in order.

    The answers are the same with any number of processes.

    Args:
        function: Function of a module, which new processes can import.
        items: What it is called with, one for each experiment.
        workers: Most processes.
        title: Verb before the bar.

    Raises:
        UserError: The function raised it, or a process died.
    """
    processes = min(workers, max(1, len(items) // ITEMS_A_PROCESS))
    answers: list[Answer] = []
    computed = compute_in_order(function, items, processes)
    with open_bar(len(items), title, "experiments") as bar, closing(computed):
        for answer in computed:
            answers.append(answer)
            move_bar(bar, len(answers))
    return answers
