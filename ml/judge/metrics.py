"""Precision, recall and their bounds at a threshold, of Python's own numbers: functions have no others."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import Any

CONFIDENCE = 0.95


def wilson(right: int, of: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Both bounds of a share, by Wilson (1927): honest for few rows and shares near 0 and 1."""
    if not of:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, margin = right / of, z * z / of
    centre, half = share + margin / 2, z * sqrt(share * (1 - share) / of + margin / of / 4)
    return max(0.0, (centre - half) / (1 + margin)), min(1.0, (centre + half) / (1 + margin))


def exact_lower(right: int, of: int, confidence: float = CONFIDENCE) -> float:
    """The lower bound of a share by Clopper and Pearson (1934): one of one row is no evidence of much."""
    low, high = 0.0, right / of if of else 0.0
    for _ in range(50):
        middle = (low + high) / 2
        fewer = sum(exp(_log_chance(hits, of, middle)) for hits in range(right)) if middle else 1.0
        low, high = (low, middle) if 1 - fewer > (1 - confidence) / 2 else (middle, high)
    return low


def _log_chance(hits: int, of: int, share: float) -> float:
    ways = lgamma(of + 1) - lgamma(hits + 1) - lgamma(of - hits + 1)
    return ways + hits * log(share) + (of - hits) * log1p(-share)


def needed_without_error(bound: float) -> int:
    """How many flagged rows, all of them right, have that lower bound of precision: 73 for 0.95."""
    flagged = 1
    while wilson(flagged, flagged)[0] < bound:
        flagged += 1
    return flagged


@dataclass(frozen=True)
class Flagged:
    """What a threshold does to rows: how many it flags, how many of them rightly, of how many there were."""

    right: int
    wrong: int
    positives: int
    negatives: int

    @classmethod
    def of(cls, labels: Sequence[int], scores: Sequence[float], threshold: float) -> "Flagged":
        right = sum(1 for label, score in zip(labels, scores, strict=True) if label and score >= threshold)
        wrong = sum(
            1 for label, score in zip(labels, scores, strict=True) if not label and score >= threshold
        )
        return cls(right, wrong, sum(labels), len(labels) - sum(labels))

    @property
    def flagged(self) -> int:
        return self.right + self.wrong

    @property
    def precision(self) -> float:
        return self.right / self.flagged if self.flagged else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.positives if self.positives else 0.0

    @property
    def lower(self) -> float:
        """Of precision."""
        return wilson(self.right, self.flagged)[0]

    def precision_at(self, share: float) -> tuple[float, float]:
        """Precision where that share of rows is positive, and its lower bound: both rates at their worse."""
        rates = self.recall, self.wrong / self.negatives if self.negatives else 0.0
        worst = wilson(self.right, self.positives)[0], wilson(self.wrong, self.negatives)[1]
        return _precision(share, *rates), _precision(share, *worst)

    def document(self, share: float) -> dict[str, Any]:
        at_share, lower_at_share = self.precision_at(share)
        more = {
            "flagged": self.flagged,
            "precision": self.precision,
            "recall": self.recall,
            "lower": self.lower,
        }
        return {**asdict(self), **more, "at_share": at_share, "lower_at_share": lower_at_share}


def _precision(share: float, of_positives: float, of_negatives: float) -> float:
    right, wrong = share * of_positives, (1 - share) * of_negatives
    return right / (right + wrong) if right + wrong else 0.0


def lowest_threshold(labels: Sequence[int], scores: Sequence[float], bound: float) -> float | None:
    """The lowest threshold at which precision's lower bound reaches the bound; None if none does."""
    lowest, right, wrong = None, 0, 0
    ordered = sorted(zip(scores, labels, strict=True), reverse=True)
    for place, (score, label) in enumerate(ordered):
        right, wrong = right + label, wrong + 1 - label
        last_of_equals = place + 1 == len(ordered) or ordered[place + 1][0] < score
        if last_of_equals and wilson(right, right + wrong)[0] >= bound:
            lowest = score
    return lowest
