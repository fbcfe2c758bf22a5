"""What an export must obey, without Prefect and without I/O of its own."""
