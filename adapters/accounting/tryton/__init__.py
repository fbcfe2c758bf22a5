"""Tryton as an accounting system."""
