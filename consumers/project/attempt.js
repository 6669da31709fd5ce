import { train } from "./train.js";

/** Whether the content security policy lets text become code. */
function evaluates() {
  try {
    return new Function("return true")();
  } catch {
    return false;
  }
}

/** The result of training, or the error, as data that can be sent. */
export function attempt() {
  try {
    return { said: train(), evaluates: evaluates() };
  } catch (error) {
    return { error: String(error?.stack ?? error), evaluates: evaluates() };
  }
}
