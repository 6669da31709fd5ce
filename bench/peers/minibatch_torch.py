"""Classifies sequences by the state after each row's last step, in PyTorch."""

from typing import List

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence


def minibatches(arrays, way):
    """Takes the batches out of the arrays: inputs, packed or with the lengths of rows where they
    have some, and classes."""
    inputs = torch.from_numpy(arrays.pop("inputs"))
    targets = torch.from_numpy(arrays.pop("targets")).long()
    if "lengths" in arrays:
        lengths = torch.from_numpy(arrays.pop("lengths")).long()
        pack = (lambda x, n: (x, n)) if way == "padded" else pack_padded_sequence
        inputs = [pack(x, n) for x, n in zip(inputs, lengths)]
    return list(zip(inputs, targets))


def cell(gates: Tensor, U: Tensor, h: Tensor, c: Tensor):
    i, f, g, o = torch.addmm(gates, h, U).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def loop(x: Tensor, rows: List[int], W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    """The last state of every row. Steps lie one after another in x; a step has as many rows as
    have not ended, the longest first. The input products of all steps are one product."""
    h = torch.zeros(rows[0], U.size(0))
    c = h
    ended: List[Tensor] = []
    for gates in torch.addmm(b, x, W).split(rows):
        n = gates.size(0)
        if n < h.size(0):
            ended.append(h[n:])
            h = h[:n]
            c = c[:n]
        h, c = cell(gates, U, h, c)
    ended.append(h)
    return torch.cat(ended[::-1])


def compiled_loop(T):
    """torch.compile repeats a loop in its program, which takes a second a step to compile: so a
    long loop calls a compiled step."""
    if T <= 32:
        return torch.compile(loop)
    step = torch.compile(cell)

    def run(x, rows, W, U, b):
        h = c = torch.zeros(rows[0], U.size(0))
        for gates in torch.addmm(b, x, W).split(rows):
            h, c = step(gates, U, h, c)
        return h

    return run


class Loop(nn.Module):
    def __init__(self, way, config, weights):
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(weights[name]) for name in ("W", "U", "b"))
        self.loop = loop
        if way == "script":
            self.loop = torch.jit.script(loop)
        if way == "compiled":
            self.loop = compiled_loop(config["T"])

    def forward(self, x):
        if isinstance(x, PackedSequence):
            return self.loop(x.data, x.batch_sizes.tolist(), *self.weights)
        return self.loop(x.flatten(0, 1), [x.size(1)] * x.size(0), *self.weights)


class BuiltIn(nn.Module):
    """nn.LSTM; of its two biases the second stays 0."""

    def __init__(self, weights):
        super().__init__()
        self.cell = nn.LSTM(weights["W"].shape[0], weights["U"].shape[0])
        with torch.no_grad():
            self.cell.weight_ih_l0.copy_(weights["W"].T)
            self.cell.weight_hh_l0.copy_(weights["U"].T)
            self.cell.bias_ih_l0.copy_(weights["b"])
            self.cell.bias_hh_l0.zero_()
        self.cell.bias_hh_l0.requires_grad_(False)

    def forward(self, x):
        if isinstance(x, tuple) and not isinstance(x, PackedSequence):
            padded, lengths = x
            return self.cell(padded)[0][lengths - 1, torch.arange(len(lengths))]
        return self.cell(x)[1][0][0]


class Classifier(nn.Module):
    def __init__(self, way, config, weights):
        super().__init__()
        built_in = way in ("built-in", "padded")
        self.last = BuiltIn(weights) if built_in else Loop(way, config, weights)
        self.headW = nn.Parameter(weights["headW"])
        self.headb = nn.Parameter(weights["headb"])

    def forward(self, x, targets):
        return [F.cross_entropy(torch.addmm(self.headb, self.last(x), self.headW), targets)]
