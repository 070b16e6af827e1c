"""What the emulator decides, as pure code: no input or output, no clock, no chance."""
