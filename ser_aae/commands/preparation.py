"""Preparation of corpora for the commands that need them."""

import argparse
import os
from collections.abc import Iterable
from itertools import chain

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.progress import show_line


def prepare_missing(configs: Iterable[RunConfig], arguments: argparse.Namespace) -> None:
    """Prepare what the store lacks for some configs, each for its front end.

    Tables that users write and mend, `csv:FILE` and `audformat:DIR`, are compared with what is
    stored, so that an edited label is not overlooked.

    Raises:
        UserError: A corpus cannot be prepared, has changed since, or is a table of which it is
            not known any more where it lies.
    """
    from ser_aae.data.run_data import needed_data_sets
    from ser_aae.store.corpus import is_prepared

    needed = {
        (config.stored_name(dataset), config.frontend): (dataset, config)
        for config in configs
        for dataset in chain.from_iterable(needed_data_sets(config))
    }
    for (name, frontend), (dataset, config) in needed.items():
        is_new = not is_prepared(arguments.store, name, frontend)
        table = config.find_table(dataset)
        if is_new or (table and table.source):
            messages = prepare_corpus(config.source(dataset), config, arguments)
            for message in messages if is_new else ():
                show_line(message)


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
    if adapter.name == "demo" and not is_found:
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
        if is_found or not os.environ.get("SER_AAE_CONTAINER"):  # set in the image
            raise
        raise UserError(
            f"{error}\nThis runs in a container, which sees only the folders that are mounted into "
            f"it. With the corpus in /my/corpora/{adapter.name}, say:\n"
            f"  docker run -v /my/corpora:{arguments.data_root}:ro -v /my/store:/store "
            "-v /my/runs:/runs ser-aae ..."
        ) from error
    return [*messages, *prepared.messages]
