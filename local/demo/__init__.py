"""The demo: the whole of Causeway on this machine."""
