"""The one table of accelerated instances: their accelerators, memory and price an hour of an endpoint.

Nobody here read AWS's price list. Two public files say that they did (2026-08-17, 2026-09-27): what they have
alike has no `doubt`. By a third, asynchronous inference costs what hosting does. docs/inference.md says how
to look prices up. Memory is what the driver reports of one accelerator, by public logs of nvidia-smi.
"""

from dataclasses import dataclass
from decimal import Decimal

PRICED = "us-east-1, as of 2026-09-27"
MIB = 1024**2
L4, A10G, L40S = ("NVIDIA L4", 23_034), ("NVIDIA A10G", 23_028), ("NVIDIA L40S", 46_068)
A100, A100_80 = ("NVIDIA A100 40 GB", 40_960), ("NVIDIA A100 80 GB", 81_920)
RTX, H100 = ("NVIDIA RTX PRO 6000", 97_887), ("NVIDIA H100 80 GB", 81_559)


@dataclass(frozen=True)
class Instance:
    """So many accelerators with so many MiB each, for dollars an hour; no `doubt` where sources agree."""

    name: str
    accelerator: tuple[str, int]
    count: int
    dollars: Decimal
    doubt: str = ""

    @property
    def memory(self) -> int:
        """Bytes of one accelerator."""
        return self.accelerator[1] * MIB

    @property
    def price(self) -> str:
        return f"${self.dollars:f} an hour{f' ({self.doubt})' if self.doubt else ''}"


OREGON = "unverified: one file, of us-west-2"
ALONE = "unverified: one file; EC2's price and 15 %"
# Of each family the smallest size with so many accelerators: a larger one has no more memory of theirs.
INSTANCES = (
    Instance("ml.g6.xlarge", L4, 1, Decimal("1.127")),
    Instance("ml.g5.xlarge", A10G, 1, Decimal("1.41"), "$1.21 on another page; the higher is taken"),
    Instance("ml.g6e.xlarge", L40S, 1, Decimal("2.61")),
    Instance("ml.g7e.2xlarge", RTX, 1, Decimal("4.2039"), OREGON),
    Instance("ml.g6.12xlarge", L4, 4, Decimal("5.752")),
    Instance("ml.g5.12xlarge", A10G, 4, Decimal("7.09")),
    Instance("ml.p5.4xlarge", H100, 1, Decimal("7.912"), ALONE),
    Instance("ml.g7e.12xlarge", RTX, 2, Decimal("10.3576"), OREGON),
    Instance("ml.g6e.12xlarge", L40S, 4, Decimal("13.12")),
    Instance("ml.g6.48xlarge", L4, 8, Decimal("16.688")),
    Instance("ml.g5.48xlarge", A10G, 8, Decimal("20.36")),
    Instance("ml.g7e.24xlarge", RTX, 4, Decimal("20.7152"), OREGON),
    Instance("ml.p4d.24xlarge", A100, 8, Decimal("25.2513"), "$37.69 on pages from before 2025's cut"),
    Instance("ml.p4de.24xlarge", A100_80, 8, Decimal("31.5641")),
    Instance("ml.g6e.48xlarge", L40S, 8, Decimal("37.66")),
    Instance("ml.g7e.48xlarge", RTX, 8, Decimal("41.4304"), OREGON),
    Instance("ml.p5.48xlarge", H100, 8, Decimal("63.296"), "$98.32 on pages from before 2025's cut"),
)
