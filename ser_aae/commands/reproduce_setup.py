"""The setup that the options of `ser-aae reproduce` give, and its refusals."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ser_aae.errors import UserError
from ser_aae.progress import show_line

if TYPE_CHECKING:
    from ser_aae.config import RunConfig
    from ser_aae.config.fields import Given
    from ser_aae.experiments.cells import Artefact
    from ser_aae.experiments.setup import Budget, Setup

NO_CORPUS = "none"
"""Value of `--auxiliary` for no auxiliary corpus."""


def read_setup(arguments: argparse.Namespace) -> "Setup":
    """Return the corpora, the settings and the budget of the artefacts.

    Raises:
        UserError: A setting cannot be, or the budget sets it; or a corpus is named twice.
    """
    from data_prep.corpora import known_aliases, known_facts
    from ser_aae.config.build import build_config, describe_synonyms, parse_assignment, read_file
    from ser_aae.config.datasets import record_tables
    from ser_aae.experiments.setup import BUDGETS, Setup, compare_fairly, compared_settings
    from ser_aae.experiments.tuned import Tuned, read_tuned

    budget = BUDGETS[arguments.budget]
    read = read_file(arguments.config) if arguments.config else []
    given = [*read, *map(parse_assignment, arguments.set)]
    _refuse_overruled(given, budget)
    if len(set(arguments.datasets)) < len(arguments.datasets):
        raise UserError(f"--datasets: expected each once, got {' '.join(arguments.datasets)}")
    names = {item.key for item in given}
    base = build_config(
        arguments.preset, arguments.config, assignments=arguments.set, aliases=known_aliases()
    )
    for line in describe_synonyms(given):
        show_line(line)
    _refuse_joined(base)
    return Setup(
        datasets=tuple(arguments.datasets),
        auxiliary="" if arguments.auxiliary == NO_CORPUS else arguments.auxiliary,
        base=compare_fairly(base, names, budget),
        budget=budget,
        max_auxiliary_speakers=arguments.auxiliary_speakers,
        tuned=read_tuned(arguments.tuned) if arguments.tuned else Tuned(),
        repetitions=arguments.repetitions,
        # absolute: the report may be made in another folder
        data_root=str(arguments.data_root.absolute()),
        allow_partial=arguments.allow_partial,
        given=tuple(sorted(names - compared_settings(base, budget).keys())),
        tables=record_tables([*arguments.datasets, arguments.auxiliary]),
        corpora=known_facts(),
    )


def refuse_unused(
    artefacts: Sequence["Artefact"], setup: "Setup", arguments: argparse.Namespace
) -> None:
    """Raise if no run takes the settings that a search has chosen.

    Raises:
        UserError: No cell has the task that the search was made for.
    """
    cells = [cell.config for artefact in artefacts for cell in artefact.cells]
    tuned = setup.tuned
    if tuned.outcomes and not any(tuned.settings_for(c.task, c.model.kind) for c in cells):
        tasks = dict.fromkeys(outcome.task for outcome in tuned.outcomes)
        raise UserError(
            f"--tuned {arguments.tuned}: chosen for the task {' and '.join(tasks)}, and no cell of "
            f"{', '.join(arguments.artefacts)} has it"
        )


def _refuse_joined(base: "RunConfig") -> None:
    if base.joined:
        raise UserError(
            f"dataset: expected one, for each cell of a table is of one corpus, got "
            f"{', '.join(base.emotional)}; name them with --datasets, and train on several at once "
            "with ser-aae train"
        )


def _refuse_overruled(given: "Sequence[Given]", budget: "Budget") -> None:
    from ser_aae.config.fields import read_value

    for item in given:
        # each cell of an experiment has its own value for this one
        if item.key == "data.unlabelled_rest" and read_value(item):
            raise UserError(
                f"{item.where}: the paper's experiments have utterances of their classes alone; "
                "the row of `ravdess` with more speech has the others anyway; leave it away"
            )
        if item.key in budget.settings:
            raise UserError(
                f"{item.where}: --budget {budget.name} sets it to {budget.settings[item.key]}; "
                "leave one of the two away, or choose --budget full"
            )
