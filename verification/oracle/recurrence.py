"""The scan over time, one step after the other."""

import torch

from linear import halves, joined
from record import case, uniform


def scan(a, b, h, reverse):
    steps = range(len(a) - 1, -1, -1) if reverse else range(len(a))
    found = {}
    for t in steps:
        h = found[t] = a[t] * h + b[t]
    return torch.stack([found[t] for t in range(len(a))])


def cases():
    for shape in [(5,), (6, 3), (1, 2, 2), (7, 2, 10)]:
        for reverse in [False, True]:
            for complex in [False, True]:
                if complex and shape[-1] % 2 == 1 or complex and len(shape) == 1:
                    continue
                inputs = {
                    "a": uniform(-1.2, 1.2, *shape),
                    "b": uniform(-2, 2, *shape),
                    "initial": uniform(-2, 2, *shape[1:]),
                }
                options = {"reverse": reverse, "complex": complex}
                f = (
                    (lambda a, b, h: joined(scan(halves(a), halves(b), halves(h), reverse)))
                    if complex
                    else (lambda a, b, h: scan(a, b, h, reverse))
                )
                label = f"{list(shape)}{', complex' if complex else ''}{', reversed' if reverse else ''}"
                yield case(label, "linearRecurrence", f, inputs, ["$a", "$b", "$initial", options])
