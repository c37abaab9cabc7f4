"""Values that the partner may compare and join on, but not read."""

from __future__ import annotations

import hmac

import polars as pl


def hashed(values: pl.Series, key: bytes) -> pl.Series:
    """HMAC-SHA256 of each value's text as 64 hexadecimal digits; null stays null.

    Raises ValueError without a key: whoever guesses a value could compute its hash.
    """
    if not key:
        raise ValueError(f"{values.name}: to be hashed, and no key was given")
    texts = values.cast(pl.String)
    distinct = texts.drop_nulls().unique()
    hashes = [hmac.digest(key, text.encode(), "sha256").hex() for text in distinct]
    return texts.replace_strict(distinct, hashes, default=None, return_dtype=pl.String)
