"""Extras of this package: which one brings a package that is needed and not installed.

The package's own metadata say what each extra brings, so that `pyproject.toml` is the one place of
it. A missing package is noticed where it is imported, and told where errors become exit codes.
"""

from importlib.util import find_spec

PACKAGE = "ser-aae"

_OTHER_NAMES = {
    "distributed": "dask",
    "grpc": "grpcio",
    "mlflow": "mlflow-skinny",
    "pkg_resources": "setuptools",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Module to the distribution that brings it, where that is not called like the module."""


def require_modules(*names: str) -> None:
    """Refuse, before anything that takes long, that a module is not installed.

    Raises:
        ModuleNotFoundError: It is not; importing it later would have raised this.
    """
    for name in names:
        if find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def explain_missing(error: BaseException, extra: str = "") -> str:
    """Return one line on a package that is not installed, and how to install it; else "".

    Args:
        error: The error of an import.
        extra: The extra of the command that needs the package: it is named if it brings the
            package, and the one that does otherwise.
    """
    module = error.name if isinstance(error, ModuleNotFoundError) else None
    if not module or "." in module:  # a module that its package lacks is no missing package
        return ""
    package = package_of(module)
    brought = extras_with(package)
    if not brought:
        return ""
    chosen = extra if extra in brought else brought[0]
    wanted = f"'{PACKAGE}[{chosen}]'" if chosen else PACKAGE
    return f"this needs {package}, which is not installed; install it with: pip install {wanted}"


def package_of(module: str) -> str:
    """Return the name under which the package that brings a module is installed."""
    return _OTHER_NAMES.get(module, module).replace("_", "-").lower()


def extras_with(package: str) -> list[str]:
    """Return the extras that bring a package, first that which names it; "" stands for no extra."""
    listed = _read_extras()
    found = [extra for extra, names in listed.items() if package in names]
    for extra in found:  # grows by those that have one of it in them
        found += [each for each in listed if f"[{extra}]" in listed[each] and each not in found]
    return found


def _read_extras() -> dict[str, set[str]]:
    """Return extra to the packages that it names; `[other]` is another extra that it has in it."""
    # here, for these take longer to import than a command line takes to read
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    try:
        texts = requires(PACKAGE) or []
    except PackageNotFoundError:  # a source tree that is not installed
        texts = []
    listed: dict[str, set[str]] = {}
    for each in map(Requirement, texts):
        _, _, extra = str(each.marker or "").partition('extra == "')
        name = canonicalize_name(each.name)
        own = {f"[{other}]" for other in each.extras} if name == PACKAGE else {name}
        listed.setdefault(extra.rstrip('"'), set()).update(own)
    return listed
