"""(n) Users synchronised by SCIM, request by request, over a raw upsert of the same rows with a commit each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa
from fastapi.testclient import TestClient

from handlers import http
from programme.usage import keys
from store.tables.audit import audit_log
from store.tables.people import people, person_terms, reporting_lines
from store.tables.scim import scim_users

if TYPE_CHECKING:
    from httpx2 import Response

    from programme.app import App

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
OURS = "urn:tokens-bot:params:scim:schemas:extension:participation:1.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
TABLES = (people, person_terms, reporting_lines, scim_users)
SPAN = 10


class Spent(NamedTuple):
    """Seconds by the clock, and of this process's own CPU, which other work on the machine does not lengthen."""

    clock: float
    cpu: float

    def each(self, of: int) -> Spent:
        return Spent(self.clock / of, self.cpu / of)

    def over(self, floor: Spent) -> str:
        clock, cpu = self.clock / floor.clock, self.cpu / floor.cpu
        return f"{self.clock * 1e3:.2f} ms, {clock:.1f} x a raw upsert; of CPU {self.cpu * 1e3:.2f} ms, {cpu:.1f} x"


class Measured(NamedTuple):
    """What a user takes: one request each, in bulks, changed by one request each, and the raw upsert."""

    created: Spent
    bulk: Spent
    changed: Spent
    floor: Spent


def measured(app: App, floor_app: App, users: int) -> Measured:
    """Half of the users come one by one, half in bulks of a thousand; a tenth of the first half changes."""
    with app.transaction() as moment:
        secret = keys.create(moment, name="idp", source="idp", scopes=["scim:write"], actor="bench").secret
    half = users // 2
    with TestClient(http.build(app)) as client:
        client.headers["authorization"] = f"Bearer {secret}"
        created, answers = _timed(lambda: [_post(client, _user(n)) for n in range(half)])
        bulk, _ = _timed(lambda: [_bulk(client, range(n, n + 1_000)) for n in range(half, users, 1_000)])
        ids = [answer.json()["id"] for answer in answers[::SPAN]]
        changed, _ = _timed(lambda: [_patch(client, one) for one in ids])
    with app.database.reading() as session:
        rows = [[dict(row) for row in session.execute(sa.select(table)).mappings()] for table in TABLES]
        log = [dict(row) for row in session.execute(sa.select(audit_log)).mappings()]
        assert len(rows[0]) == users
    floor, _ = _timed(lambda: _upsert(floor_app, rows, log))
    return Measured(created.each(half), bulk.each(half), changed.each(len(ids)), floor.each(users))


def _timed(work: Any) -> tuple[Spent, Any]:  # noqa: ANN401 - any work
    begun = time.perf_counter(), time.process_time()
    result = work()
    return Spent(time.perf_counter() - begun[0], time.process_time() - begun[1]), result


def _user(number: int) -> dict[str, Any]:
    email = f"person{number}@example.com"
    user = {
        "schemas": [USER, OURS, ENTERPRISE],
        "userName": email,
        "externalId": f"00u{number}",
        "displayName": f"Person {number}",
        "emails": [{"value": email, "type": "work", "primary": True}],
        "active": True,
        OURS: {"level": "senior", "roleFamily": "engineering", "payBand": "P3", "hiredOn": "2024-01-01"},
    }
    manager = {"manager": {"value": f"00u{number // SPAN}"}} if number >= SPAN else {}
    return {**user, ENTERPRISE: {"department": f"Team {number // SPAN}", **manager}}


def _post(client: TestClient, user: dict[str, Any]) -> Response:
    answer = client.post("/scim/v2/Users", content=msgspec.json.encode(user))
    assert answer.status_code == 201, answer.text
    return answer


def _bulk(client: TestClient, numbers: range) -> Response:
    operations = [{"method": "POST", "path": "/Users", "bulkId": str(n), "data": _user(n)} for n in numbers]
    body = {"schemas": [BULK], "Operations": operations}
    answer = client.post("/scim/v2/Bulk", content=msgspec.json.encode(body))
    assert all(one["status"] in {201, "201"} for one in answer.json()["Operations"]), answer.text
    return answer


def _patch(client: TestClient, user_id: str) -> Response:
    operations = [{"op": "Replace", "path": "displayName", "value": "Renamed"}]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}
    answer = client.patch(f"/scim/v2/Users/{user_id}", content=msgspec.json.encode(body))
    assert answer.status_code == 204, answer.text
    return answer


def _upsert(app: App, rows: list[list[dict[str, Any]]], log: list[dict[str, Any]]) -> None:
    """Each person's rows by themselves, looked up first, as whoever writes a synchronisation by hand does."""
    by_person: dict[str, list[tuple[sa.Table, dict[str, Any]]]] = {}
    for table, of_table in zip(TABLES, rows, strict=True):
        for row in of_table:
            by_person.setdefault(row["id" if table is people else "person_id"], []).append((table, row))
    of_log = {row["subject"]: row for row in log}
    order = sorted(by_person, key=lambda one: int(by_person[one][0][1]["external_id"][3:]))
    for person_id in order:
        with app.database.transaction() as session:
            query = sa.select(people.c.id).where(people.c.external_id == by_person[person_id][0][1]["external_id"])
            assert session.execute(query).one_or_none() is None
            for table, row in by_person[person_id]:
                session.execute(sa.insert(table).values(**row))
            session.execute(sa.insert(audit_log).values(**of_log[person_id]))
