"""The scenario language: load and check files, run them over HTTP, report the results."""
