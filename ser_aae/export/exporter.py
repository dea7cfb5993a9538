"""A trained run as one self-contained file, scored on the test part again before it is kept.

The test part is scored in the file's own runtime. Another accuracy without quantisation is a fault
of this program; with quantisation it comes of lost digits, which another choice mends.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ser_aae.batches.pipeline import Normalisation, evaluation_dataset
from ser_aae.config import CORPORA, RunConfig
from ser_aae.data.part import Part
from ser_aae.data.run_data import assemble
from ser_aae.errors import ModelError, UserError
from ser_aae.export.choice import Choice, check_choice
from ser_aae.export.segment_model import build_segment_model
from ser_aae.export.waveform_model import build_waveform_model
from ser_aae.export.writers import write_model
from ser_aae.files.atomic import remove_partial, written_whole
from ser_aae.files.locks import claim, holder
from ser_aae.frontend.audio import read_audio
from ser_aae.frontend.segments import SegmentMeans
from ser_aae.frontend.spectrogram import band_weights, pack_bands
from ser_aae.inference.exported_model import load_exported, write_signature
from ser_aae.inference.run_model import identity_of, load_trained
from ser_aae.inference.signature import (
    WAVEFORM,
    Forward,
    Signature,
    Voice,
    read_signature,
)
from ser_aae.inference.voices import threshold_of
from ser_aae.progress import move_bar, open_bar
from ser_aae.results.complete_run import read_config
from ser_aae.results.evaluation import evaluate_run
from ser_aae.results.folder import PREDICTIONS, read_plain_config
from ser_aae.results.metrics import unweighted_accuracy
from ser_aae.results.predictions import read_predictions

_BAR = "scores the test part"


class ExportError(RuntimeError):
    """Another accuracy of a file that was not quantised than of its run."""


@dataclass(frozen=True)
class Rescored:
    """The test part, scored with an exported file.

    Attributes:
        posterior_difference: The largest between any two posteriors.
        moved: Number of utterances that the file puts into another class than the run.
        lead: Largest posterior by which the run preferred its own class in those.
    """

    utterances: int
    run: float
    exported: float
    posterior_difference: float
    moved: int
    lead: float

    @property
    def points(self) -> float:
        """Points of unweighted accuracy that the file has more than the run."""
        return 100 * (self.exported - self.run)

    @property
    def text(self) -> str:
        """The result in words."""
        moved = "none gets another class"
        if self.moved:
            gets = "gets" if self.moved == 1 else "get"
            moved = (
                f"{self.moved} {gets} another class, which the run had preferred by "
                f"{self.lead:.2g} at most"
            )
        return (
            f"test part, {self.utterances} utterances: UA {100 * self.run:.2f} in the run, "
            f"{100 * self.exported:.2f} with the file ({self.points:+.2f} points); posteriors "
            f"differ by {self.posterior_difference:.2g} at most, {moved}"
        )


def export(
    run: Path,
    choice: Choice,
    out: Path,
    store: Path,
    root: Callable[[Sequence[str]], Mapping[str, Path]],
) -> Rescored:
    """Write a run's model as one file and score its test part with it.

    A SavedModel is a folder. `root` gives the folders of the recordings of corpora, by their names
    in the store; it is called where the file takes waveforms.

    Raises:
        UserError: A choice that cannot be, data that is not the run's, a quantised file whose
            accuracy differs by more than the tolerance, or posteriors that are not finite.
        ExportError: Another file whose accuracy does.
    """
    check_choice(choice, out)
    config = read_config(run)
    _check_detector(choice, config)
    signature = _describe(run, config)
    test = _read_test_part(run, config, store)
    model, normalisation = load_trained(run)
    _refuse_levels(choice, normalisation, test)
    written = build_segment_model(model, normalisation, signature)
    if choice.takes == WAVEFORM:
        signature = replace(signature, input=WAVEFORM)
        written = build_waveform_model(written, signature, choice.kind == "litert")
    with _hold(out), written_whole(out) as temporary:
        write_model(written, choice.kind, choice.quantise, temporary)
        write_signature(temporary, signature)
        try:
            rescored = _rescore(temporary, run, test, config, normalisation, root)
        except ModelError as error:
            if choice.quantise == "none":
                raise ModelError(str(error).replace(str(temporary), str(out))) from error
            raise UserError(
                f"{out.name}: with weights of fewer bits it gives posteriors that are no finite "
                f"numbers, so it was not kept; choose --quantise {_milder(choice)}"
            ) from error
        _judge(rescored, choice, out)
    return rescored


def _describe(run: Path, config: RunConfig) -> Signature:
    """Return the signature of a run's model with all that its folder has beside the model."""
    signature = read_signature(run)
    bands = pack_bands(band_weights(signature.frontend))
    if "speaker" not in signature.classes:
        return replace(signature, bands=bands)
    voice = Voice(
        identity=identity_of(run),
        units=config.model.dense_units[1],
        threshold=threshold_of(run),
    )
    return replace(signature, bands=bands, voice=voice)


@contextmanager
def _hold(out: Path) -> Iterator[None]:
    """Hold the file to write, and remove what a killed process left half-written of it."""
    with claim(out) as held:
        if not held:
            raise UserError(f"--out: {holder(out)} writes {out}; wait until it has ended")
        remove_partial(out.parent, out.name)
        yield


def _check_detector(choice: Choice, config: RunConfig) -> None:
    """Refuse a file of waveforms whose pauses a network of its own would have to find."""
    detector = config.frontend.speech_detector
    if choice.takes == WAVEFORM and detector != "energy":
        raise UserError(
            f"--input waveform: goes with frontend.speech_detector energy, the run has {detector}; "
            "choose --input spectrogram, before which predict finds the speech"
        )


def _read_test_part(run: Path, config: RunConfig, store: Path) -> Part:
    data = assemble(config, store)
    corpora = read_plain_config(run).get(CORPORA, {})
    # the corpus of verification, if any, is named in the file too, and is not needed here
    wanted = {name: corpora.get(name) for name in data.digests}
    if data.digests != wanted:
        raise UserError(
            f"{store}: expected the data that {run} was trained on ({wanted}), found others "
            f"({data.digests}); name its --store"
        )
    return _name_test_part(data.test, run)


def _name_test_part(part: Part, run: Path) -> Part:
    """Return the utterances that a run has predictions of: an earlier one may have copies too."""
    predictions = read_predictions(run / PREDICTIONS)
    names = set(zip(predictions["corpus"], predictions["utterance_id"].astype(str), strict=True))
    utterances = enumerate(part.corpus.utterances)
    rows = [row for row, item in utterances if (item.corpus, item.utterance_id) in names]
    return replace(part, rows=np.array(rows, np.int64))


def _refuse_levels(choice: Choice, normalisation: Normalisation, part: Part) -> None:
    """Refuse a file that takes waveforms of a run whose test part has levels of its own corpora.

    A waveform does not say of which corpus it is, so the file could not be compared with the run.
    """
    tested = {source.name for source in part.corpus.sources}
    if choice.takes == WAVEFORM and tested & set(normalisation.levels):
        raise UserError(
            "--input: expected spectrogram where data.normalisation is corpus, for a waveform does "
            "not say by which corpus it is normalised, got waveform"
        )


def _rescore(
    file: Path,
    run: Path,
    part: Part,
    config: RunConfig,
    normalisation: Normalisation,
    root: Callable[[Sequence[str]], Mapping[str, Path]],
) -> Rescored:
    signature, forward = load_exported(file, trust=True)  # written just now, by this process
    task, classes = signature.primary, signature.classes[signature.primary]
    if signature.input == WAVEFORM:
        roots = root([source.name for source in part.corpus.sources])
        found = _score_recordings(forward, task, part, roots)
    else:
        found = _score_segments(forward, task, part, config, normalisation)
    truth = [classes[number] for number in part.labels[task][part.rows]]
    said = [classes[number] for number in found.argmax(axis=1)]
    predictions = read_predictions(run / PREDICTIONS)
    before = predictions[[f"p_{name}" for name in classes]].to_numpy(np.float64)
    moved = found.argmax(axis=1) != before.argmax(axis=1)
    second, first = np.sort(before, axis=1)[:, -2:].T
    return Rescored(
        utterances=len(truth),
        run=evaluate_run(run)["unweighted_accuracy"],
        exported=unweighted_accuracy(truth, said, classes)[0],
        posterior_difference=float(np.abs(found - before).max()),
        moved=int(moved.sum()),
        lead=float((first - second)[moved].max(initial=0.0)),
    )


def _score_segments(
    forward: Forward, task: str, part: Part, config: RunConfig, normalisation: Normalisation
) -> np.ndarray:
    """Return the mean posteriors of each utterance's segments, in the order of the rows."""
    bins = config.frontend.bins
    mean, deviation = np.zeros(bins, np.float32), np.ones(bins, np.float32)
    as_it_is = Normalisation(mean, deviation, normalisation.levels)
    means = SegmentMeans(part.rows)
    batches = evaluation_dataset(part, as_it_is, config.data, config.training.batch_size)
    with open_bar(len(part.rows), _BAR, "utterances") as bar:
        for given, _, rows in batches:
            segments = np.ascontiguousarray(given.numpy()[..., 0].transpose(0, 2, 1))
            means.add(rows.numpy(), {task: forward(segments)[task]})
            move_bar(bar, int(np.searchsorted(part.rows, rows.numpy().max())))
    return means.means()[task]


def _score_recordings(
    forward: Forward, task: str, part: Part, roots: Mapping[str, Path]
) -> np.ndarray:
    """Return the posteriors of each recording, in the order of the rows."""
    rate_hz = part.corpus.frontend.sample_rate_hz
    found = []
    with open_bar(len(part.rows), _BAR, "utterances") as bar:
        for item in part.utterances:
            path = item.audio_path(roots[item.corpus])
            signal = read_audio(path, rate_hz, item.start_s, item.end_s, item.channel)
            found.append(forward(signal[None])[task][0])
            move_bar(bar, len(found))
    return np.stack(found).astype(np.float64)


def _judge(rescored: Rescored, choice: Choice, out: Path) -> None:
    if abs(rescored.points) <= choice.tolerance:
        return
    message = (
        f"{out.name}: {rescored.text}; more than {choice.tolerance:g} points apart, so it was not "
        "kept"
    )
    if choice.quantise == "none":
        raise ExportError(message)
    raise UserError(
        f"{message}; choose --quantise {_milder(choice)}, or accept it with --tolerance"
    )


def _milder(choice: Choice) -> str:
    """Return the quantisation that loses less than a choice's."""
    return "none" if choice.quantise == "float16" else "float16"
