"""A training step in PyTorch: `built-in` with nn.LSTM or nn.GRU, `custom` with the cell in a Python
loop. For minibatches also `script` and `compiled`, that loop by TorchScript and torch.compile, and
`padded`, nn.LSTM over rows that are not packed."""

import sys

import torch
from minibatch_torch import Classifier, minibatches
from serve import THREADS, read_problem, serve
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(THREADS)
WAY = sys.argv[1]
CUSTOM = WAY == "custom"


class BuiltIn(nn.Module):
    """nn.LSTM or nn.GRU. It has two biases. The second stays 0, except for the candidate of the
    GRU."""

    def __init__(self, model, weights):
        super().__init__()
        H = weights["U"].shape[0]
        self.cell = (nn.GRU if model == "gru" else nn.LSTM)(H, H)
        with torch.no_grad():
            self.cell.weight_ih_l0.copy_(weights["W"].T)
            self.cell.weight_hh_l0.copy_(weights["U"].T)
            self.cell.bias_ih_l0.copy_(weights["b"])
            self.cell.bias_hh_l0.zero_()
            if model == "gru":
                self.cell.bias_hh_l0[2 * H :] = weights["bn"]
        if model == "gru":
            mask = torch.cat([torch.zeros(2 * H), torch.ones(H)])
            self.cell.bias_hh_l0.register_hook(lambda g: g * mask)
        else:
            self.cell.bias_hh_l0.requires_grad_(False)

    def forward(self, x):
        return self.cell(x)[0]


class Custom(nn.Module):
    """The cell's equations, step by step."""

    def __init__(self, model, weights):
        super().__init__()
        names = ("W", "U", "b", "bn") if model == "gru" else ("W", "U", "b")
        self.weights = nn.ParameterList(nn.Parameter(weights[name]) for name in names)
        self.step = self.gru if model == "gru" else self.lstm

    def lstm(self, W, U, b, x, h, c):
        i, f, g, o = (x @ W + h @ U + b).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def gru(self, W, U, b, bn, x, h):
        xr, xz, xn = (x @ W + b).chunk(3, 1)
        hr, hz, hn = (h @ U).chunk(3, 1)
        r = torch.sigmoid(xr + hr)
        z = torch.sigmoid(xz + hz)
        n = torch.tanh(xn + r * (hn + bn))
        return (n + z * (h - n),)

    def forward(self, x):
        weights = list(self.weights)
        zeros = x.new_zeros(x.shape[1:])
        state = [zeros] if self.step == self.gru else [zeros, zeros]
        outputs = []
        for x_t in x:
            state = self.step(*weights, x_t, *state)
            outputs.append(state[0])
        return torch.stack(outputs)


class Model(nn.Module):
    def __init__(self, model, weights):
        super().__init__()
        self.table = nn.Parameter(weights["table"])
        self.cell = (Custom if CUSTOM else BuiltIn)(model, weights)
        self.headW = nn.Parameter(weights["headW"])
        self.headb = nn.Parameter(weights["headb"])

    def forward(self, inputs, targets):
        h = self.cell(F.embedding(inputs, self.table))
        logits = h.flatten(0, 1) @ self.headW + self.headb
        return F.cross_entropy(logits, targets.flatten())


def adam(parameters, **options):
    """The fused optimizer where this PyTorch has it for CPUs."""
    try:
        return torch.optim.Adam(parameters, **options, fused=True)
    except (RuntimeError, TypeError):
        return torch.optim.Adam(parameters, **options)


def train(request):
    arrays = read_problem(request["problem"])
    inputs = torch.from_numpy(arrays.pop("inputs")).long()
    targets = torch.from_numpy(arrays.pop("targets")).long()
    rate, clip_norm, epsilon = arrays.pop("settings").tolist()
    weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
    model = Model(request["config"]["model"], weights)
    return training(model, list(zip(inputs, targets)), (rate, clip_norm, epsilon))


def minibatch(request):
    arrays = read_problem(request["problem"])
    settings = arrays.pop("settings").tolist()
    batches = minibatches(arrays, WAY)
    weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return training(Classifier(WAY, request["config"], weights), batches, settings)


def training(model, batches, settings):
    """Steps that take the batches in turn."""
    rate, clip_norm, epsilon = settings
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = adam(parameters, lr=rate, eps=epsilon)
    count = 0

    def step():
        nonlocal count
        batch = batches[count % len(batches)]
        count += 1
        optimizer.zero_grad()
        loss = model(*batch)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters, clip_norm)
        optimizer.step()
        return None, loss.item(), norm.item()

    return step


version = torch.__version__
serve({"pytorch": version}, f"{torch.get_num_threads()} threads", {"train": train, "minibatch": minibatch})
