"""The paper's tables and figures as lists of runs.

```
setup = Setup(base=build_config("paper"), budget=BUDGETS["full"])
for artefact in choose(["table-5", "figure-4"], setup):
    for cell in artefact.cells: ...            # the config behind each number
for config in runs_of(artefacts, setup, 10, count_folds): ...
```
An artefact is a function of a setup and of nothing else: from a setup follow the digests of all
its runs. `write_setup` leaves it beside the runs, so that a report finds them.
"""
