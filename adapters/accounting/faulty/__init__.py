"""A stand-in for an accounting system whose configuration says what goes wrong: for tests and trials."""
