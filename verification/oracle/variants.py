"""Variants of cells over time: nn.LSTM with a projection, and the others by their equations in
torch."""

import torch
from torch.nn.functional import layer_norm

from record import case, uniform

I, H, B, T = 2, 3, 2, 5
SIZES = {"input": I, "hidden": H}


def drawn(blocks, hidden=H, inputs=I):
    """W, U and b for so many gates."""
    return {
        "W": uniform(-0.8, 0.8, inputs, blocks * H),
        "U": uniform(-0.8, 0.8, hidden, blocks * H),
        "b": uniform(-0.5, 0.5, blocks * H),
    }


def state(*names):
    return {name: uniform(-1, 1, B, H) for name in names}


def over_time(name, step, parameters, first, sizes=SIZES):
    """`step(p, x, *state)` gives the output and the next states."""
    inputs = {"x": uniform(-2, 2, T, B, I), **parameters, **first}

    def f(*values):
        p = dict(zip(inputs, values))
        now = [p[name] for name in first]
        outputs = []
        for x in p["x"]:
            y, *now = step(p, x, *now)
            outputs.append(y)
        return {"outputs": torch.stack(outputs), **dict(zip(first, now))}

    return case(f"T {T}, B {B}", name, f, inputs, [sizes])


def peephole(p, x, h, c):
    i, f, g, o = (x @ p["W"] + h @ p["U"] + p["b"]).chunk(4, -1)
    i = torch.sigmoid(i + p["pi"] * c)
    f = torch.sigmoid(f + p["pf"] * c)
    c = f * c + i * torch.tanh(g)
    h = torch.sigmoid(o + p["po"] * c) * torch.tanh(c)
    return h, h, c


def coupled(p, x, h, c):
    f, g, o = (x @ p["W"] + h @ p["U"] + p["b"]).chunk(3, -1)
    f = torch.sigmoid(f)
    c = f * c + (1 - f) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
    return h, h, c


def normalised(p, x, h, c):
    def norm(z, which):
        return layer_norm(z, z.shape[-1:], p[f"{which}.gain"], p[f"{which}.bias"])

    i, f, g, o = (norm(x @ p["W"], "normX") + norm(h @ p["U"], "normH")).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(norm(c, "normC"))
    return h, h, c


def minimal(p, x, h):
    Wf, Wn = p["W"].chunk(2, -1)
    Uf, Un = p["U"].chunk(2, -1)
    bf, bn = p["b"].chunk(2, -1)
    f = torch.sigmoid(x @ Wf + h @ Uf + bf)
    n = torch.tanh(x @ Wn + (f * h) @ Un + bn)
    h = (1 - f) * h + f * n
    return h, h


def rectified(p, x, h):
    h = torch.relu(x @ p["W"] + h @ p["U"] + p["b"])
    return h, h


def projected():
    """nn.LSTM with proj_size."""
    P = 2
    inputs = {
        "x": uniform(-2, 2, T, B, I),
        **drawn(4, P),
        "Whr": uniform(-0.8, 0.8, H, P),
        "h": uniform(-1, 1, B, P),
        "c": uniform(-1, 1, B, H),
    }

    def f(x, W, U, b, Whr, h, c):
        module = torch.nn.LSTM(I, H, proj_size=P)
        module._flat_weights = [W.T, U.T, b, torch.zeros_like(b), Whr.T]
        y, (h, c) = module(x, (h[None], c[None]))
        return {"outputs": y, "h": h[0], "c": c[0]}

    return case(f"T {T}, B {B}", "lstmProjected", f, inputs, [{**SIZES, "projection": P}])


def attention(label, mask):
    """Rows attend over S positions; `mask` says which there are."""
    S, D = 4, 2
    inputs = {
        "x": uniform(-2, 2, T, B, I),
        "values": uniform(-1, 1, B, S, D),
        "mask": torch.tensor(mask),
        **drawn(4, inputs=I + H),
        "Wa": uniform(-0.8, 0.8, H, D),
        "Wc": uniform(-0.8, 0.8, D + H, H),
        **state("h", "c", "attention"),
    }

    def f(x, values, mask, W, U, b, Wa, Wc, h, c, a):
        outputs, weights = [], []
        for each in x:
            i, f, g, o = (torch.cat([each, a], -1) @ W + h @ U + b).chunk(4, -1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            scores = torch.einsum("bsd,bd->bs", values, h @ Wa)
            w = torch.softmax(scores.masked_fill(mask == 0, -torch.inf), -1)
            read = torch.einsum("bs,bsd->bd", w, values)
            a = torch.tanh(torch.cat([read, h], -1) @ Wc)
            outputs.append(a)
            weights.append(w)
        y = {"output": torch.stack(outputs), "weights": torch.stack(weights)}
        return {**y, "h": h, "c": c, "attention": a}

    return case(label, "attentionCell", f, inputs, [{**SIZES, "context": D}])


def cases():
    yield projected()
    vectors = {name: uniform(-0.8, 0.8, H) for name in ["pi", "pf", "po"]}
    yield over_time("lstmPeephole", peephole, {**drawn(4), **vectors}, state("h", "c"))
    yield over_time("lstmCoupled", coupled, drawn(3), state("h", "c"))
    matrices = drawn(4)
    del matrices["b"]
    norms = {
        f"{name}.{part}": uniform(low, high, columns)
        for name, columns in [("normX", 4 * H), ("normH", 4 * H), ("normC", H)]
        for part, low, high in [("gain", 0.5, 1.5), ("bias", -0.5, 0.5)]
    }
    yield over_time("lstmLayerNorm", normalised, {**matrices, **norms}, state("h", "c"))
    yield over_time("mgu", minimal, drawn(2), state("h"))
    yield over_time("irnn", rectified, drawn(1), state("h"))
    yield attention("all positions", [[1, 1, 1, 1], [1, 1, 1, 1]])
    yield attention("ragged", [[1, 1, 1, 0], [1, 0, 0, 0]])
