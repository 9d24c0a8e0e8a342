/** Name of this exact model; it is stored with every vector. */
export declare const id: string;
/** Where the weights are: beside the package's entry file. */
export declare const url: string;
/** Length of the weights. */
export declare const bytes: number;
/** SHA-256 of the weights, in hexadecimal. */
export declare const sha256: string;
