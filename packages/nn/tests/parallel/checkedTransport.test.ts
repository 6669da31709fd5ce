import { tensor } from "@chronograd/autodiff";
import { describe, expect, test } from "vitest";
import { createCommunicator, type Transport } from "../../src/parallel.ts";
import { failure } from "./conformance.ts";

/** The transport of a single worker, which gets what it sent, with something else than that. */
function loopback(other: object = {}): Transport {
  const message = new Uint8Array(1024);
  const exchange = () => [message.slice()];
  const own = { rank: 0, size: 1, messageBytes: 1024, message };
  const broadcast = () => message.slice();
  return { ...own, allGather: exchange, allToAll: exchange, broadcast, ...other };
}
const made = (other: object) => failure(() => createCommunicator(loopback(other)));

describe("a communicator is refused over a transport", () => {
  test("that is none, or whose rank and size do not fit", () => {
    const none = [undefined, null, "shared"].map((given) =>
      failure(() => createCommunicator(given as never)),
    );
    expect(none).toMatchInlineSnapshot(`
      [
        "createCommunicator: expected a transport, got undefined",
        "createCommunicator: expected a transport, got null",
        "createCommunicator: expected a transport, got "shared"",
      ]
    `);
    const numbers = [{ rank: 5 }, { rank: -1 }, { rank: "0" }, { size: 0 }, { size: "1" }];
    expect(numbers.map(made)).toMatchInlineSnapshot(`
      [
        "createCommunicator: rank must be a whole number from 0 to 0, got 5",
        "createCommunicator: rank must be a whole number from 0 to 0, got -1",
        "createCommunicator: rank must be a whole number from 0 to 0, got "0"",
        "createCommunicator: size must be a whole number of at least 1, got 0",
        "createCommunicator: size must be a whole number of at least 1, got "1"",
      ]
    `);
  });

  test("whose message does not hold messageBytes, or that lacks an exchange", () => {
    const message = new Uint8Array(1024);
    const others = [
      { messageBytes: 2048 },
      { message: undefined },
      { message: message.subarray(1) },
      { message: message.subarray(4), messageBytes: 1016 },
      { allGather: undefined },
      { allToAll: 3 },
      { broadcast: null },
    ];
    expect(others.map(made)).toMatchInlineSnapshot(`
      [
        "createCommunicator: message of the transport must be a Uint8Array of messageBytes = 2048 bytes, aligned to 8, got 1024 from byte 0 of its buffer on",
        "createCommunicator: message of the transport must be a Uint8Array of messageBytes = 1024 bytes, aligned to 8, got undefined",
        "createCommunicator: message of the transport must be a Uint8Array of messageBytes = 1024 bytes, aligned to 8, got 1023 from byte 1 of its buffer on",
        "createCommunicator: message of the transport must be a Uint8Array of messageBytes = 1016 bytes, aligned to 8, got 1020 from byte 4 of its buffer on",
        "createCommunicator: allGather of the transport must be a function, got undefined",
        "createCommunicator: allToAll of the transport must be a function, got 3",
        "createCommunicator: broadcast of the transport must be a function, got null",
      ]
    `);
  });
});

describe("a collective throws a sentence when an exchange returns", () => {
  const message = () => new Uint8Array(1024);
  const sum = (other: object) =>
    failure(() => createCommunicator(loopback(other)).allReduce([1, 2]));

  test("too few messages, or too many", () => {
    const others = [
      { allGather: () => [] },
      { allGather: () => [message(), message()] },
      { size: 2 },
      { allToAll: () => [] },
      { allGather: () => undefined },
      { allGather: () => Promise.resolve([]) },
    ];
    expect(others.map(sum)).toMatchInlineSnapshot(`
      [
        "allReduce: allGather of the transport must return an array of length 1, a message from each worker, got length 0; exchanges are synchronous, see Transport",
        "allReduce: allGather of the transport must return an array of length 1, a message from each worker, got length 2; exchanges are synchronous, see Transport",
        "allReduce: allGather of the transport must return an array of length 2, a message from each worker, got length 1; exchanges are synchronous, see Transport",
        "allReduce: allToAll of the transport must return an array of length 1, a message from each worker, got length 0; exchanges are synchronous, see Transport",
        "allReduce: allGather of the transport must return an array of length 1, a message from each worker, got undefined; exchanges are synchronous, see Transport",
        "allReduce: allGather of the transport must return an array of length 1, a message from each worker, got [object Promise]; exchanges are synchronous, see Transport",
      ]
    `);
  });

  test("messages that are none, or too short", () => {
    const all = loopback();
    const cut = (bytes: number) => (messages: readonly Uint8Array[]) =>
      messages.map((each) => each.subarray(0, bytes));
    const others = [
      { allGather: () => cut(7)(all.allGather(8, "")) },
      { allToAll: () => cut(8)(all.allToAll(8, "")) },
      { allToAll: () => [Promise.resolve()] },
      { allGather: () => [undefined] },
    ].map((other) => ({ ...all, ...other }));
    expect(others.map(sum)).toMatchInlineSnapshot(`
      [
        "allReduce: allGather of the transport must return a Uint8Array of at least 8 bytes from worker 0, got 7 bytes; exchanges are synchronous, see Transport",
        "allReduce: allToAll of the transport must return a Uint8Array of at least 64 bytes from worker 0, got 8 bytes; exchanges are synchronous, see Transport",
        "allReduce: allToAll of the transport must return a Uint8Array of at least 64 bytes from worker 0, got [object Promise]; exchanges are synchronous, see Transport",
        "allReduce: allGather of the transport must return a Uint8Array of at least 8 bytes from worker 0, got undefined; exchanges are synchronous, see Transport",
      ]
    `);
    const broadcast = (found: unknown) =>
      failure(() => createCommunicator(loopback({ broadcast: () => found })).broadcast([1, 2]));
    expect([new Uint8Array(8), undefined, [message()]].map(broadcast)).toMatchInlineSnapshot(`
      [
        "broadcast: broadcast of the transport must return a Uint8Array of at least 64 bytes from worker 0, got 8 bytes; exchanges are synchronous, see Transport",
        "broadcast: broadcast of the transport must return a Uint8Array of at least 64 bytes from worker 0, got undefined; exchanges are synchronous, see Transport",
        "broadcast: broadcast of the transport must return a Uint8Array of at least 64 bytes from worker 0, got [[object Uint8Array]]; exchanges are synchronous, see Transport",
      ]
    `);
  });
});

test("worker 1 of 3 needs its part of a message, and not what follows", () => {
  const message = new Uint8Array(1024);
  const own = { rank: 1, size: 3, messageBytes: 1024, message };
  const all = (end: (bytes: number) => number) => (bytes: number) =>
    [0, 1, 2].map(() => message.slice(0, end(bytes)));
  const over = (end: (bytes: number) => number): Transport => ({
    ...own,
    allGather: all((bytes) => bytes),
    allToAll: all(end),
    broadcast: (bytes) => message.slice(0, bytes),
  });
  const x = () => ({ x: tensor(Array.from({ length: 200 }, (_, i) => i)) });
  const part = (end: (bytes: number) => number) => () =>
    createCommunicator(over(end)).allReduce(x());
  expect(part((bytes) => 2 * bytes)().x.shape).toEqual([200]);
  expect(failure(part((bytes) => 2 * bytes - 1))).toMatchInlineSnapshot(
    `"allReduce: allToAll of the transport must return a Uint8Array of at least 640 bytes from worker 0, got 639 bytes; exchanges are synchronous, see Transport"`,
  );
});

test("messages of a pooled buffer, at any byte, count like others", () => {
  const pool = Buffer.alloc(4096, 255);
  for (let at = 0; at < 9; at++) {
    const all = loopback();
    const moved = (each: Uint8Array) => {
      pool.set(each, at);
      return pool.subarray(at, at + each.length);
    };
    const communicator = createCommunicator({
      ...all,
      allGather: (bytes, where) => all.allGather(bytes, where).map(moved),
      allToAll: (bytes, where) => all.allToAll(bytes, where).map(moved),
      broadcast: (bytes, root, where) => moved(all.broadcast(bytes, root, where)),
    });
    const values = { x: tensor([0.1, -3]), n: 0.1 };
    for (const found of [communicator.allReduce(values), communicator.broadcast(values)]) {
      expect(found.x.toArray()).toEqual(values.x.toArray());
      expect(found.n).toBe(0.1);
    }
  }
});
