"""How our own code calls AWS."""

from botocore.config import Config

# Throttling is waited out where it happens, up to some minutes. Otherwise it would cost a message one of
# its few receives, or a batch its run.
PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 12})
