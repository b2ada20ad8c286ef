"""Small networks by PyTorch: outputs, losses and parameters, step by step, from fixed parameters.

python make_small_networks.py > small_networks.json

Python 3.11, torch 2.15.0 (CPU), float64, one thread.
"""

import json
import math

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
STEPS = 12
ROWS = 7


def number(at, scale):
    """A fixed sequence without a generator, so that both sides can compute it."""
    return scale * math.sin(1.0 + 0.7 * at + 0.013 * at * at)


def linear(inputs, outputs, start):
    """A layer whose parameters count on from `start`: weights (inputs x outputs), then biases."""
    layer = torch.nn.Linear(inputs, outputs)
    numbers = [number(start + at, 0.8) for at in range((inputs + 1) * outputs)]
    weights = torch.tensor(numbers[: inputs * outputs]).reshape(inputs, outputs)
    layer.weight.data = weights.t().contiguous()
    layer.bias.data = torch.tensor(numbers[inputs * outputs :])
    return layer, start + (inputs + 1) * outputs


def activation(name):
    return {
        "identity": torch.nn.Identity(),
        "leaky": torch.nn.LeakyReLU(0.01),
        "tanh": torch.nn.Tanh(),
        "sigmoid": torch.nn.Sigmoid(),
    }[name]


def loss_of(name, outputs, targets):
    if name == "absolute":
        return torch.nn.L1Loss()(outputs[:, 0], targets)
    if name == "squared":
        return torch.nn.MSELoss()(outputs[:, 0], targets)
    variance = torch.exp(outputs[:, 1])
    return torch.nn.GaussianNLLLoss(eps=1e-300)(outputs[:, 0], targets, variance)


def flat(layers):
    """Parameters in our order."""
    found = []
    for layer in layers:
        found += layer.weight.detach().t().reshape(-1).tolist() + layer.bias.detach().tolist()
    return found


def case(widths, activations, loss, learning_rate, weight_decay):
    modules, layers, start = [], [], 0
    for (inputs, outputs), name in zip(zip(widths, widths[1:]), activations):
        layer, start = linear(inputs, outputs, start)
        layers.append(layer)
        modules += [layer, activation(name)]
    network = torch.nn.Sequential(*modules)
    rows = [[number(1000 + r * widths[0] + i, 1.0) for i in range(widths[0])] for r in range(ROWS)]
    inputs = torch.tensor(rows, requires_grad=True)
    targets = torch.tensor([number(2000 + r, 0.5) for r in range(ROWS)])
    adam = torch.optim.Adam(network.parameters(), lr=learning_rate, weight_decay=weight_decay)
    losses = []
    first = None
    for _ in range(STEPS):
        adam.zero_grad()
        inputs.grad = None
        outputs = network(inputs)
        value = loss_of(loss, outputs, targets)
        value.backward()
        losses.append(value.item())
        if first is None:
            first = (outputs.detach().reshape(-1).tolist(), inputs.grad.reshape(-1).tolist())
        adam.step()
    return {
        "widths": widths,
        "activations": activations,
        "loss": loss,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "outputs": first[0],
        "input_gradient": first[1],
        "losses": losses,
        "parameters": flat(layers),
    }


CASES = [
    case([3, 9, 5, 1], ["leaky", "leaky", "identity"], "absolute", 0.01, 0.0),
    case([3, 6, 6, 1], ["tanh", "tanh", "identity"], "squared", 0.02, 0.0),
    case([2, 8, 2], ["tanh", "identity"], "gaussian", 0.01, 0.0),
    case([5, 4, 1], ["sigmoid", "sigmoid"], "squared", 0.05, 0.1),
]
print(json.dumps(CASES, indent=None))
