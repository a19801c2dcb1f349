"""(c) Peak memory of importing a file: a process of its own for each size."""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks import ledgers, traffic
from handlers.usage import files
from handlers.usage.csv_files import COLUMNS

BATCH = 10_000


def peak(events: int) -> float:
    """Peak resident MiB of a process that imports so many events from CSV into SQLite."""
    with tempfile.TemporaryDirectory(prefix="tokens-bench-") as folder:
        path = Path(folder) / "usage.csv"
        _write(path, events)
        command = [sys.executable, "-m", "benchmarks.memory", str(path), str(events)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(answer.stdout.strip().splitlines()[-1])


def _write(path: Path, events: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for body, _, _ in traffic.batches(events, min(BATCH, events)):
            for event in msgspec.json.decode(body):
                data = event["data"]
                row = {
                    "source": event["source"],
                    "event_id": event["id"],
                    "occurred_at": event["time"],
                    "user": data["user.email"],
                    "provider": data["gen_ai.provider.name"],
                    "model": data["gen_ai.request.model"],
                    "input_tokens": data["gen_ai.usage.input_tokens"],
                    "cache_read_tokens": data["gen_ai.usage.cache_read.input_tokens"],
                    "cache_write_tokens": "",
                    "output_tokens": data["gen_ai.usage.output_tokens"],
                    "project": "",
                }
                writer.writerow([row[column] for column in COLUMNS])


def _import(path: Path, events: int) -> None:
    with ledgers.ledger("sqlite") as app, path.open("rb") as file:
        done = files.import_file(app, file, "csv")
        assert done.counts["accepted"] == events, done.counts
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    _import(Path(sys.argv[1]), int(sys.argv[2]))
