"""python resume.py FILE: reads a model that was trained elsewhere, and trains it further."""

import sys

from safetensors.torch import load_file

from model import Model, loss_of, train

model = Model()
model.load_state_dict(load_file(sys.argv[1]), strict=True)
print(loss_of(model).item())
train(model, 20)
print(loss_of(model).item())
