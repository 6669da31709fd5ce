import { createBackend, tensor, zeros } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../src/safetensors.ts";

const backend = createBackend({ kernels: referenceKernels });

/** A file of a given header text, padded to it, and as many zero bytes. */
function file(header: string | Uint8Array, dataBytes = 0, claimed?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const one = (fields: string) => `{"x":{${fields}}}`;
const good = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';

test("bfloat16 is widened: it is the upper half of float32", () => {
  const bytes = file(one('"dtype":"BF16","shape":[3],"data_offsets":[0,6]'), 6);
  new DataView(bytes.buffer).setUint16(bytes.length - 6, 0x3f80, true);
  new DataView(bytes.buffer).setUint16(bytes.length - 4, 0xc049, true);
  new DataView(bytes.buffer).setUint16(bytes.length - 2, 0x7f80, true);
  expect(decodeSafetensors(bytes).tensors.x).toEqual({
    dtype: "float32",
    stored: "BF16",
    shape: [3],
    byteLength: 6,
    data: new Float32Array([1, -3.140625, Number.POSITIVE_INFINITY]),
  });
});

describe("malformed files", () => {
  const bytes = encodeSafetensors(
    {
      layers: [{ W: tensor([[1, 2]], { backend }) }],
      b: zeros([3], { dtype: "float64", backend }),
    },
    { note: "text" },
  );
  const original = decodeSafetensors(bytes);
  const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));

  test("a file cut off anywhere is refused", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length))).toThrow(
        /^decodeSafetensors: .{20}/,
      );
    }
    expect(() => decodeSafetensors(bytes)).not.toThrow();
  });

  test("bytes after the end are refused", () => {
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(() => decodeSafetensors(longer)).toThrow(/the rest belongs to no tensor/);
  });

  /**
   * The format has no checksum: a changed letter of a name, of a text, or F64 made I64 is a file of
   * its own. Nothing else gets through, and nothing throws anything but a sentence.
   */
  test("any changed byte of the length or the header is refused, or changes names, texts or the meaning of elements only", () => {
    let refused = 0;
    for (let at = 0; at < headerEnd; at++) {
      for (let value = 0; value < 256; value++) {
        if (value === bytes[at]) continue;
        const damaged = bytes.slice();
        damaged[at] = value;
        try {
          const { tensors: found } = decodeSafetensors(damaged);
          const shapes = Object.values(found).map((x) => x.shape);
          expect(shapes).toEqual(Object.values(original.tensors).map((x) => x.shape));
        } catch (error) {
          expect((error as Error).message).toMatch(/^decodeSafetensors: .{20}/);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(0.5 * headerEnd * 255);
  });

  test("any bytes at all are decoded or refused with a sentence", () => {
    const noise = fc.uint8Array({ maxLength: 60 });
    const headers = fc.json().map((text) => file(text, 8));
    const entries = fc.json().map((text) => file(`{"x":${text}}`, 8));
    const fields = fc
      .tuple(fc.json(), fc.json(), fc.json())
      .map(([dtype, shape, offsets]) =>
        file(one(`"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}`), 8),
      );
    fc.assert(
      fc.property(fc.oneof(noise, headers, entries, fields), (data) => {
        try {
          decodeSafetensors(data);
        } catch (error) {
          expect((error as Error).message).toMatch(/^decodeSafetensors: .{20}/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("each fault has its sentence", () => {
    const refuse = (data: Uint8Array) => () => decodeSafetensors(data);
    expect(refuse(new Uint8Array(5))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the file has 5 bytes and needs 8 for the length of its header; it was cut off or is no safetensors file]`,
    );
    expect(refuse(file("{}", 0, 100_000_001n))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header would take 100000001 bytes and the format allows 100000000; this is no safetensors file]`,
    );
    expect(refuse(file("{}", 0, 2n ** 64n - 1n))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header would take 18446744073709551615 bytes and the format allows 100000000; this is no safetensors file]`,
    );
    expect(refuse(file("{}", 0, 3n))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header should end at byte 11 and the file has 10 bytes; it was cut off]`,
    );
    expect(refuse(file(""))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header must begin with {; this is no safetensors file]`,
    );
    expect(refuse(file("[]"))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header must begin with {; this is no safetensors file]`,
    );
    expect(refuse(file("{'x':1}"))).toThrow(
      /^decodeSafetensors: the header is not JSON \(.*\); the file is damaged$/,
    );
    expect(
      refuse(file(new Uint8Array([0x7b, 0x22, 0xff, 0x22]))),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header is not UTF-8 text; the file is damaged]`,
    );
    expect(refuse(file(`{"x":{${good}},"x":{${good}}}`, 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header has the key "x" twice in one object]`,
    );
    expect(refuse(file(one(`${good},"dtype":"F32"`), 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header has the key "dtype" twice in one object]`,
    );
    expect(refuse(file('{"__metadata__":3}'))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: __metadata__ must be an object of strings, got 3]`,
    );
    expect(refuse(file('{"__metadata__":{"a":1}}'))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: __metadata__ must hold strings, got 1 for "a"]`,
    );
    expect(refuse(file('{"x":[]}'))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "x" must be described by an object, got []]`,
    );
    expect(refuse(file(one(`${good},"more":1`), 8))).not.toThrow();
    expect(refuse(file('{"__metadata__":null}'))).not.toThrow();
    expect(refuse(file(one(good.replace("F32", "I128")), 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "x" has the dtype "I128", which the format does not know; expected one of F64, F32, I32, F16, BF16, I64, U64, U32, I16, U16, I8, U8, BOOL, C64, F8_E4M3, F8_E5M2, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, F6_E2M3, F6_E3M2, F4]`,
    );
    expect(
      refuse(file(one(good.replace("F32", "toString")), 8)),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "x" has the dtype "toString", which the format does not know; expected one of F64, F32, I32, F16, BF16, I64, U64, U32, I16, U16, I8, U8, BOOL, C64, F8_E4M3, F8_E5M2, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, F6_E2M3, F6_E3M2, F4]`,
    );
    expect(refuse(file(one(good.replace("[2]", "[-2]")), 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "x" has the shape [-2], expected whole numbers of at least 0]`,
    );
    expect(refuse(file(one(good.replace("[2]", "[2.5]")), 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "x" has the shape [2.5], expected whole numbers of at least 0]`,
    );
    expect(refuse(file(one(good.replace("[0,8]", "[0]")), 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "x" has the data_offsets [0], expected two whole numbers of at least 0]`,
    );
    expect(refuse(file(one(good.replace("[2]", "[3]")), 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "x" of F32 [3] takes 12 bytes, and its data_offsets 0 to 8 span 8]`,
    );
    expect(refuse(file(one(good), 4))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the tensors take 8 bytes of data and the file has 4; the file was cut off]`,
    );
    expect(refuse(file(one(good), 12))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the tensors take 8 bytes of data and the file has 12; the rest belongs to no tensor]`,
    );
    expect(
      refuse(file(one(good.replace("[0,8]", "[4,12]")), 12)),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "x" starts at byte 4 of the data, which leaves a gap after the tensor before it: expected 0]`,
    );
    expect(
      refuse(file(`{"x":{${good}},"y":{${good.replace("[0,8]", "[4,12]")}}}`, 12)),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "y" starts at byte 4 of the data, which overlaps the tensor before it: expected 8]`,
    );
    expect(() => decodeSafetensors("text" as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: decodeSafetensors: expected a Uint8Array, got string; wrap an ArrayBuffer with new Uint8Array(buffer)]`,
    );
  });
});
