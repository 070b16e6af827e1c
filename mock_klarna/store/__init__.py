"""The store: one port, several engines. Nothing outside this package knows which engine is used."""
