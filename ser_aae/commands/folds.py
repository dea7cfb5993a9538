"""`ser-aae folds`: the utterances of each part of each fold, as lists to be published."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ser_aae.commands.options import CONFIG, Subparsers, add_options, folder
from ser_aae.commands.preparation import prepare_missing
from ser_aae.commands.run_config import add_flags, read_config

if TYPE_CHECKING:
    from ser_aae.protocols.leakage import Split
    from ser_aae.utterance import Utterance


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "folds",
        help="write the folds of a protocol as lists of utterances",
        description="Write one file a fold, a line of JSON for each utterance. Whoever has the "
        "corpus trains on the same folds with: ser-aae train --protocol folds:DIR. A corpus that "
        "is not prepared is prepared first.",
    )
    add_flags(parser, "dataset", "task", "classes", "protocol", "folds", "target")
    parser.add_argument(
        "--out", type=folder, required=True, metavar="DIR", help="a new folder for the lists"
    )
    add_options(parser, *CONFIG, "data-root", "store", "workers", "allow-partial")
    parser.set_defaults(run=run, writes="out")


def run(arguments: argparse.Namespace) -> None:
    """Write the lists; print the size of each part, then the folder."""
    from ser_aae.data.run_data import name_stored_target, read_pool, require_sounds
    from ser_aae.data.targets import make_target
    from ser_aae.protocols.fold_lists import format_list, write_lists
    from ser_aae.protocols.splits import make_split, num_folds

    # corpora that take no part in the folds are not prepared for them
    config = replace(read_config(arguments), auxiliary=(), verification="")
    prepare_missing([config], arguments)
    pool = read_pool(config, arguments.store)
    require_sounds(config, pool.corpora)
    utterances = pool.utterances
    classes = make_target(config, pool).numbers.tolist()
    protocol = name_stored_target(config)
    splits = [
        make_split(utterances, replace(protocol, fold=fold), protocol.seed, classes)
        for fold in range(num_folds(utterances, protocol))
    ]
    write_lists(arguments.out, [format_list(split, utterances) for split in splits])
    print("\n".join(_table(splits, utterances)))
    print(arguments.out)


def _table(splits: "list[Split]", utterances: "Sequence[Utterance]") -> list[str]:
    from ser_aae.protocols.leakage import PARTS
    from ser_aae.results.text import align

    rows = [["", *PARTS, "speakers of train and test"]]
    for fold, split in enumerate(splits):
        parts = [getattr(split, part) for part in PARTS]
        voices = [{utterances[row].speaker for row in part} for part in parts]
        counts = [f"{len(p)} ({len(v)} speakers)" for p, v in zip(parts, voices, strict=True)]
        train, test = (voices[PARTS.index(part)] for part in ("train", "test"))
        rows.append([f"fold {fold}", *counts, "shared" if train & test else "apart"])
    return align(rows)
