"""The model, data and budget of main.ts in PyTorch: one JSON line for each seed.

python peer.py --data ../../../shared/data --seeds 1 2 3
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--data", default="../shared/data")
parser.add_argument("--seeds", type=int, nargs="+", default=[1])
parser.add_argument("--epochs", type=int, default=50)
parser.add_argument("--hidden", type=int, default=200)
parser.add_argument("--dropout", type=float, default=0.3)
parser.add_argument("--size", type=int, default=8)
parser.add_argument("--rate", type=float, default=8e-3)
parser.add_argument("--transpose", type=float, default=0.4)
given = parser.parse_args()
torch.set_num_threads(1)

data = json.loads((Path(given.data) / "jsb-chorales-quarter.json").read_text())
keys, lowest = 88, 21


def padded(chorales, shifts):
    """Piano rolls [T + 1, B, 88] with a silent first step, and the mask of chords [T, B]."""
    steps = max(map(len, chorales))
    rolls = numpy.zeros((steps + 1, len(chorales), keys), numpy.float32)
    mask = numpy.zeros((steps, len(chorales)), numpy.float32)
    for row, (chorale, shift) in enumerate(zip(chorales, shifts)):
        for t, chord in enumerate(chorale):
            rolls[t + 1, row, [pitch - lowest + shift for pitch in chord]] = 1
        mask[: len(chorale), row] = 1
    return torch.from_numpy(rolls), torch.from_numpy(mask)


@torch.no_grad()
def initialise(cell, head):
    """Glorot for what reads inputs, orthogonal for what reads the state, forget gates open."""
    for read, keep in zip(cell.weight_ih_l0.chunk(4), cell.weight_hh_l0.chunk(4)):
        nn.init.xavier_uniform_(read)
        nn.init.orthogonal_(keep)
    nn.init.zeros_(cell.bias_ih_l0)
    nn.init.zeros_(cell.bias_hh_l0)
    cell.bias_ih_l0[cell.hidden_size : 2 * cell.hidden_size] = 1
    nn.init.xavier_uniform_(head.weight)
    nn.init.zeros_(head.bias)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(keys, given.hidden)
        self.drop = nn.Dropout(given.dropout)
        self.head = nn.Linear(given.hidden, keys)
        initialise(self.cell, self.head)

    def losses(self, chorales, shifts):
        rolls, mask = padded(chorales, shifts)
        logits = self.head(self.drop(self.cell(rolls[:-1])[0]))
        losses = nn.functional.binary_cross_entropy_with_logits(logits, rolls[1:], reduction="none")
        return losses.sum(-1) * mask


@torch.no_grad()
def evaluate(model, chorales):
    model.eval()
    ordered = sorted(chorales, key=len)
    total = 0.0
    for i in range(0, len(ordered), 20):
        batch = ordered[i : i + 20]
        total += model.losses(batch, [0] * len(batch))[1:].sum().item()
    model.train()
    return total / sum(len(chorale) - 1 for chorale in chorales)


for seed in given.seeds:
    began = time.perf_counter()
    torch.manual_seed(seed)
    random = numpy.random.default_rng(seed)
    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=given.rate)
    train = data["train"]
    steps = given.epochs * math.ceil(len(train) / given.size)
    cosine = lambda step: 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine)
    best = (math.inf, None)
    for epoch in range(given.epochs):
        order = sorted(random.permutation(len(train)), key=lambda i: len(train[i]))
        batches = [order[i : i + given.size] for i in range(0, len(order), given.size)]
        random.shuffle(batches := [list(batch) for batch in batches])
        for batch in batches:
            chorales = [train[i] for i in batch]
            moves = random.uniform(size=len(batch)) < given.transpose
            shifts = [random.integers(-5, 7) if move else 0 for move in moves]
            loss = model.losses(chorales, shifts).sum() / sum(map(len, chorales))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            schedule.step()
        nats = evaluate(model, data["valid"])
        if nats < best[0]:
            best = (nats, {name: x.clone() for name, x in model.state_dict().items()})
    model.load_state_dict(best[1])
    figure = evaluate(model, data["test"])
    seconds = time.perf_counter() - began
    what = "negative log-likelihood of a chord"
    print(json.dumps({"what": what, "seed": seed, "figure": figure, "seconds": seconds}), flush=True)
