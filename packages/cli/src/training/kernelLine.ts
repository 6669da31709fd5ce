/**
 * Characters a second of `npm start` with OpenBLAS, over those without, on two cores: the ratio
 * `start/blas-vs-wasm-only` of `npm run bench -- --case start`.
 */
const timesAsFast = 1.5;

/** The commands that install a BLAS, by platform; macOS has one. */
const installs: { readonly [platform: string]: string } = {
  linux: "apt-get install libopenblas0",
  win32: "OpenBLAS is on github.com/OpenMathLib/OpenBLAS/releases",
};

/** What of this is known of the machine. */
export interface Machine {
  readonly kernels: string;
  readonly blas: { readonly found: boolean; readonly what: string };
  readonly platform: string;
}

/** The kernels that train, and, where no BLAS was found, what one would bring. */
export function kernelLine({ kernels, blas, platform }: Machine): string {
  if (blas.found) return `Kernels: ${kernels}`;
  const line = `Kernels: ${kernels}; BLAS: ${blas.what}`;
  if (blas.what.startsWith("off")) return line;
  const how = /koffi/.test(blas.what) ? "npm install koffi" : installs[platform];
  return `${line}. With OpenBLAS the model of npm start trains ${timesAsFast} times as fast${how ? ` (${how})` : ""}`;
}
