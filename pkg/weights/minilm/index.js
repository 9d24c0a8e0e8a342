// Written by pkg/weights/weights.sh, which makes weights.bin; do not edit.

/** Name of this exact model; it is stored with every vector. */
export const id = "all-minilm-l6-v2-int8-d889e98d";
/** Where the weights are: beside this file. */
export const url = new URL("./weights.bin", import.meta.url).href;
/** Length of the weights. */
export const bytes = 23388596;
/** SHA-256 of the weights, in hexadecimal. */
export const sha256 = "add21eae65e59bfdf398107e892367a5cbf831765eed23ef9b822a26392bf88d";
