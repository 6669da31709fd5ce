import { readdirSync, readFileSync } from "node:fs";
import { katex } from "@mdit/plugin-katex";
import { defineConfig } from "vitepress";
import reference from "../reference/sidebar.json" with { type: "json" };
import { home } from "./home.ts";

/** The records of decisions in the order of their numbers, each under its title. */
const folder = new URL("../decisions/", import.meta.url);
const decisions = readdirSync(folder)
  .filter((file) => /^\d{4}-/.test(file))
  .sort()
  .map((file) => {
    const [title = ""] = readFileSync(new URL(file, folder), "utf8").split("\n", 1);
    return { text: title.replace("# ", ""), link: `/decisions/${file.replace(".md", "")}` };
  });

export default defineConfig({
  title: "Chronograd",
  description: "Gradients through time, in TypeScript",
  cleanUrls: true,
  head: [["link", { rel: "icon", href: "/icon.svg", type: "image/svg+xml" }]],
  markdown: { config: (md) => void md.use(katex) },
  transformPageData(page) {
    if (page.relativePath === "index.md") page.frontmatter = home;
  },
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Guide", link: "/guide/getting-started", activeMatch: "/guide/" },
      { text: "Reference", link: "/reference/", activeMatch: "/reference/" },
      {
        text: "Verification",
        items: [
          { text: "Laws", link: "/verification" },
          { text: "Special points", link: "/special" },
        ],
      },
      { text: "Errors", link: "/errors" },
      { text: "Decisions", link: "/decisions/", activeMatch: "/decisions/" },
      { text: "Benchmarks", link: "/benchmarks" },
    ],
    sidebar: {
      "/guide/": [
        {
          text: "Guide",
          items: [
            { text: "Getting started", link: "/guide/getting-started" },
            { text: "Examples", link: "/guide/examples" },
            { text: "The command", link: "/guide/command" },
            { text: "The tape", link: "/guide/tape" },
            { text: "Memory", link: "/guide/memory" },
            { text: "A custom cell", link: "/guide/custom-cell" },
            { text: "From cells to models", link: "/guide/models" },
            { text: "Training on sequences", link: "/guide/training" },
            { text: "Memory budget", link: "/guide/memory-budget" },
            { text: "Truncated BPTT", link: "/guide/truncated" },
            { text: "Choosing a window", link: "/guide/choosing-a-window" },
            { text: "Beyond truncation", link: "/guide/beyond-truncation" },
            { text: "Lengths and resets", link: "/guide/sequences" },
            { text: "The life of a state", link: "/guide/state" },
            { text: "Sampling and beam search", link: "/guide/decoding" },
            { text: "Forecasting", link: "/guide/forecasting" },
            { text: "Stopping and going on", link: "/guide/resume" },
            { text: "Verifying gradients", link: "/guide/verifying" },
            { text: "Compiling", link: "/guide/compiling" },
            { text: "Several cores", link: "/guide/parallel" },
            { text: "Several machines", link: "/guide/several-machines" },
            { text: "Coming from PyTorch", link: "/guide/pytorch" },
            { text: "Bundlers and browsers", link: "/guide/bundlers" },
          ],
        },
      ],
      "/decisions/": [
        {
          text: "Decisions",
          items: [
            { text: "By subject", link: "/decisions/" },
            ...decisions,
            { text: "Dependencies", link: "/decisions/dependencies" },
          ],
        },
      ],
      "/reference/": reference,
    },
    outline: [2, 3],
  },
});
