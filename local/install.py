"""Installs everything into this checkout, locked and hashed. Runs on the machine's own Python."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
FREE_BYTES = 4 * 10**9


def lacking() -> "str | None":
    """What this machine lacks, in one line; None if nothing. Old Pythons must be able to read this."""
    if sys.version_info < OLDEST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        return f"Python 3.11 or newer is needed, found {found}: name another, as in make PYTHON=python3.13 …"
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            return f"Python's {module} module is needed (on Debian: apt install python3-venv)"
    free = shutil.disk_usage(ROOT).free
    if free < FREE_BYTES:
        return f"{FREE_BYTES / 1e9:.0f} GB of free disk are needed, found {free / 1e9:.1f} GB"
    return None


def run(*command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"make: {Path(str(command[0])).name} failed:\n{(done.stdout + done.stderr).strip()[-3000:]}")


def install() -> None:
    sys.path.insert(0, str(ROOT))
    from local.progress import Progress

    progress, python = Progress(), ROOT / ".venv" / "bin" / "python"
    locks = ["requirements.txt", "requirements-uv.txt"]
    with progress.phase("python", "Installing Python packages, Node, a JDK and Spark into .venv (1.7 GB)"):
        if not python.exists():
            run(sys.executable, "-m", "venv", ROOT / ".venv")
        run(python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", locks[1])
        run(
            python.with_name("uv"),
            "pip",
            "sync",
            "--quiet",
            "--compile-bytecode",
            "--require-hashes",
            "--python",
            python,
            *locks,
        )
    with progress.phase("npm", "Installing the CDK command line into node_modules (50 MB)"):
        npm = python.with_name("npm")
        run(npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")


if __name__ == "__main__":
    problem = lacking()
    if problem:
        sys.exit("make: " + problem)
    install()
