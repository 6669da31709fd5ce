"""A training step in PyTorch: `built-in` with nn.LSTM or nn.GRU, `custom` with the cell in a Python
loop. For minibatches also `script` and `compiled`, that loop by TorchScript and torch.compile, and
`padded`, nn.LSTM over rows that are not packed."""

import sys
import time

import torch
from minibatch_torch import Classifier, minibatches
from serve import CHECKED_STEPS, THREADS, read_problem, serve
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
        I, H = weights["W"].shape[0], weights["U"].shape[0]
        self.cell = (nn.GRU if model == "gru" else nn.LSTM)(I, H)
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

    def forward(self, x, state):
        return self.cell(x, state)


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

    def forward(self, x, state):
        weights = list(self.weights)
        if state is None:
            zeros = x.new_zeros(x.shape[1], weights[1].shape[0])
            state = [zeros] if self.step == self.gru else [zeros, zeros]
        outputs = []
        for x_t in x:
            state = self.step(*weights, x_t, *state)
            outputs.append(state[0])
        return torch.stack(outputs), state


class Model(nn.Module):
    def __init__(self, model, weights):
        super().__init__()
        self.table = nn.Parameter(weights["table"])
        self.cell = (Custom if CUSTOM else BuiltIn)(model, weights)
        self.headW = nn.Parameter(weights["headW"])
        self.headb = nn.Parameter(weights["headb"])

    def forward(self, inputs, targets, state=None):
        """The loss, and the state after the last step, which goes on as a constant."""
        h, state = self.cell(F.embedding(inputs, self.table), state)
        logits = torch.addmm(self.headb, h.flatten(0, 1), self.headW)
        state = state.detach() if torch.is_tensor(state) else [s.detach() for s in state]
        return F.cross_entropy(logits, targets.flatten()), state


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


def start(request):
    """The loop of `npm start`; a step is several windows, and its time is that of one."""
    arrays = read_problem(request["problem"])
    B, T, windows = (request["config"][name] for name in ("B", "T", "windows"))
    rate, clip_norm, warmup = arrays.pop("settings").tolist()
    codes = torch.from_numpy(arrays.pop("codes")).long()
    weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
    model = Model(request["config"]["model"], weights)
    each = (len(codes) - 1) // B
    # Row r reads from place r on; a batch is a view of the text.
    inputs, targets = (codes[i : i + B * each].view(B, each).T for i in (0, 1))
    batches = [(inputs[t : t + T], targets[t : t + T]) for t in range(0, each - T + 1, T)]
    schedule = lambda count: rate * min(1, (count + 1) / warmup)
    window = training(model, batches, (rate, clip_norm, 1e-8), schedule)
    steps = 0

    def step():
        nonlocal steps
        count = 1 if steps < CHECKED_STEPS else windows
        steps += 1
        begun = time.perf_counter()
        traces = [window() for _ in range(count)]
        return 1000 * (time.perf_counter() - begun) / count, *traces[0][1:]

    return step


def training(model, batches, settings, schedule=None):
    """Steps that take the batches in turn, and hand their state on where they have one."""
    rate, clip_norm, epsilon = settings
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = adam(parameters, lr=rate, eps=epsilon)
    count, carried = 0, ()

    def step():
        nonlocal count, carried
        batch = batches[count % len(batches)]
        if schedule:
            optimizer.param_groups[0]["lr"] = schedule(count)
        count += 1
        optimizer.zero_grad()
        loss, *carried = model(*batch, *carried)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters, clip_norm)
        optimizer.step()
        return None, loss.item(), norm.item()

    return step


version = torch.__version__
makers = {"train": train, "minibatch": minibatch, "start": start}
serve({"pytorch": version}, f"{torch.get_num_threads()} threads", makers)
