/**
 * How many steps the binomial schedule runs forward, beside the one run of each that is
 * differentiated: `t(l, s) = r l - C(s + r, s + 1)`, where `C(s + r - 1, s) < l <= C(s + r, s)`
 * (Griewank & Walther 2000).
 */
export function forwardRuns(length: number, states: number): number {
  let times = 0;
  // C(s + r, s), and C(s + r, s + 1) = C(s + r, s) r / (s + 1).
  let reach = 1;
  while (reach < length) {
    times++;
    reach = (reach * (states + times)) / times;
  }
  return times * length - (reach * times) / (states + 1);
}
