"""The multi-task semi-supervised adversarial autoencoder of Fig. 1, trained in three phases.

One class serves the paper's models; a baseline is a subset of its phases and networks, see
`ser_aae.config.kinds`.
"""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from ser_aae.config import ModelConfig, RunConfig, TrainingConfig
from ser_aae.model import losses
from ser_aae.model.averaging import AveragedModel
from ser_aae.model.networks import (
    Shape,
    build_classifier,
    build_cnn_trunk,
    build_decoder,
    build_discriminator,
    build_encoder,
)
from ser_aae.model.optimisers import build_optimiser, trainable
from ser_aae.model.replicas import apply_gradients, gather, num_replicas, share_statistics

_TRUNKS = {"encoder": build_encoder, "cnn": build_cnn_trunk}
_PHASE_FIGURES = {
    "reconstruction": ("reconstruction_loss",),
    "regularisation": ("discriminator_loss", "discriminator_accuracy", "generator_loss"),
    "classification": ("classification_loss",),
}

Labels = Mapping[str, tf.Tensor]


class MultitaskAAE(AveragedModel):
    """Encoder, decoder, discriminator and one classifier a task.

    The networks are built at once, so the model can be saved before and after any step.
    Calling it gives the posteriors of every task, `{task: (batch, classes)}`.

    Args:
        config: Networks and the weights of the losses.
        num_classes: Task to its number of classes; the first is the primary task.
        segment_shape: `(frequency, time, 1)`.
        seed: Seed of the prior's samples; layers draw from Keras' global seed.
    """

    def __init__(
        self,
        config: ModelConfig,
        num_classes: Mapping[str, int],
        segment_shape: Shape = (128, 256, 1),
        seed: int = 0,
    ) -> None:
        super().__init__(name="multitask_aae")
        self.config = config
        self.phases = config.traits.phases
        self.num_classes = dict(num_classes)
        self.primary = next(iter(num_classes))
        self.encoder = _TRUNKS[config.traits.trunk](config, segment_shape)
        latent_shape = self.encoder.output_shape[1:]
        split_networks = [self.encoder]
        if "reconstruction" in self.phases:
            self.decoder = build_decoder(config, latent_shape)
            split_networks.append(self.decoder)
        if "regularisation" in self.phases:
            self.discriminator = build_discriminator(config, latent_shape)
        self.classifiers = {
            task: build_classifier(config, latent_shape, count, task)
            for task, count in num_classes.items()
        }
        share_statistics(split_networks)
        self.start_averages([*split_networks, *self.classifiers.values()])
        self.prior_seed = keras.random.SeedGenerator(seed)
        self.optimisers: dict[str, keras.Optimizer] = {}
        self._trackers: dict[str, keras.metrics.Mean] = {}
        self.built = True

    def compile(
        self, training: TrainingConfig, class_shares: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        """Make one optimiser for each target of each phase, and the trackers of its losses.

        `class_shares` is task to the share of each class of the training part; a task that is
        absent is not balanced.
        """
        # a bare compile() attaches an optimiser of Keras' choice that nothing would use
        super().compile(optimizer=None, loss=None, jit_compile=False)
        self.reset_averages(training.average_decay)
        self.balances = {
            task: losses.Balance(tf.ones([count]), tf.zeros([count]))
            for task, count in self.num_classes.items()
        }
        for task, shares in (class_shares or {}).items():
            self.balances[task] = losses.balance_classes(
                shares, training.class_weights, training.logit_adjustment
            )
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
        """Run the phases in series on one batch of segments and their labels."""
        segments, labels = data
        for phase in self.phases:
            getattr(self, phase)(segments, labels)
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

    def reconstruction(self, segments: tf.Tensor, labels: Labels) -> None:
        """Phase 1: encoder and decoder lower L_AE, eq. (3), at alpha times the rate, eq. (1)."""
        with tf.GradientTape() as tape:
            decoded = self.decoder(self.encoder(segments, training=True), training=True)
            loss = self._reconstruction_loss(segments, decoded)
        self._descend(tape, loss, "reconstruction")

    def regularisation(self, segments: tf.Tensor, labels: Labels) -> None:
        """Phase 2: the discriminator learns to tell prior from code, the encoder to fool it.

        The encoder runs once: its code serves both updates, as the first does not move it.
        """
        with tf.GradientTape() as encoder_tape:
            code = gather(self.encoder(segments, training=True))
            self._discriminate(tf.stop_gradient(code))
            loss = losses.generator_loss(
                self.discriminator(code, training=True), self.config.adversarial
            )
        self._track("generator_loss", loss)
        self._descend(encoder_tape, loss, "generator")

    def classification(self, segments: tf.Tensor, labels: Labels) -> None:
        """Phase 3: encoder and classifiers lower L_c, eq. (2), over the labelled rows."""
        with tf.GradientTape() as tape:
            code = gather(self.encoder(segments, training=True))
            loss = self._classify(code, labels, training=True)
        labelled = {
            task: tf.reduce_any(losses.has_label(labels[task])) for task in self.classifiers
        }
        self._descend(tape, loss, "classification", *self.classifiers, only_if=labelled)

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
        self._descend(tape, loss, "discriminator")

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

    def _reconstruction_loss(self, segments: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
        loss = losses.reconstruction_loss(segments, decoded, self.config.reconstruction)
        self._track("reconstruction_loss", loss)
        return loss

    def _descend(
        self,
        tape: tf.GradientTape,
        loss: tf.Tensor,
        *targets: str,
        only_if: Mapping[str, tf.Tensor] | None = None,
    ) -> None:
        """Take one gradient step of a loss on the networks of the named optimisers, no others.

        A target whose value in `only_if` is false stays where it is, momentum included.
        """
        variables = [trainable(self._targets()[target]) for target in targets]
        gradients = tape.gradient(loss, variables)
        for target, slopes, weights in zip(targets, gradients, variables, strict=True):
            condition = (only_if or {}).get(target)
            apply_gradients(self.optimisers[target], slopes, weights, condition)

    def _targets(self) -> dict[str, list[keras.Model]]:
        """Return each optimiser's name and the networks it moves."""
        targets = {}
        if "reconstruction" in self.phases:
            targets["reconstruction"] = [self.encoder, self.decoder]
        if "regularisation" in self.phases:
            targets["discriminator"] = [self.discriminator]
            targets["generator"] = [self.encoder]
        targets["classification"] = [self.encoder]
        return targets | {task: [head] for task, head in self.classifiers.items()}

    def _track(self, name: str, value: tf.Tensor, weight: tf.Tensor | None = None) -> None:
        self._trackers[name].update_state(value, sample_weight=weight)


def build_model(config: RunConfig, num_classes: Mapping[str, int]) -> MultitaskAAE:
    """Build the untrained model of a run; `num_classes` names the primary task first."""
    shape = (config.frontend.bins, config.data.segment_frames, 1)
    return MultitaskAAE(config.model, num_classes, shape, seed=config.seed)
