"""Ops of one kernel: gates of recurrent cells, layer normalisation."""

import torch
import torch.nn.functional as F

from record import case, uniform

SHAPES = [((), 1), ((3,), 5), ((2, 2), 4), ((2,), 19)]


def lstm_gates(x):
    i, f, g, o = x.chunk(4, -1)
    return torch.cat([i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()], -1)


def lstm_memory(gates, c):
    i, f, g, _ = gates.chunk(4, -1)
    return f * c + i * g


def lstm_output(gates, c):
    return gates.chunk(4, -1)[3] * c.tanh()


def gru_gates(x, h, bias):
    (xr, xz, xn), (hr, hz, hn) = x.chunk(3, -1), h.chunk(3, -1)
    r = (xr + hr).sigmoid()
    return torch.cat([r, (xz + hz).sigmoid(), (xn + r * (hn + bias)).tanh()], -1)


def gru_output(gates, h):
    _, z, n = gates.chunk(3, -1)
    return (1 - z) * n + z * h


def lstm():
    for lead, n in SHAPES:
        label = f"{list(lead)} of {n}"
        gates, c = uniform(-4, 4, *lead, 4 * n), uniform(-4, 4, *lead, n)
        yield case(label, "lstmGates", lstm_gates, {"x": gates})
        active = lstm_gates(gates)
        yield case(label, "lstmCellState", lstm_memory, {"gates": active, "c": c})
        yield case(label, "lstmOutput", lstm_output, {"gates": active, "c": c})
    far = torch.tensor([[-1000.0, 40, -40, 0, 1000, 1000, -700, 30]])
    yield case("far", "lstmGates", lstm_gates, {"x": far})
    shut = torch.tensor([[0.5, 1, 1, 0, -1, 1, 0, 1]])
    memory = torch.tensor([[30.0, -30.0]])
    yield case("shut and open", "lstmCellState", lstm_memory, {"gates": shut, "c": memory})
    yield case("shut and open", "lstmOutput", lstm_output, {"gates": shut, "c": memory})


def gru():
    for lead, n in SHAPES:
        label = f"{list(lead)} of {n}"
        x, h = uniform(-4, 4, *lead, 3 * n), uniform(-4, 4, *lead, 3 * n)
        bias = uniform(-1, 1, n)
        yield case(label, "gruGates", gru_gates, {"x": x, "h": h, "bias": bias})
        state = uniform(-4, 4, *lead, n)
        yield case(label, "gruOutput", gru_output, {"gates": gru_gates(x, h, bias), "h": state})
    x, h = torch.tensor([[-1000.0, 1000, 40]]), torch.tensor([[3.0, -2, 1000]])
    yield case("far", "gruGates", gru_gates, {"x": x, "h": h, "bias": torch.tensor([1.0])})


def layer_norm():
    for shape, epsilon in [((2, 3, 5), 1e-5), ((4, 6), 0.1), ((37,), 1e-5), ((2, 1), 1e-3), ((3, 2), 1e-12)]:
        n = shape[-1]
        inputs = {"x": uniform(-3, 3, *shape), "gain": uniform(-2, 2, n), "bias": uniform(-2, 2, n)}
        f = lambda x, gain, bias: F.layer_norm(x, (n,), gain, bias, epsilon)
        yield case(f"{list(shape)}, {epsilon}", "layerNormalize", f, inputs, ["$x", "$gain", "$bias", epsilon])
    inputs = {"x": 1e3 + uniform(-1, 1, 2, 3), "gain": uniform(-2, 2, 3), "bias": uniform(-2, 2, 3)}
    f = lambda x, gain, bias: F.layer_norm(x, (3,), gain, bias)
    yield case("far from 0", "layerNormalize", f, inputs)


def cases():
    return [*lstm(), *gru(), *layer_norm()]
