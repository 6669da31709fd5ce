// Which page of the reference an export stands on: decided by the entry point it comes through and
// the file it is declared in. A file that is not listed gets a page by its folder's name, so that
// nothing is left out.

/**
 * Entry points in the order of the sidebar, each with its pages: a title and the files (or folders)
 * behind it.
 */
export const entryPoints = [
  {
    name: "@chronograd/autodiff",
    slug: "autodiff",
    pages: [
      [
        "Tensors",
        ["tensor/tensor", "tensor/create", "tensor/dtype", "tensor/shape", "ops/declare"],
      ],
      ["The tape", ["tape", "tape/place", "tape/recording", "passes"]],
      ["Compiling", ["compile"]],
      ["Transforms", ["transforms/reverse", "transforms/forward", "transforms"]],
      ["Trees", ["tensor/tree"]],
      ["Scopes and backends", ["tensor/scope", "tensor/backend"]],
      ["Arithmetic", ["ops/arithmetic", "ops/polar", "ops/binary"]],
      ["Element-wise functions", ["ops/elementwise", "ops/unary"]],
      ["Activations", ["ops/activations"]],
      ["Comparison and selection", ["ops/compare", "ops/select"]],
      ["Logic", ["ops/logic"]],
      ["Reductions", ["ops/reduce", "ops/reduction", "ops/argReduce", "ops/cumulative"]],
      ["Statistics", ["ops/statistics"]],
      ["Linear algebra", ["ops/matmul", "ops/linalg", "ops/einsum"]],
      ["Shapes", ["ops/shape"]],
      ["Joining and splitting", ["ops/join"]],
      ["Slices and padding", ["ops/slice", "ops/pad"]],
      ["Indexing", ["ops/indexing", "ops/batched", "ops/indices", "ops/oneHot"]],
      ["Repeating and rolling", ["ops/repeat"]],
      ["Sorting", ["ops/sort"]],
      ["Softmax and log-softmax", ["ops/softmax"]],
      ["Gates of recurrent cells", ["ops/lstm", "ops/gru"]],
      ["Scans over time", ["ops/recurrence"]],
      ["Convolutions and pools", ["ops/conv", "ops/pool", "ops/unfold", "ops/window"]],
      ["Layer normalisation", ["ops/layerNorm"]],
      ["Casts and copies", ["ops/cast", "ops/detach"]],
    ],
  },
  {
    name: "@chronograd/autodiff/extend",
    slug: "extend",
    pages: [
      ["Declaring ops", ["ops"]],
      ["Kernels and memory", ["kernels", "tensor"]],
      ["Entries of a tape", ["passes"]],
    ],
  },
  {
    name: "@chronograd/autodiff/ndarray",
    slug: "ndarray",
    pages: [["Tensors as ndarrays", ["tensor"]]],
  },
  {
    name: "@chronograd/autodiff/reference",
    slug: "reference-kernels",
    pages: [["Reference kernels", ["kernels"]]],
  },
  {
    name: "@chronograd/autodiff/testing",
    slug: "testing",
    pages: [
      [
        "Checking gradients",
        [
          "testing/checkGradients",
          "testing/blame",
          "testing/checkTape",
          "testing/ruleFault",
          "passes/site",
          "tape/origin",
        ],
      ],
      ["Finding the first NaN", ["testing/findNonFinite", "passes/findNonFinite"]],
      ["Laws", ["testing/law", "testing/functionLaws", "testing/op", "testing"]],
    ],
  },
  {
    name: "@chronograd/autodiff/testing/fast-check",
    slug: "testing-fast-check",
    pages: [["Arbitraries", ["testing"]]],
  },
  {
    name: "@chronograd/autodiff/testing/vitest",
    slug: "testing-vitest",
    pages: [["A matcher for Vitest", ["testing"]]],
  },
  {
    name: "@chronograd/nn",
    slug: "nn",
    pages: [
      ["Parameters", ["parameters"]],
      ["Initialisers", ["init"]],
      ["Random generators", ["rng"]],
      ["Layers", ["layers"]],
      ["Losses", ["losses"]],
      ["Optimizers", ["optim"]],
      ["Schedules", ["schedules"]],
      ["Clipping", ["clip"]],
      ["Communicators", ["parallel"]],
    ],
  },
  {
    name: "@chronograd/nn/data",
    slug: "nn-data",
    pages: [["Batches of sequences", ["data"]]],
  },
  {
    name: "@chronograd/nn/metrics",
    slug: "nn-metrics",
    pages: [["Metrics", ["metrics"]]],
  },
  {
    name: "@chronograd/nn/node",
    slug: "nn-node",
    pages: [
      ["Files in Node", ["node", "files"]],
      ["Workers in Node", ["parallel"]],
    ],
  },
  {
    name: "@chronograd/nn/parallel",
    slug: "nn-parallel",
    pages: [
      ["Rows of a worker", ["parallel/shard"]],
      ["Communicators and transports", ["parallel"]],
    ],
  },
  {
    name: "@chronograd/nn/safetensors",
    slug: "nn-safetensors",
    pages: [["Safetensors", ["files"]]],
  },
  {
    name: "@chronograd/rnn",
    slug: "rnn",
    pages: [
      ["Cells", ["cell", "cells", "gates", "attention", "initial", "linear"]],
      ["Unrolling", ["unroll", "loop"]],
      ["Models made of cells", ["models"]],
      ["Sequences", ["sequences"]],
      ["Truncated BPTT", ["truncated"]],
    ],
  },
  {
    name: "@chronograd/rnn/decode",
    slug: "rnn-decode",
    pages: [["Decoding", ["decode"]]],
  },
  {
    name: "@chronograd/rnn/estimators",
    slug: "rnn-estimators",
    pages: [["Estimators", ["estimators"]]],
  },
  {
    name: "@chronograd/rnn/flow",
    slug: "rnn-flow",
    pages: [["Instruments", ["flow"]]],
  },
  {
    name: "@chronograd/rnn/pytorch",
    slug: "rnn-pytorch",
    pages: [["State dicts", ["pytorch"]]],
  },
  {
    name: "@chronograd/rnn/testing",
    slug: "rnn-testing",
    pages: [
      ["Testing a cell", ["testing/cell", "testing/draw"]],
      ["Checking what rows depend on", ["testing/influence"]],
      ["Checking truncated gradients", ["testing/truncated", "testing"]],
    ],
  },
  {
    name: "@chronograd/rnn/testing/fast-check",
    slug: "rnn-testing-fast-check",
    pages: [["Arbitraries", ["testing"]]],
  },
  {
    name: "chronograd/command",
    slug: "cli-command",
    pages: [["Commands", ["command"]]],
  },
  {
    name: "chronograd/run",
    slug: "cli-run",
    pages: [["Run folders", ["run"]]],
  },
  {
    name: "chronograd/report",
    slug: "cli-report",
    pages: [["Reports", ["report"]]],
  },
  {
    name: "chronograd/data",
    slug: "cli-data",
    pages: [["Data files", ["data"]]],
  },
  {
    name: "chronograd/text",
    slug: "cli-text",
    pages: [["Texts", ["text", "tasks/text"]]],
  },
  {
    name: "chronograd/training",
    slug: "cli-training",
    pages: [["Training runs", ["training"]]],
  },
  {
    name: "chronograd/flow",
    slug: "cli-flow",
    pages: [["Pictures of gradients", ["flow"]]],
  },
  {
    name: "chronograd/forecast",
    slug: "cli-forecast",
    pages: [["Forecasts and baselines", ["forecast"]]],
  },
];

/** Title and address of the page of what a file declares, and which of the page's files it is. */
export function pageOf(entryPoint, file) {
  const path = file.replace(/^.*\/packages\/[^/]+\/src\//, "").replace(/\.ts$/, "");
  const isIn = (place) => path === place || path.startsWith(`${place}/`);
  const listed = entryPoint.pages.find(([, places]) => places.some(isIn));
  const title = listed?.[0] ?? sentence(path.split("/")[0]);
  const name = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return {
    title,
    url: `/reference/${entryPoint.slug}/${name}`,
    place: listed?.[1].findIndex(isIn) ?? 0,
  };
}

/** `checkGradients` as `Check gradients`. */
function sentence(name) {
  const words = name.replaceAll(/([A-Z])/g, " $1").toLowerCase();
  return words[0].toUpperCase() + words.slice(1);
}
