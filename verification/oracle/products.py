"""Matrix products, broadcast and transposed, and einsum."""

import torch

from record import case, uniform

SHAPES = [
    ((2, 3), (3, 4)),
    ((1, 1), (1, 1)),
    ((5, 9), (9, 11)),
    ((1, 8), (8, 5)),
    ((2, 2, 3), (3, 2)),
    ((2, 3), (4, 3, 2)),
    ((3, 2, 4), (3, 4, 2)),
    ((2, 1, 2, 3), (3, 3, 2)),
    ((2, 1, 2, 3), (1, 3, 3, 2)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((3,), (3,)),
    ((4, 2, 3), (3,)),
    ((3,), (4, 3, 2)),
]
TRANSPOSED = [((2, 3), (3, 4)), ((3, 2, 4), (3, 4, 2)), ((3, 2, 4), (4, 2)), ((2, 1, 3, 4), (5, 4, 2))]
EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,kj->ki", (2, 3), (4, 3)),
    ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    ("bij,jk->bk", (2, 2, 3), (3, 2)),
    ("i,j->ij", (3,), (2,)),
    ("i,i", (3,), (3,)),
    ("ij,ij->j", (2, 3), (2, 3)),
    ("ijk->ki", (2, 3, 2)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
    ("tbi,ij,tbj->b", (3, 2, 2), (2, 3), (3, 2, 3)),
]


def draw(shapes):
    return {name: uniform(-2, 2, *shape) for name, shape in zip("abc", shapes)}


def swapped(x, transpose):
    return x.transpose(-1, -2).contiguous() if transpose else x


def cases():
    for shapes in SHAPES:
        yield case(" and ".join(str(list(s)) for s in shapes), "matmul", torch.matmul, draw(shapes))
    for shapes in TRANSPOSED:
        for a, b in [(True, False), (False, True), (True, True)]:
            inputs = draw(shapes)
            stored = {"a": swapped(inputs["a"], a), "b": swapped(inputs["b"], b)}
            yield case(
                f"{list(shapes[0])} and {list(shapes[1])}, transposed {a}, {b}",
                "matmul",
                lambda x, y: swapped(x, a) @ swapped(y, b),
                stored,
                ["$a", "$b", {"transposeA": a, "transposeB": b}],
            )
    x = draw([(5,), (5,)])
    yield case("[5]", "dot", torch.dot, x)
    yield case("[5] and [3]", "outer", torch.outer, draw([(5,), (3,)]))
    for equation, *shapes in EQUATIONS:
        inputs = draw(shapes)
        args = [equation, *[f"${name}" for name in inputs]]
        yield case(equation, "einsum", lambda *xs: torch.einsum(equation, *xs), inputs, args)
