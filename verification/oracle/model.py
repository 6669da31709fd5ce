"""A small model of symbols for the trajectories: embedding, LSTM, linear head, cross-entropy."""

import torch
import torch.nn.functional as F

from record import normal, uniform
from recurrent import prefixed, run, weights

SYMBOLS = 5


def parameters(E, H):
    drawn = {
        "embedding.table": normal(SYMBOLS, E),
        **prefixed("lstm.", weights("LSTM", E, H)),
        "head.W": uniform(-0.5, 0.5, H, SYMBOLS),
        "head.b": torch.zeros(SYMBOLS),
    }
    return {name: x.requires_grad_() for name, x in drawn.items()}


def zero_state(params, batch):
    hidden = params["lstm.U"].shape[0]
    return torch.zeros(batch, hidden), torch.zeros(batch, hidden)


def forward(p, symbols, state):
    """Logits [T, B, S] and the last state, from symbols [T, B]."""
    lstm = {name: p[f"lstm.{name}"] for name in "WUb"}
    x = p["embedding.table"][symbols]
    y, (h, c) = run("LSTM", [lstm], x, tuple(s.unsqueeze(0) for s in state))
    return y @ p["head.W"] + p["head.b"], (h[0], c[0])


def losses(logits, targets):
    """The loss of each symbol [T, B]."""
    return F.cross_entropy(logits.reshape(-1, SYMBOLS), targets.reshape(-1), reduction="none").reshape(targets.shape)


def clip(gradients, largest):
    """To a global norm; PyTorch's own function divides by norm + 1e-6, the library by the norm."""
    norm = torch.sqrt(sum((g * g).sum() for g in gradients))
    return [g * (largest / norm) for g in gradients] if norm > largest else list(gradients)


def optimizer(name, params):
    if name == "adam":
        return {"learningRate": 0.02}, torch.optim.Adam(params, lr=0.02)
    return {"learningRate": 0.3, "momentum": 0.9}, torch.optim.SGD(params, lr=0.3, momentum=0.9)


def babble(T, B):
    """Symbols that half depend on the one before, so that there is something to learn."""
    rows = [torch.randint(SYMBOLS, (B,))]
    for _ in range(T):
        noise = torch.randint(SYMBOLS, (B,))
        rows.append(torch.where(torch.rand(B) < 0.5, (2 * rows[-1] + 1) % SYMBOLS, noise))
    return torch.stack(rows)
