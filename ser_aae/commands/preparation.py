"""Preparation of corpora for the commands that need them."""

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from ser_aae.commands.options import places_of
from ser_aae.config import FrontEndConfig, RunConfig
from ser_aae.errors import UserError
from ser_aae.files.container import is_container, mounting_command
from ser_aae.progress import show_line

DEMO = "demo"
"""The corpus that is made where it is not there."""


def prepare_missing(configs: Iterable[RunConfig], arguments: argparse.Namespace) -> None:
    """Prepare what the store lacks for some configs, each for its front end.

    Tables that users write and mend, `csv:FILE` and `audformat:DIR`, are compared with what is
    stored, so that an edited label is not overlooked.

    Raises:
        UserError: A corpus cannot be prepared, has changed since, or is a table of which it is
            not known any more where it lies.
    """
    from ser_aae.store.corpus import is_prepared

    for (name, frontend), (dataset, config) in _needed_corpora(configs).items():
        is_new = not is_prepared(arguments.store, name, frontend)
        table = config.find_table(dataset)
        if is_new or (table and table.source):
            messages = prepare_corpus(config.source(dataset), config, arguments)
            for message in messages if is_new else ():
                show_line(message)


@contextmanager
def store_of_plan(configs: Iterable[RunConfig], arguments: argparse.Namespace) -> Iterator[Path]:
    """Give a store on which a plan of some configs can count, and prepare nothing.

    It is the user's where that has every corpus. Else it is one for the time being: the user's
    corpora, and lists of the recordings of the others.

    Raises:
        UserError: A corpus is not in the user's store, and is not where it should lie or has no
            name that is known.
    """
    from data_prep.corpora import find_adapter
    from data_prep.listing import write_listing
    from ser_aae.store.corpus import MANIFEST, corpus_folder

    needed = _needed_corpora(configs)
    folders = {key: corpus_folder(arguments.store, *key) for key in needed}
    there = [folder for folder in folders.values() if (folder / MANIFEST).exists()]
    sources = {
        key: config.source(dataset)
        for key, (dataset, config) in needed.items()
        if folders[key] not in there
    }
    adapters = [find_adapter(source) for source in sources.values()]
    for adapter in adapters:
        if adapter.name != DEMO and not adapter.is_found(arguments.data_root):
            adapter.read(arguments.data_root)  # raises what a training would say
    if not (sources and all(adapter.is_found(arguments.data_root) for adapter in adapters)):
        yield arguments.store  # which is told to lack a corpus, where it does
        return
    with tempfile.TemporaryDirectory() as place:
        for folder in there:
            (Path(place) / folder.name).symlink_to(folder.absolute())
        for (name, frontend), source in sources.items():
            write_listing(source, arguments.data_root, Path(place), frontend)
            show_line(f"{name}: not prepared, so counted with its pauses")
        yield Path(place)


def _needed_corpora(
    configs: Iterable[RunConfig],
) -> dict[tuple[str, FrontEndConfig], tuple[str, RunConfig]]:
    """Return the stored name and the front end of each corpus, with the data set of a config."""
    from ser_aae.data.run_data import needed_data_sets

    return {
        (config.stored_name(dataset), config.frontend): (dataset, config)
        for config in configs
        for dataset in chain.from_iterable(needed_data_sets(config))
    }


def prepare_corpus(dataset: str, config: RunConfig, arguments: argparse.Namespace) -> list[str]:
    """Prepare a data set for a config's front end; return what to tell, a line each.

    The demo corpus is made where it is not there: it needs no recordings.

    Raises:
        UserError: It cannot be prepared.
    """
    from data_prep.build import prepare
    from data_prep.corpora import find_adapter
    from data_prep.synthetic import synthesise

    adapter, messages = find_adapter(dataset), []
    is_found = adapter.is_found(arguments.data_root)
    if adapter.name == DEMO and not is_found:
        messages.append(f"{synthesise('demo', arguments.data_root)}: synthetic speech, made now")
        is_found = True
    try:
        prepared = prepare(
            dataset,
            arguments.data_root,
            arguments.store,
            config.frontend,
            workers=arguments.workers,
            allow_partial=arguments.allow_partial,
        )
    except UserError as error:
        if is_found or not is_container():
            raise
        lines = [
            f"{error}",
            "This runs in a container, which sees only the folders that are mounted into it. With "
            f"the corpus in /my/corpora/{adapter.name}, say:",
            *mounting_command(
                places_of(arguments), arguments.words, arguments.data_root.absolute()
            ),
        ]
        raise UserError("\n".join(lines)) from error
    return [*messages, *prepared.messages]
