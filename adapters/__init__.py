"""The outside world: Pleo and the accounting systems. Nothing here imports Prefect."""
