"""The kinds of model: phases, trunk, tasks and titles of the method and its baselines.

Everything that depends on `model.kind` reads it here. The name says none of it: whoever adds a
kind adds a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

METHOD = "multi-task semi-supervised adversarial autoencoder (arXiv 1907.06078)"

_THREE_PHASES = ("reconstruction", "regularisation", "classification")
_TWO_PHASES = ("reconstruction", "classification")
_ONE_PHASE = ("classification",)


@dataclass(frozen=True)
class Kind:
    """A form of the method, or a baseline.

    Attributes:
        name: The value of `model.kind`.
        title: In tables.
        family: The model that it is a form of, `"aae"`, `"ae"` or `"cnn"`: alpha and beta are
            chosen for each by itself (Sec. 5.1).
        phases: In the order they run in each step (Sec. 3).
        trunk: Network below the classifiers: `"encoder"`, or `"cnn"` (two convolutions, Sec. 5.2).
        is_multitask: Whether it has tasks beside the primary one.
        sentence: On a model card.
    """

    name: str
    title: str
    family: str
    phases: tuple[str, ...]
    trunk: str
    is_multitask: bool
    sentence: str

    @property
    def reconstructs(self) -> bool:
        """Whether it learns from segments without any label, too."""
        return "reconstruction" in self.phases


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="mtl",
            title="AAE, multi-task",
            family="aae",
            phases=_THREE_PHASES,
            trunk="encoder",
            is_multitask=True,
            sentence=f"The encoder and classifiers of a {METHOD}.",
        ),
        Kind(
            name="stl",
            title="AAE, single task",
            family="aae",
            phases=_THREE_PHASES,
            trunk="encoder",
            is_multitask=False,
            sentence=f"The encoder and classifier of the single-task variant of a {METHOD}.",
        ),
        Kind(
            name="ae",
            title="AE",
            family="ae",
            phases=_TWO_PHASES,
            trunk="encoder",
            is_multitask=False,
            sentence=f"The baseline without adversary of a {METHOD}.",
        ),
        Kind(
            name="ae-mtl",
            title="AE, multi-task",
            family="ae",
            phases=_TWO_PHASES,
            trunk="encoder",
            is_multitask=True,
            sentence=f"The multi-task baseline without adversary of a {METHOD}.",
        ),
        Kind(
            name="cnn",
            title="CNN",
            family="cnn",
            phases=_ONE_PHASE,
            trunk="cnn",
            is_multitask=False,
            sentence=f"The convolutional baseline of a {METHOD}.",
        ),
        Kind(
            name="cnn-mtl",
            title="CNN, multi-task",
            family="cnn",
            phases=_ONE_PHASE,
            trunk="cnn",
            is_multitask=True,
            sentence=f"The multi-task convolutional baseline of a {METHOD}.",
        ),
    )
}
"""`model.kind` to what it means."""
