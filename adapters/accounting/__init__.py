"""Accounting systems: one contract, one failure catalogue, one folder an adapter."""
