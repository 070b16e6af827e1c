"""The decisions of the emulator, as pure code: no input or output, no clock, no randomness."""
