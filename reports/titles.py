"""Titles of experiments as a reader would give them: `RAVDESS, four emotions, AAE, 6 folds`."""

from collections.abc import Mapping
from typing import Any

from ser_aae.config import stored_dataset
from ser_aae.config.datasets import readable_name
from ser_aae.config.kinds import KINDS
from ser_aae.corpus_facts import CorpusFacts

_PROTOCOLS = {
    "loso": "each speaker left out once",
    "loso-session": "each session left out once",
    "10-fold": "10 folds that share speakers",
    "speaker-kfold": "{folds} folds of speakers",
    "leave-one-corpus-out": "each corpus left out once",
    "cross-corpus": "tested on {target}",
    "partitions": "the corpus' own parts",
    "folds": "folds from lists",
}
"""Protocol to its words, with settings of the protocol."""

_SOME_CLASSES = {"four": "four emotions", "all": "all emotions"}


def experiment_title(config: Mapping[str, Any], corpora: Mapping[str, CorpusFacts]) -> str:
    """Return the title of an experiment.

    Args:
        config: Plain values of one of its runs.
        corpora: Facts of corpora by their names in the store.
    """
    kind = config["model"]["kind"]
    dataset, task, protocol = _name_test(config, corpora)
    return ", ".join([dataset, task, KINDS[kind].title if kind in KINDS else kind, protocol])


def comparison_title(config: Mapping[str, Any], corpora: Mapping[str, CorpusFacts]) -> str:
    """Return the title of experiments that differ in model or settings, with one of their configs.

    Arguments are those of `experiment_title`.
    """
    return f"Compared: {', '.join(_name_test(config, corpora))}"


def corpus_title(name: str, corpora: Mapping[str, CorpusFacts]) -> str:
    """Return a corpus, or several with `+` between, as the paper or a table's file is called."""
    return " + ".join(
        corpora.get(one, CorpusFacts()).title or readable_name(one) for one in name.split("+")
    )


def _name_test(
    config: Mapping[str, Any], corpora: Mapping[str, CorpusFacts]
) -> tuple[str, str, str]:
    """Return data set, task and protocol in words."""
    protocol = config["protocol"]
    words = _PROTOCOLS.get(protocol["name"], protocol["name"]).format(**protocol)
    return corpus_title(stored_dataset(dict(config)), corpora), _name_task(config), words


def _name_task(config: Mapping[str, Any]) -> str:
    if config["task"] != "emotion":
        return str(config["task"])
    classes = config["classes"]
    return _SOME_CLASSES.get(classes, f"emotions {classes.replace(',', ', ')}")
