"""Modules by their state dicts: outputs, last states, and gradients by inputs, first states and
every parameter as PyTorch names it. Lengths go through `pack_padded_sequence`."""

import torch
from torch.func import functional_call
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from record import case, uniform

I, H, P, B, T = 2, 3, 2, 3, 4
LENGTHS = [2, 4, 1]
KINDS = [
    ("nn.RNN", {"nonlinearity": "tanh"}),
    ("nn.RNN", {"nonlinearity": "relu"}),
    ("nn.LSTM", {}),
    ("nn.LSTM", {"proj_size": P}),
    ("nn.GRU", {}),
]
SHAPES = [
    ("one layer", {}, LENGTHS),
    ("one layer, no bias", {"bias": False}, None),
    ("two layers", {"num_layers": 2}, LENGTHS),
    ("both directions", {"bidirectional": True}, LENGTHS),
    ("two layers, both directions", {"num_layers": 2, "bidirectional": True}, LENGTHS),
    ("two layers, both directions, no lengths", {"num_layers": 2, "bidirectional": True}, None),
]


def drawn(module):
    """The module's state dict with numbers that are short to write."""
    return {name: uniform(-0.8, 0.8, *x.shape) for name, x in module.state_dict().items()}


def states(kind, options):
    ways = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    first = {"h": uniform(-1, 1, ways, B, options.get("proj_size", H))}
    return {**first, "c": uniform(-1, 1, ways, B, H)} if kind == "nn.LSTM" else first


def over(module, dict_, x, state, lengths):
    """What a recurrent module gives; padding is 0, and the last states are those of each length."""
    if lengths is not None:
        x = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    y, last = functional_call(module, dict_, (x, state))
    if lengths is not None:
        y, _ = pad_packed_sequence(y, total_length=T)
    h, *c = last if isinstance(last, tuple) else (last,)
    return {"outputs": y, "h": h, **({"c": c[0]} if c else {})}


def recurrent(kind, options, label, lengths):
    module = getattr(torch.nn, kind[3:])(I, H, **options)
    first = states(kind, options)
    inputs = {"x": uniform(-2, 2, T, B, I), **first, **drawn(module)}

    def f(x, *values):
        named = dict(zip(list(inputs)[1:], values))
        state = tuple(named.pop(name) for name in first)
        return over(module, named, x, state if len(state) > 1 else state[0], lengths)

    return case(label, kind, f, inputs, [options, lengths])


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(7, I)
        self.lstm = torch.nn.LSTM(I, H, num_layers=2)
        self.norm = torch.nn.LayerNorm(H)
        self.head = torch.nn.Linear(H, 7)

    def forward(self, x):
        y, _ = self.lstm(self.embedding(x))
        return self.head(self.norm(y))


def model():
    module = Model()
    inputs = {"x": torch.randint(0, 7, (T, B)), **drawn(module)}
    f = lambda x, *values: {"outputs": functional_call(module, dict(zip(list(inputs)[1:], values)), (x,))}
    return case("embedding, lstm, norm, head", "nn.Module", f, inputs, [{}, None])


def cell(kind, **options):
    module = getattr(torch.nn, kind[3:])(I, H, **options)
    first = {"h": uniform(-1, 1, B, H), **({"c": uniform(-1, 1, B, H)} if "LSTM" in kind else {})}
    inputs = {"x": uniform(-2, 2, T, B, I), **first, **drawn(module)}

    def f(x, *values):
        named = dict(zip(list(inputs)[1:], values))
        state = tuple(named.pop(name) for name in first)
        outputs = []
        for row in x:
            state = functional_call(module, named, (row, state if len(state) > 1 else state[0]))
            state = state if isinstance(state, tuple) else (state,)
            outputs.append(state[0])
        return {"outputs": torch.stack(outputs), **dict(zip(first, state))}

    return case("a loop over a cell", kind, f, inputs, [options, None])


def cases():
    for kind, own in KINDS:
        for label, options, lengths in SHAPES:
            yield recurrent(kind, {**own, **options}, ", ".join([label, *map(str, own.values())]), lengths)
    yield cell("nn.RNNCell", nonlinearity="relu")
    yield cell("nn.LSTMCell")
    yield cell("nn.GRUCell")
    yield model()
