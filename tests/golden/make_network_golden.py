#!/usr/bin/env python3
"""Writes networks.json: presets and example spaces, read and trained by PyTorch.

Made with torch 2.15.0 (CPU), numpy 2.4.6, Python 3.11: python3 make_network_golden.py, here.

The script reads the TOML of the spaces by itself and builds each network out of PyTorch's modules:
an independent reading of what the files mean. It keeps the shape of every layer, the parameter
count, PyTorch's own count of floating-point operations (torch.utils.flop_counter, forward and
backward), and after 1, 10 and 100 steps of Adam the losses in training and validation, some
parameters and running statistics. Values are of a float64 run. Beside them stands how far float32
runs lie from them: the largest difference over one from the same weights and NUDGED from weights
that differ by a rounding, which shows how much the training amplifies another order of the sums. Weights, pixels and labels come from formulas that the test repeats;
dropout masks from Threefry-2x32-20 as trainer/streams.rs documents them.
"""

import hashlib
import json
import math
import tomllib
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
STEPS, MARKS, BATCH, KEPT, CONFIG, SEED, NUDGED = 100, (1, 10, 100), 6, 12, 5, 3, 3

# File, values, learning rate in place of the file's or the parameter's: where a maximum or a rectifier
# decides otherwise by a rounding, float32 runs part for good, so that some cases train slowly.
LENET = {"c1_filters": 3, "c2_filters": 5, "fc_units": 12, "l2_weight": 0.01, "dropout": 0.0}
CIFAR = {"fc_units": 14, "kernel": 3, "l2_weight": 0.01}
LITE = CIFAR | {"c1_filters": 4, "c2_filters": 8, "c3_filters": 16, "c4_filters": 17}
FULL = CIFAR | {"c1_filters": 8, "c2_filters": 32, "c3_filters": 64, "c4_filters": 65}
PRESETS, SPACES = "src/train/model/definition/presets/", "tests/spaces/"
CASES = [
    (PRESETS + "digits-lenet", LENET | {"kernel": 3, "p1_size": 2, "p2_size": 1}, 5e-4),
    (PRESETS + "digits-lenet", LENET | {"kernel": 4, "p1_size": 1, "p2_size": 2, "dropout": 0.4}, 5e-4),
    (PRESETS + "mnist-lenet-lite", LENET | {"kernel": 5, "p1_size": 2, "p2_size": 3}, 5e-4),
    (PRESETS + "fashion-lenet-lite", LENET | {"kernel": 2, "p1_size": 3, "p2_size": 2}, 5e-4),
    (PRESETS + "mnist-lenet", LENET | {"kernel": 10, "p1_size": 3, "p2_size": 3}, 3e-4),
    (PRESETS + "cifar10-cnn-lite", LITE | {"activation": "relu", "regularizer": "none"}, 5e-4),
    (PRESETS + "cifar10-cnn-lite", LITE | {"activation": "tanh", "regularizer": "batchnorm"}, 1e-4),
    (PRESETS + "cifar10-cnn-lite", LITE | {"activation": "elu", "regularizer": "dropout"}, 3e-4),
    (PRESETS + "cifar10-cnn", FULL | {"activation": "elu", "regularizer": "batchnorm"}, 5e-5),
    (PRESETS + "cifar10-cnn-bn999", FULL | {"activation": "elu", "regularizer": "batchnorm"}, 3e-5),
    (SPACES + "strided-4426", {}, 5e-4),
    (SPACES + "mlp", {"depth": 0, "units": 8, "activation": "relu"}, 1e-3),
    (SPACES + "mlp", {"depth": 1, "units": 64, "activation": "leaky_relu"}, 5e-4),
    (SPACES + "mlp", {"depth": 3, "units": 20, "activation": "sigmoid"}, 1e-3),
    (SPACES + "vgg", {"depth": 2, "filters": 6, "regularizer": "none"}, 5e-4),
    (SPACES + "vgg", {"depth": 1, "filters": 5, "regularizer": "batchnorm"}, 5e-4),
    (SPACES + "resnet", {"depth": 2, "filters": 5, "decay": 0.8}, 3e-4),
    (SPACES + "inception", {"blocks": 2, "wide_filters": 5, "dropout": 0.0}, 5e-4),
]

ACTIVATIONS = {
    "linear": lambda x: x, "relu": F.relu, "leaky_relu": F.leaky_relu, "elu": F.elu,
    "tanh": torch.tanh, "sigmoid": torch.sigmoid,
}  # fmt: skip


def threefry(key, counter):
    """Threefry-2x32-20 of one counter (Salmon et al. 2011)."""
    mask, rotations = 0xFFFFFFFF, (13, 15, 26, 6, 17, 29, 16, 24)
    keys = (key[0], key[1], 0x1BD11BDA ^ key[0] ^ key[1])
    x0, x1 = (counter + keys[0]) & mask, ((counter >> 32) + keys[1]) & mask
    for n in range(20):
        x0 = (x0 + x1) & mask
        r = rotations[n % 8]
        x1 = ((x1 << r | x1 >> (32 - r)) & mask) ^ x0
        if n % 4 == 3:
            k = n // 4 + 1
            x0, x1 = (x0 + keys[k % 3]) & mask, (x1 + keys[(k + 1) % 3] + k) & mask
    return x0, x1


def mask(layer, step, rate, shape, dtype):
    """The mask of one dropout: (images, channels, ...)."""
    label = SEED.to_bytes(8, "little") + CONFIG.to_bytes(8, "little") + f"dropout.{layer}".encode()
    digest = hashlib.sha256(label).digest()
    key = [int.from_bytes(digest[i : i + 4], "little") for i in (0, 4)]
    words = [
        word for i in range((math.prod(shape) + 1) // 2) for word in threefry(key, step << 32 | i)
    ]
    kept = np.array(words[: math.prod(shape)]) / 2**32 >= rate
    # The factor is a number of 32 bits there.
    return torch.tensor(kept * float(np.float32(1 / (1 - rate)))).reshape(shape).to(dtype)


class Layer(nn.Module):
    """One planned layer: reads `sources` (-1: the images)."""

    def __init__(self, kind, sources, settings, module=None):
        super().__init__()
        self.kind, self.sources, self.settings, self.module = kind, sources, settings, module
        self.activation = settings.get("activation", "linear")

    def forward(self, inputs, place, step, training):
        x = inputs[0]
        if self.kind in ("conv", "maxpool", "avgpool") and self.settings["size"] != "global":
            x = self.pad(x)
        if self.kind == "add":
            x = sum(inputs)
        elif self.kind == "concat":
            x = torch.cat(inputs, 1)
        elif self.kind == "dropout":
            rate = self.settings["rate"]
            if training and rate > 0:
                x = x * mask(place, step, rate, x.shape, x.dtype)
        elif self.kind == "dense":
            x = self.module(x.flatten(1))
        elif self.kind == "maxpool":
            x = F.max_pool2d(x, self.settings["size"], self.settings["stride"])
        elif self.kind == "avgpool" and self.settings["size"] == "global":
            x = x.mean((2, 3))
        elif self.kind == "avgpool":
            x = F.avg_pool2d(x, self.settings["size"], self.settings["stride"])
        else:
            x = self.module(x)
        return ACTIVATIONS[self.activation](x)

    def pad(self, x):
        """`same`: ceil(size / stride) outputs, the odd pixel at the end."""
        if self.settings["padding"] == "valid":
            return x
        sides = []
        for size in (x.shape[3], x.shape[2]):
            out = -(-size // self.settings["stride"])
            need = (out - 1) * self.settings["stride"] + self.settings["size"] - size
            need = max(need, 0)
            sides += [need // 2, need - need // 2]
        return F.pad(x, sides, value=-math.inf if self.kind == "maxpool" else 0.0)


class Network(nn.Module):
    def __init__(self, space, values):
        super().__init__()
        self.values, self.layers = values, nn.ModuleList()
        model = space["model"]
        self.shapes = []
        self.shape = {-1: tuple(model["input"])}
        self.current = -1
        self.group(model.get("layer", []), {})
        self.add({"kind": "dense", "units": model["classes"]}, [self.current])

    def value(self, setting):
        is_parameter = isinstance(setting, str) and setting.startswith("$")
        return self.values[setting[1:]] if is_parameter else setting

    def group(self, layers, outer):
        names = outer | {"input": self.current}
        for at, layer in enumerate(layers):
            layer = {k: v if k in ("layer", "name", "from") else self.value(v) for k, v in layer.items()}
            sources = layer.get("from", [])
            sources = [names[n] for n in ([sources] if isinstance(sources, str) else sources)]
            if len(sources) == 1:
                self.current = sources[0]
            elif not sources:
                sources = [self.current]
            if layer["kind"] == "repeat":
                for _ in range(layer["times"]):
                    self.group(layer["layer"], names)
            elif layer["kind"] == "regularizer":
                if layer["choice"] == "batchnorm":
                    self.add(layer | {"kind": "batchnorm"}, [self.current])
                elif layer["choice"] == "dropout" and "rate" in layer:
                    self.add({"kind": "dropout", "rate": layer["rate"]}, [self.current])
            else:
                self.add(layer, sources)
            if "name" in layer:
                names[layer["name"]] = self.current

    def add(self, layer, sources):
        kind, shape = layer["kind"], self.shape[sources[0]]
        settings, module = dict(layer), None
        settings.setdefault("padding", "same" if kind == "conv" else "valid")
        if kind == "conv":
            settings["size"] = layer["kernel"]
            settings.setdefault("stride", 1)
            module = nn.Conv2d(shape[0], layer["filters"], layer["kernel"], settings["stride"])
        elif kind == "dense":
            module = nn.Linear(math.prod(shape), layer["units"])
        elif kind == "batchnorm":
            module = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
            module = module(shape[0], momentum=1 - layer.get("decay", 0.9))
            before = self.layers[sources[0]]
            assert before.kind in ("conv", "dense") and "activation" not in layer
            settings["activation"], before.activation = before.activation, "linear"
            before.module.bias = None
        elif kind in ("maxpool", "avgpool"):
            settings.setdefault("stride", layer["size"])
        self.layers.append(Layer(kind, sources, settings, module))
        self.current = len(self.layers) - 1
        # Shapes come from PyTorch itself.
        images = [torch.zeros(2, *self.shape[s]) for s in sources]
        out = self.layers[-1].eval()(images, self.current, 0, False)
        self.shape[self.current] = tuple(out.shape[1:])
        self.shapes.append(list(out.shape[1:]))

    def forward(self, x, step):
        outputs = {-1: x}
        for at, layer in enumerate(self.layers):
            inputs = [outputs[s] for s in layer.sources]
            outputs[at] = layer(inputs, at, step, self.training)
        return outputs[len(self.layers) - 1]

    def weighted(self):
        return [layer for layer in self.layers if layer.module is not None]


def set_parameters(network):
    with torch.no_grad():
        for at, layer in enumerate(network.weighted()):
            module = layer.module
            is_norm = layer.kind == "batchnorm"
            if not is_norm:
                i = np.arange(module.weight.numel(), dtype=np.float64)
                scale = math.sqrt(4.0 / module.weight[0].numel())
                values = (np.sin(0.7 * i * i + at) * scale).astype(np.float32)
                module.weight.copy_(torch.tensor(values).reshape(module.weight.shape))
            biases = [module.weight, module.bias] if is_norm else [module.bias]
            biases = [b for b in biases if b is not None]
            count = sum(b.numel() for b in biases)
            values = (0.05 * np.cos(np.arange(count, dtype=np.float64))).astype(np.float32)
            if is_norm:
                values[: count // 2] += np.float32(1)
            for b in biases:
                b.copy_(torch.tensor(values[: b.numel()]))
                values = values[b.numel() :]


def batch(step, shape, dtype):
    # The tenth batch is smaller, as an epoch's last one may be.
    images = BATCH - 2 if step == 9 else BATCH
    i = np.arange(images * math.prod(shape), dtype=np.float64)
    pixels = (1.5 * np.sin(0.37 * i + 0.0001 * i * i + 1.3 * step)).astype(np.float32)
    x = torch.tensor(pixels).reshape(images, *shape).to(dtype)
    return x, torch.tensor([(7 * n + 3 * step) % 10 for n in range(images)])


def thin(values):
    """At most KEPT of them, evenly."""
    values = values.detach().flatten().double()
    return values[:: max(1, math.ceil(len(values) / KEPT))].tolist()


def kept(network):
    out = []
    for layer in network.weighted():
        module = layer.module
        if layer.kind == "batchnorm":
            out.append(thin(torch.cat([module.weight, module.bias])))
            out.append(thin(torch.cat([module.running_mean, module.running_var])))
        else:
            out.append(thin(module.weight))
            out.append(thin(module.bias) if module.bias is not None else [])
    return out


def run(space, values, rate, dtype, nudge=0):
    torch.manual_seed(nudge)
    network = Network(space, values)
    set_parameters(network)
    network.to(dtype)
    if nudge:
        with torch.no_grad():
            for p in network.parameters():
                p.copy_(p.double() * (1 + 6e-8 * torch.randn(p.shape, dtype=torch.float64)))
    training, shape = space["training"], space["model"]["input"]
    l2 = network.value(training.get("l2", 0.0))
    kinds = ("dense", "conv") if training.get("l2_scope") == "all" else ("dense",)
    penalised = [l.module.weight for l in network.weighted() if l.kind in kinds]
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    out = {"losses": [], "marks": []}
    for step in range(STEPS):
        network.train()
        x, y = batch(step, shape, dtype)
        loss = F.cross_entropy(network(x, step), y)
        optimizer.zero_grad()
        (loss + 0.5 * l2 * sum((w**2).sum() for w in penalised)).backward()
        optimizer.step()
        out["losses"].append(loss.item())
        if step + 1 in MARKS:
            network.eval()
            x, y = batch(1000, shape, dtype)
            with torch.no_grad():
                val_loss = F.cross_entropy(network(x, step), y).item()
            out["marks"].append({"val_loss": val_loss, "kept": kept(network)})
    counter = FlopCounterMode(display=False)
    network.train()
    with counter:
        network(batch(0, shape, dtype)[0], 0).sum().backward()
    out["flops"] = counter.get_total_flops() // BATCH
    out["params"] = sum(p.numel() for p in network.parameters())
    out["shapes"] = network.shapes
    return out


def flat(mark):
    return np.array([mark["val_loss"]] + sum(mark["kept"], []))


def difference(a, b):
    return float(np.abs(flat(a) - flat(b)).max())


def rounded(x):
    return [rounded(v) for v in x] if isinstance(x, list) else float(f"{x:.7g}")


def case(path, values, rate):
    space = tomllib.loads((ROOT / f"{path}.toml").read_text())
    values = dict(values)
    exact = run(space, values, rate, torch.float64)
    singles = [run(space, values, rate, torch.float32, nudge) for nudge in range(NUDGED + 1)]
    marks = [
        {
            "step": step, "train_loss": rounded(exact["losses"][step - 1]),
            "val_loss": rounded(a["val_loss"]), "kept": rounded(a["kept"]),
            "float32_difference": float(f"{max(difference(a, b) for b in bs):.3g}"),
        }
        for step, a, *bs in zip(MARKS, exact["marks"], *(single["marks"] for single in singles))
    ]  # fmt: skip
    print(path, exact["params"], exact["flops"], [m["float32_difference"] for m in marks],
          [m["val_loss"] for m in marks])  # fmt: skip
    return {
        "space": path, "values": values, "learning_rate": rate, "params": exact["params"],
        "flops": exact["flops"], "shapes": exact["shapes"], "marks": marks,
    }  # fmt: skip


if __name__ == "__main__":
    target = HERE / "networks.json"
    golden = [case(*c) for c in CASES]
    target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(target.stat().st_size)
