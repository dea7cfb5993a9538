"""Building a RunConfig: preset, then a YAML file, then flags, then `--set`; the last one counts.

Every value arrives as text, from YAML too, and is read by the type of the field it is for. So
`1e-4` is a number (YAML 1.1 alone calls it text), and a mistake is told in the same words
wherever it was made.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ser_aae.config import (
    CORPORA,
    TABLES,
    FrontEndConfig,
    ProtocolConfig,
    RunConfig,
    TrainingConfig,
    complete_stored,
)
from ser_aae.config.datasets import (
    Table,
    given_path,
    record_tables,
    split_names,
    stored_name,
)
from ser_aae.config.fields import (
    Given,
    get,
    groups,
    read_value,
    settings,
    values_by_name,
    with_settings,
)
from ser_aae.config.presets import PRESETS
from ser_aae.errors import UserError
from ser_aae.labels import canonical_emotion, class_of_word, fault_of_classes

FREQUENCY_POOLS, TIME_POOLS = 8, 16
"""Factors that the encoder's three pools shrink a segment by: `model.networks.POOLS` multiplied."""

SILERO_RATE_HZ = 16000
"""The one rate that `ser_aae.frontend.silero` takes."""

_DATASETS = ("dataset", "joined", "auxiliary", "verification", "protocol.target")
"""Settings that name data sets."""


def build_config(
    preset: str = "default",
    file: Path | None = None,
    flags: Iterable[Given] = (),
    assignments: Iterable[str] = (),
    required: Iterable[str] = (),
    stored: bool = False,
    aliases: Mapping[str, str] | None = None,
) -> RunConfig:
    """Return the config that all sources make together.

    Args:
        preset: One of `ser_aae.config.presets.PRESETS`.
        file: YAML (or JSON, which is YAML) with the fields of RunConfig; the `config.json` of
            a run is one, and is known by the digests of its corpora.
        flags: Settings from single flags of the command line.
        assignments: Texts `KEY=VALUE`, as in `model.alpha=0.4`.
        required: Settings that have to be given, whatever their default.
        stored: Whether this program wrote the file: a setting that it lacks did not exist then
            and has its value of before. In a file of the user's it has its default.
        aliases: Other spellings of corpora, in lower case, each with the name it stands for.

    Raises:
        UserError: An unknown preset or field, a value that is none for its field, settings
            that contradict each other or are missing, or a file that cannot be read.
    """
    if preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise UserError(f"--preset: expected one of {known}, got {preset!r}")
    values: dict[str, Any] = dict(PRESETS[preset])
    root = _compose(file) if file else None
    given = _settings_in(root, file) if file else []
    tables, prepared = _read_record(root, file)
    if stored or prepared:
        values |= values_by_name(complete_stored({}, RunConfig))
    given = _part_corpora(given, tables)
    typed = _part_corpora([*flags, *map(parse_assignment, assignments)], tables)
    for item in (*given, *typed):
        values[item.key] = read_value(item)
    for key in required:
        if key not in values:
            raise UserError(f"expected --{key}, or {key} in the file of --config; got neither")
    anew = [
        name for item in typed if item.key in _DATASETS for name in _list_names(values[item.key])
    ]
    # a data set that is named outside the file is sought from here, whatever the file says of it
    known = [table for table in tables if table.given not in anew]
    if "classes" in values and not (stored or prepared):
        values["classes"] = _name_classes(values["classes"])
    config = _name_datasets(with_settings(RunConfig(), values), known, aliases or {})
    config = replace(config, tables=record_tables(config.datasets, known, prepared, anew))
    _check_together(config)
    if not (stored or prepared):
        _check_balance(config.training)
    return config


def _part_corpora(items: Iterable[Given], tables: Iterable[Table]) -> list[Given]:
    """Return settings of one source, of which `dataset` names one corpus and `joined` the others.

    Where `dataset` stands alone it replaces all corpora of an earlier source.

    Raises:
        UserError: There is no name between two commas, or both settings name several.
    """
    items, parted = list(items), list[Given]()
    known = [table.given for table in tables]
    names_joined = {item.where for item in items if item.key == "joined"}
    for item in items:
        if item.key != "dataset" or not isinstance(item.text, str):
            parted.append(item)
            continue
        names = split_names(item.text, known)
        if not all(names):
            raise UserError(f"{item.where}: expected names with commas between, got {item.text!r}")
        if len(names) > 1 and names_joined:
            raise UserError(
                f"{item.where}: names {len(names)} corpora, and {min(names_joined)} names further "
                "ones; give all of them in one of the two"
            )
        parted.append(Given("dataset", names[0], item.where))
        if not names_joined:
            parted.append(Given("joined", tuple(names[1:]), item.where))
    return parted


def describe_synonyms(given: Iterable[Given]) -> list[str]:
    """Return a line for each word among the classes of given settings that is read as another."""
    texts = [str(item.text) for item in given if item.key == "classes"]
    lines = []
    for word in _split_classes(texts[-1]) if texts else ():  # the last one counts
        if (name := class_of_word(word)) != word:
            lines.append(f"classes: {word} is read as {name}")
        elif (name := canonical_emotion(word)) not in ("", word):
            lines.append(f"classes: {word} is read as {name} where no corpus has a class {word}")
    return lines


def _name_classes(text: str) -> str:
    """Return the names of classes with the canonical word in the place of each synonym.

    A word in `FURTHER_SYNONYMS` stays: only the corpus tells whether it has a class of that name,
    see `ser_aae.data.targets.choose_classes`. Text without a synonym stays as it is, for it is in
    the names of runs.

    Raises:
        UserError: They are no classes of any corpus: fewer than two, or one twice.
    """
    words = _split_classes(text)
    named = [class_of_word(word) for word in words]
    if text not in ("four", "all") and (fault := fault_of_classes(named)):
        raise UserError(
            f"classes: received {text!r}: {fault}; choose with --classes a,b,c or --classes all"
        )
    return text if named == words else ",".join(named)


def _split_classes(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def parse_assignment(text: str) -> Given:
    """Return the setting in `KEY=VALUE`.

    Raises:
        UserError: It has no `=`.
    """
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise UserError(f"--set: expected KEY=VALUE, as in model.alpha=0.4, got {text!r}")
    return Given(key, value, f"--set {key}")


def read_file(path: Path) -> list[Given]:
    """Return the settings of a YAML file, each with its line.

    Raises:
        UserError: The file cannot be read, is no YAML mapping, or says something twice.
    """
    return _settings_in(_compose(path), path)


def read_documents(path: Path) -> list[list[Given]]:
    """Read the settings of each document of a YAML file, which are parted by lines of `---`.

    Raises:
        UserError: The file cannot be read, or a document is not as `read_file` takes it.
    """
    return [_settings_in(root, path) for root in _compose_all(path)]


def _compose(path: Path) -> yaml.Node | None:
    """Return the nodes of a YAML file, which know their lines; `None` for an empty one.

    Raises:
        UserError: The file cannot be read, or has several documents.
    """
    roots = _compose_all(path)
    if len(roots) > 1:
        line = roots[1].start_mark.line + 1
        raise UserError(f"{path}:{line}: expected one document of settings, got {len(roots)}")
    return roots[0] if roots else None


def _compose_all(path: Path) -> list[yaml.Node]:
    """Return the nodes of each document of a YAML file."""
    try:
        return list(yaml.compose_all(path.read_text(encoding="utf-8"), yaml.SafeLoader))
    except OSError as error:
        raise UserError(f"--config {path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: expected UTF-8 text ({error}); save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{path}{line}: expected YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: expected YAML: {error}") from error


def _settings_in(root: yaml.Node | None, path: Path) -> list[Given]:
    """Return the settings of a file's nodes; refuse one that stands twice."""
    given = list(_settings_below(root, "", path)) if root else []
    first: dict[str, Given] = {}
    for item in given:
        if first.setdefault(item.key, item) is not item:
            raise UserError(f"{item.where}: said already, at {first[item.key].where}; remove one")
    return given


def _settings_below(node: yaml.Node, prefix: str, path: Path) -> Iterator[Given]:
    """Yield the settings below a node; groups nest as RunConfig does."""
    if not isinstance(node, yaml.MappingNode):
        raise UserError(
            f"{path}:{node.start_mark.line + 1}: expected settings, each with its name"
            f"{f', below {prefix[:-1]}' if prefix else ''}, as in `model: {{alpha: 0.4}}`"
        )
    for name, value in node.value:
        key = f"{prefix}{name.value}"
        if key in groups():
            yield from _settings_below(value, f"{key}.", path)
        elif key not in (TABLES, CORPORA):
            yield Given(key, _texts(value), f"{path}:{name.start_mark.line + 1}: {key}")


def _texts(node: yaml.Node) -> str | tuple[str, ...]:
    """Return a value as text; one that is no single value keeps the look that it has in YAML."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return tuple(str(item.value) for item in node.value)
    return "a mapping"


def _check_fold(protocol: ProtocolConfig) -> None:
    """Refuse a fold that a protocol lacks whatever the corpus, before that is prepared."""
    if protocol.name == "speaker-kfold" and protocol.fold >= protocol.folds:
        raise UserError(
            f"protocol.fold: expected 0 to {protocol.folds - 1}, as speaker-kfold has "
            f"{protocol.folds} folds (protocol.folds), received {protocol.fold}"
        )


def _check_together(config: RunConfig) -> None:
    """Refuse settings that are possible each by itself, but not together."""
    _check_frontend(config.frontend)
    _check_update(config)
    _check_fold(config.protocol)
    labelled, size = config.data.labelled_rows, config.training.batch_size
    if labelled > size:
        raise UserError(
            f"data.labelled_rows: expected at most the {size} rows of a batch "
            f"(training.batch_size), got {labelled}; give less, or larger batches"
        )
    if config.training.compile == "xla" and config.training.deterministic:
        raise UserError(
            "training.compile: expected auto or off where training.deterministic is on, for XLA "
            "has no deterministic kernel of a max-pool's gradient, got xla; set "
            "training.deterministic to false as well"
        )
    _check_corpora(config)
    _check_speakers(config)
    if (
        config.auxiliary
        and not config.learns_from_auxiliary
        and not config.is_pretrained_supervised
    ):
        raise UserError(
            f"auxiliary: expected none, for {config.model.kind} without other tasks learns from "
            f"labels of {config.task} alone, got {', '.join(config.auxiliary)}; leave it out, take "
            "another model.kind, or give it a stage 1 of its own with training.pretraining "
            "supervised"
        )
    if config.data.segment_frames % TIME_POOLS:
        raise UserError(
            f"data.segment_frames: expected a multiple of {TIME_POOLS}, which the encoder's "
            f"pools shrink time by, got {config.data.segment_frames}"
        )


def _check_balance(training: TrainingConfig) -> None:
    """Refuse two balances of classes at a time; runs of before may have both.

    Weights alone, or the margin alone, aim at posteriors of classes that are equally frequent,
    which UA measures. Both together aim at p/π², with π a class' share: no figure measures that.
    """
    if training.class_weights != "none" and training.logit_adjustment:
        raise UserError(
            f"training.class_weights: expected none where training.logit_adjustment is "
            f"{training.logit_adjustment:g}, for each by itself balances the classes and both "
            f"together overdo it, got {training.class_weights}; set one to none, or the other to 0"
        )


def _check_corpora(config: RunConfig) -> None:
    """Refuse a corpus that is named twice among those with emotions, and too small a batch."""
    if not config.joined:
        return
    is_cross = config.protocol.name == "cross-corpus"
    target = (config.protocol.target,) if is_cross and config.protocol.target else ()
    counts = Counter(map(config.stored_name, (*config.emotional, *target)))
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise UserError(
            f"dataset: expected each corpus once, got {', '.join(twice)} twice among "
            f"{', '.join((*config.emotional, *target))}; leave one of the two out"
        )
    rows = config.data.labelled_rows or config.training.batch_size
    if config.data.corpus_balance == "even" and rows < len(config.emotional):
        raise UserError(
            f"data.corpus_balance: expected size where a batch has {rows} labelled rows for "
            f"{len(config.emotional)} corpora, got even; give larger batches "
            "(training.batch_size, data.labelled_rows), or size"
        )


def _check_speakers(config: RunConfig) -> None:
    """Refuse to identify speakers of whom nothing is trained."""
    name = config.protocol.name
    if config.task == "speaker" and name != "10-fold":
        raise UserError(
            "task: expected the protocol 10-fold with speaker, whose classes are the speakers who "
            f"train, got {name}, which tests others; add --protocol 10-fold"
        )


def _check_update(config: RunConfig) -> None:
    """Refuse a setting that `training.update` leaves without an effect."""
    update = config.training.update
    key, instead = {
        "joint": ("training.generator_rate_ratio", "model.adversarial_weight"),
        "serial": ("model.adversarial_weight", "training.generator_rate_ratio"),
    }[update]
    found, default = get(config, key), get(RunConfig(), key)
    # a run of before the setting has the value of before
    if found not in (default, settings()[key][0].metadata["before"]):
        raise UserError(
            f"{key}: expected {default:g}, for it has no effect where training.update is {update}, "
            f"got {found:g}; give {instead}, or another training.update"
        )


def _check_frontend(frontend: FrontEndConfig) -> None:
    samples = round(frontend.window_ms * frontend.sample_rate_hz / 1000)
    if frontend.fft_size < samples:
        raise UserError(
            f"frontend.fft_size: expected at least the {samples} samples of a window of "
            f"{frontend.window_ms:g} ms, got {frontend.fft_size}"
        )
    if round(frontend.shift_ms * frontend.sample_rate_hz / 1000) < 1:
        raise UserError(
            f"frontend.shift_ms: expected one sample at least, {1000 / frontend.sample_rate_hz:g} "
            f"ms, got {frontend.shift_ms:g}"
        )
    _check_detector(frontend)
    most = frontend.fft_size // 2
    if frontend.bins % FREQUENCY_POOLS or not 2 * FREQUENCY_POOLS <= frontend.bins <= most:
        raise UserError(
            f"frontend.bins: expected a multiple of {FREQUENCY_POOLS}, which the encoder's pools "
            f"shrink frequency by, from {2 * FREQUENCY_POOLS} to half of fft_size ({most}), got "
            f"{frontend.bins}"
        )


def _check_detector(frontend: FrontEndConfig) -> None:
    """Refuse what Silero VAD does not take, and settings that it leaves without an effect."""
    if frontend.speech_detector != "silero":
        return
    default = FrontEndConfig()
    for name, expected in (
        ("sample_rate_hz", SILERO_RATE_HZ),
        ("remove_silence", True),
        ("silence_db", default.silence_db),
    ):
        if (found := getattr(frontend, name)) != expected:
            raise UserError(
                f"frontend.{name}: expected {expected} where frontend.speech_detector is silero, "
                f"got {found}; give that, or the detector energy"
            )


def _list_names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _name_datasets(config: RunConfig, known: list[Table], aliases: Mapping[str, str]) -> RunConfig:
    """Call corpora as their folders are called: `RAVDESS` and `ravdess` are one run."""

    def folder_name(dataset: str) -> str:
        if given_path(dataset) or any(dataset == table.given for table in known):
            return dataset
        name = stored_name(dataset)
        return aliases.get(name, name)

    names: dict[str, Any] = {}
    for key in _DATASETS:
        value = get(config, key)
        is_one = isinstance(value, str)
        names[key] = folder_name(value) if is_one else tuple(map(folder_name, value))
    return with_settings(config, names)


def _read_record(root: yaml.Node | None, file: Path | None) -> tuple[list[Table], list[str]]:
    """Return the tables that a run wrote down, and the stored names of all its corpora."""
    # to this constructor all is text, so that nothing is taken for a number, and nothing is run
    plain = yaml.constructor.BaseConstructor().construct_document(root) if root else {}
    try:
        tables = [Table(**row) for row in plain.get(TABLES, ())]
        for table in tables:
            "".join((table.given, table.name, table.source))  # each is a text
        return tables, list(plain.get(CORPORA, ()))
    except TypeError as error:
        raise UserError(
            f"{file}: {TABLES}: expected given, name and source of each, as a run writes them "
            f"({error}); leave {TABLES} out"
        ) from error
