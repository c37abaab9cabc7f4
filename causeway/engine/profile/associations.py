"""How two columns relate: the effect's size, its test, and what to be careful about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from causeway.engine.profile.moments import NOISE, Moments, ranked_of
from causeway.engine.profile.plan import Doubles, Plan

GAP = 0.1  # between Pearson's and Spearman's from which they say different things
FEW = 5  # expected in a cell of a table, below which chi-square's p says little
BOTH = TWO = 2
SAME = 0.999  # an effect from which two columns say the same

Association = dict[str, Any]


def associations(made: Plan, sums: Moments) -> list[Association]:
    """Every pair that was compared, the strongest effect first; p-values are adjusted for their number."""
    found = [*_numeric(made, sums), *_categorical(made, sums), *_mixed(sums)]
    found = [pair for pair in found if pair["effect"] is not None]
    _adjust(found)
    for pair in found:
        if pair["effect"] >= SAME:
            one = "the category says the quantity" if "eta2" in pair else "they say the same"
            pair["caveats"].append(one)
    return sorted(found, key=lambda pair: (-pair["effect"], pair["x"], pair["y"]))


def _numeric(made: Plan, sums: Moments) -> Iterator[Association]:
    """Quantities and flags. Pearson's of a flag and a quantity is the point-biserial; of two flags, phi."""
    for (a, b), cross in sums.values.items():
        xs, ys, ranked = made.of_class(a), made.of_class(b), sums.ranks[a, b]
        x_ranks, y_ranks = ranked_of(made, a), ranked_of(made, b)
        for i, x in enumerate(xs):
            for j, y in enumerate(ys):
                flags = (x in made.levels) + (y in made.levels)
                if (a == b and j <= i) or flags == BOTH:
                    continue
                pearson, spearman = cross.correlation(i, j), None
                if x in x_ranks and y in y_ranks:
                    spearman = ranked.correlation(x_ranks.index(x), y_ranks.index(y))
                kind = "flag-quantity" if flags else "quantity-quantity"
                yield {"x": x, "y": y, "kind": kind, "n": int(cross.n)} | _effect(
                    int(cross.n), pearson, spearman
                )


def _effect(n: int, pearson: float | None, spearman: float | None) -> Association:
    known = [abs(value) for value in (pearson, spearman) if value is not None]
    caveats = []
    if spearman is None:
        caveats.append("no ranks: Pearson's alone, which outliers can make")
    elif pearson is not None and abs(spearman) - abs(pearson) > GAP:
        caveats.append("curved: the ranks agree more than the values")
    elif pearson is not None and abs(pearson) - abs(spearman) > GAP:
        caveats.append("leverage: some far values make more of it than the ranks do")
    return {
        "pearson": pearson, "spearman": spearman,
        "p": None if pearson is None else _p_of_correlation(pearson, n),
        "effect": max(known) if known else None, "caveats": caveats,
    }  # fmt: skip


def _p_of_correlation(r: float, n: int) -> float | None:
    """Two-sided, by Student's t with n - 2 degrees of freedom, as scipy.stats.pearsonr has it."""
    if n <= TWO:
        return None
    return float(special.betainc(n / 2 - 1, 0.5, max(0.0, 1 - r * r)))


def _categorical(made: Plan, sums: Moments) -> Iterator[Association]:
    for (a, b), table in sums.tables.items():
        cells = table[table.sum(1) > 0][:, table.sum(0) > 0]
        if min(cells.shape) < TWO:  # one of them does not vary where the other is there
            continue
        n, rows, columns = int(cells.sum()), cells.sum(1), cells.sum(0)
        expected = np.outer(rows, columns) / n
        chi2 = float(((cells - expected) ** 2 / expected).sum())
        degrees = (cells.shape[0] - 1) * (cells.shape[1] - 1)
        few = float((expected < FEW).mean())
        v = _cramers_v(chi2, n, cells.shape)
        pair: Association = {
            "x": a, "y": b, "kind": "category-category", "n": n, "chi2": chi2, "degrees": degrees,
            "p": float(special.chdtrc(degrees, chi2)),
            "v": float(np.sqrt(chi2 / n / (min(cells.shape) - 1))), "v_corrected": v, "effect": v,
            "few_expected": few,
            "caveats": [f"below {FEW} expected in {few:.0%} of the cells: p says little"] if few else [],
        }  # fmt: skip
        if made.classes.keys() >= {a, b}:
            phi = _phi(cells)
            pair |= {"kind": "flag-flag", "phi": phi, "effect": abs(phi)}
        yield pair


def _cramers_v(chi2: float, n: int, shape: tuple[int, ...]) -> float:
    """With the correction for bias of Bergsma (2013): what chance alone would give is taken off."""
    if n < TWO:
        return 0.0
    r, k = shape
    phi2 = max(0.0, chi2 / n - (k - 1) * (r - 1) / (n - 1))
    smaller = min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(phi2 / smaller))) if smaller > 0 else 0.0


def _phi(cells: NDArray[np.int64]) -> float:
    """Of false and true by false and true, signed."""
    (a, b), (c, d) = cells.astype(np.float64)
    phi = (a * d - b * c) / np.sqrt((a + b) * (c + d) * (a + c) * (b + d))
    return float(np.clip(phi, -1.0, 1.0))


def _mixed(sums: Moments) -> Iterator[Association]:
    """A quantity by category: the correlation ratio, and the F test of the means."""
    for (x, category), (counted, summed, squares) in sums.groups.items():
        ok = counted > 0
        n, groups = float(counted.sum()), int(ok.sum())
        if groups < TWO or n <= groups:
            continue
        total = float(squares.sum() - summed.sum() ** 2 / n)
        within = float((squares[ok] - summed[ok] ** 2 / counted[ok]).sum())
        if total <= n * NOISE**2:
            continue
        eta2 = min(1.0, max(0.0, 1 - within / total))
        yield {
            "x": x, "y": category, "kind": "quantity-category", "n": int(n), "eta2": eta2,
            "groups": groups, "p": _p_of_groups(eta2, groups, n), "effect": float(np.sqrt(eta2)),
            "caveats": _small_groups(counted[ok]),
        }  # fmt: skip


def _p_of_groups(eta2: float, groups: int, n: float) -> float:
    if eta2 >= 1:
        return 0.0
    f = eta2 / (groups - 1) / ((1 - eta2) / (n - groups))
    return float(special.fdtrc(groups - 1, n - groups, f))


def _small_groups(counted: Doubles) -> list[str]:
    small = int((counted < FEW).sum())
    return [f"{small} of {len(counted)} groups have fewer than {FEW} rows"] if small else []


def _adjust(found: list[Association]) -> None:
    """Holm's adjustment (1979): the chance of one false finding among all pairs stays what p says."""
    tested = sorted((pair for pair in found if pair["p"] is not None), key=lambda pair: pair["p"])
    highest = 0.0
    for i, pair in enumerate(tested):
        highest = max(highest, min(1.0, pair["p"] * (len(tested) - i)))
        pair["p_adjusted"] = highest
