"""The scenario language: load and check files, play them over HTTP, report what came of it."""
