"""Pleo: the client of its public API and the embedded stand-in for it."""
