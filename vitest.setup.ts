import fc from "fast-check";

// The same cases in every run; CHRONOGRAD_SEED=7 npm test takes others.
fc.configureGlobal({ seed: Number(process.env.CHRONOGRAD_SEED ?? 1) });
