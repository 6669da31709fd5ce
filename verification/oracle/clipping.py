"""Gradients before and after clipping."""

import torch

from record import number, tree, uniform

SHAPES = {"W": (3, 2), "b": (2,), "s": ()}


def draw(scale):
    return {name: uniform(-scale, scale, *shape) for name, shape in SHAPES.items()}


def clip(label, call, args, before, f, params=None, epsilon=0.0):
    """
    `f` clips the `.grad` of parameters in place and may return the norm.

    PyTorch divides by norm + 1e-6 and the library by the norm (documented there): `epsilon` says
    what was added.
    """
    leaves = {name: torch.nn.Parameter(torch.zeros_like(g)) for name, g in before.items()}
    for name, x in leaves.items():
        x.grad = before[name].clone()
    norm = f(leaves)
    written = {"label": label, "call": call, "args": args, "before": tree(before)}
    if params is not None:
        written["params"] = tree(params)
    written["after"] = tree({name: x.grad for name, x in leaves.items()})
    written["norm"] = float(torch.cat([g.reshape(-1) for g in before.values()]).norm() if norm is None else norm)
    written["epsilon"] = epsilon
    return written


def by_norm(largest, order):
    return lambda leaves: torch.nn.utils.clip_grad_norm_(leaves.values(), largest, norm_type=order)


def each_by_norm(largest, order):
    def f(leaves):
        total = by_norm(float("inf"), order)(leaves)
        for x in leaves.values():
            # Undoes what is added to the norm, which differs from parameter to parameter.
            g, norm = x.grad.clone(), torch.linalg.vector_norm(x.grad, order)
            torch.nn.utils.clip_grad_norm_([x], largest, norm_type=order)
            x.grad *= (norm + 1e-6) / norm if norm > largest else 1
            assert norm > largest or torch.equal(x.grad, g)
        return total

    return f


def by_value(limit):
    return lambda leaves: torch.nn.utils.clip_grad_value_(leaves.values(), limit)


def adaptive(params, clipping, epsilon):
    """Brock et al. 2021, eq. 3: a unit is a column of [inputs, outputs]; a vector or scalar is one
    unit."""

    def f(leaves):
        for name, x in leaves.items():
            g, w = x.grad, params[name]
            axes = tuple(range(max(1, g.dim() - 1))) if g.dim() > 0 else ()
            size = lambda v: (v * v).sum(axes, keepdim=True).sqrt() if axes else v.abs()
            limit = clipping * torch.clamp(size(w), min=epsilon)
            x.grad = torch.where(size(g) > limit, g * limit / size(g), g)

    return f


def cases():
    for order in [1.0, 2.0, float("inf")]:
        written = {"order": number(order)}
        for scale, largest in [(1.0, 0.5), (1e3, 5.0), (1e-3, 5.0), (1.0, 1e6)]:
            label = f"order {order}, to {largest:g}"
            before = draw(scale)
            yield clip(label, "clipByGlobalNorm", [largest, written], before, by_norm(largest, order), epsilon=1e-6)
            yield clip(label, "clipPerParameter", [largest, written], before, each_by_norm(largest, order))
    for limit in [0.3, 1.0, 5.0]:
        yield clip(f"to {limit}", "clipByValue", [limit], draw(2.0), by_value(limit))
    for clipping, epsilon in [(0.01, 1e-3), (0.5, 1e-3), (0.1, 2.0), (100.0, 1e-3)]:
        params = draw(1.0)
        params["W"][:, 1] = 0
        options = {"clipping": clipping, "epsilon": epsilon}
        f = adaptive(params, clipping, epsilon)
        yield clip(f"ratio {clipping}, {epsilon}", "clipAdaptive", [options], draw(2.0), f, params)
