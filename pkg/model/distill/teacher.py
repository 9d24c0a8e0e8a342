"""The teacher: all-MiniLM-L6-v2 in float32, read from its safetensors file.

A plain numpy forward pass instead of a runtime package: it is 60 lines, needs no int8 weights, and with one BLAS thread and a
fixed BLAS kernel its bits do not depend on how the machine is loaded.
Texts of one length form one batch, so there is no padding and no attention mask.
"""

import hashlib
import json

import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf

CLS, SEP = 101, 102
LAYERS, HEADS, HIDDEN = 6, 12, 384
# Word pieces of one teacher input, the two marks included; the model card's own limit.
LONGEST = 256
# Word pieces per batch: small enough for the feed-forward activations to stay in cache.
BATCH_PIECES = 2048
# Texts per cached file, so that an interrupted run loses at most a minute or two.
SHARD_TEXTS = 10_000


class Teacher:
    def __init__(self, weights_path):
        w = load_file(weights_path)
        self.words = w["embeddings.word_embeddings.weight"]
        # Both inputs are a single segment, so the segment vector is part of the position vector.
        self.positions = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
        self.norm = _norm_of(w, "embeddings.LayerNorm")
        self.layers = []
        for i in range(LAYERS):
            at = f"encoder.layer.{i}."
            qkv = [_linear_of(w, at + "attention.self." + name) for name in ("query", "key", "value")]
            self.layers.append(
                dict(
                    qkv=(np.concatenate([m for m, _ in qkv], axis=1), np.concatenate([b for _, b in qkv])),
                    out=_linear_of(w, at + "attention.output.dense"),
                    norm_1=_norm_of(w, at + "attention.output.LayerNorm"),
                    up=_linear_of(w, at + "intermediate.dense"),
                    down=_linear_of(w, at + "output.dense"),
                    norm_2=_norm_of(w, at + "output.LayerNorm"),
                )
            )

    def batch(self, ids):
        """Mean-pooled hidden states, not normalised, of a (texts, pieces) array of ids that includes both marks."""
        n, length = ids.shape
        x = _layer_norm(self.words[ids] + self.positions[:length], self.norm)
        for layer in self.layers:
            qkv = _apply(x, layer["qkv"]).reshape(n, length, 3, HEADS, HIDDEN // HEADS)
            q, k, v = (qkv[:, :, i].transpose(0, 2, 1, 3) for i in range(3))
            scores = q @ k.transpose(0, 1, 3, 2) / np.float32(np.sqrt(HIDDEN // HEADS))
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores /= scores.sum(axis=-1, keepdims=True)
            context = (scores @ v).transpose(0, 2, 1, 3).reshape(n, length, HIDDEN)
            x = _layer_norm(x + _apply(context, layer["out"]), layer["norm_1"])
            up = _apply(x, layer["up"])
            up *= np.float32(0.5) * (np.float32(1) + erf(up * np.float32(np.sqrt(0.5))))
            x = _layer_norm(x + _apply(up, layer["down"]), layer["norm_2"])
        return x.mean(axis=1)

    def vectors(self, pieces):
        """Unit-length vectors of lists of ids (without marks)."""
        out = np.zeros((len(pieces), HIDDEN), np.float32)
        by_length = {}
        for row, ids in enumerate(pieces):
            by_length.setdefault(min(len(ids), LONGEST - 2), []).append(row)
        for length, rows in sorted(by_length.items()):
            step = max(1, BATCH_PIECES // (length + 2))
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                out[part] = self.batch(np.array([[CLS, *pieces[row][:length], SEP] for row in part]))
        return out / np.linalg.norm(out, axis=1, keepdims=True)

    def token_vectors(self):
        """Mean-pooled vectors, not normalised, of every vocabulary entry as a text of its own."""
        ids = np.arange(len(self.words))
        ids = np.stack([np.full_like(ids, CLS), ids, np.full_like(ids, SEP)], axis=1)
        step = BATCH_PIECES // 3
        return np.concatenate([self.batch(ids[start : start + step]) for start in range(0, len(ids), step)])


def cached_vectors(teacher, pieces, weights_sha256, folder, say):
    """`(token vectors, text vectors)`, shard by shard from `folder` where they are there already.

    A shard's name is the checksum of the teacher's weights and of the shard's ids, so a stale one is never read.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def shard(name, key, make):
        digest = hashlib.sha256((weights_sha256 + json.dumps(key)).encode()).hexdigest()[:16]
        path = folder / f"{name}-{digest}.npy"
        if not path.exists():
            part = path.with_suffix(".part")
            with open(part, "wb") as file:
                np.save(file, make())
            part.rename(path)
            say(f"teacher: {path.name}")
        return np.load(path)

    tokens = shard("tokens", "tokens", teacher.token_vectors)
    texts = []
    for start in range(0, len(pieces), SHARD_TEXTS):
        part = pieces[start : start + SHARD_TEXTS]
        texts.append(shard("texts", part, lambda part=part: teacher.vectors(part)))
    return tokens, np.concatenate(texts)


def _linear_of(weights, name):
    return np.ascontiguousarray(weights[name + ".weight"].T), weights[name + ".bias"]


def _norm_of(weights, name):
    return weights[name + ".weight"], weights[name + ".bias"]


def _apply(x, linear):
    matrix, bias = linear
    # One two-dimensional product: a stacked one would call the BLAS once per text.
    return (x.reshape(-1, matrix.shape[0]) @ matrix + bias).reshape(*x.shape[:-1], matrix.shape[1])


def _layer_norm(x, norm):
    weight, bias = norm
    x = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(x).mean(axis=-1, keepdims=True)
    return x / np.sqrt(variance + np.float32(1e-12)) * weight + bias
