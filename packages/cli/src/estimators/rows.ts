import type { EstimatorComparison } from "@chronograd/rnn/estimators";

/** The table of a comparison as texts, its first row the names of the columns. */
export function estimatorRows({ full, estimators }: EstimatorComparison): string[][] {
  const head = "estimator,bias,by chance,deviation,cosine,time,memory".split(",");
  return [
    head,
    ...estimators.map(({ name, isDeterministic, relative, cosine, seconds, peakBytes }) => [
      name,
      short(relative.bias),
      isDeterministic ? "" : short(relative.biasError),
      isDeterministic ? "" : short(relative.deviation),
      cosine.toFixed(4),
      (seconds / full.seconds).toPrecision(2),
      (peakBytes / full.peakBytes).toPrecision(2),
    ]),
  ];
}

const short = (value: number) => value.toPrecision(2);
