import { Tape } from "@chronograd/autodiff";
import { checkTape, type Law, type RuleFault } from "@chronograd/autodiff/testing";
import { unroll } from "@chronograd/rnn";
import { indexOf } from "../inspect/indexOf.ts";
import { drawInputs, drawParams, type Examination, startOf } from "./examination.ts";

/** Each op that the cell uses, at the values that it had: which one is wrong when a gradient is. */
export function ruleLaws(examination: Examination): Law[] {
  const bound = 1e-6;
  return [
    {
      name: "every op",
      statement: "the derivative rules of each op that ran equal differences of that op",
      bound,
      measure(seed) {
        const tape = new Tape({ trace: true });
        const at = { params: drawParams(examination, seed), inputs: drawInputs(examination, seed) };
        const { params, inputs } = tape.watch(at);
        const state = startOf(examination.cell, params, examination.batch);
        unroll(examination.cell, params, inputs as readonly unknown[], { state });
        const { checked: cases, worst, faults } = checkTape(tape, { tolerance: bound, seed });
        const what = faults.slice(0, 3).map(sentence).join("\n");
        return faults.length === 0
          ? { error: Math.min(worst, bound), cases }
          : { error: Math.max(worst, Number.MIN_VALUE), cases, what };
      },
    },
  ];
}

/** A wrong rule: which op and element, and at which time step. */
function sentence(fault: RuleFault): string {
  const { rule, op, of, index, shape, analytic, numeric, shapes, t, line, threw } = fault;
  const subject = rule === "jvp" ? `the jvp of ${op}` : `the ${rule} of ${op} by ${of}`;
  const at = line === undefined ? "" : `, at ${line.file}:${line.line}`;
  const where = `${op} ${shapes}${t === undefined ? "" : `, time step ${t}`}${at}`;
  return threw === undefined
    ? `${subject} is wrong: ${where}; worst element ${of}[${indexOf(index, shape)}]: analytic ${analytic}, numeric ${numeric}`
    : `${subject} throws: ${threw}: ${where}`;
}
