"""The tuner: asks an oracle, its own or that of a chief, for trials and runs them."""

import time
from pathlib import Path

from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial

from tuning.hypermodel import SettingsModel
from tuning.oracles import STATE, DurableOracle

_WAIT_S = 1.0
"""Pause between two questions of a worker that has nothing to do."""


class TrialTuner(BaseTuner):
    """Runs trials of a `SettingsModel` until the oracle has no more.

    Where Keras Tuner's environment variables name a chief, `BaseTuner` asks that; such a worker
    writes nothing in the search's folder.
    """

    def __init__(self, oracle: DurableOracle, model: SettingsModel, folder: Path) -> None:
        """Hand everything to Keras Tuner; see the class."""
        super().__init__(oracle, model, directory=str(folder), project_name=STATE)
        self._has_asked = False

    def pre_create_trial(self) -> None:
        """Wait before asking again, for Keras Tuner would ask without end."""
        if self._has_asked:
            time.sleep(_WAIT_S)
        self._has_asked = True
        self.hypermodel.report.check()

    def on_trial_begin(self, trial: Trial) -> None:
        """Report the beginning of a trial."""
        self._has_asked = False
        self.hypermodel.report.begin(trial.trial_id)

    def run_trial(self, trial: Trial) -> dict[str, float]:
        """Train a trial's runs and return its objective."""
        hp = trial.hyperparameters
        outcome = self.hypermodel.fit(hp, self.hypermodel.build(hp))
        self.hypermodel.report.check()
        return outcome

    def on_trial_end(self, trial: Trial) -> None:
        """Hand the outcome to the oracle, which saves itself.

        Keras Tuner would save the tuner too, in place and by worker; it has no state.
        """
        self.oracle.end_trial(trial)
        self.hypermodel.report.begin(None)
