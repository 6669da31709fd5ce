import { type Tensor, tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { type BeamSearchOptions, beamSearch, continuations } from "../../src/decode.ts";
import { languageModel, logProbabilities, penalties } from "./setup.ts";

describe("narrow beams", () => {
  test("scores are those of their tokens, in order, each sequence once", () => {
    for (let seed = 1; seed < 9; seed++) {
      const { model, params } = languageModel(6, seed);
      const found = continuations(model, params, {
        prompt: [0],
        length: 5,
        width: 4,
        end: 1,
        lengthPenalty: 1,
      });
      expect(found).toHaveLength(4);
      expect(new Set(found.map(({ tokens, ended }) => `${tokens} ${ended}`)).size).toBe(4);
      for (const [i, { tokens, logProbability, score, ended }] of found.entries()) {
        const all = [0, ...tokens, ...(ended ? [1] : [])];
        const logs = logProbabilities(model, params, all);
        expect(logProbability).toBeCloseTo(
          logs.reduce((sum, x) => sum + x),
          9,
        );
        expect(score).toBeCloseTo((logProbability * 6) / (5 + logs.length), 9);
        if (i > 0) expect(score).toBeLessThanOrEqual(found[i - 1]!.score);
      }
    }
  });

  /** A chain whose next token depends on the last one alone: probabilities by token. */
  const chain = (table: number[][], options: Partial<BeamSearchOptions<object>> = {}) => {
    const logits = tensor(table, { dtype: "float64" }).log();
    return beamSearch<object>({
      step: (tokens, state) => [logits.gather(tokens), state],
      state: {},
      start: 0,
      width: 2,
      maxLength: 3,
      ...options,
    })[0]!;
  };

  /** The search by its definition, that never stops before `maxLength`: table[t][last][token]. */
  function toTheEnd(table: number[][][], width: number, divisor: (n: number) => number) {
    interface Found {
      readonly tokens: number[];
      readonly log: number;
      readonly ended: boolean;
    }
    const scoreOf = ({ tokens, log }: Found) => log / divisor(tokens.length);
    const best = (list: Found[]) => list.sort((a, b) => scoreOf(b) - scoreOf(a)).slice(0, width);
    let live: Found[] = [{ tokens: [], log: 0, ended: false }];
    let ended: Found[] = [];
    for (const rows of table) {
      const all = live.flatMap(({ tokens, log }) =>
        rows[tokens.at(-1) ?? 0]!.map((p, token) => {
          return { tokens: [...tokens, token], log: log + Math.log(p), ended: token === 2 };
        }),
      );
      const kept = all.sort((a, b) => b.log - a.log).slice(0, width);
      ended = best([...ended, ...kept.filter((each) => each.ended)]);
      live = kept.filter((each) => !each.ended);
    }
    return best([...ended, ...live]).map((each) => ({
      tokens: each.ended ? each.tokens.slice(0, -1) : each.tokens,
      ended: each.ended,
      score: scoreOf(each),
    }));
  }

  test.each([...penalties, ["a steep one", 2, (n: number) => ((5 + n) / 6) ** 2] as const])(
    "stop early only where nothing better can come, length penalty: %s",
    (_, lengthPenalty, divisor) => {
      for (let seed = 1; seed <= 60; seed++) {
        const random = rng(seed);
        const width = 1 + (seed % 4);
        const table = Array.from({ length: 8 }, () =>
          Array.from({ length: 3 }, () => {
            const row = Array.from({ length: 3 }, () => random.uniform() ** 2 + 0.01);
            const sum = row.reduce((total, x) => total + x);
            return row.map((x) => x / sum);
          }),
        );
        const logits = tensor(table.flat(), { dtype: "float64" }).log();
        const found = beamSearch({
          step: (tokens, t: Tensor) => [logits.gather(t.mul(3).add(tokens)), t.add(1)],
          state: tensor([0], { dtype: "int32" }),
          start: 0,
          end: 2,
          width,
          maxLength: 8,
          ...(lengthPenalty !== undefined && { lengthPenalty }),
        })[0]!;
        const expected = toTheEnd(table, width, divisor);
        expect(found.map(({ tokens, ended }) => ({ tokens, ended }))).toEqual(
          expected.map(({ tokens, ended }) => ({ tokens, ended })),
        );
        for (const [i, { score }] of expected.entries()) {
          expect(found[i]!.score).toBeCloseTo(score, 10);
        }
      }
    },
  );

  test("a hypothesis that ended stays, and gives its place to a live one", () => {
    // From 0: end (2) with 0.4, 1 with 0.35, 0 with 0.25; from 1 always 1, then end at random.
    const found = chain(
      [
        [0.25, 0.35, 0.4],
        [0, 0.9, 0.1],
        [0, 0, 1],
      ],
      { end: 2, maxLength: 3 },
    );
    expect(found.map(({ tokens, ended }) => [tokens, ended])).toEqual([
      [[], true],
      [[1, 1, 1], false],
    ]);
    expect(found.map(({ score }) => Math.exp(score))).toEqual(
      [0.4, 0.35 * 0.81].map((x) => expect.closeTo(x, 12)),
    );
  });

  test("of equal ones the earlier, then the smaller token", () => {
    const found = chain(
      [[0.25, 0.25, 0.25, 0.25], ...[1, 2, 3].map(() => [0.25, 0.25, 0.25, 0.25])],
      {
        width: 5,
        maxLength: 2,
      },
    );
    expect(found.map(({ tokens }) => tokens)).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 0],
    ]);
  });

  test("what is impossible is no hypothesis", () => {
    const found = chain(
      [
        [0, 1, 0],
        [0, 0, 1],
        [1, 0, 0],
      ],
      { width: 3, maxLength: 4 },
    );
    expect(found).toEqual([{ tokens: [1, 2, 0, 1], logProbability: 0, score: 0, ended: false }]);
  });

  test("stop when all is decided, however long they may become", () => {
    let steps = 0;
    const logits = tensor([[0.05, 0.05, 0.9]], { dtype: "float64" }).log();
    const options = { state: {}, start: 0, end: 2, width: 3, maxLength: 1000 };
    const step = (tokens: Tensor, state: object) => {
      steps++;
      return [logits.gather(tokens.mul(0)), state] as const;
    };
    const [found] = beamSearch({ ...options, step });
    expect(found!.map(({ tokens }) => tokens)).toEqual([[], [0], [1]]);
    expect(steps).toBeLessThan(4);
  });
});
