/** Sections of a module that matter here. */
const [importSection, codeAfter] = [2, 8];
/** Kinds of imports (WebAssembly Core Specification 2.0, section 5.5.5). */
const kind = { function: 0, table: 1, memory: 2, global: 3 } as const;

/**
 * A module that imports a memory, made to import a shared one of at most `maximumPages`: only the
 * limits of the import differ (threads proposal: flag 3, and a maximum).
 */
export function withSharedMemory(
  module: Uint8Array,
  maximumPages: number,
): Uint8Array<ArrayBuffer> {
  let at = codeAfter;
  const read = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const skipText = (): void => {
    const length = read();
    at += length;
  };
  while (at < module.length) {
    const start = at;
    const id = read();
    const size = read();
    if (id !== importSection) {
      at += size;
      continue;
    }
    const content = at;
    for (let left = read(); left > 0; left--) {
      skipText();
      skipText();
      const what = read();
      if (what === kind.function) read();
      else if (what === kind.global) at += 2;
      else if (what === kind.memory) {
        const limits = at;
        const flag = read();
        read();
        if (flag !== 0)
          throw new Error("kernels: a module imports a memory with limits of its own");
        const before = module.subarray(content, limits);
        const least = module.subarray(limits + 1, at);
        const after = module.subarray(at, content + size);
        const section = [...before, 3, ...least, ...unsigned(maximumPages), ...after];
        const head = [importSection, ...unsigned(section.length)];
        const rest = module.subarray(content + size);
        const result = new Uint8Array(start + head.length + section.length + rest.length);
        result.set(module.subarray(0, start));
        result.set(head, start);
        result.set(section, start + head.length);
        result.set(rest, start + head.length + section.length);
        return result;
      } else break;
    }
    break;
  }
  throw new Error("kernels: a module imports no memory");
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}
