"""Settings: every choice of a run as a typed field that carries its source.

`RunConfig` is what a run folder stores, what a YAML file holds and what `--set` changes.
A field's `source` is a section of the paper or `"unstated"`; `ser_aae.config.presets` lists where
the literal reading departs from these defaults, which are what validation data showed to work.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ser_aae.config.datasets import Naming, Table
from ser_aae.config.declaration import (
    UNSTATED,
    Settings,
    Varied,
    digest_settings,
    late_setting,
    setting,
    task_setting,
    without_idle,
)
from ser_aae.config.kinds import KINDS, Kind
from ser_aae.labels import CLUSTERS, PRIMARY_TASKS, VOICE_TASKS

_LONGEST_TITLE = 100
"""Characters of the names of several corpora in a folder's name; most systems allow 255 for all."""

TABLES, CORPORA = "tables", "corpora"
"""Keys of a run's config.json beside the settings: places of tables, and digests of the corpora
that it was trained on."""


@dataclass(frozen=True)
class FrontEndConfig(Settings):
    """The way from a recording to a log spectrogram; the store of shards depends on these alone."""

    sample_rate_hz: int = setting(16000, UNSTATED, "rate all audio is brought to", low=1000)
    remove_offset: bool = setting(
        True,
        UNSTATED,
        "subtract an utterance's mean, which levels would count as sound",
        before=False,
    )
    remove_silence: bool = setting(True, "Sec. 4.2", "drop pauses before the spectrogram")
    silence_db: float = setting(
        30.0,
        UNSTATED,
        "quieter than the peak by this is silence, for the detector energy",
        low=1,
    )
    speech_detector: str = setting(
        "energy",
        UNSTATED,
        "pauses are what is far under the peak, or what Silero VAD takes for no speech",
        choices=("energy", "silero"),
        before="energy",
    )
    window_ms: float = setting(25.0, "Sec. 4.2", "Hamming window", low=1)
    shift_ms: float = setting(10.0, "Sec. 4.2", "shift between frames", low=0.1)
    fft_size: int = setting(512, UNSTATED, "points of the Fourier transform", low=64)
    bins: int = setting(128, "Sec. 4.2", "height of the spectrogram over 0 to 8 kHz", low=8)
    scale: str = setting(
        "mel",
        UNSTATED,
        "128 mel bands, or FFT bins averaged in pairs",
        choices=("mel", "linear"),
        varied=Varied("frontend", ("linear", "mel"), "scale of frequency"),
    )
    floor_db: float = setting(80.0, UNSTATED, "floor under the utterance's peak", low=10)

    def digest(self) -> str:
        """Return eight hexadecimal digits that name this front end."""
        return digest_settings(self.identity())


def _has_joined(run: Mapping[str, Any]) -> bool:
    """Return whether a run has several corpora with emotions."""
    return bool(run["joined"])


def _is_of_emotions(run: Mapping[str, Any]) -> bool:
    """Return whether the emotions of a run's utterances decide which of them are labelled."""
    return run["task"] not in VOICE_TASKS


_MASKS = Varied("masks", (0, 8, 16, 32), "widest masks")

_TENSORFLOW_IO = "tensorflow-io"


def _has_masks(run: Mapping[str, Any]) -> bool:
    """Return whether segments of a run are masked."""
    return run["data"]["mask_bins"] > 0 or run["data"]["mask_frames"] > 0


@dataclass(frozen=True)
class DataConfig:
    """The way from shards to batches."""

    segment_frames: int = setting(256, "Sec. 4.2", "context window of a segment", low=32)
    evaluation_shift_frames: int = setting(
        128, UNSTATED, "shift between the segments an utterance is scored on", low=1
    )
    evaluation_segments: int = setting(
        4,
        UNSTATED,
        "fewest segments, spread evenly round an utterance; pad repeat",
        low=1,
        high=64,
        before=1,
        always_named=True,
    )
    pad: str = setting(
        "repeat",
        UNSTATED,
        "a short rest is filled with the utterance again, or with the floor",
        choices=("repeat", "floor"),
    )
    auxiliary_ratio: float = late_setting(
        0.5,
        UNSTATED,
        "largest share without emotions of a batch of stage 2; where data.labelled_rows are drawn, "
        "the auxiliary corpora's share of its other rows",
        low=0,
        high=0.95,
        varied=Varied(
            "auxiliary-ratio", (0.1, 0.25, 0.5, 0.75), "share of auxiliary rows in a batch"
        ),
    )
    auxiliary_subset: str = setting(
        "",
        "Sec. 4.1.3",
        "subset of the auxiliary corpora, as train-clean-360; empty is all",
        stage_one=False,  # whose utterances train, the key of stage 1 says by itself
    )
    auxiliary_speakers: int = setting(
        0,
        "Sec. 4.1.3",
        "speakers drawn of each auxiliary corpus, 0 is all; the paper's 600",
        low=0,
        stage_one=False,  # likewise
    )
    level_edges: tuple[float, ...] = late_setting(
        (2.5, 3.5), UNSTATED, "edges between three levels on corpora that Table 2 does not name"
    )
    clusters: str = late_setting(
        "corpus",
        "Sec. 5.1",
        "ratings that clusters are fitted on: the corpus', or each fold's training part, whose "
        "clusters are then numbered as the corpus' nearest",
        choices=("corpus", "training"),
        before="training",
        acts=lambda run: run["task"] in CLUSTERS,
    )
    labelled_fraction: float = late_setting(
        1.0, UNSTATED, "share of training utterances that keep their emotion label", low=0, high=1
    )
    labels_per_speaker: int = late_setting(
        0,
        UNSTATED,
        "training utterances of each speaker that keep their label, evenly of the classes, after "
        "labelled_fraction; 0 is all",
        low=0,
        before=0,
    )
    labelled_rows: int = late_setting(
        0,
        UNSTATED,
        "rows of a batch of stage 2 that are drawn of utterances with a label of the primary task; "
        "0 is as many as come",
        low=0,
        before=0,
    )
    corpus_balance: str = late_setting(
        "size",
        UNSTATED,
        "rows of a batch of several corpora with emotions: as many of each as it has segments, or "
        "evenly",
        choices=("size", "even"),
        before="size",
        acts=_has_joined,
    )
    normalisation: str = late_setting(
        "whole",
        UNSTATED,
        "statistics that a bin is normalised by in stage 2: the training part's, or those of its "
        "own corpus in it; a corpus that is not in it, or a new recording, has those of the whole",
        choices=("whole", "corpus"),
        before="whole",
        acts=lambda run: _has_joined(run) or bool(run["auxiliary"]),
    )
    unlabelled_rest: bool = late_setting(
        True,
        UNSTATED,
        "training speakers' utterances of other classes are mixed in, unlabelled",
        acts=_is_of_emotions,
    )
    mask_bins: int = setting(
        0, UNSTATED, "SpecAugment: widest frequency mask, 0 is off", low=0, varied=_MASKS
    )
    mask_frames: int = setting(
        0, UNSTATED, "SpecAugment: longest time mask, 0 is off", low=0, varied=_MASKS
    )
    masks: str = setting(
        "pipeline",
        UNSTATED,
        "masks are drawn by the seeds of the pipeline, or by tensorflow-io (extra tfio) and its "
        "own state",
        choices=("pipeline", _TENSORFLOW_IO),
        before=_TENSORFLOW_IO,
        acts=_has_masks,
        named_idle=False,
    )
    warp_time: float = setting(
        0.15, UNSTATED, "tempo drawn from 1 -+ this share in training, 0 is off", low=0, high=0.5
    )
    warp_frequency: float = setting(
        0.12, UNSTATED, "frequency axis stretched by 1 -+ this share, 0 is off", low=0, high=0.5
    )
    gain_db: float = setting(0.0, UNSTATED, "level changed by up to this, 0 is off", low=0)
    cache_mb: int = setting(
        1024, UNSTATED, "training parts up to this stay in memory", low=0, on_card=False
    )
    shuffle_segments: int = setting(
        2048, UNSTATED, "segments held for shuffling", low=1, on_card=False
    )

    @property
    def fewest_segments(self) -> int:
        """Segments that an utterance is scored on at least: to go round it, it has to repeat."""
        return self.evaluation_segments if self.pad == "repeat" else 1

    @property
    def has_masks(self) -> bool:
        """Whether segments are masked in training."""
        return _has_masks({"data": asdict(self)})

    @property
    def masks_by_state(self) -> bool:
        """Whether masks are drawn by tensorflow-io, whose state runs on from batch to batch."""
        return self.has_masks and self.masks == _TENSORFLOW_IO


def _tenths(first: int, last: int) -> tuple[float, ...]:
    return tuple(number / 10 for number in range(first, last + 1))


@dataclass(frozen=True)
class ModelConfig:
    """The networks of Fig. 1 and the weights of eqs. (1) to (5)."""

    kind: str = setting(
        "mtl",
        "Sec. 5.1",
        "adversarial autoencoder multi-task or single-task, autoencoder, or CNN; these single-task "
        "unless they end in -mtl",
        choices=tuple(KINDS),
    )
    auxiliary_tasks: tuple[str, ...] = setting(
        VOICE_TASKS,
        "Sec. 3",
        "tasks beside the primary one in a multi-task model",
        choices=VOICE_TASKS,
    )
    alpha: float = setting(
        0.4,
        "Sec. 5.1",
        "weight of the reconstruction, eq. (1); in a step of its own, a factor of its rate",
        low=0,
        varied=Varied("alpha", _tenths(1, 10), "weight of the reconstruction"),
    )
    beta: float = setting(
        0.6,
        "Sec. 5.1",
        "weight of the primary task against the others, eq. (2)",
        low=0,
        high=1,
        varied=Varied("beta", _tenths(1, 9), "weight of the primary task"),
    )
    filters: tuple[int, ...] = setting(
        (16, 32), UNSTATED, "filters of the first two convolutions of the encoder", low=1
    )
    latent_channels: int = setting(
        32,
        "Sec. 4.3",
        "channels of z: 16 x 16 x this",
        low=1,
        varied=Varied("latent", (8, 16, 32, 64), "channels of z"),
    )
    latent: str = setting(
        "standardised",
        UNSTATED,
        "last block: pool and batch norm alone (z of both signs), or ReLU as elsewhere (z >= 0)",
        choices=("standardised", "relu"),
    )
    classifier_filters: int = setting(32, UNSTATED, "filters of a classifier's convolution", low=1)
    classifier_pool: tuple[int, ...] = setting(
        (2, 1), UNSTATED, "max-pool of a classifier, frequency and time"
    )
    dense_units: tuple[int, ...] = setting((128, 128), UNSTATED, "the dense layers' widths", low=1)
    dropout: float = setting(0.3, "Sec. 4.3", "between the two dense layers", low=0, high=0.95)
    pooling: str = setting(
        "mean-std",
        UNSTATED,
        "what stands before the dense layers: the map as it is, or pooled over time",
        choices=("flatten", "attention", "mean-std"),
    )
    batch_norm_momentum: float = setting(
        0.9, UNSTATED, "of the moving averages; each pass of the encoder counts", low=0, high=1
    )
    reconstruction: str = setting(
        "mean", UNSTATED, "eq. (3): mean or sum over a segment's elements", choices=("mean", "sum")
    )
    adversarial: str = setting(
        "non-saturating",
        UNSTATED,
        "the encoder's loss: -log D, or log(1 - D) as eq. (5) is written",
        choices=("non-saturating", "saturating"),
    )
    adversarial_weight: float = setting(
        0.03,
        "Sec. 3",
        "weight of the first term of eq. (5), where the phases share a step",
        low=0,
        before=1.0,
        acts=lambda run: run["training"]["update"] == "joint",
    )
    discriminator_batch_norm: bool = setting(False, UNSTATED, "batch norm in the discriminator")
    discriminator_zero_start: bool = setting(
        True, UNSTATED, "its last layer starts at 0, guessing", before=False, always_named=True
    )
    discriminator_noise: float = setting(
        1.0, UNSTATED, "deviation of Gaussian noise on the discriminator's input", low=0
    )
    discriminator_smoothing: float = setting(
        0.0, UNSTATED, "label smoothing of the discriminator", low=0, high=0.5
    )

    @property
    def traits(self) -> Kind:
        """Phases, trunk and title of its kind."""
        return KINDS[self.kind]


def _has_auxiliary(run: Mapping[str, Any]) -> bool:
    """Return whether a run has auxiliary corpora."""
    return bool(run["auxiliary"])


def _may_pretrain(run: Mapping[str, Any]) -> bool:
    """Return whether a run has anything for a stage 1."""
    training = run["training"]
    has_data = _has_auxiliary(run) or training["pretraining_data"] == "training"
    return has_data and not training["start"]


@dataclass(frozen=True)
class TrainingConfig:
    """Optimisation and its schedule."""

    update: str = setting(
        "joint",
        "Sec. 3",
        "the three phases in turn, or all of them on one code: one gradient of eq. (5)",
        choices=("serial", "joint"),
        before="serial",
    )
    optimiser: str = setting(
        "adam",
        UNSTATED,
        "for every phase",
        choices=("adam", "sgd"),
        varied=Varied("optimiser", ("adam", "sgd"), "optimiser"),
    )
    learning_rate: float = setting(
        2e-3,
        UNSTATED,
        "of the reconstruction and classification phases",
        low=0,
        varied=Varied("rate", (2e-4, 5e-4, 1e-3, 2e-3, 5e-3), "learning rate"),
    )
    generator_rate_ratio: float = setting(
        0.1,
        UNSTATED,
        "rate of the encoder's adversarial step, over the learning rate",
        low=0,
        acts=lambda run: run["training"]["update"] == "serial",
    )
    discriminator_rate_ratio: float = setting(
        0.003, UNSTATED, "rate of the discriminator, over the learning rate", low=0
    )
    weight_decay: float = setting(0.0, UNSTATED, "decoupled, classification phase", low=0)
    class_weights: str = late_setting(
        "balanced",
        UNSTATED,
        "weight of a class in L_E: one, or the inverse of its frequency (UA counts classes alike); "
        "goes with logit_adjustment 0",
        choices=("none", "balanced"),
    )
    logit_adjustment: float = late_setting(
        0.0,
        UNSTATED,
        "times ln of a class' share, added to its logit in L_E, 0 is off; goes with class_weights "
        "none",
        low=0,
        before=0.0,
        always_named=True,
    )
    average_decay: float = setting(
        0.985, UNSTATED, "share kept a step in the weights' average, 0 is off", low=0, high=0.9999
    )
    auxiliary_phases: str = late_setting(
        "all",
        "Sec. 3",
        "phases that rows of an auxiliary corpus take part in, in stage 2: all, or classification "
        "alone, so that they neither reconstruct nor meet the discriminator",
        choices=("all", "classification"),
        before="all",
        acts=_has_auxiliary,
    )
    batch_size: int = setting(32, "Sec. 4.3", "segments a step", low=1)
    pretraining_epochs: int = setting(
        10, UNSTATED, "on the auxiliary corpora alone (stage 1)", low=0
    )
    pretraining_steps: int = setting(
        0,
        UNSTATED,
        "updates of stage 1, parted evenly into its epochs; 0 is as many as its segments make",
        low=0,
        before=0,
        acts=_may_pretrain,
    )
    pretraining: str = setting(
        "all",
        "Sec. 4.3",
        "stage 1: gender and speaker classification alone, for every kind of model, or all phases",
        choices=("supervised", "all"),
        before="all",
        acts=_may_pretrain,
    )
    pretraining_data: str = late_setting(  # the key of stage 1 says by itself what is trained on
        "auxiliary",
        UNSTATED,
        "stage 1 of a run without auxiliary corpora: none, or one of its own on its training part, "
        "which no other run shares",
        choices=("auxiliary", "training"),
        before="auxiliary",
        acts=lambda run: not _has_auxiliary(run),
    )
    start: str = late_setting(
        "",
        UNSTATED,
        "digest of the weights that stage 2 starts from, in place of a stage 1; --start-from MODEL "
        "keeps them beside the runs",
        before="",
    )
    epochs: int = late_setting(60, UNSTATED, "at most, on emotional data (stage 2)", low=1)
    patience_epochs: int = late_setting(30, "Sec. 4.3", "epochs without improvement", low=1)
    selection_epochs: int = late_setting(30, UNSTATED, "epochs whose mean UA is compared", low=1)
    selection_start: str = late_setting(
        "guessing",
        UNSTATED,
        "mean UA before so many epochs have run: over half of training.epochs at most, with what "
        "has not run counted as guessing, or the mean of what has run",
        choices=("guessing", "left-out"),
        before="left-out",
        named_idle=False,
        acts=lambda run: run["training"]["selection_epochs"] > 1,
    )
    rate_factor: float = late_setting(
        0.5, "Sec. 4.3", "applied to every rate on a plateau", low=0.01, high=0.99
    )
    stop_ratio: float = late_setting(
        0.1, "Sec. 4.3", "training ends when the rate falls under this share of the first", low=0
    )
    deterministic: bool = setting(
        True, UNSTATED, "one seed gives one result, to the bit", on_card=False
    )
    compile: str = setting(
        "auto",
        UNSTATED,
        "XLA for the step, which needs deterministic off; auto takes it on a GPU",
        choices=("auto", "off", "xla"),
        before="auto",
        on_card=False,
    )
    precision: str = setting(
        "float32",
        UNSTATED,
        "of maps in training; weights, statistics, losses and scored posteriors are float32",
        choices=("float32", "mixed_bfloat16"),
        before="float32",
    )

    @property
    def compared_epochs(self) -> int:
        """Epochs whose mean UA is compared; half of a run at most, if its start is to be filled."""
        if self.selection_start == "left-out":
            return self.selection_epochs
        return min(self.selection_epochs, math.ceil(self.epochs / 2))

    @property
    def pretraining_epoch_steps(self) -> int:
        """Steps of each epoch of stage 1, 0 where they follow from its segments."""
        epochs = self.pretraining_epochs
        return math.ceil(self.pretraining_steps / epochs) if epochs else 0

    @property
    def pretraining_updates(self) -> int:
        """Updates of stage 1, 0 where they follow from its segments."""
        return self.pretraining_epochs * self.pretraining_epoch_steps


def _draws_speakers(run: Mapping[str, Any]) -> bool:
    """Return whether the protocol of a run draws speakers; the others follow the corpus."""
    protocol = run["protocol"]
    apart = protocol["name"] == "cross-corpus" and protocol["target_speakers"] == "apart"
    return apart or protocol["name"] in ("speaker-kfold", "leave-one-corpus-out", "folds")


@dataclass(frozen=True)
class ProtocolConfig:
    """Parting of speakers into training, validation and test."""

    name: str = task_setting(
        "speaker-kfold",
        "Sec. 5",
        "see ser_aae.protocols.splits",
        choices=(
            "loso",
            "loso-session",
            "10-fold",
            "speaker-kfold",
            "leave-one-corpus-out",
            "cross-corpus",
            "partitions",
            "folds",
        ),
    )
    folds: int = task_setting(6, UNSTATED, "folds of speaker-kfold", low=3)
    fold: int = task_setting(0, UNSTATED, "which fold is the test part", low=0)
    seed: int = task_setting(
        0, UNSTATED, "draws the folds; the same in every repetition, so that folds can be named"
    )
    draw: str = task_setting(
        "stratified",
        UNSTATED,
        "speakers of a part: drawn alike in classes and genders, or cut from sorted names",
        choices=("stratified", "sorted"),
        before="sorted",
        acts=_draws_speakers,
    )
    target: str = task_setting("", "Sec. 5.3", "corpus that cross-corpus selects and tests on")
    selection_fraction: float = task_setting(
        0.3, "Sec. 5.3", "share of the target that selects parameters", low=0.05, high=0.95
    )
    target_speakers: str = task_setting(
        "shared",
        UNSTATED,
        "whether the target's selection and test parts may share speakers",
        choices=("shared", "apart"),
    )
    test_partition: str = task_setting(
        "test1",
        UNSTATED,
        "partition that partitions tests on, as the corpus calls it",
        before="test1",
        acts=lambda run: run["protocol"]["name"] == "partitions",
    )
    directory: str = task_setting("", UNSTATED, "folder with the lists of the protocol folds")
    lists: str = task_setting(
        "", UNSTATED, "digest of those lists, so that changed ones are noticed"
    )
    validation_fraction: float = task_setting(
        0.2,
        UNSTATED,
        "training speakers' share held out if no list validates, and by leave-one-corpus-out",
        low=0.01,
        high=0.9,
    )


@dataclass(frozen=True)
class RunConfig(Naming, Settings):
    """One run, whole.

    `tables` is no setting: `build_config` writes there the data sets that are named by a path, so
    that the run finds them from whatever folder.
    """

    dataset: str = task_setting("demo", UNSTATED, "corpus with emotions")
    joined: tuple[str, ...] = task_setting(
        (),
        UNSTATED,
        "further corpora with emotions, one model for all; --dataset A,B,C names them too",
        before=(),
    )
    auxiliary: tuple[str, ...] = task_setting((), "Sec. 4.1.3", "corpora without emotions")
    task: str = task_setting("emotion", "Sec. 5", "primary task", choices=PRIMARY_TASKS)
    classes: str = task_setting(
        "four", "Sec. 4.1", "four, all, or names with commas between", acts=_is_of_emotions
    )
    improvised_only: bool = task_setting(False, UNSTATED, "leave out what was read from a script")
    seed: int = setting(
        0, UNSTATED, "of everything drawn; repetitions count it up", low=0, on_card=False
    )
    verification: str = task_setting(
        "", "Sec. 5", "corpus whose speakers are verified; empty is none"
    )
    verification_subset: str = task_setting(
        "", "Sec. 5", "subset of that corpus, as test-clean; empty is all"
    )
    verification_test_part: bool = task_setting(
        True,
        "Sec. 5",
        "speakers of the test part are verified together with that corpus', where they are in no "
        "other part",
        before=False,
        acts=lambda run: bool(run["verification"]),
    )
    enrolment_utterances: int = task_setting(
        20, "Sec. 6", "utterances a verified speaker is enrolled with", low=1
    )
    protocol: ProtocolConfig = field(default_factory=ProtocolConfig)
    frontend: FrontEndConfig = field(default_factory=FrontEndConfig)
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    tables: tuple[Table, ...] = ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks beside the primary one: none in a single-task model."""
        asked = self.model.auxiliary_tasks if self.model.traits.is_multitask else ()
        return tuple(task for task in asked if task != self.task)

    @property
    def voice_tasks(self) -> tuple[str, ...]:
        """The tasks, the primary one included, that auxiliary corpora have labels of."""
        return tuple(task for task in (self.task, *self.tasks) if task in VOICE_TASKS)

    @property
    def learns_from_labels_alone(self) -> bool:
        """Whether an utterance without the primary task's label teaches it nothing."""
        return not self.model.traits.reconstructs and not self.tasks

    @property
    def learns_from_auxiliary(self) -> bool:
        """Whether rows of auxiliary corpora teach it something in stage 2."""
        return self.model.traits.reconstructs or bool(self.voice_tasks)

    @property
    def is_pretrained_supervised(self) -> bool:
        """Whether stage 1 is classification alone, which serves every kind of model."""
        training = self.training
        return (
            training.pretraining == "supervised"
            and training.pretraining_epochs > 0
            and not (training.start)
        )

    @property
    def has_stage_one(self) -> bool:
        """Whether it begins with a stage 1, from which its model has something to learn.

        One that starts from another model does not.
        """
        training = self.training
        has_data = bool(self.auxiliary) or training.pretraining_data == "training"
        has_something = self.learns_from_auxiliary or training.pretraining == "supervised"
        may_have = training.pretraining_epochs > 0 and not training.start
        return may_have and has_data and has_something

    @property
    def emotional(self) -> tuple[str, ...]:
        """The corpora with emotions that it trains on, as it names them."""
        return (self.dataset, *self.joined)

    @property
    def title(self) -> str:
        """The names of these corpora in a store, `"ravdess+urdu"`, short enough for a folder."""
        names = tuple(map(self.stored_name, self.emotional))
        whole = "+".join(names)
        is_short = len(names) == 1 or len(whole) <= _LONGEST_TITLE
        return whole if is_short else f"{names[0]}+{len(names) - 1}-others"

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every data set that it names, as it names them."""
        named = (*self.emotional, *self.auxiliary, self.verification, self.protocol.target)
        return tuple(dict.fromkeys(name for name in named if name))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as nested plain values, tuples as lists, ready for JSON or YAML."""
        plain = super().to_dict()
        del plain[TABLES]
        return plain

    def to_record(self) -> dict[str, Any]:
        """Return the settings and, where there are any, the tables: what `build_config` reads."""
        tables = [asdict(table) for table in self.tables]
        return self.to_dict() | ({TABLES: tables} if tables else {})

    def named(self) -> dict[str, Any]:
        """Return the plain values that its name is made of: the identity without what is idle."""
        return without_idle(self.identity(), type(self), self.to_dict())

    def digest(self) -> str:
        """Return eight hexadecimal digits that name the experiment.

        The fold and the seed are left out: the folds and repetitions of one experiment
        share the digest and lie in one folder. The folder of fold lists is left out too: their
        content counts.
        """
        plain = self.named()
        del plain["seed"], plain["protocol"]["fold"], plain["protocol"]["directory"]
        return digest_settings(plain)


def named_dataset(plain: Mapping[str, Any]) -> str:
    """Return the corpora with emotions of a config that was read from JSON, as it names them."""
    return "+".join((plain["dataset"], *plain.get("joined", ())))


def stored_dataset(plain: Mapping[str, Any]) -> str:
    """Return the stored names of the corpora with emotions of a config that was read from JSON."""
    tables = tuple(Table(**row) for row in plain.get(TABLES, ()))
    joined = tuple(plain.get("joined", ()))
    return RunConfig(dataset=plain["dataset"], joined=joined, tables=tables).title
