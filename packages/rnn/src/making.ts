/** Which function made a model, and of which other models. */
export interface Making {
  /** A family of cells, or a function such as `sequential`. */
  readonly by: object;
  /** By name, or by layer. */
  readonly parts?: Readonly<Record<string, object>> | readonly object[];
}

const makings = new WeakMap<object, Making>();

/**
 * Keeps how a model was made, for as long as its function lives: copies with other initialisers,
 * `{ ...cell, params }`, are made the same way.
 */
export function rememberMaking<Model extends object>(
  model: Model,
  making: Making | undefined,
): Model {
  if (making !== undefined) makings.set(computing(model)!, making);
  return model;
}

/** How a model was made; `undefined` where nobody says. */
export function makingOf(model: object): Making | undefined {
  return makings.get(computing(model) as object);
}

/** What computes: a cell's step, or how a model goes over a whole sequence. */
function computing(model: object): object | undefined {
  const { step, unroll } = model as { readonly step?: object; readonly unroll?: object };
  return step ?? unroll;
}
