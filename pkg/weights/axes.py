"""The axes on which the words of a text are laid (docs/format-embedding-weights.md)."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Axes:
    """What a row of the last layer measures along each axis: `directions @ row - offsets`."""

    directions: np.ndarray
    offsets: np.ndarray

    def of(self, rows):
        return rows @ self.directions.T - self.offsets


def principal(rows, n):
    """The `n` directions in which rows differ most once their mean is taken away and all are of one length.

    In double precision and rounded to four digits: what the last digits of a processor's sums say must not make another file.
    """
    rows = rows.astype(np.float64)
    mean = rows.mean(axis=0)
    units = rows - mean
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    _, vectors = np.linalg.eigh(np.cov(units.T))
    directions = vectors[:, ::-1][:, :n].T
    # A direction and its opposite are the same axis.
    greatest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1, keepdims=True), axis=1)
    directions = np.round(directions * np.sign(greatest), 4)
    return Axes(directions.astype(np.float32), np.round(directions @ mean, 4).astype(np.float32))
