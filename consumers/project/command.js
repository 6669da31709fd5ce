// The command as it is installed: in a folder without packages, on right and wrong input, and on a
// project that it makes itself. With "briefly", only what depends on the Node that runs it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor } from "@chronograd/autodiff";
import { writeSafetensors } from "@chronograd/nn/node";

const briefly = process.argv[2] === "briefly";
const home = mkdtempSync(join(tmpdir(), "chronograd-command-"));
const main = join(import.meta.dirname, "node_modules/chronograd/dist/main.js");
const env = { ...process.env, npm_config_offline: "true", NO_COLOR: "1" };

/** Runs a program; throws unless it ends with a code, and says what it should. */
function expect(code, pattern, [program, ...args], cwd = home) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env,
    encoding: "utf8",
  });
  if (error) throw error;
  const said = `${stdout}${stderr}`;
  if (status === code && pattern.test(said) && !/^\s+at .*:\d+:\d+/m.test(said)) return stdout;
  throw new Error(
    `${args.join(" ")}: expected code ${code} and ${pattern}, got ${status} and\n${said}`,
  );
}
const command = (...args) => [process.execPath, main, ...args];

const cell = (step) => `import { init } from "@chronograd/nn";
import { type CellSizes, defineCell } from "@chronograd/rnn";
export default defineCell({
  params: ({ input, hidden }: CellSizes) => ({ W: init.glorot(input, hidden), U: init.orthogonal(hidden) }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W, U }, x, { h }) => {
    const next = x.matmul(W).add(${step}).tanh();
    return [next, { h: next }];
  },
});
`;
writeFileSync(join(home, "right.ts"), cell("h.matmul(U)"));
writeFileSync(join(home, "wrong.ts"), cell("h.detach().matmul(U)"));
writeFileSync(join(home, "syntax.ts"), "export default (;\n");

try {
  const { version } = JSON.parse(readFileSync(join(main, "../../package.json"), "utf8"));
  expect(0, new RegExp(`^${version}$`, "m"), command("--version"));
  expect(0, /all \d+ laws hold/, command("check", "right.ts", "--only", "rules"));
  expect(2, /^check: cannot load syntax.ts: syntax.ts:1:17: /m, command("check", "syntax.ts"));
  expect(0, /right.tape.svg: \d+ entries/, command("tape", "right.ts"));
  if (!briefly) {
    expect(1, /to blame: .*wrong\.ts:7/, command("check", "wrong.ts", "--only", "gradients"));
    expect(2, /unknown command 'chek'\n\(Did you mean check\?\)/, command("chek"));
    expect(2, /unknown option '--stepz'\n\(Did you mean --steps\?\)/, command("tape", "--stepz"));
    expect(2, /right.tape.svg exists already/, command("tape", "right.ts"));
    await writeSafetensors(join(home, "model.safetensors"), { W: tensor([3, 4, Infinity]) });
    const found = JSON.parse(expect(0, /./, command("inspect", "model.safetensors", "--json")));
    if (found.tensors[0].norm !== 5) throw new Error(`inspect: ${JSON.stringify(found)}`);
    expect(2, /there is no such file/, command("inspect", "absent.safetensors"));
    writeFileSync(
      join(home, "rhyme.txt"),
      "row, row, row your boat, gently down the stream; ".repeat(80),
    );
    const tiny = "--hidden 6 --batch 4 --k1 4 --k2 8 --windows 20 --name tiny".split(" ");
    expect(0, /report.html/, command("train", "--text", "rhyme.txt", ...tiny));
    const seen = ["--steps", "60", "--rows", "2"];
    expect(0, /truncation bias of k1 = 4, k2 = 8: cosine/, command("flow", "runs/tiny", ...seen));
    expect(2, /no "lag", did you mean "lags"\?/, command("flow", "runs/tiny", "--only", "lag"));
    const few = ["--only", "truncated,rtrl,uoro", "--repeats", "4"];
    expect(0, /^RTRL +\d/m, command("estimators", "right.ts", ...few));
    // The folder of the packages stands above that of the new project.
    const here = import.meta.dirname;
    rmSync(join(here, "my-cell"), { recursive: true, force: true });
    expect(
      0,
      new RegExp(`^${version}$`, "m"),
      ["npx", "--no-install", "chronograd", "--version"],
      here,
    );
    expect(0, /npm install && npm test/, command("init", "my-cell"), here);
    expect(0, /all \d+ laws hold[\s\S]*pass 2\n/, ["npm", "test"], join(here, "my-cell"));
    expect(0, /squared error 0\.0\d+; saying 0/, ["npm", "run", "train"], join(here, "my-cell"));
  }
  console.log(`chronograd ${version}`);
} finally {
  rmSync(home, { recursive: true, force: true });
}
