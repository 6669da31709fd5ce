/** Which function made a model, and of which other models. */
export interface Making {
  /** A family of cells, or a function such as `sequential`. */
  readonly by: object;
  /** By name, or by layer. */
  readonly parts?: Readonly<Record<string, object>> | readonly object[];
}

/** What computes: a cell's step, or how a model goes over a whole sequence. */
interface Computing {
  readonly step?: object;
  readonly unroll?: object;
}

const makings = new WeakMap<object, Making>();

/**
 * Keeps how a model was made, for as long as its function lives: copies with other initialisers,
 * `{ ...cell, params }`, are made the same way.
 */
export function rememberMaking<Model extends Computing>(model: Model, making: Making): Model {
  makings.set((model.step ?? model.unroll)!, making);
  return model;
}

/** How a model was made; `undefined` where nobody says. */
export function makingOf(model: object): Making | undefined {
  const { step, unroll } = model as Computing;
  return makings.get((step ?? unroll) as object);
}
