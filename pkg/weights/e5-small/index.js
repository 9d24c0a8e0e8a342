// Written by pkg/weights/weights.sh, which makes weights.bin; do not edit.

/** Name of this exact model; it is stored with every vector. */
export const id = "multilingual-e5-small-int4-860693f6";
/** Where the weights are: beside this file. */
export const url = new URL("./weights.bin", import.meta.url).href;
/** Length of the weights. */
export const bytes = 70842770;
/** SHA-256 of the weights, in hexadecimal. */
export const sha256 = "b348c71621a264532a29af530e2d37b08873a8539f701af1ece01d40edc96e3f";
