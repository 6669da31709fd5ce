import { katex } from "@mdit/plugin-katex";
import { defineConfig } from "vitepress";
import reference from "../reference/sidebar.json" with { type: "json" };
import { home } from "./home.ts";

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
      { text: "Benchmarks", link: "/benchmarks" },
    ],
    sidebar: {
      "/guide/": [
        {
          text: "Guide",
          items: [
            { text: "Getting started", link: "/guide/getting-started" },
            { text: "The tape", link: "/guide/tape" },
            { text: "Memory", link: "/guide/memory" },
            { text: "A custom cell", link: "/guide/custom-cell" },
            { text: "Truncated BPTT", link: "/guide/truncated" },
            { text: "Verifying gradients", link: "/guide/verifying" },
            { text: "Compiling", link: "/guide/compiling" },
            { text: "Several cores", link: "/guide/parallel" },
            { text: "Bundlers and browsers", link: "/guide/bundlers" },
          ],
        },
      ],
      "/reference/": reference,
    },
    outline: [2, 3],
  },
});
