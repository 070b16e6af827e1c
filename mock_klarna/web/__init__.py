"""The HTTP surface: Klarna's own paths, and `/_mock` for everything that Klarna does not have."""
