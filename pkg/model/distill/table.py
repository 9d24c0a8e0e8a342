"""The table file, format 1: docs/format-embedding-table.md."""

import struct
import zlib

import numpy as np

MAGIC = b"ONHEMB1\n"
# Candidates for a row's scale, as a share of the one that just fits its largest component: clipping a little costs less than
# rounding everything more coarsely.
SHARES = np.linspace(0.5, 1.0, 51)


def quantise(table):
    """`(half-precision scales, integers from -8 to 7)` with the least squared error per row."""
    # Only directions matter, so the unit is free; this one keeps the largest scale near one and the small ones normal numbers.
    table = table / np.abs(table).max() * 7
    largest = np.abs(table).max(axis=1)
    best = np.full(len(table), np.inf)
    scales = np.zeros(len(table), np.float16)
    values = np.zeros(table.shape, np.int8)
    used = np.flatnonzero(largest)
    for share in SHARES:
        # Rounding to half precision first makes the stored scale exactly the one that is judged.
        scale = (largest[used] * share / 7).astype(np.float16)
        steps = scale.astype(np.float64)[:, None]
        whole = np.clip(np.rint(table[used] / steps), -8, 7)
        error = np.square(whole * steps - table[used]).sum(axis=1)
        better = error < best[used]
        rows = used[better]
        best[rows], scales[rows], values[rows] = error[better], scale[better], whole[better]
    return scales, values


def to_bytes(vocabulary, scales, values, mean, sd):
    rows, dimensions = values.shape
    text = "\n".join(vocabulary).encode()
    low, high = values[:, : dimensions // 2], values[:, dimensions // 2 :]
    content = (
        MAGIC
        + struct.pack("<IIIff16x", rows, dimensions, len(text), mean, sd)
        + text
        + scales.astype("<f2").tobytes()
        + ((low & 15) | (high & 15) << 4).astype(np.uint8).tobytes()
    )
    return content + struct.pack("<I", zlib.crc32(content))


class Table:
    """A reader of its own, independent of the Rust one, that the golden vectors come from."""

    def __init__(self, data):
        assert data[:8] == MAGIC
        (crc,) = struct.unpack("<I", data[-4:])
        assert crc == zlib.crc32(data[:-4])
        rows, self.dimensions, length, self.mean, self.sd = struct.unpack_from("<IIIff", data, 8)
        self.id = f"static-{self.dimensions}-int4-{crc:08x}"
        at = 44 + length
        self.vocabulary = data[44:at].decode().split("\n")
        assert len(self.vocabulary) == rows
        scales = np.frombuffer(data, "<f2", rows, at).astype(np.float64)
        packed = np.frombuffer(data, np.int8, rows * self.dimensions // 2, at + 2 * rows).reshape(rows, -1)
        self.rows = np.concatenate([(packed << 4).astype(np.int8) >> 4, packed >> 4], axis=1) * scales[:, None]

    def vectors(self, pieces):
        """Unit vectors of lists of ids; zeros where nothing is known."""
        sums = np.array([self.rows[ids].sum(axis=0) if ids else np.zeros(self.dimensions) for ids in pieces])
        return sums / np.linalg.norm(sums, axis=1, keepdims=True).clip(1e-30)


def random_pair_cosines(vectors):
    """Mean and standard deviation over all pairs of different texts."""
    cosines = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return float(cosines.mean()), float(cosines.std())
