"""Small random models with their reference results, for the tests that always run. Run it through weights.sh."""

import json
import unicodedata

import numpy as np

import coding
import golden
from axes import Axes
import weightfile
from encoder import Encoder

WORDS = """[PAD] [UNK] [CLS] [SEP] the a cat dog sat on mat ran to town is red blue and not he she it we they my your in of for
##s ##ed ##ing ##er ##ly un run walk talk jump house tree river night day sun moon , . ! ? ' 1 2 3 ##1 ##2 日 本""".split()
TEXTS = [
    "The cat sat on the mat.",
    "a dog",
    "Is it RED, or blue?",
    "undo walking walked walker 12 ?!",
    "日本",
    "the cat and the dog and the sun and the moon and the river and the house and the tree and the town and the night",
    "we",
    "My ünrun CAFÉ jumps! ",
    "query: passage: the",
    "E\u0301e\u0301 \u200b\u00a0 caﬁt… Ａ日本",
    "the" * 40,
]
# Spaces become ▁; the empty ones are special pieces.
PIECES = ["", "", "", "", "▁", "▁the", "▁cat", "▁a", "t", "h", "e", "c", "a", "s", "▁s", "at", "▁sat", "on", "o", "n", "▁on", "m"]
PIECES += ["d", "og", "▁do", "r", "u", "▁r", "un", "q", "y", ":", "p", "g", "ge", "ss", "▁pa", "é", "日", "本", "日本", ".", "i", "w"]
RULES = {"É": "é", "\u00a0": " ", "\u200b": "", "\t": " ", "Ａ": "a", "ﬁ": "fi", "…": "..."}
UNKNOWN = 3


def random_encoder(rng, *, layers, heads, hidden, inner, positions, pieces):
    array = lambda *shape, scale: (rng.standard_normal(shape) * scale).astype(np.float32)
    linear = lambda n, k: (array(n, k, scale=1.5 / np.sqrt(k)), array(n, scale=0.1))
    norm = lambda: (1 + array(hidden, scale=0.1), array(hidden, scale=0.1))
    return Encoder(
        heads,
        1e-6,
        array(pieces, hidden, scale=1),
        array(positions, hidden, scale=0.3),
        norm(),
        [
            dict(
                attend=linear(3 * hidden, hidden),
                gather=linear(hidden, hidden),
                attention_norm=norm(),
                widen=linear(inner, hidden),
                narrow=linear(hidden, inner),
                norm=norm(),
            )
            for _ in range(layers)
        ],
    )


def wordpiece_ids(text):
    """The texts above need no more of the tokenizer than this; the full one has golden files of its own."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    words = "".join(f" {c} " if c in ",.!?:日本" else c for c in plain).split()
    ids = []
    for word in words:
        found, at = [], 0
        while at < len(word):
            ends = [end for end in range(len(word), at, -1) if ("##" * (at > 0) + word[at:end]) in WORDS]
            if not ends:
                found = [WORDS.index("[UNK]")]
                break
            found.append(WORDS.index("##" * (at > 0) + word[at : ends[0]]))
            at = ends[0]
        ids += found
    return ids


def unigram_ids(text, scores):
    """By trying every way to cut each word; the characters outside the vocabulary cost ten more than the worst piece."""
    plain = "".join(RULES.get(c, c) for c in unicodedata.normalize("NFC", text))

    def best(rest):
        if not rest:
            return 0.0, []
        ways = []
        for length in range(1, len(rest) + 1):
            if rest[:length] in PIECES:
                piece = PIECES.index(rest[:length])
                score, tail = best(rest[length:])
                ways.append((float(scores[piece]) + score, [piece, *tail]))
        if rest[0] not in PIECES:
            score, tail = best(rest[1:])
            ways.append((float(scores.min()) - 10 + score, [UNKNOWN, *tail]))
        return max(ways, key=lambda way: way[0])

    ids = []
    for word in plain.split():
        found = best("▁" + word)[1]
        ids += [piece for i, piece in enumerate(found) if not (piece == UNKNOWN and i and found[i - 1] == UNKNOWN)]
    return ids


def words(kind, ids):
    """The places of the pieces of each word that gets a vector: of a query every piece, of a passage whole words that say something.
    The texts above have few others."""
    places = range(1, len(ids) - 1)
    if kind == "query":
        return [[place] for place in places]
    found = []
    for place in places:
        piece = WORDS[ids[place]]
        if piece.startswith("##") and place > 1:
            found[-1].append(place)
        else:
            found.append([place])
    silent = set("[UNK] the a on to is and not or he she it we they my your in of for , . ! ? ' re".split())
    return [word for word in found if "".join(WORDS[ids[place]].removeprefix("##") for place in word) not in silent]


def write(name, encoder, rows, matrices, tokenizer, marks, encode, unknown, axes=None, **prefixes):
    row_part, matrix_part, rounded = weightfile.coded(encoder, rows, matrices)
    data = weightfile.to_bytes(
        encoder,
        name=name,
        rows=row_part,
        matrices=matrix_part,
        tokenizer=tokenizer,
        marks=marks,
        mean=0.25,
        sd=0.125,
        axes=axes,
        **prefixes,
    )
    unit = lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)
    (golden.FOLDER / f"{name}.bin").write_bytes(data)
    cases = []
    for kind in ("query", "passage"):
        prefix = encode(prefixes.get(kind, ""))
        for text in [*TEXTS, "", "xyz"]:
            ids = encode(text)[: len(encoder.positions) - 2 - len(prefix)]
            ids = [marks[0], *prefix, *ids, marks[1]] if set(ids) - {unknown} else None
            # Of the rounded weights: what 4 bits do to random numbers is not what is tested.
            vector = [round(float(x), 7) for x in rounded.vector(ids)] if ids else None
            case = dict(text=text, kind=kind, ids=ids, vector=vector)
            if axes and ids:
                laid = unit(axes.of(rounded.rows(ids)))
                case["words"] = [[round(float(x), 4) for x in unit(laid[word].sum(axis=0))] for word in words(kind, ids)]
            cases.append(json.dumps(case, ensure_ascii=True))
    about = json.dumps(dict(id=weightfile.file_id(name, data)))[1:-1]
    path = golden.FOLDER / f"{name}.json"
    path.write_text("{" + about + ', "cases": [\n' + ",\n".join(cases) + "\n]}\n", encoding="utf8")
    print(f"{path}: {len(data)} bytes of weights")


def main():
    rng = np.random.default_rng(71)
    vocabulary = (weightfile.WORDPIECE, "\n".join(WORDS).encode())
    unknown, first, last = (WORDS.index(mark) for mark in ("[UNK]", "[CLS]", "[SEP]"))
    encoder = random_encoder(rng, layers=2, heads=2, hidden=32, inner=64, positions=16, pieces=len(WORDS))
    # Of numbers of their own: those after them stay as they were.
    numbers = np.random.default_rng(72)
    axes = Axes(numbers.standard_normal((8, 32)).astype(np.float32), numbers.standard_normal(8).astype(np.float32))
    write("tiny-8-bit", encoder, coding.eight, coding.eight, vocabulary, (first, last), wordpiece_ids, unknown, axes)
    encoder = random_encoder(rng, layers=1, heads=8, hidden=64, inner=32, positions=24, pieces=len(WORDS))
    write("tiny-6-bit", encoder, coding.six, coding.six, vocabulary, (first, last), wordpiece_ids, unknown)

    scores = -rng.uniform(2, 12, len(PIECES)).astype(np.float32)
    pieces = (weightfile.UNIGRAM, weightfile.unigram(RULES, PIECES, scores, UNKNOWN))
    encode = lambda text: unigram_ids(text, scores)
    encoder = random_encoder(rng, layers=2, heads=4, hidden=32, inner=96, positions=32, pieces=len(PIECES))
    write("tiny-4-bit", encoder, coding.four, coding.four, pieces, (0, 2), encode, UNKNOWN, query="query: ", passage="passage: ")


if __name__ == "__main__":
    main()
