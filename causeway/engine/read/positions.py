"""Where bytes stand, and how many stand before: passes of numpy over a block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
CHUNK = 1 << 20  # scans stay in the processor's cache


def positions(buffer: NDArray[np.uint8], wanted: bytes) -> Positions:
    """Where any of these bytes stands: b',\n' in b'a,b\n' → [1, 3]."""
    parts = [np.empty(0, np.int64)]
    for i in range(0, len(buffer), CHUNK):
        chunk = buffer[i : i + CHUNK]
        matches = chunk == wanted[0]
        for byte in wanted[1:]:
            matches |= chunk == byte
        parts.append(np.flatnonzero(matches) + i)
    return np.concatenate(parts)


def count_before(
    positions: Positions, size: int, chosen: Callable[[int, int], NDArray[np.bool_]]
) -> Positions:
    """How many of `size` bytes are chosen before each position; `chosen(start, stop)` says which are.

    With the commas of b'a,b,c,d' chosen: positions [0, 3, 7] → [0, 1, 3]. Each byte becomes a bit, and bits
    are counted 64 at a time: the words before a position's own, then the bits below it in its own word.
    """
    bits = np.zeros((size // 64 + 1) * 8, np.uint8)
    for i in range(0, size, CHUNK):
        packed = np.packbits(chosen(i, min(i + CHUNK, size)), bitorder="little")
        bits[i // 8 : i // 8 + len(packed)] = packed
    words = bits.view("<u8")
    before = np.cumsum(np.bitwise_count(words), dtype=np.int64) - np.bitwise_count(words)
    below = (np.uint64(1) << (positions & 63).astype(np.uint64)) - np.uint64(1)
    counts: Positions = before[positions >> 6] + np.bitwise_count(words[positions >> 6] & below)
    return counts
