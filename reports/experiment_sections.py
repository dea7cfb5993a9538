"""Section of one experiment, all its folds and repetitions, with its pictures."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reports import experiment_tables as tables
from reports import run_plots, scatter
from reports.commands import errors_command, evaluate_command, train_command
from reports.det import draw_det
from reports.filling import synthetic_corpora
from reports.page import Section
from reports.picture_form import ON_SCREEN, PictureForm
from reports.summary import (
    NO_INTERVAL,
    comparable_repetitions,
    interval_text,
    sample_text,
    summarise,
)
from reports.titles import experiment_title
from ser_aae.config import FrontEndConfig
from ser_aae.config.datasets import readable_name
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.files.atomic import TRAIN_AGAIN, has_file
from ser_aae.files.damage import damage_told
from ser_aae.labels import CLUSTERS, GENDER_WORDS, list_some
from ser_aae.protocols.leakage import VOICES, shared_voices
from ser_aae.protocols.sentences import SENTENCES
from ser_aae.results.adversary import ADVERSARY_WORDS
from ser_aae.results.folder import (
    ENVIRONMENT,
    EPOCHS,
    EXAMPLES,
    VERIFICATION,
    flatten,
    read_environment,
    read_epochs,
    read_plain_config,
    read_result,
    refuse_changed,
)
from ser_aae.results.places import Places
from ser_aae.results.run_kinds import SPEAKER_ONLY
from ser_aae.results.text import count_of, mean_and_std, percent
from ser_aae.results.trials import det_curve, read_trials
from ser_aae.results.wrong_answers import find_utterances, name_files, wrong_rows

_CLUSTERS_OF = {"corpus": "the corpus", "training": "each fold's training part"}
_NOT_DEAD = (None, "alive", "strayed", "guessing", "not settled")
"""States of an adversary that has not died; `None`: the model has none."""

_OF_SEGMENT = ("utterance", "class", "speaker")
"""Names under which a run keeps whose segment it shows."""

_VERIFICATION_NOTE = (
    "EER: equal error rate of speaker verification, low is good. It is averaged over folds and not "
    "pooled, for the scores of two models have no common scale. "
)
_ONE_POPULATION = "The trials are of the verified corpus ({verified}) alone."
_TWO_POPULATIONS = (
    "The trials are of the verified corpus ({verified}) and of the test part together (Sec. 5), in "
    "{runs}; beside them stands each alone. "
)
_ONE_SPEAKER = (
    "A speaker who is alone in a test part has no impostor there: this speaker is tried against "
    "those of {verified}, another corpus, whose recordings are told apart more easily than voices."
)


@dataclass(frozen=True)
class Drawing:
    """An experiment whose section is to be made.

    Attributes:
        folder: Folder of the experiment.
        evaluation: Its evaluation by `reports.summary.evaluate_all`.
        places: Places that commands name.
        out: Folder for the pictures.
        corpora: Facts of corpora by their names in the store.
        form: Form of the pictures.
    """

    folder: Path
    evaluation: Mapping[str, Any]
    places: Places
    out: Path
    corpora: Mapping[str, CorpusFacts] = field(default_factory=dict)
    form: PictureForm = ON_SCREEN


@dataclass(frozen=True)
class _Album:
    """Pictures of a section: it, the beginning of their paths, and their form."""

    section: Section
    stem: Path
    form: PictureForm

    def add(self, name: str, caption: str, draw: Callable[..., None], *data: Any) -> None:
        """Draw data to `<stem>-<name>.png`, and add that picture to the section."""
        path = self.stem.with_name(f"{self.stem.name}-{name}.png")
        draw(*data, path, form=self.form)
        self.section.pictures.append((path, caption))


def draw_experiment(drawing: Drawing) -> Section:
    """Write the pictures of an experiment to a folder, and return the section that shows them."""
    folder, evaluation, places = drawing.folder, drawing.evaluation, drawing.places
    complete = [Path(run["folder"]) for run in evaluation["runs"]]
    shown = next((run for run in complete if (run / EXAMPLES).is_file()), complete[0])
    config = read_plain_config(shown)
    section = Section(
        title=experiment_title(config, drawing.corpora),
        name=folder.name,
        badges=_badges(evaluation),
        lead=_lead(evaluation),
        warnings=_warnings(evaluation),
        tables=_figures(evaluation, folder, drawing.corpora)
        + _wrong_answers(evaluation, folder, config, places),
    )
    recalls = tables.recall_tables(evaluation)
    section.tables += [(f"Right by {name}", recalls[name], "") for name in ("class", "gender")]
    section.notes.append((leakage_sentence(evaluation), ""))
    section.notes += [(text, "") for text in _clusters_note(evaluation, config)]
    section.notes += [(text, "") for text in _start_note(evaluation)]
    if tables.has_verification(evaluation):
        section.notes.append((_verification_note(evaluation, config), ""))
    album = _Album(section, drawing.out / f"{folder.parent.name}-{folder.name}", drawing.form)
    _draw_confusion(album, evaluation)
    _draw_run(album, shown, config, places)
    choices = tables.choices_table(config)
    section.details = [
        ("Right by speaker", recalls["speaker"]),
        ("Leakage check: utterances (speakers) by part", tables.leakage_table(evaluation)),
        (_choices_heading(choices), choices),
        *_provenance(shown),
    ]
    missing = tables.missing_table(evaluation, shown, places)
    if len(missing):
        heading = f"Missing or not complete: {count_of(len(missing), 'run')}, and what fills them"
        section.details.insert(0, (heading, missing))
    return section


def _figures(
    evaluation: Mapping[str, Any], folder: Path, corpora: Mapping[str, CorpusFacts]
) -> list[tuple[str, pd.DataFrame, str]]:
    """Return the tables of all folds together, of each of several corpora, and of each run."""
    found = [
        ("All folds together", tables.pooled_table(evaluation)),
        ("Each corpus", tables.corpora_table(evaluation, corpora)),
        ("Each run", tables.run_table(evaluation)),
    ]
    command = evaluate_command(folder)
    return [(heading, frame, command) for heading, frame in found if len(frame)]


def _wrong_answers(
    evaluation: Mapping[str, Any], folder: Path, config: Mapping[str, Any], places: Places
) -> list[tuple[str, pd.DataFrame, str]]:
    """Return the table of the most confident wrong answers, none where all are right."""
    wrong = evaluation["wrong_answers"]
    if wrong.empty:
        return []
    # where the store lacks the corpus, utterances are named by their ids
    found, _ = find_utterances(wrong, Path(places.store), FrontEndConfig(**config["frontend"]))
    head, *rows = wrong_rows(name_files(wrong, found), len(wrong))
    tested = comparable_repetitions(evaluation)[0]["n"]
    counted = f"{evaluation['wrong']} of {count_of(tested, 'utterance')}"
    heading = f"Wrong answers: {counted}, the most confident first"
    return [(heading, pd.DataFrame(rows, columns=head), errors_command(folder, places))]


def _verification_note(evaluation: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return what an equal error rate is, and of whose trials."""
    subset = config["verification_subset"]
    verified = config["verification"] + (f", {subset}" if subset else "")
    each = [run.get("verification_test_speakers") for run in evaluation["runs"]]
    tested = [speakers for speakers in each if speakers is not None]
    if not tested:
        return _VERIFICATION_NOTE + _ONE_POPULATION.format(verified=verified)
    runs = (
        "all runs" if len(tested) == len(each) else f"{len(tested)} of {count_of(len(each), 'run')}"
    )
    said = _TWO_POPULATIONS + (_ONE_SPEAKER if 1 in tested else "")
    return _VERIFICATION_NOTE + said.format(verified=verified, runs=runs).strip()


def _start_note(evaluation: Mapping[str, Any]) -> list[str]:
    """Return a sentence on the models that the runs start from, if they do."""
    starts = [run["stored"]["start"] for run in evaluation["runs"] if run["stored"].get("start")]
    names = dict.fromkeys(start["name"] for start in starts)
    if not starts:
        return []
    return [f"Stage 2 starts from {', '.join(names)}; taken over: {starts[0]['taken']}."]


def _draw_confusion(album: _Album, evaluation: Mapping[str, Any]) -> None:
    """Add the confusion matrix, or say that there are too many classes for one."""
    repetitions, classes = evaluation["repetitions"], evaluation["classes"]
    if any("confusion" not in item for item in repetitions):
        text = f"No confusion matrix: {len(classes)} classes are too many to be read in one."
        album.section.notes.append((text, ""))
        return
    counted = comparable_repetitions(evaluation)
    matrix = np.mean([item["confusion"] for item in counted], axis=0)
    averaged = f"; counts are the mean of {len(counted)} repetitions" * (len(counted) > 1)
    caption = (
        f"Confusion of {count_of(counted[0]['n'], 'test utterance')}, all folds together{averaged}."
    )
    album.add("confusion", caption, run_plots.confusion_matrix, matrix, classes)


def _badges(evaluation: Mapping[str, Any]) -> list[str]:
    synthetic = ["synthetic"] if synthetic_corpora(evaluation) else []
    return [*synthetic, evaluation["protocol"], evaluation["independence"]]


def _lead(evaluation: Mapping[str, Any]) -> str:
    over = evaluation["over_repetitions"]["unweighted_accuracy"]
    first = evaluation["repetitions"][0]
    interval, tested = evaluation["interval"], sample_text(summarise(evaluation))
    folds = evaluation["folds_expected"]
    expected = count_of(folds, "fold") if folds else "an unknown number of folds"
    sure = f"95 % interval {interval_text(interval)}" if interval else NO_INTERVAL
    if over["n"]:
        figure = (
            f"UA {mean_and_std(over)} ({sure}) on {tested}, over "
            f"{count_of(over['n'], 'complete repetition')}, folds pooled"
        )
    else:
        figure = (
            f"UA {percent(first['unweighted_accuracy'])} ({sure}) on {tested}, {first['folds']} of "
            f"{expected}: not yet a result"
        )
    guessing = f"{figure}. Guessing gives {percent(first['chance'])}"
    if SPEAKER_ONLY not in first:
        return f"{guessing}."
    return f"{guessing}, knowing only the speaker {percent(first[SPEAKER_ONLY])}."


def _warnings(evaluation: Mapping[str, Any]) -> list[str]:
    """Return the reasons to trust the figures less, most general first."""
    found = []
    synthetic = synthetic_corpora(evaluation)
    if synthetic:
        found.append(
            f"Synthetic: no person spoke in {', '.join(synthetic)}. The figures show that the "
            "program works, and nothing about emotion in speech."
        )
    found += _voices_warnings(evaluation)
    first = evaluation["repetitions"][0]
    if first.get(SPEAKER_ONLY, -1.0) >= first["unweighted_accuracy"]:
        found.append(
            "A predictor that knows only the speaker scores as well or better: on this corpus "
            "emotion and speaker go together, and UA says little about emotion."
        )
    absent = [name for name in first["classes"] if name not in first["classes_scored"]]
    if absent:
        found.append(f"Without truth in the test part, left out of UA and F1: {list_some(absent)}.")
    # shared speakers are counted above: older runs called each of them trained on
    summed_up = (*VOICES.values(), SENTENCES)
    own = [text for text in _stored_warnings(evaluation) if not text.startswith(summed_up)]
    return found + _sentences_warning(evaluation) + _adversary_warning(evaluation) + own


def _voices_warnings(evaluation: Mapping[str, Any]) -> list[str]:
    """Return warnings of speakers that test parts share with others, with the number of runs."""
    said = Counter(shared_voices(run["stored"].get("leakage") or {}) for run in evaluation["runs"])
    total = count_of(len(evaluation["runs"]), "run")
    return [
        f"{words[0].upper()}{words[1:]} ({said[words]} of {total})."
        for words in VOICES.values()
        if said[words]
    ]


def _sentences_warning(evaluation: Mapping[str, Any]) -> list[str]:
    """Return a sentence on the share of test utterances whose sentence was trained on."""
    checks = [run["stored"].get("leakage") or {} for run in evaluation["runs"]]
    shares = [share for check in checks if (share := check.get("shared_sentences"))]
    if not shares:
        return []
    low, high = f"{min(shares):.0%}", f"{max(shares):.0%}"
    return [
        f"{SENTENCES[0].upper()}{SENTENCES[1:]}: {low if low == high else f'{low} to {high}'} of "
        "its utterances whose sentence is known "
        f"({len(shares)} of {count_of(len(checks), 'run')}). A figure on sentences that nobody has "
        "said in training may be lower."
    ]


def _clusters_note(evaluation: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """Return a sentence on what the clusters of a task were fitted on, none for other tasks."""
    if config["task"] not in CLUSTERS:
        return []
    fitted = config["data"]["clusters"]
    if fitted == "corpus":
        return ["Clusters were fitted once, on the ratings of the corpus, and are every fold's."]
    matched = [run["stored"].get("corpus_centroids") is not None for run in evaluation["runs"]]
    numbered = "numbered as the corpus' nearest, before folds were pooled"
    if not all(matched):
        numbered = (
            f"in {matched.count(False)} of {count_of(len(matched), 'run')}, of an earlier version, "
            "numbered by valence: one number may be another cluster in another fold, so figures "
            "over folds are not to be trusted; train with data.clusters=corpus"
        )
    return [f"Clusters were fitted on {_CLUSTERS_OF[fitted]}, and {numbered}."]


def _adversary_warning(evaluation: Mapping[str, Any]) -> list[str]:
    """Return a sentence each on the runs whose adversary has died, guesses, or strayed."""
    states = {run["name"]: _adversary(run).get("state") for run in evaluation["runs"]}
    total = count_of(len(states), "run")
    dead = [f"{name} ({state})" for name, state in states.items() if state not in _NOT_DEAD]
    guessing = [name for name, state in states.items() if state == "guessing"]
    strayed = [name for name, state in states.items() if state == "strayed"]
    sentences = []
    if dead:
        sentences.append(
            f"The adversary is dead in {len(dead)} of {total}: {', '.join(dead)}. What "
            "was trained there is an autoencoder, not an adversarial one."
        )
    if guessing:
        sentences.append(
            f"The discriminator guesses in {len(guessing)} of {total}: "
            f"{', '.join(guessing)}. It steers the encoder nowhere."
        )
    if strayed:
        sentences.append(
            f"The discriminator's loss left its band for a few epochs in {len(strayed)} of "
            f"{total} and came back: {', '.join(strayed)}."
        )
    return sentences


def _stored_warnings(evaluation: Mapping[str, Any]) -> list[str]:
    """Return the warnings in the runs' results, each once, with the number of runs."""
    texts = Counter(
        text
        for run in evaluation["runs"]
        for text in run["stored"].get("warnings") or ()
        # worded differently by each run: `_adversary_warning` sums them up
        if text != _adversary(run).get("warning")
    )
    total = count_of(len(evaluation["runs"]), "run")
    return [f"{text} ({count} of {total})" for text, count in texts.items()]


def leakage_sentence(evaluation: Mapping[str, Any]) -> str:
    """Return a sentence on the leakage checks that the runs wrote down."""
    checks = [run["stored"].get("leakage") or {} for run in evaluation["runs"]]
    written = [check for check in checks if check]
    total = count_of(len(checks), "run")
    if len(written) < len(checks):
        return f"Leakage check: {len(checks) - len(written)} of {total} wrote none."
    clean = all(
        check.get("shared_utterances") == 0 and check.get("shared_files") == 0 for check in checks
    )
    shared = any(any((check.get("shared_speakers") or {}).values()) for check in checks)
    speakers = "share speakers, as the protocol has it," if shared else "share no speaker"
    rest = "and no utterance or file" if clean else "and utterances or files: do not trust them"
    heard = all(check.get("known_by_sound") for check in checks)
    known = "name and sound" if heard else "name alone: a recording under two names is not found"
    pairs = sum(check.get("shared_sound") or 0 for check in checks)
    overlapping = f" {count_of(pairs, 'pair')} of clips that share sound lie in different parts."
    return (
        f"Leakage check of {total}: train, validation and test {speakers} {rest}. "
        f"Recordings were compared by {known}.{overlapping if pairs else ''}"
    )


def _adversary(run: Mapping[str, Any]) -> Mapping[str, Any]:
    return run["stored"].get("adversary") or {}


def _choices_heading(choices: pd.DataFrame) -> str:
    departing = int((choices["departs"] == "*").sum())
    return (
        "Stated by the paper, or chosen here: every setting "
        f"({departing} of {len(choices)} depart from the preset default, marked *)"
    )


def _provenance(run: Path) -> Sequence[tuple[str, pd.DataFrame]]:
    """Return the tables of versions and of corpora, where the run wrote them."""
    found = []
    if has_file(run / ENVIRONMENT):
        rows = [(name, str(value)) for name, value in flatten(read_environment(run)).items()]
        found.append((f"Made with ({run.name})", pd.DataFrame(rows, columns=["what", "value"])))
    corpora = read_result(run).get("corpora") or {}
    if corpora:
        frame = pd.DataFrame(list(corpora.items()), columns=["corpus", "digest"])
        found.append((f"Corpora ({run.name})", frame.astype(str)))
    return found


def _draw_run(album: _Album, run: Path, config: Mapping[str, Any], places: Places) -> None:
    """Add the pictures of one run, and the commands that make those possible that are missing."""
    history = read_epochs(run) if has_file(run / EPOCHS) else []
    examples = _read_examples(run / EXAMPLES)
    fill = train_command(run, run, places)
    if history:
        state = (read_result(run).get("adversary") or {}).get("state", "")
        adversary = f" The adversary: {ADVERSARY_WORDS.get(state, state)}." if state else ""
        caption = f"Learning curves by phase of {run.name}.{adversary}"
        draw = partial(run_plots.learning_curves, adversary=state)
        album.add("learning-curves", caption, draw, history)
    else:
        album.section.notes.append((f"No learning curves: {run.name} has no {EPOCHS}.", fill))
    _draw_segment(album, run, config, examples)
    _draw_planes(album, run, config, examples)
    if has_file(run / VERIFICATION):
        curves = {run.name: det_curve(read_trials(run / VERIFICATION))}
        caption = f"Errors of speaker verification in {run.name}."
        album.add("det", caption, draw_det, curves)
    if not examples:
        text = f"No picture of a segment and of the latent space: {run.name} has no {EXAMPLES}."
        album.section.notes.append((text, fill))


def _draw_segment(
    album: _Album, run: Path, config: Mapping[str, Any], examples: Mapping[str, np.ndarray]
) -> None:
    """Add the picture of a segment, over its reconstruction where the model has a decoder."""
    if "segment" not in examples:
        return
    images = [examples[name] for name in ("segment", "reconstruction") if name in examples]
    words = [str(examples[f"segment_{name}"]) for name in _OF_SEGMENT if _has(examples, name)]
    whose = ", ".join(map(readable_name, words))
    caption = f"A segment {'and its reconstruction ' * (len(images) > 1)}in {run.name}"
    draw = partial(
        run_plots.segment_and_reconstruction,
        shift_ms=float(config["frontend"]["shift_ms"]),
        band_hz=examples.get("band_hz"),
        whose=whose,
    )
    album.add("segment", f"{caption}{f': {whose}' if whose else ''}.", draw, images)


def _has(examples: Mapping[str, np.ndarray], name: str) -> bool:
    return f"segment_{name}" in examples


def _name_labels(kind: str, labels: Sequence[str]) -> list[str]:
    """Return classes, genders or speakers as the rest of the page calls them."""
    if kind == "gender":
        return [GENDER_WORDS.get(label, label) for label in labels]
    return [readable_name(label) for label in labels] if kind == "speaker" else list(labels)


def _draw_planes(
    album: _Album, run: Path, config: Mapping[str, Any], examples: Mapping[str, np.ndarray]
) -> None:
    """Add the pictures of points in a plane: the latent space, and clusters of ratings."""
    titles = {"class": config["task"], "gender": "gender", "speaker": "speaker"}
    labels = {
        title: _name_labels(name, examples[f"latent_{name}"].tolist())
        for name, title in titles.items()
        if f"latent_{name}" in examples
    }
    if "latent_2d" in examples and labels:
        codes, projection = examples["latent_2d"], str(examples.get("latent_projection", ""))
        caption = (
            f"Latent codes of the validation part in {run.name}, averaged over time, in two "
            f"dimensions{f' by {projection}' if projection else ''}: one point for each of "
            f"{count_of(len(codes), 'utterance')}."
        )
        draw = partial(scatter.latent_space, projection=projection)
        album.add("latent-space", caption, draw, codes, labels)
    if "centroids" in examples:
        points = examples["plane"], examples["plane_class"].tolist(), examples["centroids"]
        caption = (
            f"Validation utterances of {run.name} in the valence-activation plane, and the "
            f"centroids found on {_CLUSTERS_OF[config['data']['clusters']]}."
        )
        album.add("clusters", caption, scatter.clusters, *points)


def _read_examples(path: Path) -> dict[str, np.ndarray]:
    if not has_file(path):
        return {}
    refuse_changed(path.parent, path.name)
    # opened here: NumPy leaves the file open where it is no archive
    with (
        damage_told(path, f"remove it or {TRAIN_AGAIN}"),
        path.open("rb") as stream,
        np.load(stream, allow_pickle=False) as content,
    ):
        return dict(content)
