"""python train.py FILE: trains for a while, and writes the model."""

import sys

import torch
from safetensors.torch import save_file

from model import Model, loss_of, train

torch.manual_seed(1)
model = Model()
train(model, 20)
save_file(model.state_dict(), sys.argv[1], metadata={"loss": str(loss_of(model).item())})
