"""Configurations, networks and images of curvebook in PyTorch, for the scripts beside this file.

A configuration is what `curvebook space show SPACE --config I --format json` prints; its layers
become plain modules, so that both programs train the same network by construction. `Model` checks
that: shapes, parameters and operations counted by PyTorch must be those that curvebook prints. Only
chains of layers can be built (every preset is one), and only Adam.
"""

import gzip
import json
import re
import subprocess
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).parent.parent.parent
ACTIVATIONS = {
    "linear": None, "relu": lambda: nn.ReLU(inplace=True), "elu": lambda: nn.ELU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(inplace=True), "tanh": nn.Tanh, "sigmoid": nn.Sigmoid,
}  # fmt: skip
# PyTorch says that even kernels may need a padded copy: they do, and it is part of the time.
warnings.filterwarnings("ignore", message="Using padding='same' with even kernel")


def add_arguments(parser):
    parser.add_argument("space")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--curvebook", type=Path, default=ROOT / "target/release/curvebook")


def show(program, space, *more):
    """What curvebook says about a space, or of one of its configurations."""
    command = [program, "space", "show", space, *map(str, more), "--format", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


class Model(nn.Module):
    """The network of a shown configuration. `dropout` makes the module of a dropout layer out of
    its index and rate."""

    def __init__(self, shown, dropout=lambda index, rate: nn.Dropout(rate)):
        super().__init__()
        self.training_settings = shown["training"]
        assert self.training_settings["optimizer"] == "adam"
        self.weighted, self.penalised, modules = [], [], []
        is_flat = False
        for index, layer in enumerate(shown["layers"]):
            assert layer["reads"] == [index - 1], "only chains of layers are built"
            if layer["kind"] == "dense" and not is_flat:
                modules.append(nn.Flatten())
                is_flat = True
            module, activation = self.layer(index, layer, is_flat, dropout)
            modules += [module] + ([ACTIVATIONS[activation]()] if ACTIVATIONS[activation] else [])
        self.chain = nn.Sequential(*modules)
        self.check(shown)

    def layer(self, index, layer, is_flat, dropout):
        """The module of a layer, and the activation behind it."""
        kind, what = layer["kind"], layer["what"]
        channels, out = layer["input"][0], layer["output"]
        if kind == "conv":
            size, stride, activation = re.fullmatch(
                r"conv (\d+) x \d+, stride (\d+), (\w+)", what
            ).groups()
            same = int(stride) == 1 and layer["input"][1:] == out[1:]
            has_bias = layer["params"] > out[0] * channels * int(size) ** 2
            module = nn.Conv2d(channels, out[0], int(size), int(stride),
                               "same" if same else "valid", bias=has_bias)  # fmt: skip
        elif kind == "maxpool":
            size, stride = map(int, re.fullmatch(r"maxpool (\d+) x \1, stride (\d+)", what).groups())
            module, activation = nn.MaxPool2d(size, stride), "linear"
        elif kind == "dense":
            inputs = int(np.prod(layer["input"]))
            activation = what.removeprefix("dense, ")
            module = nn.Linear(inputs, out[0], bias=layer["params"] > inputs * out[0])
        elif kind == "dropout":
            module, activation = dropout(index, float(what.removeprefix("dropout "))), "linear"
        elif kind == "batchnorm":
            decay, activation = re.fullmatch(r"batchnorm, decay (\S+), (\w+)", what).groups()
            module = (nn.BatchNorm1d if is_flat else nn.BatchNorm2d)(channels, momentum=1 - float(decay))
        else:
            raise SystemExit(f"no module for a layer of kind {kind}")
        if kind in ("conv", "dense"):
            self.weighted.append((index, module))
            if kind == "dense" or self.training_settings["l2_scope"] == "all":
                self.penalised.append(module.weight)
        return module, activation

    def check(self, shown):
        first, last = shown["layers"][0]["input"], shown["layers"][-1]["output"][0]
        params = sum(p.numel() for p in self.parameters())
        assert params == shown["params"], (params, shown["params"])
        counter = FlopCounterMode(display=False)
        self.eval()
        with counter:
            logits = self.chain(torch.zeros(1, *first))
            logits.sum().backward()
        flops = counter.get_total_flops()
        assert logits.shape == (1, last) and flops == shown["flops_per_image"], (
            logits.shape, flops, shown["flops_per_image"],
        )  # fmt: skip
        self.zero_grad(set_to_none=True)
        self.train()

    def forward(self, images):
        return self.chain(images)

    def adam(self, **how):
        """L2 as `weight_decay`: Adam adds weight_decay x weight to the gradient, which is that of
        l2 / 2 x weight^2."""
        penalised = {id(p) for p in self.penalised}
        others = [p for p in self.parameters() if id(p) not in penalised]
        groups = [{"params": self.penalised, "weight_decay": self.training_settings["l2"]},
                  {"params": others}]  # fmt: skip
        return torch.optim.Adam(groups, lr=self.training_settings["learning_rate"], **how)


def read_idx(directory, name):
    """One IDX file, gzipped or not."""
    path = directory / name
    data = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i]) for i in range(dimensions)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def read_train_file(dataset, directory):
    """Images (image, channel, row, column) and labels, as bytes."""
    if dataset in ("mnist", "fashion-mnist"):
        images = read_idx(directory, "train-images-idx3-ubyte")
        return images[:, None], read_idx(directory, "train-labels-idx1-ubyte")
    if dataset == "cifar10":
        files = [np.fromfile(directory / f"data_batch_{i}.bin", np.uint8) for i in range(1, 6)]
        records = np.concatenate(files).reshape(-1, 3073)
        return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]
    raise SystemExit(f"no reader for the data set {dataset}")


def split(dataset, directory, training):
    """Standardised training and validation images with labels: the first and the last of the
    training file, by the mean and deviation of each channel over the training images."""
    images, labels = read_train_file(dataset, directory)
    first, last = training["train_size"], len(images) - training["val_size"]
    train = images[:first]
    mean = train.mean((0, 2, 3), dtype=np.float64)[:, None, None]
    deviation = train.std((0, 2, 3), dtype=np.float64)[:, None, None]
    standardise = lambda part: torch.from_numpy(((part - mean) / deviation).astype(np.float32))
    to_labels = lambda part: torch.from_numpy(part.astype(np.int64))
    return (
        (standardise(train), to_labels(labels[:first])),
        (standardise(images[last:]), to_labels(labels[last:])),
    )
