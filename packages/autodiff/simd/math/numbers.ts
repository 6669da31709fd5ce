// Numbers that several functions need in every lane, each in memory for `constant`.
export const one_f64 = memory.data<f64>([1]);
export const two_f64 = memory.data<f64>([2]);
export const half_f64 = memory.data<f64>([0.5]);
export const quarter_f64 = memory.data<f64>([0.25]);
export const infinity_f64 = memory.data<f64>([Infinity]);
export const ln2_f64 = memory.data<f64>([0.6931471805599453]);
export const inverseLn2_f64 = memory.data<f64>([1.4426950408889634]);
/** ln2 in two parts; the upper one has 32 bits. */
export const ln2Upper_f64 = memory.data<f64>([0.6931471803691238]);
export const ln2Lower_f64 = memory.data<f64>([1.9082149292705877e-10]);
/**
 * 1.5*2^52: added to a number below 2^51, it leaves the nearest integer in the low bits of the sum.
 */
export const shifter_f64 = memory.data<f64>([6755399441055744]);
export const oneBits_i64 = memory.data<i64>([0x3ff0000000000000]);

export const one_f32 = memory.data<f32>([1]);
export const two_f32 = memory.data<f32>([2]);
export const half_f32 = memory.data<f32>([0.5]);
export const infinity_f32 = memory.data<f32>([Infinity]);
export const inverseLn2_f32 = memory.data<f32>([1.44269504]);
/** ln2 in two parts; the upper one has 9 bits. */
export const ln2Upper_f32 = memory.data<f32>([0.693359375]);
export const ln2Lower_f32 = memory.data<f32>([-2.12194440e-4]);
/**
 * 1.5*2^23: added to a number below 2^22, it leaves the nearest integer in the low bits of the sum.
 */
export const shifter_f32 = memory.data<f32>([12582912]);
export const oneBits_i32 = memory.data<i32>([0x3f800000]);
