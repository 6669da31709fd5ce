"""The same forecasters in PyTorch: same files, parts, networks, budget and seeds' roles as main.ts.

python3 peer.py --seeds 1,2,3 prints a line of JSON for each figure and seed.
Needs torch and numpy; reads node_modules/vega-datasets.
"""

import argparse
import csv
import functools
import json
import pathlib
import time

import numpy as np
import torch

torch.set_num_threads(1)
DATA = pathlib.Path(__file__).parent / "node_modules/vega-datasets/data"
WINDOW, HIDDEN, BATCH, RATE, DECAY, DROP = 28, 32, 64, 3e-3, 0.01, 0.2


def weather():
    rows = list(csv.DictReader(open(DATA / "seattle-weather.csv")))
    values = np.array([float(row["temp_max"]) for row in rows])
    days = [row["date"] for row in rows]
    return values, 365, 365.25, 7, days.index("2014-01-01"), days.index("2015-01-01")


def carbon():
    known = {row["Date"][:7]: float(row["CO2"]) for row in csv.DictReader(open(DATA / "co2-concentration.csv"))}
    months = [f"{1958 + i // 12}-{i % 12 + 1:02d}" for i in range(2, 2 + 746)]
    at = [i for i, month in enumerate(months) if month in known]
    values = np.interp(np.arange(len(months)), at, [known[months[i]] for i in at])
    return values, 12, 12, 12, months.index("2000-01"), months.index("2010-01")


class Autoregression:
    """Least squares, the number of lags by Akaike's criterion; with waves for long seasons."""

    def __init__(self, values, season, period):
        self.period, self.harmonics = period, 2 if season > 36 else 0
        most = min(14 if season > 36 else 2 * season + 2, len(values) // 8)
        best = None
        for lags in range(1, most + 1):
            rows = np.array([self.row(values, t, lags) for t in range(most, len(values))])
            coefficients = np.linalg.lstsq(rows, values[most:], rcond=None)[0]
            error = np.mean((values[most:] - rows @ coefficients) ** 2)
            criterion = len(rows) * np.log(error) + 2 * rows.shape[1]
            if best is None or criterion < best:
                best, self.least, self.coefficients = criterion, lags, coefficients

    def row(self, values, t, lags):
        angles = [2 * np.pi * k * (t % self.period) / self.period for k in range(1, self.harmonics + 1)]
        waves = [f(angle) for angle in angles for f in (np.cos, np.sin)]
        return np.r_[1, waves, values[t - lags : t][::-1]]

    def forecast(self, values, t, horizon):
        all = np.r_[values[:t], np.zeros(horizon)]
        for at in range(t, t + horizon):
            all[at] = self.row(all, at, self.least) @ self.coefficients
        return all[t:]


class HoltWinters:
    """Additive; the shares that make squared errors of one step least, by Adam from eight
    beginnings."""

    def __init__(self, values, season):
        self.season, self.least = season, 2 * season
        starts = [(a, b, c) for a in (0.1, 0.5) for b in (0.01, 0.1) for c in (0.05, 0.4)]
        logits = torch.logit(torch.tensor(starts, dtype=torch.float64).T).requires_grad_()
        optimizer = torch.optim.Adam([logits], lr=0.1)
        scaled = values / (values.max() - values.min())
        for _ in range(100):
            optimizer.zero_grad()
            errors, _ = self.smooth(scaled, torch.sigmoid(logits))
            torch.stack(errors).square().mean(0).sum().backward()
            optimizer.step()
        with torch.no_grad():
            errors, _ = self.smooth(scaled, torch.sigmoid(logits))
            best = torch.stack(errors).square().mean(0).argmin()
            self.shares = [[x] for x in torch.sigmoid(logits)[:, best].tolist()]
        self.known = None

    def smooth(self, values, shares):
        """Errors of one step, and the states after the first season and each value since."""
        m = self.season
        alpha, beta, gamma = shares
        first, second = float(values[:m].mean()), float(values[m : 2 * m].mean())
        values = values.tolist()
        level, trend = 0 * alpha + first, 0 * alpha + (second - first) / m
        seasons = [x - level for x in values[:m]]
        errors, states = [], []
        for t in range(m, len(values)):
            error = values[t] - level - trend - seasons[-m]
            step = alpha * error
            level, trend = level + trend + step, trend + beta * step
            seasons.append(seasons[-m] + gamma * (error - step))
            errors.append(error)
            states.append((level, trend, seasons[-m:]))
        return errors, states

    def forecast(self, values, t, horizon):
        if self.known is None or len(self.known) < t - self.season or self.of is not values:
            self.of, self.known = values, self.smooth(values, [np.array(x) for x in self.shares])[1]
        level, trend, season = self.known[t - 1 - self.season]
        return np.array([float((level + (h + 1) * trend + season[h % self.season])[0]) for h in range(horizon)])


class Base:
    """The autoregression; for short seasons the mean of it and Holt-Winters."""

    def __init__(self, values, season, period):
        self.period = period
        self.parts = [Autoregression(values, season, period)]
        if season <= 36:
            self.parts.append(HoltWinters(values, season))
        self.least = max(part.least for part in self.parts)

    def forecast(self, values, t, horizon):
        return np.mean([part.forecast(values, t, horizon) for part in self.parts], 0)


class Network(torch.nn.Module):
    def __init__(self, horizon):
        super().__init__()
        self.gru = torch.nn.GRU(3, HIDDEN)
        self.head = torch.nn.Linear(HIDDEN, 2 * horizon)
        for weight in self.gru.weight_ih_l0.chunk(3):
            torch.nn.init.xavier_uniform_(weight.data)
        for weight in self.gru.weight_hh_l0.chunk(3):
            torch.nn.init.orthogonal_(weight.data)
        for zero in (self.gru.bias_ih_l0, self.gru.bias_hh_l0, self.head.weight, self.head.bias):
            torch.nn.init.zeros_(zero)

    def forward(self, x):
        h = torch.nn.functional.dropout(self.gru(x)[1][0], DROP, self.training)
        return self.head(h).chunk(2, -1)


class Recurrent:
    """Networks that correct a base; trained on values."""

    def __init__(self, values, base, horizon, seed, members, epochs):
        self.base, self.horizon = base, horizon
        first = base.least + WINDOW
        origins = np.arange(first, len(values) - horizon + 1)
        residuals = np.stack([values[t : t + horizon] - base.forecast(values, t, horizon) for t in origins])
        self.scales = residuals.std(0)
        errors = self.errors(values)
        self.scale = errors[base.least :].std()
        inputs = self.inputs(errors, origins)
        targets = torch.tensor(residuals / self.scales, dtype=torch.float32)
        self.networks = [self.train(inputs, targets, 100 * seed + i, epochs) for i in range(1, members + 1)]

    def errors(self, values):
        known = np.zeros(len(values))
        for t in range(self.base.least, len(values)):
            known[t] = values[t] - self.base.forecast(values, t, 1)[0]
        return known

    def inputs(self, errors, origins):
        t = np.arange(len(errors))
        angle = 2 * np.pi * (t % self.base.period) / self.base.period
        features = np.stack([errors / self.scale, np.cos(angle), np.sin(angle)], 1)
        return torch.tensor(np.stack([features[t - WINDOW : t] for t in origins], 1), dtype=torch.float32)

    def train(self, inputs, targets, seed, epochs):
        torch.manual_seed(seed)
        network = Network(self.horizon)
        optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
        count = len(targets)
        steps = epochs * -(-count // BATCH)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(epochs):
            for some in torch.randperm(count).split(BATCH):
                mean, log_variance = network(inputs[:, some])
                loss = torch.nn.functional.gaussian_nll_loss(mean, targets[some], log_variance.exp())
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
        return network.eval()

    def predict(self, values, origins):
        inputs = self.inputs(self.errors(values), origins)
        with torch.no_grad():
            outputs = [[part.double().numpy() for part in network(inputs)] for network in self.networks]
        means = np.mean([mean for mean, _ in outputs], 0)
        squares = np.mean([np.exp(log_variance) + mean**2 for mean, log_variance in outputs], 0)
        base = np.stack([self.base.forecast(values, t, self.horizon) for t in origins])
        return base + self.scales * means, self.scales * np.sqrt(squares - means**2)


def coverages(values, calibration, tested, horizon, levels, rate=0.1):
    """Shares that adaptive conformal intervals hold, of scaled errors whose values lie before each
    origin."""
    origins = np.concatenate([calibration[0], tested[0]])
    means, deviations = (np.concatenate([calibration[i], tested[i]]) for i in (1, 2))
    actual = np.stack([values[t : t + horizon] for t in origins])
    scores = np.abs(actual - means) / deviations
    widest = np.zeros_like(scores)
    for level in levels:
        for h in range(horizon):
            share, known, factors = level, 0, []
            for origin in origins:
                while known < len(factors) and origins[known] + h < origin:
                    if np.isfinite(factors[known]):
                        share += rate * ((scores[known, h] > factors[known]) - (1 - level))
                    known += 1
                rank = int(np.ceil((known + 1) * share - 1e-9))
                enough = np.ceil((known + 1) * level - 1e-9) <= known
                factors.append(np.sort(scores[:known, h])[np.clip(rank, 1, known) - 1] if enough else np.inf)
            # Wider intervals hold what narrower ones do.
            widest[:, h] = np.maximum(widest[:, h], factors)
        begin = len(calibration[0])
        yield float(np.mean(scores[begin:] <= widest[begin:]))


@functools.cache
def base_of(task, end):
    """No seed decides a base, so it is fitted once."""
    values, season, period, *_ = task()
    return Base(values[:end], season, period)


def run(task, seed, members, epochs):
    values, _, _, horizon, validation, test = task()
    parts, seconds = [], 0
    for end, begin, stop in [(validation, validation, test), (test, test, len(values))]:
        fit = values[:end]
        base = base_of(task, end)
        began = time.perf_counter()
        model = Recurrent(fit, base, horizon, seed, members, epochs)
        seconds += time.perf_counter() - began
        origins = np.arange(begin, stop - horizon + 1)
        parts.append((origins, *model.predict(values[:stop], origins)))
    origins, means, _ = parts[1]
    actual = np.stack([values[t : t + horizon] for t in origins])
    figure = {"RMSE of {}": float(np.sqrt(np.mean((means - actual) ** 2)))}
    levels = (0.8, 0.95)
    for level, held in zip(levels, coverages(values, *parts, horizon, levels)):
        figure[f"{{}}: distance of coverage from {100 * level:g} %"] = 100 * abs(held - level)
    return figure, seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    for seed in map(int, options.seeds.split(",")):
        for task, column, horizon in [(weather, "temp_max", 7), (carbon, "CO2", 12)]:
            figures, seconds = run(task, seed, options.members, options.epochs)
            for what, figure in figures.items():
                what = f"{what.format(column)}, 1 to {horizon} steps" if "RMSE" in what else what.format(column)
                print(json.dumps({"what": what, "seed": seed, "figure": figure, "seconds": round(seconds, 1)}), flush=True)
