"""The emulator's own process: the bridges, then ministack."""

import runpy

from local.bridges import install

if __name__ == "__main__":
    install()
    runpy.run_module("ministack", run_name="__main__")
