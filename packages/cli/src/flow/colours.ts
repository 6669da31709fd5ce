/** Of lines and dots; the same as in reports of training. */
export const blue = "#1f5a99";
export const paleBlue = "#9db7d5";
export const orange = "#c2410c";
export const green = "#2f6b2f";
export const grey = "#57534e";

/** Of several curves, from dark to light, each dark enough to read on white. */
export const ordered: readonly string[] = ["#440154", "#31688e", "#1f9e6e", "#c08a00"];
