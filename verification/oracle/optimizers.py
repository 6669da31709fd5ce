"""Parameters over 50 updates, for every optimizer and option."""

import torch

from record import elements, normal, tree

STEPS = 50
KEPT = [1, 2, 3, 5, 10, 20, 30, 40, 50]

O = torch.optim
# Our name and options, PyTorch's.
VARIANTS = [
    ("sgd", {"learningRate": 0.1}, O.SGD, {"lr": 0.1}),
    ("sgd", {"learningRate": 0.1, "weightDecay": 0.05}, O.SGD, {"lr": 0.1, "weight_decay": 0.05}),
    ("sgd", {"learningRate": 0.1, "momentum": 0.9}, O.SGD, {"lr": 0.1, "momentum": 0.9}),
    (
        "sgd",
        {"learningRate": 0.02, "momentum": 0.8, "dampening": 0.3, "weightDecay": 0.1},
        O.SGD,
        {"lr": 0.02, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1},
    ),
    (
        "sgd",
        {"learningRate": 0.02, "momentum": 0.8, "nesterov": True, "weightDecay": 0.1},
        O.SGD,
        {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
    ),
    ("rmsprop", {}, O.RMSprop, {}),
    (
        "rmsprop",
        {"learningRate": 0.03, "smoothing": 0.9, "epsilon": 1e-3, "weightDecay": 0.1, "momentum": 0.7},
        O.RMSprop,
        {"lr": 0.03, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1, "momentum": 0.7},
    ),
    ("rmsprop", {"centered": True}, O.RMSprop, {"centered": True}),
    (
        "rmsprop",
        {"smoothing": 0.9, "momentum": 0.7, "weightDecay": 0.1, "centered": True},
        O.RMSprop,
        {"alpha": 0.9, "momentum": 0.7, "weight_decay": 0.1, "centered": True},
    ),
    ("adagrad", {}, O.Adagrad, {}),
    (
        "adagrad",
        {
            "learningRate": 0.1,
            "learningRateDecay": 0.2,
            "weightDecay": 0.1,
            "initialAccumulator": 0.5,
            "epsilon": 1e-2,
        },
        O.Adagrad,
        {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-2},
    ),
    *[
        variant
        for name, make, decay in [("adam", O.Adam, 0.1), ("adamW", O.AdamW, 0.3)]
        for variant in [
            (name, {}, make, {}),
            (
                name,
                {"learningRate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4, "weightDecay": decay},
                make,
                {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": decay},
            ),
            (name, {"amsgrad": True, "beta2": 0.5}, make, {"amsgrad": True, "betas": (0.9, 0.5)}),
        ]
    ],
]


def cases():
    start = {"W": normal(3, 2), "b": normal(2)}
    # Gradients of very different sizes, some 0; the last of every four is much larger than the
    # others.
    gradients = [
        {"W": normal(3, 2) * 10 ** (i % 4) / 100, "b": normal(2) * (i % 3)} for i in range(STEPS)
    ]
    yield {
        "call": "start",
        "params": tree(start),
        "gradients": [{name: elements(g) for name, g in each.items()} for each in gradients],
    }
    for name, options, make, theirs in VARIANTS:
        params = {key: x.clone().requires_grad_() for key, x in start.items()}
        optimizer = make(params.values(), **theirs)
        trace = {}
        for i, each in enumerate(gradients, 1):
            for key, g in each.items():
                params[key].grad = g.clone()
            optimizer.step()
            if i in KEPT:
                trace[i] = {key: elements(x) for key, x in params.items()}
        yield {"call": name, "options": options, "trace": trace}
