"""Partitions that a corpus states itself, and the protocol `partitions` that takes them.

A corpus says in `extra["split"]` where an utterance belongs: the adapter of MSP-Podcast writes it
there, audformat has it, and a table of recordings may have a column of that name. An utterance of
another partition, as of the other test sets, takes no part.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.utterance import Utterance

if TYPE_CHECKING:
    from ser_aae.protocols.draw import Draw

COLUMN = "split"
"""Column with an utterance's partition."""
TRAIN, VALIDATION = "train", "validation"

_OTHER_NAMES = {
    "training": TRAIN,
    "dev": VALIDATION,
    "development": VALIDATION,
    "val": VALIDATION,
    "valid": VALIDATION,
}


def partition_of(utterance: Utterance) -> str:
    """Return the partition of an utterance in lower case, `""` where the corpus says none."""
    name = utterance.extra.get(COLUMN, "").strip().casefold()
    return _OTHER_NAMES.get(name, name)


def lets_train(utterance: Utterance, protocol: ProtocolConfig) -> bool:
    """Return whether a protocol lets an utterance train; all but `partitions` let each."""
    return protocol.name != "partitions" or partition_of(utterance) == TRAIN


def count_partitions(utterances: Sequence[Utterance], protocol: ProtocolConfig) -> int:
    """Return the number of folds, which is one.

    Raises:
        UserError: A partition has no utterance, or one of several corpora has none of them.
    """
    counts = Counter(map(partition_of, utterances))
    absent = [name for name in _partitions(protocol) if not counts[name]]
    if absent:
        named = (f"{name} ({count})" for name, count in sorted(counts.items()) if name)
        raise UserError(
            f"partitions: expected utterances of the partitions {', '.join(_partitions(protocol))} "
            f"in the column {COLUMN}, found none of {', '.join(absent)}; there are: "
            f"{', '.join(named) or 'none'}; name the one to be tested on with "
            "--set protocol.test_partition=NAME, or choose another protocol"
        )
    taking_part = {
        item.corpus for item in utterances if partition_of(item) in _partitions(protocol)
    }
    idle = sorted({item.corpus for item in utterances} - taking_part)
    if idle:
        raise UserError(
            f"partitions: expected utterances of {', '.join(_partitions(protocol))} in the column "
            f"{COLUMN} of each corpus, found none in {', '.join(idle)}; leave it out of --dataset, "
            "or choose another protocol"
        )
    return 1


def cut_partitions(
    utterances: Sequence[Utterance], protocol: ProtocolConfig, _draw: "Draw"
) -> tuple[list[int], list[int], list[int]]:
    """Return the rows of the partitions that train, validate and are tested on."""
    names = list(map(partition_of, utterances))
    train, validation, test = (
        [row for row, name in enumerate(names) if name == wanted]
        for wanted in _partitions(protocol)
    )
    return train, validation, test


def _partitions(protocol: ProtocolConfig) -> tuple[str, str, str]:
    return TRAIN, VALIDATION, protocol.test_partition.strip().casefold()
