import { type Backend, createBackend, defaultBackend, type FloatDType } from "@chronograd/autodiff";
import { opTable } from "@chronograd/autodiff/extend";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { opLaws } from "@chronograd/autodiff/testing";
import { averageSubject } from "./averages.ts";
import { biasSubject } from "./bias.ts";
import { cellSubjects } from "./cells.ts";
import { checkerSubject } from "./checker.ts";
import { clippingSubjects } from "./clipping.ts";
import { conventionSubjects } from "./conventions.ts";
import { creationSubjects } from "./creation.ts";
import { customSubjects } from "./custom.ts";
import { dataParallelSubject } from "./dataParallel.ts";
import { edgeSubjects } from "./edges/index.ts";
import { estimatorSubjects } from "./estimators.ts";
import { fileSubjects } from "./files.ts";
import { forwardSubject } from "./forward.ts";
import { impureSubject } from "./impure.ts";
import { influenceSubject } from "./influence.ts";
import { integerSubjects } from "./integers.ts";
import { kernelSetSubject } from "./kernelSets.ts";
import { lagSubject } from "./lags.ts";
import { laneSubject } from "./lanes.ts";
import { layerSubjects } from "./layers.ts";
import { loopSubject } from "./loops/index.ts";
import { memorySubject } from "./memory.ts";
import { modelSubjects } from "./models.ts";
import { noiseSubjects } from "./noise.ts";
import { optimizerSubjects } from "./optimizers.ts";
import { oracleSubjects } from "./oracle/index.ts";
import { plannedSubject } from "./planned.ts";
import { programSubject } from "./programs.ts";
import { refusalSubjects } from "./refusals.ts";
import { sequenceSubjects } from "./sequences/index.ts";
import { shardsSubject } from "./shards.ts";
import { spectraSubject } from "./spectra.ts";
import type { Subject } from "./subject.ts";
import { tapeSubjects } from "./tape.ts";
import { transformSubjects } from "./transforms.ts";
import { truncationSubjects } from "./truncation/index.ts";
import { wholeNumberSubjects } from "./wholeNumbers.ts";
import { windowSubject } from "./windows.ts";
import { workersSubject } from "./workers.ts";

/** Ops on one kernel set, compared with the reference kernels. */
export function opSubjects(dtype: FloatDType, backend: Backend = defaultBackend()): Subject[] {
  const reference = createBackend({ kernels: referenceKernels });
  return opTable().map(({ name, declaration }) => ({
    name,
    group: dtype === "float64" ? "ops" : "ops in float32",
    laws: opLaws(declaration, { backend, reference, dtype }),
  }));
}

/**
 * What is verified in addition to single ops and the oracle's numbers: combinations of ops, and
 * what is built on them.
 */
export function wholeSubjects(): Subject[] {
  return [
    programSubject(),
    checkerSubject(),
    ...conventionSubjects(),
    ...edgeSubjects(),
    ...tapeSubjects(),
    ...transformSubjects(),
    ...customSubjects(),
    ...integerSubjects(),
    ...creationSubjects(),
    windowSubject(),
    kernelSetSubject(),
    memorySubject(),
    ...layerSubjects(),
    ...cellSubjects(),
    ...modelSubjects(),
    ...noiseSubjects(),
    ...wholeNumberSubjects(),
    ...truncationSubjects(),
    biasSubject(),
    ...estimatorSubjects(),
    ...sequenceSubjects(),
    forwardSubject(),
    laneSubject(),
    loopSubject(),
    influenceSubject(),
    spectraSubject(),
    plannedSubject(),
    impureSubject(),
    dataParallelSubject(),
    shardsSubject(),
    lagSubject(),
    workersSubject(),
    averageSubject(),
    ...refusalSubjects(),
    ...fileSubjects(),
    ...clippingSubjects(),
    ...optimizerSubjects(),
  ];
}

/** Everything that is verified, from the smallest parts to the largest. */
export function subjects(): Subject[] {
  return [
    ...opSubjects("float64"),
    ...opSubjects("float32"),
    ...wholeSubjects(),
    ...oracleSubjects(),
  ];
}
