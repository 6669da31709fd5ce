"""A model of two symbols, and the sequence that it learns to continue."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(2, 4)
        self.lstm = nn.LSTM(4, 8, num_layers=2)
        self.head = nn.Linear(8, 2)

    def forward(self, symbols):
        h, _ = self.lstm(self.embedding(symbols))
        return self.head(h)


# One row of 60 steps: [T, B].
symbols = torch.tensor([0, 0, 1, 0, 1, 1] * 10 + [0]).unsqueeze(1)


def loss_of(model):
    y = model(symbols[:-1])
    return nn.functional.cross_entropy(y.flatten(0, 1), symbols[1:].flatten())


def train(model, updates):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(updates):
        optimizer.zero_grad()
        loss_of(model).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
