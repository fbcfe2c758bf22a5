"""Receiving Pleo's webhooks: verified, bounded, without Prefect (L103-L110)."""
