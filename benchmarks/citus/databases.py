"""For pytest (`-p benchmarks.citus.databases`): each database of the tests is on all nodes of a cluster that runs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.citus import layouts
from benchmarks.citus.cluster import Cluster
from tests.support import cast, postgres

if TYPE_CHECKING:
    import pytest

    from programme.app import App

_CREATE = re.compile(r"CREATE DATABASE (\w+)(?: TEMPLATE (\w+))?")
_DROP = re.compile(r"DROP DATABASE (\w+)")

_cluster = Cluster(*map(int, os.environ[layouts.PORTS].split(",")))
_on_one_node, _settle = postgres.administer, cast.settle


def _administer(url: str, statement: str) -> None:
    """Every node has its own part of a database."""
    if created := _CREATE.match(statement):
        name, template = created.groups()
        _cluster.clone(name, template) if template else _cluster.create(name)
    elif dropped := _DROP.match(statement):
        _cluster.drop(dropped[1])
    else:
        _on_one_node(url, statement)


def _settle_and_spread(app: App) -> None:
    _settle(app)
    if app.database.dialect == "postgresql":
        name = app.database.writer.url.database
        app.database.close()
        layouts.lay_out(_cluster, str(name), os.environ[layouts.LAYOUT])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Why a test failed, where Citus said it."""
    if report.failed:
        errors = [line[4:].strip() for line in str(report.longrepr).splitlines() if line.startswith("E   ")]
        with Path(os.environ[layouts.REFUSED]).open("a", encoding="utf-8") as kept:
            kept.write(f"{report.nodeid}: {errors[0] if errors else 'failed'}\n")


postgres.administer, cast.settle = _administer, _settle_and_spread
