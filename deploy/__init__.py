"""Prefect's server on more than one machine: for Docker, and the same on this machine without it."""
