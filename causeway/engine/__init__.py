"""The engine: landed bytes in, curated rows and rejected ones out. Knows neither AWS nor Spark."""

import os

# Left alone, Polars' allocator returns memory to the system half a second after a block is done, only to ask
# for it again: a sixth of a task's time. Polars reads this when it is first imported; the last value counts.
_KEEP = "dirty_decay_ms:-1,muzzy_decay_ms:-1"
if _KEEP not in os.environ.get("_RJEM_MALLOC_CONF", ""):
    os.environ["_RJEM_MALLOC_CONF"] = f"{os.environ.get('_RJEM_MALLOC_CONF', '')},{_KEEP}".lstrip(",")
