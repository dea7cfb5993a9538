"""The words and tables of a model card, section by section."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.settings import preset_settings
from reports.tables import to_markdown
from ser_aae.config import RunConfig
from ser_aae.config.fields import settings
from ser_aae.labels import GENDERS
from ser_aae.protocols.leakage import independence, shared_voices
from ser_aae.results.folder import flatten
from ser_aae.results.predictions import score
from ser_aae.results.text import percent


@dataclass(frozen=True)
class Terms:
    """A corpus, and under which terms it is had.

    Attributes:
        title: Its full name.
        licence: Its terms, in words.
        language: ISO 639-3, empty where there are several or it is not known.
        bibtex: How it is cited; may be empty.
    """

    title: str
    licence: str
    language: str = ""
    bibtex: str = ""


@dataclass(frozen=True)
class CardRun:
    """All that a card is written from.

    Attributes:
        name: Of the experiment and the run.
        config: The run's config.
        classes: Task to the names of its classes; the first is the primary task.
        warnings: What whoever reads a posterior has to know.
        figures: What `evaluate_run` says of the run.
        predictions: Of the test part, one row an utterance.
        environment: What the run was made with.
        terms: Of each corpus, by its name in the store.
    """

    name: str
    config: RunConfig
    classes: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...]
    figures: Mapping[str, Any]
    predictions: pd.DataFrame
    environment: Mapping[str, Any]
    terms: Mapping[str, Terms]

    @property
    def primary(self) -> str:
        """The primary task, which the first classes are of."""
        return next(iter(self.classes))

    @property
    def trained_on(self) -> tuple[str, ...]:
        """The corpora that weights were fitted on."""
        config = self.config
        return tuple(map(config.stored_name, (config.dataset, *config.auxiliary)))

    @property
    def tested_on(self) -> tuple[str, ...]:
        """The corpora of the test part."""
        return tuple(sorted(set(self.predictions["corpus"])))

    @property
    def leakage(self) -> Mapping[str, Any]:
        """What the guard found, nothing where it was not asked."""
        return self.figures["stored"].get("leakage") or {}

    @property
    def independence(self) -> str:
        """Whether the test speakers were unknown, see `ser_aae.protocols.leakage.independence`."""
        return independence([self.leakage])

    @property
    def voices(self) -> str:
        """The same in a sentence."""
        apart = {"speaker-independent": "test speakers are in no other part"}
        return shared_voices(self.leakage) or apart.get(self.independence, self.independence)

    def title(self, name: str) -> str:
        """Return the full name of a corpus, where it is known."""
        return self.terms[name].title if name in self.terms else name


def build_body(it: CardRun) -> list[str]:
    """Return the sections of a card."""
    title = f"# {it.primary.capitalize()} from speech: {it.name}"
    tasks = [f"* {task}: {_names(task, names)}" for task, names in it.classes.items()]
    takes = (
        f"It takes recordings at {it.config.frontend.sample_rate_hz / 1000:g} kHz as log "
        f"spectrograms of {it.config.frontend.bins} bands, in segments of "
        f"{it.config.data.segment_frames} frames, whose posteriors are averaged. It tells apart:"
    )
    return [
        *(title, f"{it.config.model.traits.sentence} {takes}", "\n".join(tasks)),
        *("## Results", *_results(it)),
        *("## Spread over gender and speakers", *_spread(it)),
        *("## Protocol and leakage", *_protocol(it)),
        *("## Intended use and limits", _limits(it)),
        *("## Training", *_training(it)),
        *("## Data", *_data(it)),
        *("## How to load it", _loading(it)),
    ]


def _results(it: CardRun) -> list[str]:
    figures = it.figures
    rows = [
        ["unweighted accuracy (UA), mean of the classes' recalls", "unweighted_accuracy"],
        ["UA of guessing", "chance"],
        ["UA of knowing the speaker alone", "speaker_only_unweighted_accuracy"],
        ["weighted accuracy", "weighted_accuracy"],
        ["macro F1", "macro_f1"],
        ["gender accuracy", "gender_accuracy"],
        ["equal error rate of speaker verification", "equal_error_rate"],
    ]
    shown = [[name, percent(figures[key])] for name, key in rows if figures.get(key) is not None]
    confusion = [
        [name, *counts, percent(figures["per_class_recall"].get(name))]
        for name, counts in zip(figures["classes"], figures["confusion"], strict=True)
    ]
    return [
        f"{figures['n']} test utterances of {', '.join(it.tested_on)}, in per cent, computed from "
        "the predictions:",
        _table(["figure", "%"], shown),
        "What was said of each class, in utterances, and the recall in per cent:",
        _table(["true \\ said", *figures["classes"], "recall"], confusion),
    ]


def _spread(it: CardRun) -> list[str]:
    frame, classes = it.predictions, it.figures["classes"]
    by_gender = [
        _group_row(group, frame[frame["gender"] == group], classes)
        for group in GENDERS
        if (frame["gender"] == group).any()
    ]
    by_speaker = [
        _group_row(str(name), group, classes) for name, group in frame.groupby("speaker", sort=True)
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


def _protocol(it: CardRun) -> list[str]:
    protocol, checked = it.config.protocol, it.leakage
    counts, speakers = checked.get("utterances", {}), checked.get("speakers", {})
    parts = [part for part in ("train", "validation", "test", "auxiliary") if counts.get(part)]
    rows = [[part, counts[part], speakers.get(part, "-")] for part in parts]
    hidden = counts.get("unlabelled", 0)
    without = f" The label of {hidden} training utterances was not used." if hidden else ""
    shared = {pair: len(names) for pair, names in checked.get("shared_speakers", {}).items()}
    said = ", ".join(f"{pair} {count}" for pair, count in shared.items()) or "not checked"
    return [
        f"Protocol `{protocol.name}`, fold {protocol.fold} of {checked.get('folds', '?')} (counted "
        f"from 0), seed {it.config.seed}; {it.voices}. These are "
        "the figures of one fold: the others may differ. Validation chose the epoch, the test part "
        "was scored once, normalisation was measured on the training part." + without,
        _table(["part", "utterances", "speakers"], rows),
        f"Leakage check: speakers shared by parts: {said}; utterances "
        f"{checked.get('shared_utterances', 'not checked')}; files "
        f"{checked.get('shared_files', 'not checked')}.",
    ]


def _limits(it: CardRun) -> str:
    lines = [
        "For research on speech emotion recognition, and for comparing methods on the same split.",
        "Not for decisions about people: not for hiring, policing, diagnosis or the surveillance "
        "of work or learning. What a voice sounds like is not what a person feels.",
        *it.warnings,
        "Posteriors are not calibrated; every recording gets one of the classes above, also one "
        "that holds none of them.",
    ]
    return "\n".join(f"* {line[0].upper()}{line[1:]}" for line in lines)


def _training(it: CardRun) -> list[str]:
    stored, packages = it.figures["stored"], it.environment.get("packages", {})
    commit = (it.environment.get("git") or {}).get("commit")
    versions = [f"{name} {packages[name]}" for name in ("ser-aae", "keras", "tensorflow")]
    here = flatten(it.config.to_dict())
    paper = preset_settings("paper")
    rows = [
        [f"`{key}`", here[key], paper[key], item.metadata["source"]]
        for key, (item, _) in settings().items()
        if item.metadata["on_card"] and here[key] != paper[key]
    ]
    return [
        f"{stored['epochs']} epochs, of which the {stored['best_epoch'] + 1}. is kept (validation "
        f"UA {percent(stored['validation_unweighted_accuracy'])} %); {', '.join(versions)}"
        f"{f', commit {commit[:12]}' if commit else ''}.",
        "Settings that depart from the literal reading of the paper (preset `paper`):"
        if rows
        else "Every setting is as in the literal reading of the paper (preset `paper`).",
        *([_table(["setting", "here", "paper", "source"], rows)] if rows else []),
    ]


def _data(it: CardRun) -> list[str]:
    names = dict.fromkeys((*it.trained_on, *it.tested_on))
    rows = [
        [name, it.title(name), it.terms[name].licence if name in it.terms else "not known"]
        for name in names
    ]
    cited = [it.terms[name].bibtex for name in names if name in it.terms and it.terms[name].bibtex]
    return [
        "The model holds none of the recordings, but whoever passes it on has to keep the terms:",
        _table(["corpus", "title", "terms"], rows),
        *(["\n".join(["```bibtex", *cited, "```"])] if cited else []),
    ]


def _loading(it: CardRun) -> str:
    return f"""```python
from ser_aae.inference.recogniser import Recogniser

recogniser = Recogniser.load("{it.figures["name"]}")  # this folder, or an exported file
recognition = recogniser.recognise_file("speech.wav", timeline_seconds=1.0)
print(recognition.posteriors)  # of each task; none in silence
```

`ser-aae export RUN --format keras --out model.keras` writes a file that plain Keras loads:
`keras.saving.load_model("model.keras")`."""


def _names(task: str, names: Sequence[str]) -> str:
    return f"{len(names)} of the training part" if task == "speaker" else ", ".join(names)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    # objects, for a column of numbers and nothing would show the numbers as fractions
    frame = pd.DataFrame(list(rows), columns=list(head), dtype=object)
    return to_markdown(frame).rstrip("\n")
