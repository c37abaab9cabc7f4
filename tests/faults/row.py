"""A row of the fault matrix."""

from dataclasses import dataclass, field


@dataclass
class Row:
    """One row of the matrix. `failures` counts sources (or cases) for which it did not hold."""

    fault: str
    n: int
    must_hold: str
    failures: int = 0
    measured: list[str] = field(default_factory=list)

    def note(self, label: str, count: int) -> None:
        self.failures += count
        self.measured.append(f"{count} {label}")

    @property
    def bound(self) -> str:
        """What can be said with 95 % confidence of the share of failures."""
        return f"< {3 / self.n:.1e}" if not self.failures else "—"
