/**
 * Pictures of what the instruments of `@chronograd/rnn/flow` find, as the text of SVG files.
 *
 * @module
 */
export { drawDeadUnits } from "./flow/deadUnits.ts";
export { drawEstimators } from "./flow/estimators.ts";
export { drawFixedPoints } from "./flow/fixedPoints.ts";
export { drawGates } from "./flow/gates.ts";
export { drawJacobianSpectrum } from "./flow/jacobianSpectrum.ts";
export { drawLagMatrix } from "./flow/lagMatrix.ts";
export { drawLyapunovSpectrum } from "./flow/lyapunovSpectrum.ts";
export { drawMemory } from "./flow/memory.ts";
export { drawReach } from "./flow/reach.ts";
export { drawStateGradients } from "./flow/stateGradients.ts";
export { type BiasMarks, drawTruncationBias, type RelativeBias } from "./flow/truncationBias.ts";
