import type { DefaultTheme } from "vitepress";

/** The head of the home page, in place of frontmatter. */
export const home: {
  layout: "home";
  hero: {
    name: string;
    text: string;
    tagline: string;
    actions: { theme: "brand" | "alt"; text: string; link: string }[];
  };
  features: DefaultTheme.Feature[];
} = {
  layout: "home",
  hero: {
    name: "Chronograd",
    text: "Gradients through time",
    tagline:
      "Automatic differentiation for recurrent networks, in TypeScript. A tape that is a program, truncated back-propagation for any k1 and k2, and gradients that are tested against mathematics.",
    actions: [
      { theme: "brand", text: "Getting started", link: "/guide/getting-started" },
      { theme: "alt", text: "Truncated BPTT, exactly", link: "/guide/truncated" },
      { theme: "alt", text: "Reference", link: "/reference/" },
    ],
  },
  features: [
    {
      title: "A tape that is a program",
      details:
        "Entries stand in time order. Backward, forward and print are passes over them; mark, since and forget are cuts between them.",
      link: "/guide/tape",
    },
    {
      title: "Your cell in ten lines",
      details: "Write one typed step. Unrolling, stacking and truncation work with it at once.",
      link: "/guide/custom-cell",
    },
    {
      title: "Gradients tested against mathematics",
      details:
        "Every rule is compared with central differences, with its adjoint, and in second order.",
      link: "/reference/derivatives",
    },
    {
      title: "Memory without dispose",
      details:
        "Values live in WebAssembly memory. Their bytes are released as soon as the tape or the scope that owns them ends.",
      link: "/guide/memory",
    },
  ],
};
