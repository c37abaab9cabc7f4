"""How our own code calls AWS."""

from typing import Any

from botocore.config import Config

# Throttling is waited out where it happens, up to some minutes. Otherwise it would cost a message one of
# its few receives, or a batch its run.
# Not the "standard" mode, whose quota of retries makes a client that lives long give up at once when
# throttling lasts.
RETRIES: Any = {"mode": "legacy", "total_max_attempts": 8}
PATIENT = Config(retries=RETRIES)
