"""What Alembic runs: the caller hands over its connection; only `alembic` on the command line opens one itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from alembic import context

from store import columns, schema
from store.engine import open_database
from store.tables import metadata

if TYPE_CHECKING:
    import sqlalchemy as sa
    from alembic.autogenerate.api import AutogenContext


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None  # noqa: S101 - alembic.ini sets it
    database = open_database(url)
    with database.writer.connect() as own:
        _migrate(own)
    database.close()


def _migrate(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_server_default=True,
        include_name=schema.is_table,
        render_item=_render_our_types,
        on_version_apply=context.config.attributes.get("on_version_apply", ()),
    )
    with context.begin_transaction():
        context.run_migrations()


def _render_our_types(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:  # noqa: ANN401
    names = {id(columns.Json): "columns.Json", id(columns.Identifier): "columns.Identifier"}
    ours = type(item).__name__ if isinstance(item, columns.Instant | columns.PermilleColumn) else ""
    name = f"columns.{ours}()" if ours else names.get(id(item))
    if kind != "type" or name is None:
        return False
    autogen.imports.add("from store import columns")
    return name


run()
