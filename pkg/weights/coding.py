"""How a weight file stores a matrix; each coding returns `(bytes, the matrix that the bytes stand for)`."""

import numpy as np

GROUP = 32


def eight(matrix):
    """A scale per row, integers from -127 to 127."""
    scales = (np.abs(matrix).max(axis=1) / 127).astype(np.float32)
    steps = np.where(scales > 0, scales, 1)[:, None]
    whole = np.clip(np.rint(matrix / steps), -127, 127).astype(np.int8)
    return scales.astype("<f4").tobytes() + whole.tobytes(), whole * scales[:, None]


def six(matrix):
    """A scale per row, a whole factor per group of 32, integers from -31 to 31.

    Factor times integer stays within 124, so that a reader has 8-bit weights without another rounding. For each group the better
    of the two factors around the one that just fits, for each row the best of a few scales.
    """
    rows, columns = matrix.shape
    groups = matrix.reshape(rows, -1, GROUP)
    largest = np.abs(matrix).max(axis=1)
    best = np.full(rows, np.inf)
    scales = np.zeros(rows, np.float32)
    factors = np.ones(groups.shape[:2], np.uint8)
    values = np.zeros(groups.shape, np.int8)
    for share in np.linspace(0.8, 1.0, 9):
        scale = (largest * share / 124).astype(np.float32)
        steps = np.where(scale > 0, scale, 1)[:, None]
        fitting = np.ceil(np.abs(groups).max(axis=2) / (31 * steps)).clip(1, 4)
        options = []
        for factor in (fitting, (fitting - 1).clip(1, 4)):
            step = (steps * factor)[:, :, None]
            whole = np.clip(np.rint(groups / step), -31, 31)
            options.append((np.square(whole * step - groups).sum(axis=2), factor, whole))
        first = options[0][0] <= options[1][0]
        error = np.where(first, options[0][0], options[1][0]).sum(axis=1)
        better = error < best
        best[better], scales[better] = error[better], scale[better]
        factors[better] = np.where(first, options[0][1], options[1][1])[better]
        values[better] = np.where(first[:, :, None], options[0][2], options[1][2])[better]
    fields = (values.astype(np.uint32) & 63).reshape(rows, groups.shape[1], 8, 4)
    words = fields[..., 0] | fields[..., 1] << 6 | fields[..., 2] << 12 | fields[..., 3] << 18
    packed = np.stack([words & 255, words >> 8 & 255, words >> 16], axis=-1).astype(np.uint8)
    packed = packed.reshape(rows, groups.shape[1], 24)
    data = np.concatenate([factors[:, :, None], packed], axis=2)
    stands_for = (values * factors[:, :, None].astype(np.float32)).reshape(rows, columns) * scales[:, None]
    return scales.astype("<f4").tobytes() + data.tobytes(), stands_for.astype(np.float32)


def four(matrix):
    """A half-precision scale per group of 32, integers from -8 to 7."""
    rows, columns = matrix.shape
    groups = matrix.reshape(-1, GROUP)
    at = np.abs(groups).argmax(axis=1)
    # The largest weight, with its sign, becomes -8, the end of the range that reaches further.
    scales = (groups[np.arange(len(groups)), at] / -8).astype(np.float16)
    steps = np.where(scales != 0, scales, 1).astype(np.float32)[:, None]
    whole = np.clip(np.rint(groups / steps), -8, 7).astype(np.int8) + 8
    packed = (whole[:, :16] | whole[:, 16:] << 4).astype(np.uint8)
    data = np.concatenate([scales.astype("<f2")[:, None].view(np.uint8), packed], axis=1)
    return data.tobytes(), four_from(data.tobytes(), rows, columns)


def four_from(data, rows, columns):
    """The matrix that bytes of the 4-bit coding stand for."""
    groups = np.frombuffer(data, np.uint8).reshape(-1, 18)
    scales = groups[:, :2].copy().view("<f2").astype(np.float32)
    whole = np.concatenate([groups[:, 2:] & 15, groups[:, 2:] >> 4], axis=1).astype(np.float32) - 8
    return (whole * scales).reshape(rows, columns)


BITS = {eight: 8, six: 6, four: 4}
