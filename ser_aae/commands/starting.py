"""Model that a training starts from: read once, compared, and kept beside the runs."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ser_aae.config import RunConfig

if TYPE_CHECKING:
    from ser_aae.training.starting import Start


def start_from(config: RunConfig, model: Path | None, runs: Path | str | None) -> RunConfig:
    """Return a config that starts from a model, whose weights are kept in the folder of runs.

    Without a model the config stays as it is; without `runs` nothing is written, as for a plan.

    Raises:
        UserError: No model, a damaged one, or one of another front end or window.
    """
    if model is None:
        return config
    from ser_aae.inference.exported_model import refuse_untrainable
    from ser_aae.results.folder import CONFIG

    if not (model / CONFIG).is_file():
        refuse_untrainable(model)  # before TensorFlow is loaded, which takes its time
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says
    from ser_aae.config.fields import with_settings
    from ser_aae.inference.start_source import read_source
    from ser_aae.training.starting import refuse_other_input

    start = read_source(model)
    refuse_other_input(start, config)
    if runs is not None:
        _keep(start, runs)
    return with_settings(config, {"training.start": start.digest()})


def find_start(config: RunConfig, model: Path | None, runs: Path) -> "Start | None":
    """Return the model that a config starts from, given or kept beside the runs; `None` if none.

    Raises:
        UserError: It is not there.
    """
    if not config.training.start:
        return None
    from ser_aae.inference.start_source import read_source
    from ser_aae.training.starting import read_start

    return read_source(model) if model else read_start(runs, config.training.start)


def _keep(start: "Start", runs: Path | str) -> None:
    """Write a start to the folder of runs, or send it to their URL."""
    from ser_aae.grid.remote import is_url, send_folder
    from ser_aae.results.folder import start_file
    from ser_aae.training.starting import write_start

    if not is_url(str(runs)):
        write_start(Path(runs), start)
        return
    with tempfile.TemporaryDirectory() as place:
        path = start_file(Path(place), write_start(Path(place), start))
        relative = path.parent.relative_to(place).as_posix()
        send_folder(path.parent, str(runs), relative, last=path.name)
