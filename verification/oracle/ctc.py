"""Connectionist temporal classification: rows of several lengths, repeats, empty and impossible
targets."""

import torch
import torch.nn.functional as F

from record import case, uniform


def losses_of(label, x, targets, lengths=None, blank=0, zero=False):
    T, B, _ = x.shape
    steps = torch.tensor(lengths or [T] * B)
    flat = torch.tensor([k for target in targets for k in target], dtype=torch.long)
    sizes = torch.tensor([len(target) for target in targets])
    options = {"blank": blank, **({"lengths": lengths} if lengths else {}), **({"impossible": "zero"} if zero else {})}
    for reduction in ["none", "sum"]:
        f = lambda x: F.ctc_loss(
            F.log_softmax(x, -1), flat, steps, sizes, blank=blank, reduction=reduction, zero_infinity=zero
        )
        args = ["$x", targets, {"reduction": reduction, **options}]
        yield case(f"{label}, {reduction}", "ctcLoss", f, {"x": x}, args)


def cases():
    return [
        *losses_of("[6,2,4]", uniform(-3, 3, 6, 2, 4), [[1, 2, 3], [2, 2]]),
        *losses_of("lengths", uniform(-3, 3, 7, 3, 3), [[1], [1, 1, 2], [2, 1]], lengths=[2, 7, 5]),
        *losses_of("blank 2, an empty target", uniform(-3, 3, 5, 2, 3), [[], [0, 1, 1]], blank=2),
        *losses_of("as long as can be", uniform(-3, 3, 5, 2, 3), [[1, 1, 1], [1, 2, 1, 2, 1]]),
        *losses_of("impossible", uniform(-3, 3, 4, 3, 3), [[1, 1, 1], [1, 2], [2, 1, 2]], [4, 3, 2], zero=True),
        *losses_of("far", 300 * uniform(-3, 3, 6, 2, 4), [[1, 2], [3, 3, 1]]),
        *losses_of("long", uniform(-3, 3, 60, 2, 5), [[1, 2, 2, 4, 3, 1, 1, 2, 3, 4, 4, 1], [3] * 20], lengths=[44, 60]),
    ]
