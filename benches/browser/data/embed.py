"""Writes base.f32, queries.f32, inserts.f32 and data.json. Run it through make.sh.

The order of the sentences is that of their SHA-256 (`wordnet.sentences`), so every prefix of the base is a fair sample, and
queries and inserts are held out: no text is in two files. Texts are distinct; a few vectors may still be equal.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import wordnet
from distill import MODEL, SHA256, verified
from teacher import Teacher

QUERIES = 500
# Vectors that the benchmark adds to a finished index, one at a time.
INSERTS = 500
# Texts per cached file: about ten seconds of work, which is what an interruption costs.
SHARD_TEXTS = 2_000

STARTED = time.monotonic()


def say(what):
    print(f"[{time.monotonic() - STARTED:6.0f} s] {what}", flush=True)


def shard(teacher, encode, texts, folder):
    """The vectors of `texts`, from `folder` if they are there. The name is the checksum of what they depend on."""
    key = hashlib.sha256((SHA256["model.safetensors"] + json.dumps(texts)).encode()).hexdigest()[:16]
    path = folder / f"{key}.npy"
    if not path.exists():
        part = path.with_suffix(".part")
        with open(part, "wb") as file:
            np.save(file, teacher.vectors(encode(texts)))
        part.rename(path)
    return np.load(path)


def main(out, n_base):
    model = Path(sys.prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages", MODEL)
    tokenizer = Tokenizer.from_file(str(verified(model / "tokenizer.json")))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    text = out / "wordnet/usr/share/wordnet"
    for name in wordnet.DATA_FILES:
        verified(text / name)
    sentences = wordnet.sentences(text)
    # Held out first, so that they are the same for every size of the base.
    n = QUERIES + INSERTS + n_base
    if len(sentences) < n:
        sys.exit(f"{n} sentences are asked for, WordNet has {len(sentences)}")
    sentences = sentences[:n]
    say(f"{n} sentences of WordNet, {sum(map(len, sentences)) / n:.0f} characters on average")

    def encode(texts):
        return [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]

    teacher = Teacher(verified(model / "model.safetensors"))
    folder = out / "shards"
    folder.mkdir(exist_ok=True)
    vectors = []
    for start in range(0, n, SHARD_TEXTS):
        vectors.append(shard(teacher, encode, sentences[start : start + SHARD_TEXTS], folder))
        say(f"{min(start + SHARD_TEXTS, n)} of {n}")
    vectors = np.concatenate(vectors).astype("<f4")

    parts = dict(queries=vectors[:QUERIES], inserts=vectors[QUERIES : QUERIES + INSERTS], base=vectors[QUERIES + INSERTS :])
    about = dict(model="all-MiniLM-L6-v2", text="WordNet 3.0 definitions and examples", dimensions=vectors.shape[1])
    about["textSha256"] = hashlib.sha256("\n".join(sentences).encode()).hexdigest()
    for name, part in parts.items():
        (out / f"{name}.f32").write_bytes(part.tobytes())
        about[name] = dict(vectors=len(part), sha256=hashlib.sha256(part.tobytes()).hexdigest())
    (out / "data.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf8")
    say(f"done: {json.dumps(about)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
