"""Kinds of model: phases, trunk, tasks and titles of the method and its baselines.

Everything that depends on `model.kind` reads it here. The name of a kind says none of it; a
new kind is a new row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

METHOD = "multi-task semi-supervised adversarial autoencoder (arXiv 1907.06078)"


@dataclass(frozen=True)
class Kind:
    """A form of the method, or a baseline.

    Attributes:
        name: Value of `model.kind`.
        title: Its name in tables.
        is_multitask: Whether it has tasks beside the primary one.
        sentence: Description on a model card.
        family: The model that it is a form of, `"aae"`, `"ae"` or `"cnn"`: alpha and beta are
            chosen for each by itself (Sec. 5.1).
        phases: Phases of a step, in their order (Sec. 3).
        trunk: Network below the classifiers: `"encoder"`, or `"cnn"` (two convolutions, Sec. 5.2).
    """

    name: str
    title: str
    is_multitask: bool
    sentence: str
    family: str
    phases: tuple[str, ...]
    trunk: str

    @property
    def reconstructs(self) -> bool:
        """Whether it learns from segments without any label, too."""
        return "reconstruction" in self.phases


_aae = partial(
    Kind,
    family="aae",
    phases=("reconstruction", "regularisation", "classification"),
    trunk="encoder",
)
_ae = partial(Kind, family="ae", phases=("reconstruction", "classification"), trunk="encoder")
_cnn = partial(Kind, family="cnn", phases=("classification",), trunk="cnn")

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _aae("mtl", "AAE, multi-task", True, f"The encoder and classifiers of a {METHOD}."),
        _aae(
            "stl",
            "AAE, single task",
            False,
            f"The encoder and classifier of the single-task variant of a {METHOD}.",
        ),
        _ae("ae", "AE", False, f"The baseline without adversary of a {METHOD}."),
        _ae(
            "ae-mtl",
            "AE, multi-task",
            True,
            f"The multi-task baseline without adversary of a {METHOD}.",
        ),
        _cnn("cnn", "CNN", False, f"The convolutional baseline of a {METHOD}."),
        _cnn(
            "cnn-mtl",
            "CNN, multi-task",
            True,
            f"The multi-task convolutional baseline of a {METHOD}.",
        ),
    )
}
"""`model.kind` to what it means."""
