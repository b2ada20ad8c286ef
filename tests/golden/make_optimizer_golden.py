#!/usr/bin/env python3
"""Writes optimizers.json: a dense and a convolutional network after 1, 10 and 100 steps of every
optimizer, schedule and L2 scope in PyTorch, and PyTorch's learning rates epoch by epoch.

Made with torch 2.15.0 (CPU), numpy 2.4.6, Python 3.11:
    python3 make_optimizer_golden.py, in this directory.

Everything is in float64, so that the values are references and not another rounding; how far the
same run in float32 lies from it after 1, 10 and 100 steps is recorded beside them
("float32_difference"): the tolerance of the test is made of it, and a case that drifts by more
than DRIFT_MAX would prove nothing and is refused. Both runs take their gradients from PyTorch's
own backward pass. Weights, biases, pixels and labels come from formulas that the test repeats;
EPOCH steps make an epoch, and ten batches come round and round.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.optim import lr_scheduler

STEPS, BATCH, CLASSES, EPOCH, KEPT = (1, 10, 100), 6, 4, 5, 5
DRIFT_MAX = 1e-6

# Settings of [training], and the same in PyTorch.
OPTIMIZERS = [
    ('optimizer = "adam"\nlearning_rate = 0.003',
     lambda p: torch.optim.Adam(p, lr=0.003)),
    ('learning_rate = 0.003\nbeta1 = 0.5\nbeta2 = 0.9\nepsilon = 1e-3',
     lambda p: torch.optim.Adam(p, lr=0.003, betas=(0.5, 0.9), eps=1e-3)),
    ('optimizer = "sgd"\nlearning_rate = 0.05',
     lambda p: torch.optim.SGD(p, lr=0.05)),
    ('optimizer = "sgd"\nlearning_rate = 0.02\nmomentum = 0.9',
     lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9)),
    ('optimizer = "sgd"\nlearning_rate = 0.02\nmomentum = 0.8\nnesterov = true',
     lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8, nesterov=True)),
    ('optimizer = "rmsprop"\nlearning_rate = 0.001',
     lambda p: torch.optim.RMSprop(p, lr=0.001)),
    ('optimizer = "rmsprop"\nlearning_rate = 0.001\nrho = 0.9\nmomentum = 0.5\nepsilon = 1e-3',
     lambda p: torch.optim.RMSprop(p, lr=0.001, alpha=0.9, momentum=0.5, eps=1e-3)),
    ('optimizer = "adagrad"\nlearning_rate = 0.01',
     lambda p: torch.optim.Adagrad(p, lr=0.01)),
    ('optimizer = "adagrad"\nlearning_rate = 0.02\nlearning_rate_decay = 0.05\n'
     'initial_accumulator = 0.1\nepsilon = 1e-4',
     lambda p: torch.optim.Adagrad(p, lr=0.02, lr_decay=0.05, initial_accumulator_value=0.1,
                                   eps=1e-4)),
]  # fmt: skip

SCHEDULES = [
    ("", lambda o: lr_scheduler.ConstantLR(o, 1.0)),
    ('schedule = "step"\nstep_epochs = 3\nstep_gamma = 0.5',
     lambda o: lr_scheduler.StepLR(o, 3, 0.5)),
    ('schedule = "exponential"\nexponential_gamma = 0.9',
     lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    ('schedule = "cosine"\ncosine_epochs = 8\ncosine_min = 1e-4',
     lambda o: lr_scheduler.CosineAnnealingLR(o, 8, 1e-4)),
]  # fmt: skip

# Two nets; only the second has layers of both scopes, so the first has the scope "dense" alone.
DENSE = '[[model.layer]]\nkind = "dense"\nunits = {}\nactivation = "tanh"\n'
CONV = '[[model.layer]]\nkind = "conv"\nfilters = {}\nkernel = 3\nactivation = "tanh"\n'
POOL = '[[model.layer]]\nkind = "maxpool"\nsize = 2\n'
NETS = {
    "dense": ((1, 4, 4), DENSE.format(12) + DENSE.format(7), lambda: [
        nn.Flatten(), nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, 7), nn.Tanh(),
        nn.Linear(7, CLASSES)]),
    "conv": ((2, 6, 6), CONV.format(3) + POOL + CONV.format(4) + DENSE.format(6), lambda: [
        nn.Conv2d(2, 3, 3, padding="same"), nn.Tanh(), nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 3, padding="same"), nn.Tanh(), nn.Flatten(),
        nn.Linear(36, 6), nn.Tanh(), nn.Linear(6, CLASSES)]),
}  # fmt: skip
L2 = {"dense": 0.05, "all": 0.02}


def build(net, dtype):
    model = nn.Sequential(*NETS[net][2]()).to(dtype)
    layers = [m for m in model if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        for at, layer in enumerate(layers):
            i = np.arange(layer.weight.numel(), dtype=np.float64)
            values = np.sin(0.7 * i * i + at) * math.sqrt(2.0 / layer.weight[0].numel())
            layer.weight.copy_(torch.tensor(values.astype(np.float32)).reshape(layer.weight.shape))
            j = np.arange(layer.bias.numel(), dtype=np.float64)
            layer.bias.copy_(torch.tensor((0.05 * np.cos(j)).astype(np.float32)))
    return model, layers


def run(net, optimizer, schedule, scope, dtype):
    model, layers = build(net, dtype)
    optimizer = optimizer(model.parameters())
    schedule = schedule(optimizer)
    shape = NETS[net][0]
    image = int(np.prod(shape))
    kept = []
    for step in range(STEPS[-1]):
        batch = step % 10
        i = np.arange(BATCH * image, dtype=np.float64)
        pixels = np.sin(0.37 * i + 0.0001 * i * i + 1.3 * batch).astype(np.float32)
        x = torch.tensor(pixels).reshape(BATCH, *shape).to(dtype)
        y = torch.tensor([(7 * n + 3 * batch) % CLASSES for n in range(BATCH)])
        loss = nn.functional.cross_entropy(model(x), y)
        penalty = sum(
            (m.weight**2).sum() for m in layers if scope == "all" or isinstance(m, nn.Linear)
        )
        optimizer.zero_grad()
        (loss + 0.5 * L2[scope] * penalty).backward()
        optimizer.step()
        if step % EPOCH == EPOCH - 1:
            schedule.step()
        if step + 1 in STEPS:
            values = [loss.item()]
            for m in layers:
                weights = m.weight.detach().flatten()
                values += weights[:: len(weights) // KEPT].double().tolist()
                values += m.bias.detach()[:2].double().tolist()
            kept.append(values)
    return kept


def rounded(x):
    return [rounded(v) for v in x] if isinstance(x, list) else float(f"{x:.9g}")


def cases():
    for net, scope in [("dense", "dense"), ("conv", "dense"), ("conv", "all")]:
        for optimizer in OPTIMIZERS:
            for schedule in SCHEDULES:
                exact = run(net, optimizer[1], schedule[1], scope, torch.float64)
                narrow = run(net, optimizer[1], schedule[1], scope, torch.float32)
                drift = [
                    float(np.abs(np.array(a) - np.array(b)).max())
                    for a, b in zip(exact, narrow)
                ]
                settings = f"{optimizer[0]}\n{schedule[0]}\nl2 = {L2[scope]}"
                print(net, scope, settings.replace("\n", ", "), drift)
                assert max(drift) <= DRIFT_MAX
                yield {
                    "net": net, "scope": scope, "settings": settings,
                    "float32_difference": rounded(drift), "after": rounded(exact),
                }  # fmt: skip


def rates():
    """Rates of 40 epochs; cosines beyond their bottom, and steps that never come, included."""
    for text, schedule in SCHEDULES[1:] + [
        ('schedule = "step"\nstep_epochs = 1', lambda o: lr_scheduler.StepLR(o, 1)),
        ('schedule = "step"\nstep_epochs = 99', lambda o: lr_scheduler.StepLR(o, 99)),
        ('schedule = "cosine"', lambda o: lr_scheduler.CosineAnnealingLR(o, 15)),
        ('schedule = "cosine"\ncosine_epochs = 1', lambda o: lr_scheduler.CosineAnnealingLR(o, 1)),
    ]:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
        schedule, found = schedule(optimizer), []
        for _ in range(40):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        yield {"settings": text, "rates": found}


nets = {name: {"input": net[0], "layers": net[1]} for name, net in NETS.items()}
golden = {"nets": nets, "rates": list(rates()), "cases": list(cases())}
target = Path(__file__).with_name("optimizers.json")
lines = json.dumps(golden, separators=(",", ":")).replace('{"net":', '\n{"net":')
target.write_text(lines + "\n")
print(target.stat().st_size)
