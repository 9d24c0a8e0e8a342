"""The weight file, format 1: docs/format-embedding-weights.md."""

import struct
import zlib

from coding import BITS
from encoder import MATRICES, Encoder

MAGIC = b"ONHWTS1\n"
WORDPIECE, UNIGRAM = 1, 2


def to_bytes(encoder, *, name, rows, matrices, tokenizer, marks, mean, sd, query="", passage="", axes=None):
    """`rows` is `(bits, bytes)` of the vocabulary's rows; `matrices` is `(bits, {name: bytes} per layer)`;
    `tokenizer` is `(kind, bytes)`; `axes` are those of words, if there are any."""
    pieces, hidden = encoder.words.shape
    inner = len(encoder.layers[0]["widen"][1])
    texts = [text.encode() for text in (name, query, passage)]
    parameters = [encoder.positions, *encoder.norm]
    for layer in encoder.layers:
        parameters += [layer["attend"][1], layer["gather"][1], *layer["attention_norm"]]
        parameters += [layer["widen"][1], layer["narrow"][1], *layer["norm"]]
    content = b"".join(
        [
            MAGIC,
            struct.pack("<6I", len(encoder.layers), encoder.heads, hidden, inner, len(encoder.positions), pieces),
            struct.pack("<6I", tokenizer[0], len(tokenizer[1]), rows[0], matrices[0], *marks),
            struct.pack("<3f", encoder.epsilon, mean, sd),
            struct.pack("<4I12x", *map(len, texts), len(axes.offsets) if axes else 0),
            *texts,
            tokenizer[1],
            *[array.astype("<f4").tobytes() for array in parameters],
            rows[1],
            *[layer[matrix] for layer in matrices[1] for matrix in MATRICES],
            *([axes.offsets.astype("<f4").tobytes(), axes.directions.astype("<f4").tobytes()] if axes else []),
        ]
    )
    return content + struct.pack("<I", zlib.crc32(content))


def file_id(name, data):
    return f"{name}-{struct.unpack('<I', data[-4:])[0]:08x}"


def unigram(rules, pieces, scores, unknown):
    """The tokenizer's part for a unigram model; `rules` maps characters to strings, special pieces are empty."""
    rules = sorted((ord(a), b.encode()) for a, b in rules.items())
    # A reader does not look ASCII up.
    assert not any(ord("!") <= a <= ord("~") for a, _ in rules)
    targets = [b for _, b in rules]
    pieces = [piece.encode() for piece in pieces]
    return b"".join(
        [
            struct.pack("<3I", len(rules), sum(map(len, targets)), unknown),
            struct.pack(f"<{len(rules)}I", *[a for a, _ in rules]),
            bytes(map(len, targets)),
            *targets,
            scores.astype("<f4").tobytes(),
            bytes(map(len, pieces)),
            *pieces,
        ]
    )


def coded(encoder, rows, matrices):
    """The two parts of the weights for `to_bytes`, and the encoder that they stand for."""

    row_bytes, words = rows(encoder.words)
    layer_bytes, layers = [], []
    for layer in encoder.layers:
        parts = {name: matrices(layer[name][0]) for name in MATRICES}
        layer_bytes.append({name: part[0] for name, part in parts.items()})
        layers.append(layer | {name: (part[1], layer[name][1]) for name, part in parts.items()})
    stands_for = Encoder(encoder.heads, encoder.epsilon, words, encoder.positions, encoder.norm, layers)
    return (BITS[rows], row_bytes), (BITS[matrices], layer_bytes), stands_for
