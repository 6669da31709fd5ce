"""Softmax and related functions, and losses in every reduction."""

import torch
import torch.nn.functional as F

from record import case, uniform

FAR = torch.tensor([[1000.0, 1000, 999], [-1000, -1001, -3000], [30, -100, 0], [700, -700, 0]])
EXTREME = torch.tensor([-1000.0, -100.0, -30.0, 0.0, 30.0, 100.0, 1000.0])


def normalizations():
    for name, f in [("softmax", F.softmax), ("logSoftmax", F.log_softmax)]:
        for shape, axis in [((5,), -1), ((2, 3, 4), -1), ((2, 3, 4), 1), ((2, 3, 4), 0), ((2, 19), 1), ((2, 1), 1)]:
            x = uniform(-4, 4, *shape)
            yield case(f"{list(shape)} along {axis}", name, lambda x: f(x, axis), {"x": x}, ["$x", axis])
        yield case("far", name, lambda x: f(x, -1), {"x": FAR})


def rows(x, t, **options):
    """Cross-entropy over the last axis; PyTorch wants the classes second."""
    losses = F.cross_entropy(x.reshape(-1, x.shape[-1]), t.reshape(-1), **options)
    return losses.reshape(t.shape) if options["reduction"] == "none" else losses


def cross_entropies():
    t = torch.tensor([0, 2, 1, 2])
    for label, x, targets, ignore in [
        ("[4,3]", uniform(-4, 4, 4, 3), t, -100),
        ("[4,3], some ignored", uniform(-4, 4, 4, 3), torch.tensor([0, -100, -100, 2]), -100),
        ("[4,3], class 2 ignored", uniform(-4, 4, 4, 3), t, 2),
        ("[2,3,5]", uniform(-4, 4, 2, 3, 5), torch.tensor([[0, 4, 1], [2, 2, 3]]), -100),
        ("[2,19]", uniform(-4, 4, 2, 19), torch.tensor([18, 0]), -100),
        ("far", FAR, torch.tensor([2, 0, 1, 0]), -100),
    ]:
        inputs = {"x": x, "t": targets}
        for reduction in ["none", "sum", "mean"]:
            f = lambda x, t: rows(x, t, ignore_index=ignore, reduction=reduction)
            options = {"reduction": reduction, "ignoreIndex": ignore}
            yield case(f"{label}, {reduction}", "crossEntropy", f, inputs, ["$x", "$t", options])


def of_two(call, label, f, x, t, **options):
    for reduction in ["none", "sum", "mean"]:
        args = ["$x", "$t", {"reduction": reduction, **options}]
        yield case(f"{label}, {reduction}", call, lambda x, t: f(x, t, reduction=reduction), {"x": x, "t": t}, args)


def regressions():
    x, t = uniform(-4, 4, 2, 3), uniform(-4, 4, 2, 3)
    yield from of_two("meanSquaredError", "[2,3]", F.mse_loss, x, t)
    for delta in [1.0, 2.5]:
        f = lambda x, t, **options: F.huber_loss(x, t, delta=delta, **options)
        yield from of_two("huber", f"delta {delta}", f, x, t, delta=delta)
    # No error, an error of delta exactly, and a large one.
    kinks = torch.tensor([0.0, 1.0, -1.0, 100.0, -1e6])
    yield from of_two("huber", "kinks", F.huber_loss, kinks, torch.zeros(5))
    bce = F.binary_cross_entropy_with_logits
    yield from of_two("binaryCrossEntropyFromLogits", "[2,3]", bce, x, uniform(0, 1, 2, 3))
    soft = torch.tensor([0.0, 1.0, 0.3, 0.5, 0.9, 1.0, 0.25])
    yield from of_two("binaryCrossEntropyFromLogits", "far", bce, EXTREME, soft)


def gaussians():
    m, t, v = uniform(-3, 3, 2, 3), uniform(-3, 3, 2, 3), uniform(0.05, 2, 2, 3)
    tiny = v.clone()
    tiny[1, 2] = 1e-9
    for label, variance, written, options in [
        ("[2,3]", v, {}, {}),
        ("full", v, {"full": True}, {"full": True}),
        ("below epsilon", tiny, {"epsilon": 0.25}, {"eps": 0.25}),
        ("variance [2,1]", v[:, :1], {"full": True}, {"full": True}),
    ]:
        for reduction in ["none", "sum", "mean"]:
            yield case(
                f"{label}, {reduction}",
                "gaussianNegativeLogLikelihood",
                lambda m, v, t: F.gaussian_nll_loss(m, t, v, reduction=reduction, **options),
                {"m": m, "v": variance, "t": t},
                ["$m", "$v", "$t", {"reduction": reduction, **written}],
            )


def cases():
    return [*normalizations(), *cross_entropies(), *regressions(), *gaussians()]
