"""PyTorch's recurrent layers on weights that stand as the library stores them: x W, h U, W [I,
gates H]."""

import torch

from record import uniform

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def weights(kind, inputs, hidden):
    """Random weights; `b` is added once, and GRU's candidate has a recurrent bias `bn` of its
    own."""
    columns = GATES[kind] * hidden
    drawn = {
        "W": uniform(-0.8, 0.8, inputs, columns),
        "U": uniform(-0.8, 0.8, hidden, columns),
        "b": uniform(-0.5, 0.5, columns),
    }
    return {**drawn, "bn": uniform(-0.5, 0.5, hidden)} if kind == "GRU" else drawn


def flat(p):
    """PyTorch's four: W', U', the input's bias, and the recurrent one, which is 0 but for `bn`."""
    zeros = torch.zeros_like(p["b"])
    if "bn" in p:
        zeros = torch.cat([zeros[: -p["bn"].numel()], p["bn"]])
    return [p["W"].T, p["U"].T, p["b"], zeros]


def run(kind, layers, x, state, **options):
    """nn.RNN, nn.LSTM or nn.GRU with the weights of each layer and direction in PyTorch's order."""
    hidden, inputs = layers[0]["U"].shape[0], layers[0]["W"].shape[0]
    module = getattr(torch.nn, kind)(inputs, hidden, **options)
    module._flat_weights = [w for p in layers for w in flat(p)]
    return module(x, state)


def under(prefix, named):
    return {name[len(prefix) :]: x for name, x in named.items() if name.startswith(prefix)}


def prefixed(prefix, named):
    return {prefix + name: x for name, x in named.items()}
