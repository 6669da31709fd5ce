"""Cells that are linear in their state, over time, with PyTorch's complex numbers."""

import torch

from record import case, uniform

I, H, B, T = 2, 3, 2, 6
SIZES = {"input": I, "hidden": H}


def halves(x):
    """A complex tensor from real parts and, behind them, imaginary parts."""
    return torch.complex(*x.chunk(2, -1))


def joined(z):
    return torch.cat([z.real, z.imag], -1)


def gated(name, gates, coefficients):
    inputs = {
        "x": uniform(-2, 2, T, B, I),
        "W": uniform(-0.8, 0.8, I, gates * H),
        "b": uniform(-0.8, 0.8, gates * H),
        "h": uniform(-1, 1, B, H),
    }

    def f(x, W, b, h):
        outputs = []
        for each in x:
            forget, take, n = coefficients(*(each @ W + b).chunk(gates, -1))
            h = forget * h + take * n
            outputs.append(h)
        return {"outputs": torch.stack(outputs), "h": h}

    return case(f"T {T}, B {B}", name, f, inputs, [SIZES])


def min_lstm(i, f, g):
    i, f = torch.sigmoid(i), torch.sigmoid(f)
    return f / (f + i), i / (f + i), g


def unit():
    inputs = {
        "x": uniform(-2, 2, T, B, I),
        "eigenvalues": torch.stack([uniform(-3, 0, H), uniform(-1, 1, H), uniform(-1, 0, H)]),
        "B": uniform(-0.8, 0.8, I, 2 * H),
        "C": uniform(-0.8, 0.8, 2 * H, I),
        "D": uniform(-1, 1, I),
        "h": uniform(-1, 1, B, 2 * H),
    }

    def f(x, eigenvalues, into, out, D, h):
        nu, theta, gamma = eigenvalues
        a = torch.exp(torch.complex(-torch.exp(nu), torch.exp(theta)))
        re, im = out[:H], out[H:]
        C = torch.complex(re, -im)
        z, outputs = halves(h), []
        for each in x:
            z = a * z + torch.exp(gamma) * (each.to(a.dtype) @ halves(into))
            outputs.append((z @ C).real + D * each)
        return {"outputs": torch.stack(outputs), "h": joined(z)}

    return case(f"T {T}, B {B}", "lru", f, inputs, [SIZES])


def cases():
    yield gated("minGru", 2, lambda z, n: (1 - torch.sigmoid(z), torch.sigmoid(z), n))
    yield gated("minLstm", 3, min_lstm)
    yield unit()
