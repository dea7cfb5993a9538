"""The default model's networks and both updates in PyTorch, made of the Keras model's layers.

Every network is the Keras one layer by layer, with its weights, so that both sides of
`benchmarks/torch_step.py` compute the same. PyTorch is asked to do what serves it best: maps lie
channels last, Adam is one fused call, the averages are one call over all weights.
"""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext

import keras
import numpy as np
import torch
from torch import Tensor, nn

from ser_aae.config import TrainingConfig
from ser_aae.model.aae import MultitaskAAE


class Crop(nn.Module):
    """What "same" padding keeps of a transposed convolution: `size` times the input."""

    def __init__(self, kernel: Sequence[int], strides: Sequence[int]) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.before = [(edge - stride) // 2 for edge, stride in zip(kernel, strides, strict=True)]
        self.spare = [edge - stride for edge, stride in zip(kernel, strides, strict=True)]

    def forward(self, maps: Tensor) -> Tensor:
        """Return `(batch, channels, frequency, time)` without the margins."""
        (top, left), (high, wide) = self.before, self.spare
        rows, columns = maps.shape[2] - high, maps.shape[3] - wide
        return maps[:, :, top : top + rows, left : left + columns]


class MeanDeviation(nn.Module):
    """Mean and standard deviation over time of each frequency and channel, as `TimePooling`."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return `(batch, 2 * frequency * channels)`."""
        steps = maps.permute(0, 3, 2, 1).flatten(2).float()
        variance, mean = torch.var_mean(steps, dim=1, correction=0)
        return torch.cat([mean, torch.sqrt(variance + 1e-5)], dim=1)


class ChannelsLastFlatten(nn.Module):
    """Flattening in the order that Keras' dense layers expect."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return `(batch, frequency * time * channels)`."""
        return maps.permute(0, 2, 3, 1).flatten(1)


class Noise(nn.Module):
    """Gaussian noise of a deviation, in training."""

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, code: Tensor) -> Tensor:
        """Return the code with noise."""
        return code + self.deviation * torch.randn_like(code) if self.training else code


class Head(nn.Module):
    """A classifier, whose last hidden layer is an output too."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.body, self.logits = layers[:-1], layers[-1]

    def forward(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and hidden layer."""
        hidden = self.body(code)
        return self.logits(hidden), hidden


def convert(network: keras.Model) -> nn.Sequential:
    """Return a Keras network whose layers follow each other as a PyTorch one, channels last."""
    modules = [module for layer in network.layers for module in _modules(layer)]
    return nn.Sequential(*modules).to(memory_format=torch.channels_last)


def to_maps(array: np.ndarray) -> Tensor:
    """Return `(batch, frequency, time, channels)` as PyTorch holds it, channels last in memory."""
    return torch.from_numpy(np.array(array)).permute(0, 3, 1, 2)


def from_maps(maps: Tensor) -> np.ndarray:
    """Return maps of PyTorch as `(batch, frequency, time, channels)`."""
    return maps.detach().float().permute(0, 2, 3, 1).numpy()


def _modules(layer: keras.layers.Layer) -> list[nn.Module]:
    """Return what computes the same as a layer; the textbook's order where ours is cheaper."""
    kind = type(layer).__name__
    if kind in ("Conv2D", "Conv2DTranspose", "Dense"):
        return _linear(layer, kind)
    if kind in ("BatchNormalization", "PooledBatchNormalization"):
        pool = [nn.MaxPool2d(layer.pool_size)] if kind.startswith("Pooled") else []
        return [_norm(layer), *pool]
    return {
        "InputLayer": lambda: [],
        "ReLU": lambda: [nn.ReLU(inplace=True)],
        "MaxPooling2D": lambda: [nn.MaxPool2d(layer.pool_size)],
        "Flatten": lambda: [ChannelsLastFlatten()],
        "TimePooling": lambda: [MeanDeviation()],
        "Dropout": lambda: [nn.Dropout(layer.rate)],
        "GaussianNoise": lambda: [Noise(layer.stddev)],
    }[kind]()


def _linear(layer: keras.layers.Layer, kind: str) -> list[nn.Module]:
    kernel = torch.from_numpy(layer.kernel.numpy())
    after: list[nn.Module] = []
    if kind == "Dense":
        found: nn.Module = nn.Linear(*kernel.shape)
        weight = kernel.T
    elif kind == "Conv2D":
        size, channels, filters = layer.kernel_size, kernel.shape[2], kernel.shape[3]
        found = nn.Conv2d(channels, filters, size, padding="same", bias=layer.use_bias)
        weight = kernel.permute(3, 2, 0, 1)
    else:
        size, filters, channels = layer.kernel_size, kernel.shape[2], kernel.shape[3]
        found = nn.ConvTranspose2d(channels, filters, size, layer.strides, bias=layer.use_bias)
        weight = kernel.permute(3, 2, 0, 1)
        after.append(Crop(size, layer.strides))
    with torch.no_grad():
        found.weight.copy_(weight)
        if layer.use_bias:
            found.bias.copy_(torch.from_numpy(layer.bias.numpy()))
    if getattr(layer.activation, "__name__", "") == "relu":
        after.append(nn.ReLU(inplace=True))
    return [found, *after]


def _norm(layer: keras.layers.Layer) -> nn.BatchNorm2d:
    channels = layer.moving_mean.shape[0]
    norm = nn.BatchNorm2d(channels, layer.epsilon, 1.0 - layer.momentum)
    pairs = {"weight": "gamma", "bias": "beta"}
    with torch.no_grad():
        for name, ours in pairs.items():
            value = getattr(layer, ours, None)
            if value is None:  # neither is learnt, and PyTorch has no batch norm with one alone
                getattr(norm, name).requires_grad_(False)
            else:
                getattr(norm, name).copy_(torch.from_numpy(value.numpy()))
        norm.running_mean.copy_(torch.from_numpy(layer.moving_mean.numpy()))
        norm.running_var.copy_(torch.from_numpy(layer.moving_variance.numpy()))
    return norm


class TorchModel:
    """The model with its optimisers, as `MultitaskAAE` has them.

    Args:
        model: A compiled model of the default kind; networks, rates and the update are its own.
        training: What it was compiled with.
        autocast: Whether the networks compute in bfloat16.
    """

    def __init__(self, model: MultitaskAAE, training: TrainingConfig, autocast: bool) -> None:
        self.config, self.update, self.decay = model.config, training.update, training.average_decay
        self.encoder, self.decoder = convert(model.encoder), convert(model.decoder)
        self.discriminator = convert(model.discriminator)
        self.heads = {task: Head(convert(head)) for task, head in model.classifiers.items()}
        self.primary = model.primary
        self._autocast = autocast
        self._optimisers = {
            name: torch.optim.Adam(
                _moved(map(self._network, [each.name for each in networks])),
                lr=float(model.optimisers[name].learning_rate.numpy()),
                betas=(model.optimisers[name].beta_1, 0.999),
                eps=1e-7,
                fused=True,
            )
            for name, networks in model._targets().items()
        }
        averaged = [self.encoder, self.decoder, *self.heads.values()]
        self._averaged = [p.data for each in averaged for p in each.parameters()]
        self._averages = [value.clone() for value in self._averaged]

    def train_step(self, segments: Tensor, labels: dict[str, Tensor]) -> None:
        """Run the three phases on `(batch, 1, frequency, time)`, in series or jointly."""
        phases = [self._reconstruct, self._regularise, self._classify]
        passes = [phases] if self.update == "joint" else [[phase] for phase in phases]
        names = (
            [("encoder", "decoder", *self.heads)]
            if self.update == "joint"
            else [("reconstruction",), ("generator",), ("classification", *self.heads)]
        )
        for terms, moved in zip(passes, names, strict=True):
            code = self._run(self.encoder, segments)
            loss = sum(term(segments, code, labels) for term in terms)
            self._descend(loss, moved)
        torch._foreach_lerp_(self._averages, self._averaged, 1.0 - self.decay)

    def _reconstruct(self, segments: Tensor, code: Tensor, labels: dict[str, Tensor]) -> Tensor:
        decoded = self._run(self.decoder, code)
        alpha = self.config.alpha if self.update == "joint" else 1.0
        return alpha * nn.functional.mse_loss(decoded.float(), segments)

    def _regularise(self, segments: Tensor, code: Tensor, labels: dict[str, Tensor]) -> Tensor:
        fixed = code.detach().float()
        prior = torch.randn_like(fixed)
        rows, ask = len(code), nn.functional.cross_entropy
        ones = torch.ones(rows, dtype=torch.long)
        loss = ask(self._run(self.discriminator, prior).float(), ones)
        loss = loss + ask(self._run(self.discriminator, fixed).float(), 0 * ones)
        self._descend(0.5 * loss, ["discriminator"])
        weight = self.config.adversarial_weight if self.update == "joint" else 1.0
        return weight * ask(self._run(self.discriminator, code).float(), ones)

    def _classify(self, segments: Tensor, code: Tensor, labels: dict[str, Tensor]) -> Tensor:
        beta, total = self.config.beta, torch.zeros(())
        for task, head in self.heads.items():
            loss = nn.functional.cross_entropy(self._run(head, code)[0].float(), labels[task])
            total = total + (beta if task == self.primary else 1.0 - beta) * loss
        return total

    def _descend(self, loss: Tensor, names: Iterable[str]) -> None:
        """Take one step of the named optimisers; the gradients of their weights alone are taken."""
        optimisers = [self._optimisers[name] for name in names]
        weights = [p for each in optimisers for p in each.param_groups[0]["params"]]
        for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = slope
        for optimiser in optimisers:
            optimiser.step()

    def _run(self, network: nn.Module, value: Tensor) -> Tensor:
        scope = torch.autocast("cpu", torch.bfloat16) if self._autocast else nullcontext()
        with scope:
            return network(value)

    def _network(self, name: str) -> nn.Module:
        return self.heads[name] if name in self.heads else getattr(self, name)


def _moved(networks: Iterable[nn.Module]) -> list[nn.Parameter]:
    return [p for each in networks for p in each.parameters() if p.requires_grad]


def largest_difference(model: MultitaskAAE, other: TorchModel, segments: np.ndarray) -> float:
    """Return by how much an output of any network differs between both at most, outside training.

    Codes, reconstructions and logits, of `(batch, frequency, time, 1)` segments.
    """
    code = np.asarray(model.encoder(segments, training=False))
    maps = to_maps(code)
    pairs = [(code, other.encoder, to_maps(segments))]
    pairs.append((np.asarray(model.decoder(code, training=False)), other.decoder, maps))
    pairs.append((np.asarray(model.discriminator(code, training=False)), other.discriminator, maps))
    for task, head in model.classifiers.items():
        logits = np.asarray(head(code, training=False)[0])
        pairs.append(
            (logits, nn.Sequential(other.heads[task].body, other.heads[task].logits), maps)
        )
    differences = []
    for wanted, network, value in pairs:
        network.eval()
        with torch.no_grad():
            found = network(value)
        network.train()
        found = from_maps(found) if found.ndim == 4 else found.numpy()
        differences.append(float(np.abs(found - wanted).max()))
    return max(differences)
