import * as z from "zod";
import { type Command, defineCommand } from "../command/define.ts";
import { bash } from "../completion/bash.ts";
import { fish } from "../completion/fish.ts";
import { wordsOf } from "../completion/words.ts";
import { zsh } from "../completion/zsh.ts";
import { allCommands } from "./index.ts";

const shells = { bash, zsh, fish } as const;

/** Prints a script with which a shell completes commands and flags. */
export const completion: Command = defineCommand({
  name: "completion",
  summary: "Prints a script with which a shell completes commands and flags.",
  positionals: [{ name: "shell", description: "bash, zsh or fish", required: true }],
  options: z.object({ shell: z.enum(["bash", "zsh", "fish"]).describe("the shell") }),
  examples: [
    'eval "$(chronograd completion bash)"   # in ~/.bashrc',
    'eval "$(chronograd completion zsh)"    # in ~/.zshrc, below compinit',
    "chronograd completion fish | source    # in ~/.config/fish/config.fish",
  ],
  async run({ shell }, io) {
    const script = shells[shell]("chronograd", (await allCommands()).map(wordsOf));
    io.result({ shell, script });
    io.say(script.trimEnd());
  },
});
