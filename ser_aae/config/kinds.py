"""Kinds of model: phases, trunk, tasks and titles of the method and its baselines.

Everything that depends on `model.kind` reads it here. The name of a kind says none of it; a
new kind is a new row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

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


_AAE = ("aae", ("reconstruction", "regularisation", "classification"), "encoder")
_AE = ("ae", ("reconstruction", "classification"), "encoder")
_CNN = ("cnn", ("classification",), "cnn")

KINDS: Mapping[str, Kind] = {
    name: Kind(name, title, is_multitask, f"The {part} of a {METHOD}.", *form)
    for name, title, is_multitask, part, form in (
        ("mtl", "AAE, multi-task", True, "encoder and classifiers", _AAE),
        (
            "stl",
            "AAE, single task",
            False,
            "encoder and classifier of the single-task variant",
            _AAE,
        ),
        ("ae", "AE", False, "baseline without adversary", _AE),
        ("ae-mtl", "AE, multi-task", True, "multi-task baseline without adversary", _AE),
        ("cnn", "CNN", False, "convolutional baseline", _CNN),
        ("cnn-mtl", "CNN, multi-task", True, "multi-task convolutional baseline", _CNN),
    )
}
"""`model.kind` to what it means."""
