// Written by pkg/weights/weights.sh, which makes weights.bin; do not edit.

/** Name of this exact model; it is stored with every vector. */
export const id = "multilingual-e5-small-int4-b8a752ff";
/** Where the weights are: beside this file. */
export const url = new URL("./weights.bin", import.meta.url).href;
/** Length of the weights. */
export const bytes = 70842770;
/** SHA-256 of the weights, in hexadecimal. */
export const sha256 = "8f9a1f2ce1442ea042d2812a799796d5b04fd2298945f85919b25adf18066614";
