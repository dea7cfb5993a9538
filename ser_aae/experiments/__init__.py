"""The paper's tables and figures as lists of runs: what is run for them, and what is drawn.

```
setup = Setup(base=build_config("paper"), budget=BUDGETS["full"])
for artefact in choose(["table-5", "figure-4"], setup):
    for cell in artefact.cells: ...            # the config behind each number
for config in runs_of(artefacts, setup, 10, count_folds): ...
```
An artefact is a function of a setup and of nothing else: whoever has the setup has the digests
of all its runs. `write_setup` leaves it beside the runs, so that a report finds them.
"""

from ser_aae.experiments.artefacts import ARTEFACTS, OWN_CORPUS, choose
from ser_aae.experiments.cells import Artefact, Cell
from ser_aae.experiments.runs import folds_of, runs_of
from ser_aae.experiments.setup import (
    BUDGETS,
    TUNED,
    Budget,
    Setup,
    read_setups,
    setting_of,
    setup_folder,
    thin,
    with_settings,
    write_setup,
)
from ser_aae.experiments.tuned import TUNABLE, Tuned, read_tuned

__all__ = [
    "ARTEFACTS",
    "BUDGETS",
    "OWN_CORPUS",
    "TUNABLE",
    "TUNED",
    "Artefact",
    "Budget",
    "Cell",
    "Setup",
    "Tuned",
    "choose",
    "folds_of",
    "read_setups",
    "read_tuned",
    "runs_of",
    "setting_of",
    "setup_folder",
    "thin",
    "with_settings",
    "write_setup",
]
