"""Fava with a Beancount ledger as an accounting system."""
