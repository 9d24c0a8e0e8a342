// Written by pkg/weights/weights.sh, which makes weights.bin; do not edit.

/** Name of this exact model; it is stored with every vector. */
export const id = "all-minilm-l6-v2-int8-1ac9e58e";
/** Where the weights are: beside this file. */
export const url = new URL("./weights.bin", import.meta.url).href;
/** Length of the weights. */
export const bytes = 23290036;
/** SHA-256 of the weights, in hexadecimal. */
export const sha256 = "9ced4fd2fdae56606cf6eca5384164fceaa3ef34e4fc46347224370b7671807f";
