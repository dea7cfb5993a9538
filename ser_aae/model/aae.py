"""The multi-task semi-supervised adversarial autoencoder of Fig. 1, trained in three phases.

One class serves the paper's models; a baseline is a subset of its phases and networks, see
`ser_aae.config.kinds`.
"""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from ser_aae.config import ModelConfig, RunConfig, TrainingConfig
from ser_aae.errors import UserError
from ser_aae.model import losses
from ser_aae.model.averaging import AveragedModel
from ser_aae.model.first_block import TrainingTrunk
from ser_aae.model.networks import (
    FLOAT32,
    Shape,
    build_classifier,
    build_cnn_trunk,
    build_decoder,
    build_discriminator,
    build_encoder,
)
from ser_aae.model.optimisers import build_optimiser, trainable
from ser_aae.model.replicas import (
    apply_gradients,
    gather,
    num_replicas,
    own_rows,
    share_statistics,
)

_TRUNKS = {"encoder": build_encoder, "cnn": build_cnn_trunk}
_ENCODERS_SHARE = ("reconstruction",)
"""Phases that need the codes of a replica's own rows alone; the others need the whole batch's."""

_PHASE_FIGURES = {
    "reconstruction": ("reconstruction_loss",),
    "regularisation": ("discriminator_loss", "discriminator_accuracy", "generator_loss"),
    "classification": ("classification_loss",),
}

Labels = Mapping[str, tf.Tensor]

Targets = dict[str, list[keras.Model]]
"""Name of an optimiser to the networks that it moves."""


class MultitaskAAE(AveragedModel):
    """Encoder, decoder, discriminator and one classifier a task.

    The networks are built at once, so the model can be saved before and after any step.
    Calling it gives the posteriors of every task, `{task: (batch, classes)}`.

    Args:
        config: Networks and the weights of the losses.
        num_classes: Task to its number of classes; the first is the primary task.
        segment_shape: `(frequency, time, 1)`.
        seed: Seed of the prior's samples; layers draw from Keras' global seed.
        precision: Dtype policy of the layers on maps, see `ser_aae.model.networks`. The weights
            are float32 whatever it is, so that a model of another precision can load them.
        phases: Phases that it is trained in, where these are not those of its kind.
    """

    def __init__(
        self,
        config: ModelConfig,
        num_classes: Mapping[str, int],
        segment_shape: Shape = (128, 256, 1),
        seed: int = 0,
        precision: str = FLOAT32,
        phases: Sequence[str] = (),
    ) -> None:
        super().__init__(name="multitask_aae")
        self.config = config
        self.phases = tuple(phases) or config.traits.phases
        self.num_classes = dict(num_classes)
        self.primary = next(iter(num_classes))
        self.encoder = _TRUNKS[config.traits.trunk](config, segment_shape, precision)
        latent_shape = self.encoder.output_shape[1:]
        split_networks = [self.encoder]
        if "reconstruction" in self.phases:
            self.decoder = build_decoder(config, latent_shape, precision)
            split_networks.append(self.decoder)
        if "regularisation" in self.phases:
            self.discriminator = build_discriminator(config, latent_shape, precision)
        self.classifiers = {
            task: build_classifier(config, latent_shape, count, task, precision)
            for task, count in num_classes.items()
        }
        share_statistics(split_networks)
        self._encode = TrainingTrunk(self.encoder)
        self.start_averages([*split_networks, *self.classifiers.values()])
        self.prior_seed = keras.random.SeedGenerator(seed)
        self.update = ""
        self.optimisers: dict[str, keras.Optimizer] = {}
        self._trackers: dict[str, keras.metrics.Mean] = {}
        self.built = True

    def compile(
        self, training: TrainingConfig, class_shares: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        """Make the optimisers that `training.update` asks for, and the trackers of the losses.

        `class_shares` is task to the share of each class of the training part; a task that is
        absent is not balanced.
        """
        # a bare compile() attaches an optimiser of Keras' choice that nothing would use
        super().compile(optimizer=None, loss=None, jit_compile=_is_compiled(training))
        self.reset_averages(training.average_decay)
        self.balances = {
            task: losses.Balance(tf.ones([count]), tf.zeros([count]))
            for task, count in self.num_classes.items()
        }
        for task, shares in (class_shares or {}).items():
            self.balances[task] = losses.balance_classes(
                shares, training.class_weights, training.logit_adjustment
            )
        self.update = training.update
        self.optimisers = {
            name: build_optimiser(training, name, networks, self.config.alpha)
            for name, networks in self._targets().items()
        }
        names = [name for phase in self.phases for name in _PHASE_FIGURES[phase]]
        names += [f"{task}_{name}" for task in self.classifiers for name in ("loss", "accuracy")]
        self._trackers = {name: keras.metrics.Mean(name) for name in names}

    def call(self, segments: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """Return the posteriors of each task for segments `(batch, frequency, time, 1)`."""
        heads = self.head_outputs(segments, training)
        return {task: tf.nn.softmax(logits) for task, (logits, _) in heads.items()}

    def head_outputs(
        self, segments: tf.Tensor, training: bool = False
    ) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
        """Return each task's logits and last hidden layer, a speaker's d-vector (Sec. 5)."""
        code = self.encoder(segments, training=training)
        return {task: head(code, training=training) for task, head in self.classifiers.items()}

    def reconstruct(self, segments: tf.Tensor) -> tf.Tensor:
        """Return the decoder's reconstruction of each segment, same shape."""
        return self.decoder(self.encoder(segments, training=False), training=False)

    def train_step(self, data: tuple[tf.Tensor, Labels]) -> dict[str, tf.Tensor]:
        """Run the three phases on one batch of segments and their labels.

        `training.update` says how often the encoder runs: `serial` is each phase by itself, with
        a code and a gradient of its own; `joint` is all of them on one code, eq. (5).
        """
        segments, labels = data
        for phases in self._passes():
            self.descend(phases, segments, labels)
        self.follow_averages()
        if num_replicas() > 1:
            # one alone, as each costs a message; `AllReplicas` reads the others after the epoch
            return {"classification_loss": self._trackers["classification_loss"].result()[None]}
        return {metric.name: metric.result() for metric in self.metrics}

    def test_step(self, data: tuple[tf.Tensor, Labels]) -> dict[str, tf.Tensor]:
        """Measure the losses of reconstruction and classification, moving nothing."""
        segments, labels = data
        code = self.encoder(segments, training=False)
        if "reconstruction" in self.phases:
            self._reconstruction_loss(segments, self.decoder(code, training=False))
        self._classify(code, labels, training=False)
        skipped = ("discriminator", "generator")
        return {
            each.name: each.result() for each in self.metrics if not each.name.startswith(skipped)
        }

    def descend(self, phases: Sequence[str], segments: tf.Tensor, labels: Labels) -> None:
        """Run the encoder once, and take one gradient step of the sum of some phases' losses."""
        with tf.GradientTape() as tape:
            own = self._encode(segments)
            code = own if tuple(phases) == _ENCODERS_SHARE else gather(own)
            terms = []
            if "reconstruction" in phases:
                terms.append(self.reconstruction(segments, own, labels))
            if "regularisation" in phases:
                terms.append(self.regularisation(*losses.select_rows(labels, code)))
            if "classification" in phases:
                terms.append(self.classification(code, labels))
            loss = tf.add_n(terms)
        labelled = {
            task: tf.reduce_any(losses.has_label(labels[task])) for task in self.classifiers
        }
        self._apply(tape, loss, self._passes()[tuple(phases)], only_if=labelled)

    def reconstruction(self, segments: tf.Tensor, code: tf.Tensor, labels: Labels) -> tf.Tensor:
        """Return the term of phase 1, which encoder and decoder lower: L_AE, eq. (3).

        Its weight in a sum is alpha, eq. (1); alone, alpha is a factor of its rate. Segments and
        code are a replica's own rows, labels those of the whole batch.
        """
        own = own_rows(labels, tf.shape(code)[0])
        segments, code = losses.select_rows(own, segments, code)
        weight = losses.weight_of_rows(labels, own, num_replicas())
        loss = self._reconstruction_loss(segments, self.decoder(code, training=True), weight)
        return self._weights["reconstruction"] * weight * loss

    def regularisation(self, code: tf.Tensor) -> tf.Tensor:
        """Update the discriminator, and return the term of phase 2 by which the encoder fools it.

        The discriminator learns first to tell the prior from the code, eq. (4), which it gets
        without its gradient; the term is the first one of eq. (5).
        """
        self._discriminate(tf.stop_gradient(code))
        loss = losses.generator_loss(
            self.discriminator(code, training=True), self.config.adversarial
        )
        self._track("generator_loss", loss)
        return self._weights["regularisation"] * loss

    def classification(self, code: tf.Tensor, labels: Labels) -> tf.Tensor:
        """Return the term of phase 3, which encoder and classifiers lower: L_c, eq. (2)."""
        return self._classify(code, labels, training=True)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The trackers of the phases that run, and no tracker that nobody updates."""
        return list(self._trackers.values())

    def _discriminate(self, code: tf.Tensor) -> None:
        """Update the discriminator alone, eq. (4)."""
        prior = keras.random.normal(tf.shape(code), seed=self.prior_seed)
        with tf.GradientTape() as tape:
            prior_logits = self.discriminator(prior, training=True)
            code_logits = self.discriminator(code, training=True)
            loss = losses.discriminator_loss(
                prior_logits, code_logits, self.config.discriminator_smoothing
            )
        self._track("discriminator_loss", loss)
        truth = tf.repeat([1, 0], tf.shape(code)[0])
        logits = tf.concat([prior_logits, code_logits], axis=0)
        self._track("discriminator_accuracy", losses.task_accuracy(truth, logits))
        self._apply(tape, loss, {"discriminator": [self.discriminator]})

    def _classify(self, code: tf.Tensor, labels: Labels, training: bool) -> tf.Tensor:
        """Return L_c of a batch and track the loss and accuracy of each task."""
        task_losses = {}
        for task, head in self.classifiers.items():
            # batch norm takes the statistics of the labelled rows alone
            logits = head(code, training=training, mask=losses.has_label(labels[task]))[0]
            loss = losses.task_loss(labels[task], logits, self.balances[task])
            count = losses.count_labelled(labels[task])
            self._track(f"{task}_loss", loss, count)
            self._track(f"{task}_accuracy", losses.task_accuracy(labels[task], logits), count)
            task_losses[task] = loss
        total = losses.classification_loss(task_losses, self.primary, self.config.beta)
        self._track("classification_loss", total)
        return total

    def _reconstruction_loss(
        self, segments: tf.Tensor, decoded: tf.Tensor, weight: tf.Tensor | None = None
    ) -> tf.Tensor:
        loss = losses.reconstruction_loss(segments, decoded, self.config.reconstruction)
        self._track("reconstruction_loss", loss, weight)
        return loss

    def _apply(
        self,
        tape: tf.GradientTape,
        loss: tf.Tensor,
        targets: Targets,
        only_if: Mapping[str, tf.Tensor] | None = None,
    ) -> None:
        """Take one gradient step of a loss on the networks of the named optimisers, no others.

        A target whose value in `only_if` is false stays where it is, momentum included.
        """
        variables = [trainable(networks) for networks in targets.values()]
        gradients = tape.gradient(loss, variables)
        for target, slopes, weights in zip(targets, gradients, variables, strict=True):
            condition = (only_if or {}).get(target)
            apply_gradients(self.optimisers[target], slopes, weights, condition)

    def _passes(self) -> dict[tuple[str, ...], Targets]:
        """Return the phases that share a pass of the encoder, and what their gradient moves.

        A pass is joint for all phases, or each phase has its own, with optimisers of its own.
        """
        heads = {task: [head] for task, head in self.classifiers.items()}
        if self.update == "joint":
            return {self.phases: self._trunk_targets() | heads}
        passes: dict[tuple[str, ...], Targets] = {}
        if "reconstruction" in self.phases:
            passes["reconstruction",] = {"reconstruction": [self.encoder, self.decoder]}
        if "regularisation" in self.phases:
            passes["regularisation",] = {"generator": [self.encoder]}
        passes["classification",] = {"classification": [self.encoder], **heads}
        return passes

    def _trunk_targets(self) -> Targets:
        trunk = {"encoder": [self.encoder]}
        if "reconstruction" in self.phases:
            trunk["decoder"] = [self.decoder]
        return trunk

    def _targets(self) -> Targets:
        """Return each optimiser's name and the networks it moves.

        In this order, for the files of weights number the optimisers.
        """
        targets: Targets = {}
        for phases, moved in self._passes().items():
            if "regularisation" in phases:
                targets["discriminator"] = [self.discriminator]
            targets |= moved
        return targets

    @property
    def _weights(self) -> dict[str, float]:
        """Return the factors of the phases' losses, which count where the losses are summed."""
        if self.update == "serial":
            return dict.fromkeys(self.phases, 1.0)
        return {
            "reconstruction": self.config.alpha,
            "regularisation": self.config.adversarial_weight,
        }

    def _track(self, name: str, value: tf.Tensor, weight: tf.Tensor | None = None) -> None:
        self._trackers[name].update_state(value, sample_weight=weight)


def _is_compiled(training: TrainingConfig) -> bool:
    """Return whether XLA compiles the step.

    Raises:
        UserError: It is asked for where several replicas exchange codes, which XLA cannot.
    """
    if training.compile == "xla" and num_replicas() > 1:
        raise UserError(
            f"training.compile: expected auto or off on {num_replicas()} devices that share a "
            "batch, got xla; train on one, or leave the setting out"
        )
    if training.compile != "auto":
        return training.compile == "xla"
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    return has_gpu and num_replicas() == 1 and not training.deterministic


def build_model(
    config: RunConfig,
    num_classes: Mapping[str, int],
    precision: str = FLOAT32,
    phases: Sequence[str] = (),
) -> MultitaskAAE:
    """Build the untrained model of a run; `num_classes` names the primary task first.

    Whoever trains it gives the precision of `training.precision`; whoever scores gives none. It is
    trained in the phases of its kind, or in those that are given.
    """
    shape = (config.frontend.bins, config.data.segment_frames, 1)
    return MultitaskAAE(config.model, num_classes, shape, config.seed, precision, phases)
