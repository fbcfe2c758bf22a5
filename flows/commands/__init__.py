"""One module a command of `pleo-export`."""
