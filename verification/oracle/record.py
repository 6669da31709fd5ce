"""How a case is written down: inputs, outputs, a random cotangent for each output, gradients by
each float input."""

import json
import math
import pathlib

import torch

# Before any family makes a tensor.
torch.set_default_dtype(torch.float64)


def number(x):
    """A number as JSON: infinities and NaN are strings."""
    if isinstance(x, float) and not math.isfinite(x):
        return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
    return x


def elements(x):
    return [number(v) for v in x.detach().reshape(-1).tolist()]


def array(x):
    return {"shape": list(x.shape), "values": elements(x)}


def tree(named):
    return {name: array(x) for name, x in named.items()}


def short(x):
    """Rounded to thousandths, so that the files are short; the numbers still fill a mantissa."""
    return torch.round(x * 1000) / 1000


def uniform(low, high, *shape):
    return short(low + (high - low) * torch.rand(shape))


def normal(*shape):
    return short(torch.randn(shape))


def case(label, call, f, inputs, args=None, relative=False):
    """
    What `f` gives for `inputs`, named tensors of which the whole-numbered are indices.

    `call` and `args` say how the library is called: "$x" stands for the input of that name; without
    `args` it gets the inputs in turn. With `relative`, errors are measured by each number's own
    size, however small.
    """
    leaves = {name: x.detach().clone().requires_grad_(x.is_floating_point()) for name, x in inputs.items()}
    result = f(*leaves.values())
    if isinstance(result, torch.Tensor):
        result = {"y": result}
    elif not isinstance(result, dict):
        result = {f"y{i}": y for i, y in enumerate(result)}
    varying = {name: y for name, y in result.items() if y.requires_grad}
    cotangents = {name: normal(*y.shape) for name, y in varying.items()}
    written = {"label": label, "call": call}
    if args is not None:
        written["args"] = args
    if relative:
        written["relative"] = True
    written["inputs"] = tree(leaves)
    written["outputs"] = tree(result)
    for name, g in cotangents.items():
        written["outputs"][name]["cotangent"] = elements(g)
    floats = {name: x for name, x in leaves.items() if x.requires_grad}
    if varying:
        found = torch.autograd.grad(
            list(varying.values()), list(floats.values()), list(cotangents.values()), allow_unused=True
        )
        for (name, x), g in zip(floats.items(), found):
            written["inputs"][name]["gradient"] = elements(torch.zeros_like(x) if g is None else g)
    for name, x in leaves.items():
        if not x.is_floating_point():
            written["inputs"][name]["integers"] = True
    return written


def write(family, cases):
    path = pathlib.Path(__file__).parent / "fixtures" / f"{family}.json"
    path.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(each, separators=(",", ":"), allow_nan=False) for each in cases)
    path.write_text(f'{{"torch":"{torch.__version__}","cases":[\n{lines}\n]}}\n')
