"""AWS on this machine: the emulator, what bridges its gaps, and the demo."""
