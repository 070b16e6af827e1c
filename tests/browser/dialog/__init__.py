"""The dialog in a real browser, opened by a shop's page on another origin."""
