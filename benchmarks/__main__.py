"""`make bench`: all comparisons; exit code 1 if an aim was missed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.booking import measure_booking
from benchmarks.companies import measure_companies
from benchmarks.fetching import measure_fetching
from benchmarks.latency import measure_latency


def main() -> int:
    """Run every comparison in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="pleo-export-bench-", ignore_cleanup_errors=True) as folder:
        measures = (measure_latency, measure_fetching, measure_booking, measure_companies)
        met = [measure(Path(folder)) for measure in measures]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
