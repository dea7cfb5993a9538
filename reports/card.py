"""The model card of a run, in the format of Hugging Face: metadata in YAML, then Markdown.

The whole card comes from the run's own files; only the terms of the corpora are given.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from reports.card_body import CardRun, Terms, build_body
from ser_aae.files.atomic import read_json
from ser_aae.results.complete_run import read_classes, read_config, read_warnings
from ser_aae.results.evaluation import evaluate_run
from ser_aae.results.folder import ENVIRONMENT, PREDICTIONS
from ser_aae.results.predictions import read_predictions

__all__ = ["Terms", "build_card", "corpora_of"]


def corpora_of(run: Path) -> dict[str, str]:
    """Return the corpora that a run was trained or tested on.

    Returns:
        Name in the store to the name in its config, by which an adapter is found.

    Raises:
        UserError: No complete run.
    """
    config = read_config(run)
    named = (config.dataset, *config.auxiliary, config.protocol.target)
    return {config.stored_name(name): name for name in named if name}


def build_card(run: Path, terms: Mapping[str, Terms]) -> str:
    """Return the card of a run.

    Args:
        run: The folder of a complete run.
        terms: Of each corpus, by its name in the store.

    Raises:
        UserError: No complete run, files that cannot be read, or figures that its predictions
            do not give.
    """
    folder, config = run.resolve(), read_config(run)
    it = CardRun(
        name=f"{folder.parent.parent.name}-{folder.parent.name}-{folder.name}",
        config=config,
        classes=read_classes(run, config),
        warnings=read_warnings(run, config),
        figures=evaluate_run(run),
        predictions=read_predictions(run / PREDICTIONS),
        environment=read_json(run / ENVIRONMENT),
        terms=terms,
    )
    header = yaml.safe_dump(_metadata(it), sort_keys=False, allow_unicode=True, width=100)
    return "\n\n".join([f"---\n{header}---", *build_body(it)]) + "\n"


def _metadata(it: CardRun) -> dict[str, Any]:
    corpora = {name: it.terms[name] for name in it.trained_on if name in it.terms}
    languages = sorted({each.language for each in corpora.values()} - {""})
    return {
        "library_name": "keras",
        "pipeline_tag": "audio-classification",
        "license": "other",
        "license_name": "terms-of-the-corpora",
        **({"language": languages} if languages else {}),
        "datasets": list(it.trained_on),
        "dataset_licenses": {name: each.licence for name, each in corpora.items()},
        "metrics": ["recall", "accuracy", "f1"],
        "tags": [
            *("speech-emotion-recognition", "multi-task", "adversarial-autoencoder"),
            it.independence.replace(" ", "-"),
            "arxiv:1907.06078",
        ],
        "model-index": [{"name": it.name, "results": [_result(it)]}],
    }


def _result(it: CardRun) -> dict[str, Any]:
    protocol, figures = it.config.protocol, it.figures
    named = (
        ("recall", "unweighted accuracy (mean recall)", "unweighted_accuracy"),
        ("accuracy", "weighted accuracy", "weighted_accuracy"),
        ("f1", "macro F1", "macro_f1"),
        ("accuracy", "gender accuracy", "gender_accuracy"),
        ("equal_error_rate", "equal error rate of speaker verification", "equal_error_rate"),
    )
    return {
        "task": {"type": "audio-classification", "name": f"{it.primary} from speech"},
        "dataset": {
            "type": "+".join(it.tested_on),
            "name": " + ".join(it.title(name) for name in it.tested_on),
            "split": "test",
            "args": {"protocol": protocol.name, "fold": protocol.fold},
        },
        "metrics": [
            {"type": kind, "name": name, "value": round(float(figures[key]), 4)}
            for kind, name, key in named
            if figures.get(key) is not None
        ],
    }
