"""Writes fixtures/*.json: what PyTorch computes in float64, for the laws of this directory.

    python3 verification/oracle/pytorch.py [family ...]

Without a name it writes all families. Most of the committed data was made with PyTorch 1.13
(Debian's 1.13.1, which calls itself 1.13.0a0), the later families with 2.15; each file names the
version that made it. Every family draws from a seed of its own, so a new case changes no other
file.
"""

import sys

sys.dont_write_bytecode = True

import torch

import arrays
import cells
import clipping
import ctc
import elementwise
import fused
import layers
import linear
import losses
import modules
import movement
import optimizers
import products
import recurrence
import reductions
import trajectory
import truncated
import variants
import windows
from record import write

torch.set_num_threads(1)

FAMILIES = [
    elementwise,
    reductions,
    products,
    movement,
    arrays,
    losses,
    ctc,
    fused,
    layers,
    cells,
    modules,
    clipping,
    optimizers,
    trajectory,
    truncated,
    variants,
    windows,
    linear,
    recurrence,
]

for family in FAMILIES:
    if sys.argv[1:] and family.__name__ not in sys.argv[1:]:
        continue
    torch.manual_seed(sum(map(ord, family.__name__)))
    write(family.__name__, family.cases())
