"""Cells over time: outputs, last states, and gradients by parameters, inputs and first states."""

import torch

from record import case, uniform
from recurrent import prefixed, run, under, weights

I, H, B, T = 2, 3, 2, 6
SIZES = {"input": I, "hidden": H}


def state(kind, batch=B):
    names = ["h", "c"] if kind == "LSTM" else ["h"]
    return {name: uniform(-1, 1, batch, H) for name in names}


def first(kind, named, parts=("",)):
    """The first states, stacked as PyTorch wants them."""
    h, *c = [torch.stack([named[f"{part}{s}"] for part in parts]) for s in (["h", "c"] if kind == "LSTM" else ["h"])]
    return (h, *c) if c else h


def last(kind, found, parts=("",)):
    stacked = zip("hc", found) if kind == "LSTM" else [("h", found)]
    return {f"{part}{name}": s[i] for name, s in stacked for i, part in enumerate(parts)}


def record(label, call, kind, parts, sizes, T=T, B=B, **options):
    """`parts` are the prefixes of layers and directions, in PyTorch's order, with the length of
    their inputs."""
    inputs = {"x": uniform(-2, 2, T, B, I)}
    for part, length in parts.items():
        inputs.update(prefixed(part, {**weights(kind, length, H), **state(kind, B)}))

    def f(*values):
        named = dict(zip(inputs, values))
        layers = [under(part, named) for part in parts]
        y, found = run(kind, layers, named["x"], first(kind, named, parts), **options)
        return {"outputs": y, **last(kind, found, parts)}

    return case(label, call, f, inputs, [sizes])


def reset_before(label, T, B):
    inputs = {"x": uniform(-2, 2, T, B, I), **weights("GRU", I, H), **state("GRU", B)}
    del inputs["bn"]

    def f(x, W, U, b, h):
        outputs = []
        for row in x:
            a = row @ W + b
            r = torch.sigmoid(a[:, :H] + h @ U[:, :H])
            z = torch.sigmoid(a[:, H : 2 * H] + h @ U[:, H : 2 * H])
            n = torch.tanh(a[:, 2 * H :] + (r * h) @ U[:, 2 * H :])
            h = (1 - z) * n + z * h
            outputs.append(h)
        return {"outputs": torch.stack(outputs), "h": h}

    return case(label, "gruResetBefore", f, inputs, [SIZES])


def cases():
    for t, b in [(7, 3), (1, 2), (12, 1)]:
        label = f"T {t}, B {b}"
        at = {"T": t, "B": b}
        yield record(label, "elman", "RNN", {"": I}, SIZES, nonlinearity="tanh", **at)
        relu = {**SIZES, "activation": "relu"}
        yield record(f"{label}, relu", "elman", "RNN", {"": I}, relu, nonlinearity="relu", **at)
        yield record(label, "lstm", "LSTM", {"": I}, SIZES, **at)
        yield record(label, "gru", "GRU", {"": I}, SIZES, **at)
        yield reset_before(label, t, b)
    for kind, cell in [("LSTM", "lstm"), ("GRU", "gru")]:
        two = {"lower.": I, "upper.": H}
        yield record("two layers", f"sequential {cell}", kind, two, SIZES, num_layers=2)
        ways = {"forward.": I, "backward.": I}
        yield record("one layer", f"bidirectional {cell}", kind, ways, SIZES, bidirectional=True)
        # The upper layer sees both directions of the lower one.
        both = {"lower.forward.": I, "lower.backward.": I, "upper.forward.": 2 * H, "upper.backward.": 2 * H}
        yield record("two layers", f"bidirectional {cell}", kind, both, SIZES, num_layers=2, bidirectional=True)
