"""A training step in JAX: a scan, jitted as a whole."""

import os
import time

from serve import CHECKED_STEPS, THREADS, read_problem, serve

# XLA uses as many threads as there are cores when it is loaded.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])

import jax
import jax.numpy as jnp
from jax.nn import log_softmax, sigmoid


def lstm(weights, state, gates):
    h, c = state
    i, f, g, o = jnp.split(gates + h @ weights["U"], 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    h = sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def gru(weights, state, gates):
    (h,) = state
    xr, xz, xn = jnp.split(gates, 3, -1)
    hr, hz, hn = jnp.split(h @ weights["U"], 3, -1)
    r = sigmoid(xr + hr)
    z = sigmoid(xz + hz)
    n = jnp.tanh(xn + r * (hn + weights["bn"]))
    h = n + z * (h - n)
    return (h,), h


def loss_of_symbols(config):
    cell, states = (gru, 1) if config["model"] == "gru" else (lstm, 2)
    initial = (jnp.zeros((config["B"], config["H"])),) * states

    def loss_of(weights, state, inputs, targets):
        """The loss, and the state after the last step."""
        # The input products of all steps are one product.
        gates = weights["table"][inputs] @ weights["W"] + weights["b"]
        state, h = jax.lax.scan(lambda s, g: cell(weights, s, g), state, gates)
        logits = log_softmax(h @ weights["headW"] + weights["headb"])
        return -jnp.mean(jnp.take_along_axis(logits, targets[..., None], -1)), state

    return loss_of, initial


def loss_of_sequences(weights, carried, inputs, targets, lengths=None):
    """Classifies by the state after each row's last step."""

    # With so few inputs a product in every step is faster than one of all steps.
    def step(state, x):
        return lstm(weights, state, x @ weights["W"] + weights["b"])[0], None

    def masked(state, x_and_mask):
        x, mask = x_and_mask
        after, _ = step(state, x)
        return jax.tree.map(lambda a, b: jnp.where(mask[:, None], a, b), after, state), None

    zeros = jnp.zeros((inputs.shape[1], weights["U"].shape[0]))
    state = (zeros, zeros)
    if lengths is None:
        (h, _), _ = jax.lax.scan(step, state, inputs)
    else:
        mask = jnp.arange(inputs.shape[0])[:, None] < lengths
        (h, _), _ = jax.lax.scan(masked, state, (inputs, mask))
    logits = log_softmax(h @ weights["headW"] + weights["headb"])
    return -jnp.mean(jnp.take_along_axis(logits, targets[:, None], -1)), carried


def make_step(loss_of, clip_norm, epsilon):
    gradient = jax.value_and_grad(loss_of, has_aux=True)

    def step(weights, m, v, t, carried, learning_rate, *batch):
        (loss, carried), g = gradient(weights, carried, *batch)
        norm = jnp.sqrt(sum(jnp.sum(x * x) for x in jax.tree.leaves(g)))
        factor = jnp.minimum(clip_norm / norm, 1)
        g = jax.tree.map(lambda x: x * factor, g)
        m = jax.tree.map(lambda a, x: 0.9 * a + 0.1 * x, m, g)
        v = jax.tree.map(lambda a, x: 0.999 * a + 0.001 * x * x, v, g)
        rate = learning_rate / (1 - 0.9**t)
        root = 1 / jnp.sqrt(1 - 0.999**t)
        weights = jax.tree.map(
            lambda w, a, b: w - rate * a / (jnp.sqrt(b) * root + epsilon), weights, m, v
        )
        return weights, m, v, t + 1, carried, loss, norm

    return jax.jit(step, donate_argnums=(0, 1, 2, 3, 4))


def train(request):
    arrays = read_problem(request["problem"])
    batches = list(zip(arrays.pop("inputs"), arrays.pop("targets")))
    rate, *settings = arrays.pop("settings").tolist()
    return training(*loss_of_symbols(request["config"]), arrays, batches, settings, lambda _: rate)


def minibatch(request):
    arrays = read_problem(request["problem"])
    names = [name for name in ("inputs", "targets", "lengths") if name in arrays]
    batches = list(zip(*(map(jnp.array, arrays.pop(name)) for name in names)))
    rate, *settings = arrays.pop("settings").tolist()
    return training(loss_of_sequences, (), arrays, batches, settings, lambda _: rate)


def start(request):
    """The loop of `npm start`; a step is several windows, and its time is that of one."""
    arrays = read_problem(request["problem"])
    B, T, windows = (request["config"][name] for name in ("B", "T", "windows"))
    rate, clip_norm, warmup = arrays.pop("settings").tolist()
    codes = arrays.pop("codes")
    each = (len(codes) - 1) // B
    inputs, targets = (codes[i : i + B * each].reshape(B, each).T for i in (0, 1))
    batches = [(inputs[t : t + T], targets[t : t + T]) for t in range(0, each - T + 1, T)]
    schedule = lambda count: rate * min(1, (count + 1) / warmup)
    loss_of, initial = loss_of_symbols(request["config"])
    window = training(loss_of, initial, arrays, batches, (clip_norm, 1e-8), schedule)
    steps = 0

    def step():
        nonlocal steps
        count = 1 if steps < CHECKED_STEPS else windows
        steps += 1
        begun = time.perf_counter()
        traces = [window() for _ in range(count)]
        return 1000 * (time.perf_counter() - begun) / count, *traces[0][1:]

    return step


def training(loss_of, carried, arrays, batches, settings, schedule):
    """Steps that take the batches in turn, and hand their state on where they have one."""
    weights = jax.tree.map(jnp.array, arrays)
    run = make_step(loss_of, *settings)
    m = jax.tree.map(jnp.zeros_like, weights)
    v = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, m, v, jnp.float32(1), jax.tree.map(jnp.copy, carried))
    count = 0

    def step():
        nonlocal state, count
        batch = batches[count % len(batches)]
        rate = schedule(count)
        count += 1
        *state, loss, norm = run(*state, rate, *batch)
        jax.block_until_ready(state)
        return None, float(loss), float(norm)

    return step


makers = {"train": train, "minibatch": minibatch, "start": start}
serve({"jax": jax.__version__}, f"{THREADS} threads, jit", makers)
