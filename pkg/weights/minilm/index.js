// Written by pkg/weights/weights.sh, which makes weights.bin; do not edit.

/** Name of this exact model; it is stored with every vector. */
export const id = "all-minilm-l6-v2-int8-ce08443f";
/** Where the weights are: beside this file. */
export const url = new URL("./weights.bin", import.meta.url).href;
/** Length of the weights. */
export const bytes = 23290036;
/** SHA-256 of the weights, in hexadecimal. */
export const sha256 = "a01c3ec3ff83398c1c59d53099b62be4da6c4babe393694137e43909412802fe";
