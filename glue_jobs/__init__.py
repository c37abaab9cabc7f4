"""The Glue job: curates landed files by their data contracts into an Iceberg table."""

import os

# Polars' allocator gives memory back to the system within half a second, and takes it again for the next
# block: a quarter of a task's time. It reads this when Polars is first imported.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:10000,muzzy_decay_ms:10000")
