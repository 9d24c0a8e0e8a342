// Written by pkg/weights/weights.sh, which makes weights.bin; do not edit.

/** Name of this exact model; it is stored with every vector. */
export const id = "all-minilm-l6-v2-int8-732f8b7e";
/** Where the weights are: beside this file. */
export const url = new URL("./weights.bin", import.meta.url).href;
/** Length of the weights. */
export const bytes = 23290036;
/** SHA-256 of the weights, in hexadecimal. */
export const sha256 = "3d0f41f0e6e2095a347da2fc5992475ce6397a704e8fd5e92fa2b6d448a6185e";
