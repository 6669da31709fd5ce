import { type Communicator, selfCommunicator } from "@chronograd/nn";
import { vi } from "vitest";
import { type Command, runCommand } from "../src/command.ts";

/** What a command printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process, as in a pipe. */
export const run = (command: Command, ...argv: string[]): Promise<Ran> =>
  runOn(selfCommunicator, command, ...argv);

/** Runs a command as one of several ranks. */
export async function runOn(
  communicator: Communicator,
  command: Command,
  ...argv: string[]
): Promise<Ran> {
  const streams = { out: "", err: "" };
  const into = (name: "out" | "err") => (text: unknown) => {
    streams[name] += String(text);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(into("out")),
    vi.spyOn(process.stderr, "write").mockImplementation(into("err")),
    vi.spyOn(console, "error").mockImplementation((text) => void into("err")(`${text}\n`)),
  ];
  try {
    const code = await runCommand(command, argv, { communicator });
    return { code, ...streams };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
