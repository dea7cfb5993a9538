"""A search as data: its space, its algorithm, its config, and the runs that judge a trial."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ser_aae.config import TABLES, RunConfig, complete_stored
from ser_aae.config.datasets import Table
from ser_aae.config.fields import values_by_name, with_settings, woken_settings
from ser_aae.errors import UserError
from ser_aae.experiments.weight_sweeps import FIGURE_5
from ser_aae.files.digests import digest_of_plain
from ser_aae.results.search_folder import OBJECTIVE, SEARCHES
from tuning.space import Space, check_space, read_space

ALGORITHMS = ("random", "bayesian", "hyperband", "grid")


@dataclass(frozen=True)
class Search:
    """One search.

    Attributes:
        config: Settings of all trials but for the varied; its seed is that of the first execution.
        algorithm: One of `ALGORITHMS`.
        trials: Their number at most; 0 where the algorithm has its own (`grid`, `hyperband`).
        folds: Folds that each trial is trained on.
        executions: Number of seeds that each fold is trained with. All trials have the same
            folds and seeds, so that they differ in nothing but their settings.
        corpora: Prepared corpora to the digests of their content: every worker's are the same.
    """

    config: RunConfig
    space: Space
    algorithm: str = "random"
    trials: int = 30
    folds: tuple[int, ...] = (0,)
    executions: int = 1
    corpora: Mapping[str, str] = field(default_factory=dict)

    @property
    def seeds(self) -> range:
        """Seeds of the executions, counted up from the config's."""
        return range(self.config.seed, self.config.seed + self.executions)

    def folder(self, runs: Path) -> Path:
        """Return the folder of the search, which is the same with more trials."""
        config = self.config
        name = f"{config.task}-{config.model.kind}-{config.protocol.name}"
        plain = {key: value for key, value in self.to_dict().items() if key != "trials"}
        plain["config"] = config.named()  # the same search, wherever a table lies
        if woken := woken_settings(config, self.space.changes()):
            plain["woken"] = woken
        digest = digest_of_plain(plain, 8)
        return runs / SEARCHES / f"{config.title}-{name}" / digest

    def runs_of(self, config: RunConfig) -> list[RunConfig]:
        """Return the runs that a trial's config is judged by: every fold with every seed."""
        return [
            replace(config, seed=seed, protocol=replace(config.protocol, fold=fold))
            for seed in self.seeds
            for fold in self.folds
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON; `read_search` takes them back."""
        return {
            "objective": OBJECTIVE,
            "algorithm": self.algorithm,
            "trials": self.trials,
            "space": self.space.name,
            "dimensions": self.space.to_dict(),
            "folds": list(self.folds),
            "executions": self.executions,
            "seeds": list(self.seeds),
            "corpora": dict(self.corpora),
            "config": self.config.to_record(),
        }


def read_search(plain: Mapping[str, Any]) -> Search:
    """Return the search that `Search.to_dict` has written.

    Raises:
        UserError: It is of another version of this program, whose settings or dimensions differ.
    """
    try:
        config = complete_stored(plain["config"], RunConfig)
        tables = tuple(Table(**row) for row in config.get(TABLES, ()))
        settings = {key: value for key, value in config.items() if key != TABLES}
        search = Search(
            config=with_settings(RunConfig(tables=tables), values_by_name(settings)),
            space=read_space(plain["space"]),
            algorithm=plain["algorithm"],
            trials=plain["trials"],
            folds=tuple(plain["folds"]),
            executions=plain["executions"],
            corpora=plain["corpora"],
        )
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"not a search of this version of ser-aae ({error})") from error
    if search.to_dict() != {**plain, "config": config}:
        raise UserError("a search of another version of ser-aae; use the same one everywhere")
    return search


def check_search(search: Search) -> None:
    """Refuse a search that cannot be.

    Raises:
        UserError: An algorithm, a number or a dimension that does not fit the rest.
    """
    if search.algorithm not in ALGORITHMS:
        known = ", ".join(ALGORITHMS)
        raise UserError(f"--algorithm: expected one of {known}, got {search.algorithm!r}")
    if search.space.name == FIGURE_5 and search.algorithm != "grid":
        raise UserError(f"--space {FIGURE_5}: its points are listed; add --algorithm grid")
    if search.algorithm in ("grid", "hyperband"):
        if search.trials:
            why = "covers the whole grid" if search.algorithm == "grid" else "follows the epochs"
            raise UserError(f"--trials: {search.algorithm} {why}; leave --trials away")
    elif search.trials < 1:
        raise UserError(f"--trials: expected 1 or more, got {search.trials}")
    if search.executions < 1:
        raise UserError(f"--executions: expected 1 or more, got {search.executions}")
    check_space(search.space, search.config)
