"""The example in PyTorch: the same features, networks, split, optimizer and budget.

    OMP_NUM_THREADS=1 python3 examples/speech/peer.py [--seeds 1 2 3] [--data ../shared/data/fsdd]

Prints a line of JSON for each figure and seed; seconds are those of the processor. Needs torch and
numpy.
"""

import argparse
import json
import math
import pathlib
import time
import wave

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

RATE, BANDS, STACK, HIDDEN, BLANK = 8000, 26, 3, 64, 10


def read(folder):
    found = []
    for path in sorted(pathlib.Path(folder, "recordings").glob("*.wav")):
        digit, speaker, take = path.stem.split("_")
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 2**15
        found.append((int(digit), speaker, int(take), samples))
    return found


def mel_filters(bands, high, size):
    mel = lambda hertz: 2595 * math.log10(1 + hertz / 700)
    edges = 700 * (10 ** (np.linspace(0, mel(high), bands + 2) / 2595) - 1)
    hertz = np.arange(size // 2 + 1) * RATE / size
    rising = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling))


WINDOW = np.sin(np.pi * np.arange(200) / 200) ** 2
FILTERS = mel_filters(BANDS, RATE / 2, 256)


def steps_of(samples):
    if len(samples) < 200:
        samples = np.pad(samples, (0, 200 - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, 200)[::80]
    power = np.abs(np.fft.rfft(frames * WINDOW, 256)) ** 2
    x = np.log(np.maximum(power @ FILTERS.T, 1e-6))
    x = (x - x.mean()) / (x.std() + 1e-3)
    steps = max(1, len(x) // STACK)
    x = np.pad(x, ((0, max(0, steps * STACK - len(x))), (0, 0)))[: steps * STACK]
    return torch.tensor(x.reshape(steps, -1), dtype=torch.float32)


class Network(nn.Module):
    def __init__(self, output):
        super().__init__()
        self.encoder = nn.LSTM(BANDS * STACK, HIDDEN, 2, bidirectional=True, dropout=0.3)
        self.head = nn.Linear(2 * HIDDEN, output)
        # As the library's cells begin: Glorot, orthogonal, the forget gate open.
        for name, weight in self.encoder.named_parameters():
            for gate in range(4):
                part = weight.data[gate * HIDDEN : (gate + 1) * HIDDEN]
                if "weight_ih" in name:
                    nn.init.xavier_uniform_(part)
                elif "weight_hh" in name:
                    nn.init.orthogonal_(part)
                else:
                    part.fill_(1.0 if gate == 1 and "bias_ih" in name else 0.0)

    def forward(self, some):
        lengths = torch.tensor([len(steps) for steps, _ in some])
        packed = pack_padded_sequence(pad_sequence([steps for steps, _ in some]), lengths, enforce_sorted=False)
        return pad_packed_sequence(self.encoder(packed)[0])[0], lengths


def digit_scores(net, some):
    outputs, lengths = net(some)
    return net.head(outputs.sum(0) / lengths[:, None])


def digit_loss(net, some):
    return F.cross_entropy(digit_scores(net, some), torch.tensor([digits[0] for _, digits in some]))


def connected_loss(net, some):
    outputs, lengths = net(some)
    targets = torch.tensor([digit for _, digits in some for digit in digits])
    sizes = torch.tensor([len(digits) for _, digits in some])
    logs = F.log_softmax(net.head(outputs), -1)
    return F.ctc_loss(logs, targets, lengths, sizes, blank=BLANK, reduction="none").mean()


def train(net, examples, loss_of, epochs, size, peak, random):
    epoch = examples()
    steps = epochs * math.ceil(len(epoch) / size)
    optimizer = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, steps, cycle_momentum=False)
    net.train()
    for done in range(epochs):
        order = random.permutation(len(epoch))
        order = order[np.argsort([len(epoch[i][0]) for i in order], kind="stable")]
        batches = [[epoch[i] for i in order[at : at + size]] for at in range(0, len(order), size)]
        for i in random.permutation(len(batches)):
            if schedule.last_epoch >= steps:
                break
            loss = loss_of(net, batches[i])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1)
            optimizer.step()
            if schedule.last_epoch < steps - 1:
                schedule.step()
        if done + 1 < epochs:
            epoch = examples()
    net.eval()


def joined(parts, pause, random):
    gap = lambda: np.zeros(random.integers(0, int(pause * RATE)))
    pieces = [gap()]
    for part in parts:
        pieces += [part[3], gap()]
    samples = np.concatenate(pieces)
    level = 10 ** random.uniform(-4, -2.5)
    return steps_of(samples + level * random.standard_normal(len(samples))), [part[0] for part in parts]


def utterances(recordings, least, most, pause, random):
    found = []
    for speaker in sorted({each[1] for each in recordings}):
        own = [each for each in recordings if each[1] == speaker]
        order, at = random.permutation(len(own)), 0
        while at < len(own):
            count = random.integers(least, most + 1)
            found.append(joined([own[i] for i in order[at : at + count]], pause, random))
            at += count
    return found


def single(training, test, epochs, random):
    net = Network(10)
    examples = [(steps_of(samples), [digit]) for digit, _, _, samples in training]
    train(net, lambda: examples, digit_loss, epochs, 32, 5e-3, random)
    right = 0
    with torch.no_grad():
        for digit, _, _, samples in test:
            right += int(digit_scores(net, [(steps_of(samples), [])]).argmax()) == digit
    return 100 * right / len(test)


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        above, row = row, [i + 1]
        for j, y in enumerate(b):
            row.append(min(above[j] + (x != y), above[j + 1] + 1, row[j] + 1))
    return row[-1]


def connected(training, test, epochs, random):
    net = Network(11)
    train(net, lambda: utterances(training, 1, 7, 0.4, random), connected_loss, epochs, 16, 5e-3, random)
    errors = symbols = 0
    with torch.no_grad():
        for steps, digits in utterances(test, 3, 7, 0.4, np.random.default_rng(0)):
            best = net.head(net([(steps, digits)])[0])[:, 0].argmax(-1).tolist()
            found = [k for t, k in enumerate(best) if k != BLANK and (t == 0 or k != best[t - 1])]
            errors += distance(found, digits)
            symbols += len(digits)
    return 100 * errors / symbols


def main():
    flags = argparse.ArgumentParser()
    flags.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    flags.add_argument("--data", default="../shared/data/fsdd")
    flags.add_argument("--speaker", default="theo")
    flags.add_argument("--epochs", type=int, default=12)
    flags.add_argument("--connected-epochs", type=int, default=15)
    flags.add_argument("--only")
    given = flags.parse_args()
    torch.set_num_threads(1)
    every = read(given.data)
    test = [each for each in every if each[2] < 5]
    training = [each for each in every if each[2] >= 5]
    others = [each for each in every if each[1] != given.speaker]
    own = [each for each in every if each[1] == given.speaker]
    tasks = {
        "single digits": lambda random: single(training, test, given.epochs, random),
        f"single digits of {given.speaker}": lambda random: single(others, own, given.epochs, random),
        "connected digits": lambda random: connected(training, test, given.connected_epochs, random),
    }
    for seed in given.seeds:
        for what, task in tasks.items():
            if given.only not in (None, what):
                continue
            torch.manual_seed(seed)
            started = time.process_time()
            figure = task(np.random.default_rng(seed))
            seconds = round(time.process_time() - started, 1)
            print(json.dumps({"what": what, "seed": seed, "figure": round(figure, 2), "seconds": seconds}), flush=True)


main()
