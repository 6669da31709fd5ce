import { RunError } from "../command/errors.ts";
import { sentence } from "./sentence.ts";

/**
 * An error of the training as the user is told it: where the loss is not finite, with what it may
 * come from; where shards do not fit, by the name of the flag.
 *
 * @param odd a number of the data that is not finite, in words
 */
export function told(error: unknown, odd: string | undefined): unknown {
  const found = sentence(error);
  const { message } = found as Error;
  const shards = /truncated: shards (need|must)/.exec(message);
  if (shards !== null) {
    const verb = shards[1] === "need" ? "needs" : "must";
    const rest = message.slice(shards.index + shards[0].length);
    return new RunError(`--shards ${verb}${rest.replace("leave shards out", "leave it out")}`);
  }
  if (!(found instanceof RunError)) return found;
  if (!/\b(NaN|Infinity|not finite)\b/.test(message)) return found;
  return new RunError(
    odd === undefined
      ? `${message}; where all inputs are finite, the training diverged: a smaller --lr or --clip may help`
      : `${odd}; leave that item out, or mask it (${message})`,
  );
}
