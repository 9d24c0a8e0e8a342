// Written by pkg/weights/weights.sh, which makes weights.bin; do not edit.

/** Name of this exact model; it is stored with every vector. */
export const id = "multilingual-e5-small-int4-aeffe6de";
/** Where the weights are: beside this file. */
export const url = new URL("./weights.bin", import.meta.url).href;
/** Length of the weights. */
export const bytes = 70842770;
/** SHA-256 of the weights, in hexadecimal. */
export const sha256 = "db10f096a4128afe3f9a063944ff5775d4c3cec35d91eb8d893f6a75ca5df8a0";
