"""Okta and Entra: their own sequences of requests, as their documents describe them, and what becomes of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from programme.offers import making
from store.people import directory as people_store
from store.tables.audit import audit_log
from store.tables.offers import joiners_offers
from store.tables.people import people, person_terms
from tests.support import books, cast, scim
from tests.support.books import ADA, MARA
from tests.support.offered import GIVEN
from tests.support.scim import ENTERPRISE, GROUP, OURS, USER, Provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from tests.support.clock import Clock

ZOE = "zoe@example.com"


@pytest.fixture
def idp(sqlite_app: App) -> Iterator[Provider]:
    with scim.connected(sqlite_app) as provider:
        yield provider


def row(app: App, person_id: str) -> dict[str, Any]:
    with app.database.reading() as session:
        return dict(session.execute(sa.select(people).where(people.c.id == person_id)).mappings().one())


def zoe(**more: object) -> dict[str, Any]:
    """A user as Okta creates one."""
    return {
        "schemas": [USER],
        "userName": ZOE,
        "externalId": "00u1zoe",
        "name": {"givenName": "Zoe", "familyName": "Haas"},
        "displayName": "Zoe Haas",
        "emails": [{"primary": True, "value": ZOE, "type": "work"}],
        "locale": "en-US",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
        **more,
    }


PARTICIPATES = {OURS: {"level": "Senior", "roleFamily": "Engineering", "payBand": "P3", "fte": "0.8"}}


@pytest.mark.every_database
def test_okta_probes_creates_replaces_and_deactivates(app: App, clock: Clock) -> None:
    """Okta looks for the user name, creates, updates with PUT, and deactivates by PATCH: one person, who left today."""
    with scim.connected(app) as idp:
        assert idp.found(f'userName eq "{ZOE}"') == []
        made = idp.post("/Users", zoe(**PARTICIPATES))
        assert "password" not in made
        assert "locale" not in made
        assert [one["id"] for one in idp.found(f'userName eq "{ZOE}"')] == [made["id"]]
        assert idp.put(f"/Users/{made['id']}", zoe(displayName="Zoe Haas-Lenz"))["displayName"] == "Zoe Haas-Lenz"
        idp.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"active": False}})
        assert idp.get(f"/Users/{made['id']}")["active"] is False
    stored = row(app, made["id"])
    assert (stored["name"], stored["left_on"]) == ("Zoe Haas-Lenz", clock().date())
    # The PUT told neither of them any more, so she has no part until they are told again.
    assert stored["role_family"] == "unassigned"
    assert not books.findings(app)


def test_what_a_provider_tells_is_what_a_file_would_tell(idp: Provider, sqlite_app: App, clock: Clock) -> None:
    """Terms are dated from the day on which they are told, spelled as they are known, and on record under the key."""
    made = idp.post("/Users", zoe(**PARTICIPATES))
    clock.move(days=3)
    idp.patch(f"/Users/{made['id']}", {"op": "replace", "path": f"{OURS}:level", "value": "staff"})
    with sqlite_app.database.reading() as session:
        query = (
            sa.select(person_terms).where(person_terms.c.person_id == made["id"]).order_by(person_terms.c.holds_from)
        )
        terms = session.execute(query).mappings().all()
        actors = set(session.execute(sa.select(audit_log.c.actor).where(audit_log.c.subject == made["id"])).scalars())
    assert [(one["level"], one["role_family"], one["fte_permille"]) for one in terms] == [
        ("senior", "engineering", 800),
        ("staff", "engineering", 800),
    ]
    assert (terms[1]["holds_from"] - terms[0]["holds_from"]).days == 3
    assert actors == {"scim:idp"}


def test_a_joiner_comes_with_the_offer_that_they_accepted(idp: Provider, sqlite_app: App) -> None:
    """It is kept for their greeting and told to nobody; another joiner cannot have the same one."""
    with sqlite_app.transaction() as moment:
        offer = making.make(moment, GIVEN, actor="cli:ruth", key="1")
    ours = PARTICIPATES[OURS] | {"offerId": offer.id}
    made = idp.post("/Users", zoe(**{OURS: ours}))
    assert "offerId" not in made[OURS]
    kept = books.rows(sqlite_app, sa.select(joiners_offers.c.person_id, joiners_offers.c.offer_id))
    assert [tuple(one) for one in kept] == [(made["id"], offer.id)]
    other = zoe(userName="yan@example.com", externalId="00u1yan", emails=[{"value": "yan@example.com"}], **{OURS: ours})
    refused = idp.ask("POST", "/Users", other)
    assert (refused.status_code, offer.id in refused.json()["detail"]) == (400, True)


def test_a_person_from_a_file_is_found_and_taken_on(idp: Provider, sqlite_app: App) -> None:
    """Whom a file brought, a provider finds by the e-mail; what it leaves out of a PUT stays as the file told it."""
    [found] = idp.found(f'userName eq "{ADA}"')
    assert (found[OURS]["level"], found["active"]) == ("staff", True)
    before = row(sqlite_app, found["id"])
    idp.put(f"/Users/{found['id']}", {**zoe(externalId="00u1ada"), "userName": ADA, "emails": [{"value": ADA}]})
    assert row(sqlite_app, found["id"]) == before | {"external_id": "00u1ada", "name": "Zoe Haas"}


def test_an_e_mail_that_changes_is_the_same_person(idp: Provider, sqlite_app: App) -> None:
    """By id, or by the external id after a provider has forgotten its ids: what gateways report still reaches them."""
    made = idp.post("/Users", zoe())
    married = {"userName": "zoe.lenz@example.com", "emails": [{"value": "zoe.lenz@example.com", "primary": True}]}
    idp.put(f"/Users/{made['id']}", zoe(**married))
    again = {"userName": "zoe@new.example.com", "emails": [{"value": "zoe@new.example.com"}]}
    assert idp.post("/Users", zoe(**again))["id"] == made["id"]
    assert row(sqlite_app, made["id"])["email"] == "zoe@new.example.com"
    with sqlite_app.database.reading() as session:
        for earlier in (ZOE, "zoe.lenz@example.com"):
            known = people_store.resolve(session, "gateway", {("email", earlier)})
            assert known.who((("email", earlier),)) == made["id"]


def test_the_same_user_twice_is_a_conflict(idp: Provider, sqlite_app: App) -> None:
    """A second POST is answered 409 `uniqueness`, as is an address that somebody with another external id has."""
    idp.post("/Users", zoe())
    before = books.rows(sqlite_app, people)
    for body in (zoe(), zoe(externalId="00u2other"), {**zoe(externalId="x", emails=[{"value": ZOE}]), "userName": "z"}):
        answer = idp.ask("POST", "/Users", body)
        assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
        assert "Zoe Haas" in answer.json()["detail"]
    assert books.rows(sqlite_app, people) == before


def test_entra_patches_in_its_own_words(idp: Provider, sqlite_app: App) -> None:
    """Entra's operations begin with a capital, its booleans are texts, and its paths may describe what is not there."""
    made = idp.post("/Users", {"schemas": [USER], "userName": ZOE, "externalId": "zoe", "active": "True"})
    mara = idp.found(f'userName eq "{MARA}"')[0]["id"]
    idp.patch(
        f"/Users/{made['id']}",
        {"op": "Add", "path": "displayName", "value": "Zoe Haas"},
        {"op": "Add", "path": "name.givenName", "value": "Zoe"},
        {"op": "Replace", "path": 'emails[type eq "other"].value', "value": "zoe.private@example.com"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Research"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": mara},
        {"op": "Add", "value": {f"{OURS}:level": "mid", f"{OURS}:roleFamily": "engineering"}},
        {"op": "Replace", "path": "title", "value": "Dr"},
    )
    stored = row(sqlite_app, made["id"])
    assert (stored["name"], stored["department"], stored["manager_id"]) == ("Zoe Haas", "Research", mara)
    assert (stored["level"], stored["role_family"], stored["email"]) == ("mid", "engineering", ZOE)
    idp.patch(f"/Users/{made['id']}", {"op": "Replace", "path": "active", "value": "False"})
    assert idp.get(f"/Users/{made['id']}")["active"] is False
    idp.patch(f"/Users/{made['id']}", {"op": "Replace", "path": "active", "value": "True"})
    assert row(sqlite_app, made["id"])["left_on"] is None
    idp.patch(f"/Users/{made['id']}", {"op": "Remove", "path": f"{ENTERPRISE}:manager"})
    assert row(sqlite_app, made["id"])["manager_id"] is None


def test_a_manager_may_be_told_before_they_exist(idp: Provider, sqlite_app: App) -> None:
    """By whatever name a manager was told: once somebody is known by it, they are the manager."""
    for n, name in enumerate(("boss-1", "boss@example.com")):
        told = {"userName": f"of{n}", "externalId": f"x-boss-{n}", "emails": [{"value": f"of{n}@corp.local"}]}
        idp.post("/Users", zoe(**told, **{ENTERPRISE: {"manager": {"value": name}}}))
    assert all(row(sqlite_app, one["id"])["manager_id"] is None for one in idp.found('externalId sw "x-boss"'))
    told = {"userName": "boss@example.com", "externalId": "boss-1", "emails": [{"value": "boss@example.com"}]}
    boss = idp.post("/Users", zoe(**told))
    found = idp.found('externalId sw "x-boss"')
    assert [row(sqlite_app, one["id"])["manager_id"] for one in found] == [boss["id"]] * 2
    assert all(one[ENTERPRISE]["manager"]["value"] == boss["id"] for one in found)


def test_two_who_change_places_pass_through_a_circle(idp: Provider, sqlite_app: App) -> None:
    """A manager who still reports to the person is taken as soon as they report to somebody else."""
    mara, ada = (idp.found(f'userName eq "{who}"')[0]["id"] for who in (MARA, ADA))
    idp.patch(f"/Users/{mara}", {"op": "add", "path": f"{ENTERPRISE}:manager", "value": {"value": ada}})
    assert row(sqlite_app, mara)["manager_id"] is None
    idp.patch(f"/Users/{ada}", {"op": "remove", "path": f"{ENTERPRISE}:manager"})
    idp.patch(f"/Users/{ada}", {"op": "replace", "path": "displayName", "value": "Ada King"})
    with sqlite_app.database.reading() as session:
        managers = people_store.managers_of(session, [mara, ada])
    # Ada's line came from a file: a provider that never told it takes nothing away.
    assert managers == {mara: None, ada: mara}


def test_who_is_deleted_there_has_left_here(idp: Provider, sqlite_app: App, clock: Clock) -> None:
    """The books and the record stay; a provider sees no such user, until it creates one with the same external id."""
    cast.give(sqlite_app, ADA, "100")
    [ada] = idp.found(f'userName eq "{ADA}"')
    idp.put(f"/Users/{ada['id']}", {**ada, "externalId": "00u1ada"})
    assert idp.ask("DELETE", f"/Users/{ada['id']}").status_code == 204
    assert idp.ask("GET", f"/Users/{ada['id']}").status_code == 404
    assert row(sqlite_app, ada["id"])["left_on"] == clock().date()
    clock.move(days=40)
    back = idp.post("/Users", {**zoe(externalId="00u1ada"), "userName": ADA, "emails": [{"value": ADA}]})
    assert (back["id"], back["active"]) == (ada["id"], True)
    assert row(sqlite_app, ada["id"])["left_on"] is None
    assert not books.findings(sqlite_app)


def test_groups_named_after_roles_give_them(idp: Provider) -> None:
    """`tokens-board` is the board, whoever says so; a group named finance or admin is nobody's power."""
    ben, iris = (idp.found(f'userName eq "{who}"')[0]["id"] for who in ("ben@example.com", "iris@example.com"))
    idp.post("/Groups", {"schemas": [GROUP], "displayName": "admin", "members": [{"value": ben}]})
    board = idp.post("/Groups", {"schemas": [GROUP], "displayName": "tokens-board"})
    assert len(board["members"]) == 3
    path = f"/Groups/{board['id']}"
    idp.patch(path, {"op": "Add", "path": "members", "value": [{"value": ben}]})
    idp.patch(path, {"op": "Remove", "path": "members", "value": [{"value": iris}]})
    idp.patch(path, {"op": "replace", "value": {"id": board["id"], "displayName": "tokens-board"}})
    members = {one["value"] for one in idp.get(path)["members"]}
    assert ben in members
    assert iris not in members
    assert len(members) == 3
    answer = idp.ask(
        "PATCH",
        path,
        {"schemas": [scim.PATCH], "Operations": [{"op": "add", "path": "members", "value": [{"value": "nobody"}]}]},
    )
    assert answer.status_code == 400
    assert "'nobody'" in answer.json()["detail"]
    idp.patch(path, {"op": "remove", "path": f'members[value eq "{ben}"]'})
    assert ben not in {one["value"] for one in idp.get(path)["members"]}
    assert idp.ask("DELETE", path).status_code == 204


def test_what_is_wrong_is_named_and_nothing_of_it_is_stored(idp: Provider, sqlite_app: App) -> None:
    """A field and a value that cannot be taken are told as a file's would be, in SCIM's form."""
    before = books.rows(sqlite_app, people)
    for body, said in (
        (zoe(**{OURS: {"level": "boss", "roleFamily": "x"}}), "level = 'boss': expected one of junior"),
        (zoe(timezone="W. Europe Standard Time"), "this is a name of Windows"),
        (zoe(**{OURS: {"hiredOn": "01/02/2026"}}), "hired_on = '01/02/2026'"),
        (zoe(emails=[{"value": "a@b"}]), "'b' has no dot"),
        (zoe(**{OURS: {"fte": "80"}}), "write 80 %"),
    ):
        answer = idp.ask("POST", "/Users", body)
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue"), answer.text
        assert said in answer.json()["detail"]
        assert answer.headers["content-type"] == "application/scim+json"
    assert books.rows(sqlite_app, people) == before


@pytest.mark.parametrize(
    ("path", "value"),
    [("displayName", 5), ("active", "maybe"), ("emails", "x"), ("name", "x"), (f"{OURS}:level", 5)],
)
def test_a_wrong_type_of_a_patch_is_told_as_of_a_put(idp: Provider, path: str, value: object) -> None:
    """One line in SCIM's form that names the attribute, and not what a library says over several."""
    [ada] = idp.found(f'userName eq "{ADA}"')
    body = {"schemas": [scim.PATCH], "Operations": [{"op": "replace", "path": path, "value": value}]}
    answer = idp.ask("PATCH", f"/Users/{ada['id']}", body)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    told = answer.json()["detail"]
    assert "\n" not in told
    assert "pydantic" not in told
    assert path.rpartition(":")[2].lower() in told.replace("_", "").lower()


def test_a_share_of_a_post_may_be_a_number(idp: Provider) -> None:
    """HR systems write 0.8 and not "0.8", when they tell of a person and when they change one."""
    made = idp.post("/Users", zoe(**{OURS: {"level": "senior", "roleFamily": "engineering", "fte": 0.5}}))
    assert made[OURS]["fte"] == "0.5"
    for operation, share in (
        ({"path": f"{OURS}:fte", "value": 0.8}, "0.8"),
        ({"path": OURS, "value": {"fte": 0.625}}, "0.625"),
        ({"value": {f"{OURS}:fte": 1}}, "1"),
    ):
        idp.patch(f"/Users/{made['id']}", {"op": "replace", **operation})
        assert idp.get(f"/Users/{made['id']}")[OURS]["fte"] == share


def test_a_page_behind_everybody_is_empty(idp: Provider) -> None:
    """Also where it begins with a number that no database counts to."""
    assert idp.get(f"/Users?startIndex={10**20}&count=1").get("Resources", []) == []
    assert idp.get(f"/Groups?startIndex={10**20}&count=1").get("Resources", []) == []


def test_a_key_needs_the_scope(idp: Provider) -> None:
    """Without a key, or with one for something else, the answer is SCIM's error and tells nothing."""
    for header, status in (("", 401), ("Bearer nonsense", 401)):
        answer = idp.ask("GET", "/Users", authorization=header)
        assert answer.status_code == status
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


def test_versions_keep_two_writers_apart(idp: Provider) -> None:
    """A change on top of an earlier version is refused; a file's change counts as well; pages are stable."""
    [ada] = idp.found(f'userName eq "{ADA}"')
    body = {"schemas": [scim.PATCH], "Operations": [{"op": "replace", "path": "displayName", "value": "Ada King"}]}
    old = ada["meta"]["version"]
    assert idp.ask("PATCH", f"/Users/{ada['id']}", body, **{"If-Match": old}).status_code == 204
    assert idp.ask("PATCH", f"/Users/{ada['id']}", body, **{"If-Match": old}).status_code == 412
    pages = [idp.get(f"/Users?startIndex={start}&count=4") for start in (1, 5)]
    ids = [one["id"] for page in pages for one in page["Resources"]]
    assert pages[0]["totalResults"] == len(ids) == len(set(ids)) == 6


def test_one_bad_operation_of_a_bulk_takes_nothing_with_it(idp: Provider) -> None:
    """Each operation of a bulk is done or refused by itself; a manager may be named by the id that it gets there."""
    second = {"userName": "b@example.com", "externalId": "b", "emails": [{"value": "b@example.com"}]}
    answer = idp.ask(
        "POST",
        "/Bulk",
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [
                {"method": "POST", "path": "/Users", "bulkId": "one", "data": zoe()},
                {"method": "POST", "path": "/Users", "bulkId": "bad", "data": zoe(externalId="other")},
                {
                    "method": "POST",
                    "path": "/Users",
                    "bulkId": "two",
                    "data": zoe(**second, **{ENTERPRISE: {"manager": {"value": "bulkId:one"}}}),
                },
            ],
        },
    )
    assert [int(one["status"]) for one in answer.json()["Operations"]] == [201, 409, 201]
    assert (
        idp.found('userName eq "b@example.com"')[0][ENTERPRISE]["manager"]["value"]
        == idp.found(f'userName eq "{ZOE}"')[0]["id"]
    )
