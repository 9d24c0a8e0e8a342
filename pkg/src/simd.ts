/** A module with one SIMD instruction. Validating it runs nothing. */
const MODULE_WITH_SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11,
]);

/** Whether this browser runs the faster build. WebAssembly has no way to ask from inside. */
export function hasSimd(): boolean {
  return WebAssembly.validate(MODULE_WITH_SIMD);
}
