import { selfCommunicator } from "@chronograd/nn";
import { expect, test } from "vitest";
import * as z from "zod";
import { defineCommand, runCommand } from "../../src/command.ts";
import { run, runOn } from "../run.ts";

const speaking = defineCommand({
  name: "speaking",
  summary: "Says something.",
  options: z.object({}),
  async run(_options, io) {
    const progress = io.progress({ total: 1, unit: "words" });
    progress.update(1);
    progress.stop();
    io.say("a word");
    io.result({ words: 1 });
  },
});
const second = { ...selfCommunicator, rank: 1, size: 2 };

test("only the first rank of a command speaks", async () => {
  for (const argv of [[], ["--json"], ["--help"]]) {
    const { code, out, err } = await run(speaking, ...argv);
    expect([code, out === "" && err === ""]).toEqual([0, false]);
    expect(await runOn(second, speaking, ...argv)).toEqual({ code: 0, out: "", err: "" });
  }
});

test("options of runCommand are checked", async () => {
  await expect(
    runCommand(speaking, [], { comunicator: second } as never),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[TypeError: runCommand: there is no option "comunicator", did you mean "communicator"? It takes communicator]`,
  );
});
