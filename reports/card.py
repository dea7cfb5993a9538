"""The model card of a run, in the format of Hugging Face: metadata in YAML, then Markdown.

The whole card comes from the run's own files; only the terms of the corpora are given.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reports.settings import preset_settings
from reports.table_formats import to_markdown
from ser_aae.config import RunConfig, without_idle
from ser_aae.config.datasets import readable_name
from ser_aae.config.fields import settings
from ser_aae.labels import GENDER_WORDS
from ser_aae.protocols.leakage import independence, shared_voices
from ser_aae.results.complete_run import read_classes, read_config, read_warnings
from ser_aae.results.evaluation import evaluate_run
from ser_aae.results.folder import PREDICTIONS, flatten, read_environment
from ser_aae.results.kept_epochs import describe_epochs
from ser_aae.results.predictions import read_predictions, score
from ser_aae.results.run_kinds import ALONE, ERROR_RATE, OVER_CORPORA, SPEAKER_ONLY
from ser_aae.results.text import percent

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData


@dataclass(frozen=True)
class Terms:
    """Terms of a corpus.

    Attributes:
        title: Full name of the corpus.
        licence: Terms of use, in words.
        language: ISO 639-3, empty where it is not known, or where there are several.
        bibtex: Publication to cite; may be empty.
    """

    title: str
    licence: str
    language: str = ""
    bibtex: str = ""


@dataclass(frozen=True)
class Published:
    """Place on the Hugging Face Hub that a model is passed on in.

    Attributes:
        repo: `owner/name`.
        files: Names of the exported files there.
    """

    repo: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """All that the card of a run says.

    Attributes:
        name: Name of the experiment and the run.
        config: The run's config.
        classes: Task to the names of its classes; the first is the primary task.
        warnings: Warnings for readers of a posterior.
        figures: Result of `evaluate_run`.
        predictions: Predictions on the test part, one row an utterance.
        environment: Versions and devices that the run was made with.
        terms: Terms of each corpus, by its name in the store.
        published: Place of the model on the Hub, if it has one.
    """

    name: str
    config: RunConfig
    classes: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...]
    figures: Mapping[str, Any]
    predictions: pd.DataFrame
    environment: Mapping[str, Any]
    terms: Mapping[str, Terms]
    published: Published | None = None

    @property
    def primary(self) -> str:
        """Primary task, the first of `classes`."""
        return next(iter(self.classes))

    @property
    def trained_on(self) -> tuple[str, ...]:
        """Corpora that the weights were fitted on."""
        config = self.config
        return tuple(map(config.stored_name, (*config.emotional, *config.auxiliary)))

    @property
    def tested_on(self) -> tuple[str, ...]:
        """Corpora of the test part."""
        return tuple(sorted(set(self.predictions["corpus"])))

    @property
    def leakage(self) -> Mapping[str, Any]:
        """Findings of the leakage check, empty where none was made."""
        return self.figures["stored"].get("leakage") or {}

    @property
    def independence(self) -> str:
        """Statement on test speakers in training, see `ser_aae.protocols.leakage.independence`."""
        return independence([self.leakage])

    @property
    def voices(self) -> str:
        """Sentence on speakers that the test part shares with others."""
        apart = {"speaker-independent": "test speakers are in no other part"}
        return shared_voices(self.leakage) or apart.get(self.independence, self.independence)

    def title(self, name: str) -> str:
        """Return the name of a table without digits, else the full one where it is known."""
        readable = readable_name(name)
        is_named = readable == name and name in self.terms
        return self.terms[name].title if is_named else readable


def corpora_of(run: Path) -> dict[str, str]:
    """Return the corpora that a run was trained or tested on.

    Returns:
        Name in the store to the name in its config, by which an adapter is found.

    Raises:
        UserError: No complete run.
    """
    config = read_config(run)
    named = (*config.emotional, *config.auxiliary, config.protocol.target)
    return {config.stored_name(name): name for name in named if name}


def build_card(run: Path, terms: Mapping[str, Terms], published: Published | None = None) -> str:
    """Return the card of a run, with the terms of each corpus by its name in the store.

    Raises:
        UserError: No complete run, files that cannot be read, figures that its predictions do not
            give, or no package huggingface_hub.
    """
    folder, config = run.resolve(), read_config(run)
    card = Card(
        name=f"{folder.parent.parent.name}-{folder.parent.name}-{folder.name}",
        config=config,
        classes=read_classes(run, config),
        warnings=read_warnings(run, config),
        figures=evaluate_run(run),
        predictions=read_predictions(run / PREDICTIONS),
        environment=read_environment(run),
        terms=terms,
        published=published,
    )
    return "\n\n".join([f"---\n{_metadata(card).to_yaml()}\n---", *_sections(card)]) + "\n"


def _metadata(card: Card) -> "ModelCardData":
    corpora = {name: card.terms[name] for name in card.trained_on if name in card.terms}
    languages = sorted({each.language for each in corpora.values()} - {""})
    from huggingface_hub import ModelCardData

    return ModelCardData(
        library_name="keras",
        pipeline_tag="audio-classification",
        license="other",
        license_name="terms-of-the-corpora",
        language=languages or None,
        datasets=list(card.trained_on),
        dataset_licenses={name: each.licence for name, each in corpora.items()},
        metrics=["recall", "accuracy", "f1"],
        tags=[
            *("speech-emotion-recognition", "multi-task", "adversarial-autoencoder"),
            card.independence.replace(" ", "-"),
            "arxiv:1907.06078",
        ],
        model_name=card.name,
        eval_results=_results_of_test(card),
    )


def _results_of_test(card: Card) -> "list[EvalResult]":
    from huggingface_hub import EvalResult

    protocol, figures = card.config.protocol, card.figures
    named = (
        ("recall", "unweighted accuracy (mean recall)", "unweighted_accuracy"),
        ("accuracy", "weighted accuracy", "weighted_accuracy"),
        ("f1", "macro F1", "macro_f1"),
        ("accuracy", "gender accuracy", "gender_accuracy"),
        *(("equal_error_rate", title, key) for title, key in _error_rates()),
    )
    return [
        EvalResult(
            task_type="audio-classification",
            task_name=f"{card.primary} from speech",
            dataset_type="+".join(card.tested_on),
            dataset_name=" + ".join(card.title(name) for name in card.tested_on),
            dataset_split="test",
            dataset_args={"protocol": protocol.name, "fold": protocol.fold},
            metric_type=kind,
            metric_name=name,
            metric_value=round(float(figures[key]), 4),
        )
        for kind, name, key in named
        if figures.get(key) is not None
    ]


def _error_rates() -> list[tuple[str, str]]:
    """Return the titles and keys of the equal error rates, over all trials and of each part."""
    title = "equal error rate of speaker verification"
    alone = [(f"{title}, {words}", ERROR_RATE + ending) for ending, words in ALONE.items()]
    return [(title, ERROR_RATE), *alone]


def _sections(card: Card) -> list[str]:
    title = f"# {card.primary.capitalize()} from speech: {card.name}"
    tasks = [f"* {task}: {_names(task, names)}" for task, names in card.classes.items()]
    takes = (
        f"It takes recordings at {card.config.frontend.sample_rate_hz / 1000:g} kHz as log "
        f"spectrograms of {card.config.frontend.bins} bands, in segments of "
        f"{card.config.data.segment_frames} frames, whose posteriors are averaged. It tells apart:"
    )
    return [
        *(title, f"{card.config.model.traits.sentence} {takes}", "\n".join(tasks)),
        *("## Results", *_results(card)),
        *("## Spread over gender and speakers", *_spread(card)),
        *("## Protocol and leakage", *_protocol(card)),
        *("## Intended use and limits", _limits(card)),
        *("## Training", *_training(card)),
        *("## Data", *_data(card)),
        *("## How to load it", _loading(card)),
    ]


def _results(card: Card) -> list[str]:
    figures = card.figures
    rows = [
        ["unweighted accuracy (UA), mean of the classes' recalls", "unweighted_accuracy"],
        ["UA of guessing", "chance"],
        ["UA of knowing the speaker alone", SPEAKER_ONLY],
        ["weighted accuracy", "weighted_accuracy"],
        ["macro F1", "macro_f1"],
        ["gender accuracy", "gender_accuracy"],
        *_error_rates(),
    ]
    shown = [[name, percent(figures[key])] for name, key in rows if figures.get(key) is not None]
    return [
        f"{figures['n']} test utterances of {', '.join(map(card.title, card.tested_on))}, in per "
        "cent, computed from the predictions:",
        _table(["figure", "%"], shown),
        *_corpora(card),
        *_confusion(figures),
    ]


def _corpora(card: Card) -> list[str]:
    """Return the figures of each corpus with a sentence, where several are tested."""
    figures = card.figures
    if "by_corpus" not in figures:
        return []
    rows = [
        [card.title(name), own["n"], own["speakers"]]
        + [percent(own[key]) for key in OVER_CORPORA.values()]
        for name, own in figures["by_corpus"].items()
    ]
    rows.append(["mean of the corpora", "", "", *(percent(figures[key]) for key in OVER_CORPORA)])
    return [
        "Each corpus by itself:",
        _table(["corpus", "utterances", "speakers", "UA %", "WA %"], rows),
    ]


def _confusion(figures: Mapping[str, Any]) -> list[str]:
    """Return the confusion matrix with a sentence; none where there are too many classes."""
    if "confusion" not in figures:
        return []
    rows = [
        [name, *counts, percent(figures["per_class_recall"].get(name))]
        for name, counts in zip(figures["classes"], figures["confusion"], strict=True)
    ]
    return [
        "What was said of each class, in utterances, and the recall in per cent:",
        _table(["true \\ said", *figures["classes"], "recall"], rows),
    ]


def _spread(card: Card) -> list[str]:
    frame, classes = card.predictions, card.figures["classes"]
    genders = dict(iter(frame.groupby("gender")))
    by_gender = [
        _group_row(word, genders[code], classes)
        for code, word in GENDER_WORDS.items()
        if code in genders
    ]
    by_speaker = [
        _group_row(readable_name(str(name)), own, classes) for name, own in frame.groupby("speaker")
    ]
    values = [row[-1] for row in by_speaker]
    several = f", deviation {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    lines = [
        f"UA over {len(values)} test speakers: {min(values):.1f} to {max(values):.1f}{several}. "
        "UA counts the classes that a speaker has utterances of."
    ]
    head = ["utterances", "WA %", "UA %"]
    if by_gender:
        lines.append(_table(["gender", *head], by_gender))
    return [*lines, _table(["speaker", *head], by_speaker)]


def _group_row(name: str, group: pd.DataFrame, classes: Sequence[str]) -> list[Any]:
    figures = score(group, classes)
    shares = (100 * figures[f"{key}_accuracy"] for key in ("weighted", "unweighted"))
    return [name, figures["n"], *(round(share, 1) for share in shares)]


def _protocol(card: Card) -> list[str]:
    protocol, checked = card.config.protocol, card.leakage
    counts, speakers = checked.get("utterances", {}), checked.get("speakers", {})
    parts = [part for part in ("train", "validation", "test", "auxiliary") if counts.get(part)]
    rows = [[part, counts[part], speakers.get(part, "-")] for part in parts]
    hidden = counts.get("unlabelled", 0)
    without = f" The label of {hidden} training utterances was not used." if hidden else ""
    shared = {pair: len(names) for pair, names in checked.get("shared_speakers", {}).items()}
    said = ", ".join(f"{pair} {count}" for pair, count in shared.items()) or "not checked"
    return [
        f"Protocol `{protocol.name}`, fold {protocol.fold} of {checked.get('folds', '?')} (counted "
        f"from 0), seed {card.config.seed}; {card.voices}. These are "
        "the figures of one fold: the others may differ. Validation chose the epoch, the test part "
        "was scored once, normalisation was measured on the training part." + without,
        _table(["part", "utterances", "speakers"], rows),
        f"Leakage check: speakers shared by parts: {said}; utterances "
        f"{checked.get('shared_utterances', 'not checked')}; files "
        f"{checked.get('shared_files', 'not checked')}; recordings compared by "
        f"{'name and sound' if checked.get('known_by_sound') else 'name alone'}; "
        f"{_sentences(checked)}.",
    ]


def _sentences(checked: Mapping[str, Any]) -> str:
    """Return the share of test utterances whose sentence is spoken in training, in words."""
    share = checked.get("shared_sentences")
    said = "not known" if share is None else f"{share:.0%} of the test part's"
    return f"sentences spoken in training: {said}"


def _limits(card: Card) -> str:
    lines = [
        "For research on speech emotion recognition, and for comparing methods on the same split.",
        "Not for decisions about people: not for hiring, policing, diagnosis or the surveillance "
        "of work or learning. What a voice sounds like is not what a person feels.",
        *card.warnings,
        "Posteriors are not calibrated; every recording gets one of the classes above, also one "
        "that holds none of them.",
    ]
    return "\n".join(f"* {line[0].upper()}{line[1:]}" for line in lines)


def _training(card: Card) -> list[str]:
    stored, packages = card.figures["stored"], card.environment.get("packages", {})
    commit = (card.environment.get("git") or {}).get("commit")
    versions = [f"{name} {packages[name]}" for name in ("ser-aae", "keras", "tensorflow")]
    here = flatten(without_idle(card.config.to_dict(), RunConfig))
    paper = preset_settings("paper")
    rows = [
        [f"`{key}`", here[key], paper[key], item.metadata["source"]]
        for key, (item, _) in settings().items()
        if item.metadata["on_card"] and key in here and here[key] != paper[key]
    ]
    return [
        f"{describe_epochs(stored)} (validation UA "
        f"{percent(stored['validation_unweighted_accuracy'])} %); {', '.join(versions)}"
        f"{f', commit {commit[:12]}' if commit else ''}.",
        *_start(stored),
        "Settings that depart from the literal reading of the paper (preset `paper`):"
        if rows
        else "Every setting is as in the literal reading of the paper (preset `paper`).",
        *([_table(["setting", "here", "paper", "source"], rows)] if rows else []),
    ]


def _start(stored: Mapping[str, Any]) -> list[str]:
    """Return the sentence on the model that a run starts from, if it does."""
    start = stored.get("start")
    return [f"It starts from {start['name']}, and took over: {start['taken']}."] if start else []


def _data(card: Card) -> list[str]:
    names = dict.fromkeys((*card.trained_on, *card.tested_on))
    unknown = {name: Terms(readable_name(name), "not known") for name in names}
    terms = {**unknown, **card.terms}
    rows = [[readable_name(name), terms[name].title, terms[name].licence] for name in names]
    cited = [
        card.terms[name].bibtex for name in names if name in card.terms and card.terms[name].bibtex
    ]
    return [
        "The model holds none of the recordings, but whoever passes it on has to keep the terms:",
        _table(["corpus", "title", "terms"], rows),
        *(["\n".join(["```bibtex", *cited, "```"])] if cited else []),
    ]


def _loading(card: Card) -> str:
    return f"""{_fetching(card.published)}```python
from ser_aae.inference.recogniser import Recogniser

recogniser = Recogniser.load("{card.figures["name"]}")  # this folder, or an exported file
recognition = recogniser.recognise_file("speech.wav", timeline_seconds=1.0)
print(recognition.posteriors)  # of each task; none in silence
```

`ser-aae export RUN --format keras --out model.keras` writes a file that plain Keras loads:
`keras.saving.load_model("model.keras")`. Pass the model on in that format or as ONNX: neither holds
a program, whereas a SavedModel runs its graph, which can read and write files, so that
`ser-aae predict` and `serve` take one with `--trust` alone."""


def _fetching(published: Published | None) -> str:
    """Return the lines that recognise a recording with each file on the Hub, if there are any."""
    if not (published and published.files):
        return ""
    lines = [f"ser-aae predict hf://{published.repo}/{name} speech.wav" for name in published.files]
    return "\n".join(["```sh", *lines, "```", "", ""])


def _names(task: str, names: Sequence[str]) -> str:
    if task == "speaker":
        return f"{len(names)} of the training part"
    words = GENDER_WORDS if task == "gender" else {}
    return ", ".join(f"{words[name]} ({name})" if name in words else name for name in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    # objects, for a column of numbers and nothing would show the numbers as fractions
    frame = pd.DataFrame(list(rows), columns=list(head), dtype=object)
    return to_markdown(frame).rstrip("\n")
