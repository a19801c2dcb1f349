"""Where the tables lie: all of them on the coordinator, or the events in shards on the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.tables.usage import usage_events

if TYPE_CHECKING:
    from benchmarks.citus.cluster import Cluster

LOCAL, EVENTS = "local", "events"
LAYOUTS = (LOCAL, EVENTS)
SHARDS = 8
PORTS, LAYOUT, REFUSED = "CITUS_TRIAL_PORTS", "CITUS_TRIAL_LAYOUT", "CITUS_TRIAL_REFUSED"
"""What `databases` finds in the environment: ports, the coordinator's first; a layout; a file for what failed."""
_FOREIGN_KEYS = """SELECT conrelid::regclass::text, conname FROM pg_constraint
WHERE contype = 'f' AND 'usage_events'::regclass IN (conrelid, confrelid)"""


def lay_out(cluster: Cluster, database: str, layout: str) -> None:
    """Spread the events over the workers by their ids; Citus knows no foreign keys between them and local tables."""
    if layout == LOCAL:
        return
    for table, name in cluster.coordinator.ask(_FOREIGN_KEYS, database):
        cluster.coordinator.ask(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"', database)
    column = "id" if "id" in usage_events.c else "event_id"
    cluster.coordinator.ask(
        f"SELECT create_distributed_table('usage_events', '{column}', shard_count => {SHARDS})", database
    )


def gather(cluster: Cluster, database: str) -> None:
    """All tables on the coordinator again, with every row that was on the workers."""
    if cluster.coordinator.ask("SELECT 1 FROM citus_tables WHERE table_name = 'usage_events'::regclass", database):
        cluster.coordinator.ask("SELECT undistribute_table('usage_events')", database)
