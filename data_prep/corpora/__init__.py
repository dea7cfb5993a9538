"""The corpora: one adapter a module, found by itself.

An adapter is a module of this package with the constants `NAME, VERSION, TITLE, LICENSE,
OBTAIN, BIBTEX, TREE, LANGUAGE, FACTS, EMOTION_CODES, EXPECTED, EXCLUDED` and a function
`read(location) -> Corpus`. To add a corpus, add a module here and its layout to the tests;
nothing else has to change. `DOWNLOADS` are the archives of one that may be fetched without asking
anybody.

`EXCLUDED` holds the reasons that are listed for files and rows that become no utterance.
"""

import difflib
import importlib
import pkgutil
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from pathlib import Path

from data_prep.archives import Archive
from data_prep.corpus import Corpus, check_counts, check_files, describe_dropped
from ser_aae.config.datasets import PATH_KINDS, given_path, stored_name
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import UserError


@dataclass(frozen=True)
class Adapter:
    """The description of a corpus, and the function that reads it.

    Attributes:
        name: The corpus' name in `--dataset`, and that of its folder below the data root.
        version: The version of the corpus.
        title: One line.
        license: Terms of use.
        obtain: The way to get the corpus, and who grants it.
        bibtex: The publication to cite.
        tree: The expected files.
        language: ISO 639-3, `""` where the corpus names a language for each utterance.
        facts: The facts that runs and experiments depend on.
        expected: The counts of a complete copy.
        parse: Reads the corpus at a location.
        downloads: The archives that `ser-aae download` fetches.
        given: The file of `csv:FILE`, the folder of `audformat:DIR`.
    """

    name: str
    version: str
    title: str
    license: str
    obtain: str
    bibtex: str
    tree: str
    language: str
    facts: CorpusFacts
    expected: Mapping[str, int]
    parse: Callable[[Path], Corpus]
    downloads: tuple[Archive, ...] = ()
    given: Path | None = None

    def location(self, data_root: Path) -> Path:
        """Return where the corpus should lie: `<data root>/<name>`, or where the user says."""
        return data_root / self.name if self.given is None else self.given

    def is_found(self, data_root: Path) -> bool:
        """Return whether anything lies there."""
        location = self.location(data_root)
        if not location.is_dir():
            return location.is_file() and self.given is not None
        return any(not path.name.startswith(".") for path in location.iterdir())

    def download_command(self, data_root: Path) -> str:
        """Return the command that fetches the corpus, to be pasted into a shell."""
        words = ["ser-aae", "download", self.name]
        if data_root != Path("data"):
            words += ["--data-root", str(data_root)]
        return shlex.join(words)

    def read(self, data_root: Path, *, allow_partial: bool = False) -> Corpus:
        """Read the corpus and compare it with what a complete copy counts.

        Raises:
            UserError: Nothing there, not this corpus, damaged, or (unless `allow_partial`)
                incomplete.
        """
        location = self.location(data_root)
        expected = f"expected {self.title} as\n{self.tree}\n"
        if not self.is_found(data_root):
            came = "an empty folder" if location.is_dir() else "nothing"
            fetch = f"\nOr: {self.download_command(data_root)}" if self.downloads else ""
            raise UserError(f"{location}: {expected}found {came}. {self.obtain}{fetch}")
        corpus = self.parse(location)
        if not corpus.utterances:
            dropped = "".join(f"\n  {line}" for line in describe_dropped(corpus.dropped))
            raise UserError(f"{location}: {expected}found no such audio. {self.obtain}{dropped}")
        if not allow_partial:
            check_counts(self.name, corpus)
            check_files(corpus)
        return corpus


def list_corpora() -> list[Adapter]:
    """Return all adapters, sorted by name."""
    return [adapter for _, adapter in sorted(_adapters().items())]


def known_facts() -> dict[str, CorpusFacts]:
    """Return the facts of each corpus by its name in the store, tables of users apart."""
    adapters = list_corpora()
    return {each.name: each.facts for each in adapters if each.name not in PATH_KINDS}


def known_aliases() -> dict[str, str]:
    """Return other spellings of corpora, each with the name it stands for."""
    return {alias: each.name for each in list_corpora() for alias in each.facts.aliases}


def corpus_name(dataset: str) -> str:
    """Return the name under which a store keeps a data set, which may be named by an alias."""
    name = stored_name(dataset)
    return known_aliases().get(name, name)


def find_adapter(dataset: str) -> Adapter:
    """Return the adapter of a data set: a corpus' name or alias, `csv:FILE`, `audformat:DIR`.

    Raises:
        UserError: There is none of that name; the message names the nearest.
    """
    adapters = _adapters()
    given = given_path(dataset)
    name = corpus_name(dataset) if given is None else given.kind
    if name not in adapters:
        near = difflib.get_close_matches(name, adapters, n=1)
        hint = f"did you mean {near[0]}?" if near else "see: ser-aae corpora"
        paths = [f"{kind}:{what}" for kind, what in PATH_KINDS.items()]
        known = ", ".join([*sorted(set(adapters) - set(PATH_KINDS)), *paths])
        raise UserError(f"expected a data set ({known}), got {dataset!r}; {hint}")
    adapter = adapters[name]
    if name not in PATH_KINDS:
        return adapter
    if given is None:
        raise UserError(f"expected the path, {name}:{PATH_KINDS[name]}, got {dataset!r}")
    parse = partial(adapter.parse, table=given.table) if given.table else adapter.parse
    return replace(adapter, given=given.path, parse=parse)


@lru_cache(maxsize=1)
def _adapters() -> dict[str, Adapter]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    others = ("parse", "given", "downloads")
    constants = [field.name for field in fields(Adapter) if field.name not in others]
    return {
        module.NAME: Adapter(
            **{name: getattr(module, name.upper()) for name in constants},
            parse=module.read,
            downloads=getattr(module, "DOWNLOADS", ()),
        )
        for module in modules
    }
