"""Truncated back-propagation: losses of a stream with an update after every window."""

import torch

import model
from record import array, elements, tree


def chunks(name, largest, k, windows, B):
    """k1 = k2 = k: each chunk starts from the detached state of the chunk before."""
    params = model.parameters(4, 6)
    start = tree(params)
    symbols = model.babble(windows * k, B)
    options, optimizer = model.optimizer(name, params.values())
    state = model.zero_state(params, B)
    losses = []
    for i in range(windows):
        piece = symbols[i * k : (i + 1) * k + 1]
        logits, state = model.forward(params, piece[:-1], state)
        each = model.losses(logits, piece[1:])
        gradients = torch.autograd.grad(each.mean(), params.values())
        for x, g in zip(params.values(), model.clip(gradients, largest)):
            x.grad = g
        optimizer.step()
        state = tuple(s.detach() for s in state)
        losses.extend(each.sum(1).tolist())
    return {
        "label": f"chunks of {k}, {name}",
        "options": {"k1": k, "k2": k, "reduction": "mean"},
        "optimizer": [name, options],
        "maxNorm": largest,
        "symbols": array(symbols),
        "start": start,
        "losses": losses,
        "gradients": {},
        "final": tree(params),
    }


def counted(mode, s, before, e):
    """Which steps' losses (from 1) the gradient of window (s, e] is of, when those up to `before`
    were counted."""
    return {"new": range(before + 1, e + 1), "endpoint": [e], "window": range(s + 1, e + 1)}[mode]


def windows(T, B, k1, k2, stale, mode="new"):
    """
    Windows that overlap, from the definition: the state at s_j is a constant, and what a step
    computed it computed with the weights of its time (`carry`), or with today's, from the state
    stored at s_j (`recompute`).
    """
    params = model.parameters(2, 3)
    start = tree(params)
    symbols = model.babble(T, B)
    rate = 0.2
    ends = [min(j * k1, T) for j in range(1, -(-T // k1) + 1)]
    states = {0: model.zero_state(params, B)}
    generations = {}
    losses, gradients = [], {}
    today = params
    for j, e in enumerate(ends):
        before, s = (ends[j - 1] if j > 0 else 0), max(0, e - k2)
        for t in range(before + 1, e + 1):
            generations[t] = today
        used = {t: today if stale == "recompute" else generations[t] for t in range(s + 1, e + 1)}
        state, terms = states[s], {}
        for t, p in used.items():
            logits, state = model.forward(p, symbols[t - 1 : t], state)
            terms[t] = model.losses(logits, symbols[t : t + 1]).sum()
            states[t] = tuple(x.detach() for x in state)
        losses.extend(terms[t].item() for t in range(before + 1, e + 1))
        objective = sum(terms[t] for t in counted(mode, s, before, e))
        ages = list({id(p): p for p in used.values()}.values())
        found = torch.autograd.grad(objective, [x for p in ages for x in p.values()], allow_unused=True)
        total = {}
        for i, name in enumerate(params):
            parts = [g for g in found[i :: len(params)] if g is not None]
            total[name] = sum(parts)
        if j in (len(ends) // 2, len(ends) - 1):
            gradients[j] = {name: elements(g) for name, g in total.items()}
        today = {name: (x.detach() - rate * total[name]).requires_grad_() for name, x in today.items()}
    return {
        "label": f"{stale}, k1 {k1}, k2 {k2}, {mode}",
        "options": {"k1": k1, "k2": k2, "stale": stale, "losses": mode},
        "optimizer": ["sgd", {"learningRate": rate}],
        "symbols": array(symbols),
        "start": start,
        "losses": losses,
        "gradients": gradients,
        "final": tree(today),
    }


def cases():
    yield chunks("adam", 0.25, 5, 40, 2)
    yield chunks("sgd", 0.25, 4, 25, 3)
    # The last window is short: it ends at T and reaches back k2 like all others.
    for stale in ["carry", "recompute"]:
        yield windows(31, 2, 2, 5, stale)
        yield windows(20, 2, 1, 4, stale)
        yield windows(22, 2, 4, 4, stale)
        yield windows(23, 2, 3, 7, stale, "window")
        yield windows(23, 2, 3, 7, stale, "endpoint")
