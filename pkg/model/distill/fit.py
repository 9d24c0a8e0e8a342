"""From teacher vectors to token vectors: principal axes, then ridge regression."""

import numpy as np
import scipy.sparse as sparse

# How much a fitted vector is held to its start. Chosen once by retrieval quality; the result hardly depends on it.
RIDGE = 0.02
ROUNDS = 40
# Rows before this one are marks and unused entries; the vocabulary is in order of frequency from here on.
FIRST_WORD = 996
# [PAD], [UNK], [CLS], [SEP] and [MASK] mean nothing in a text.
MARKS = [0, 100, 101, 102, 103]


def token_table(pieces, texts, tokens, dimensions):
    """Token vectors whose mean over a text imitates the teacher's vector of that text.

    `pieces`: ids of each text; `texts`: the teacher's unit vectors of them; `tokens`: its vectors of single tokens.
    Tokens that occur in no text keep their start: their own vector on the same axes, weighted down when frequent.
    """
    texts = texts.astype(np.float64)
    tokens = tokens.astype(np.float64)
    centred = texts - texts.mean(axis=0)
    axes = principal_axes(centred, dimensions)
    target = centred @ axes
    means = mean_matrix(pieces, len(tokens))

    start = (tokens - tokens[1000:].mean(axis=0)) @ axes * frequency_weights(len(tokens))[:, None]
    first = means @ start
    start *= (first * target).sum() / (first * first).sum()

    table = start + ridge(means, target - means @ start)
    table[MARKS] = 0
    return table, dict(start=agreement(means @ start, target), fitted=agreement(means @ table, target))


def principal_axes(centred, dimensions):
    _, vectors = np.linalg.eigh(centred.T @ centred)
    axes = vectors[:, ::-1][:, :dimensions]
    # An axis has no sign of its own: make its largest component positive.
    return axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dimensions)])


def frequency_weights(n_tokens):
    """a / (a + p): smooth inverse frequency, with p from Zipf's law over the vocabulary's order."""
    rank = np.maximum(np.arange(n_tokens) - FIRST_WORD, 1)
    return 1e-3 / (1e-3 + 1 / (rank * np.log(n_tokens)))


def mean_matrix(pieces, n_tokens):
    """One row per text: its mean over tokens as a sparse matrix."""
    lengths = np.array([len(ids) for ids in pieces])
    rows = np.repeat(np.arange(len(pieces)), lengths)
    return sparse.csr_matrix((np.repeat(1 / lengths, lengths), (rows, np.concatenate(pieces))), shape=(len(pieces), n_tokens))


def ridge(matrix, target):
    """The change D that minimises |matrix D - target|² + RIDGE |D|², by conjugate gradients over all columns at once."""
    transposed = matrix.T.tocsr()
    residual = transposed @ target
    solution = np.zeros_like(residual)
    direction = residual.copy()
    power = (residual * residual).sum()
    for _ in range(ROUNDS):
        image = transposed @ (matrix @ direction) + RIDGE * direction
        step = power / (direction * image).sum()
        solution += step * direction
        residual -= step * image
        before, power = power, (residual * residual).sum()
        if power < 1e-6 * before:
            break
        direction = residual + power / before * direction
    return solution


def agreement(vectors, target):
    """Mean cosine between rows."""
    lengths = np.linalg.norm(vectors, axis=1).clip(1e-12) * np.linalg.norm(target, axis=1).clip(1e-12)
    return float(((vectors * target).sum(axis=1) / lengths).mean())
