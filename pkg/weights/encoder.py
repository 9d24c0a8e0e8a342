"""An encoder of the BERT family in float32: the parameters, and the reference that the Rust code is compared with."""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import erf


@dataclass
class Encoder:
    """All parameters as float32 arrays; a matrix has a row per output."""

    heads: int
    epsilon: float
    # One row per entry of the vocabulary.
    words: np.ndarray
    # One row per position, with the vector of the only segment added.
    positions: np.ndarray
    norm: tuple
    layers: list = field(default_factory=list)

    def rows(self, ids):
        """The last layer's rows, for ids that include both marks."""
        length = len(ids)
        x = layer_norm(self.words[ids] + self.positions[:length], self.norm, self.epsilon)
        size = x.shape[1] // self.heads
        for layer in self.layers:
            qkv = apply(x, layer["attend"]).reshape(length, 3, self.heads, size)
            q, k, v = (qkv[:, i].transpose(1, 0, 2) for i in range(3))
            scores = q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(size))
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores /= scores.sum(axis=-1, keepdims=True)
            context = (scores @ v).transpose(1, 0, 2).reshape(x.shape)
            x = layer_norm(x + apply(context, layer["gather"]), layer["attention_norm"], self.epsilon)
            wide = apply(x, layer["widen"])
            wide *= np.float32(0.5) * (np.float32(1) + erf(wide * np.float32(np.sqrt(0.5))))
            x = layer_norm(x + apply(wide, layer["narrow"]), layer["norm"], self.epsilon)
        return x

    def vector(self, ids):
        """Unit-length mean of the last layer's rows."""
        mean = self.rows(ids).mean(axis=0)
        return mean / np.linalg.norm(mean)


MATRICES = ("attend", "gather", "widen", "narrow")


def apply(x, linear):
    matrix, bias = linear
    return x @ matrix.T + bias


def layer_norm(x, norm, epsilon):
    weight, bias = norm
    x = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(x).mean(axis=-1, keepdims=True)
    return x / np.sqrt(variance + np.float32(epsilon)) * weight + bias


def calibration(conversations, query, passage):
    """Mean and standard deviation of the cosines of each turn as a query and every other turn of its conversation as a passage.

    Turns of one conversation, because that is what a memory holds: what people talk about is never as unrelated as sentences of a
    list, and a deviation from those would call every turn a good match.
    """
    cosines = []
    for turns in conversations:
        table = np.array([query(turn) for turn in turns]) @ np.array([passage(turn) for turn in turns]).T
        cosines.append(table[~np.eye(len(turns), dtype=bool)])
    cosines = np.concatenate(cosines)
    # Processors add in different orders: the eighth digit would make another file, with another id, on each of them.
    return round(float(cosines.mean()), 4), round(float(cosines.std()), 4)
