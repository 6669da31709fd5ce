"""Training over 100 steps. Each step has its own sequence, a full backward pass, clipping and an
update."""

import torch

import model
from record import array, tree

STEPS, T, B = 100, 8, 3


def train(name, largest):
    params = model.parameters(4, 6)
    symbols = model.babble(STEPS * T, B)
    start = tree(params)
    options, optimizer = model.optimizer(name, params.values())
    losses, clipped = [], 0
    for step in range(STEPS):
        piece = symbols[step * T : (step + 1) * T + 1]
        logits, _ = model.forward(params, piece[:-1], model.zero_state(params, B))
        loss = model.losses(logits, piece[1:]).mean()
        gradients = torch.autograd.grad(loss, params.values())
        scaled = model.clip(gradients, largest)
        clipped += scaled[0] is not gradients[0]
        for x, g in zip(params.values(), scaled):
            x.grad = g
        optimizer.step()
        losses.append(loss.item())
    return {
        "label": f"{name}, clipped to {largest} in {clipped} of {STEPS} steps",
        "optimizer": name,
        "options": options,
        "maxNorm": largest,
        "clipped": clipped,
        "T": T,
        "symbols": array(symbols),
        "start": start,
        "losses": losses,
        "final": tree(params),
    }


def cases():
    yield train("adam", 0.25)
    yield train("sgd", 0.25)
