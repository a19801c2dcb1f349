"""People come from a file: all of it or nothing, with every mistake told at once; Slack and gateways find them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.reasons import Refusal
from programme.people import directory, linking
from programme.people.slack_accounts import SlackAccount
from store.people import directory as people_store
from store.tables.audit import audit_log
from store.tables.people import identities, person_roles
from store.tables.people import people as people_table
from tests.support import books, cast
from tests.support.books import ADA, BEN, MARA

if TYPE_CHECKING:
    from policy.metering import IdentityKind
    from programme.app import App
    from programme.people.directory import PeopleImport

HEADER = "email,name,slack_user_id,manager_email,level,role_family,pay_band,fte,time_zone,hired_on,left_on,wave,roles\n"


def new(email: str, *, manager: str = "", slack: str = "", roles: str = "") -> str:
    """The line of someone new, without a mistake."""
    return f"{email},New One,{slack},{manager},mid,engineering,,,UTC,2026-01-01,,,{roles}\n"


def bring(app: App, text: str) -> PeopleImport:
    with app.transaction() as moment:
        return directory.import_csv(moment, io.StringIO(text), actor="cli:test")


def refused(app: App, text: str) -> list[str]:
    """The lines of the refusal of a file, and proof that nothing of it was imported."""
    before = books.rows(app, people_table), books.rows(app, person_roles), books.rows(app, audit_log)
    with pytest.raises(Refusal) as refusal:
        bring(app, text)
    assert refusal.value.code == "people_file_invalid"
    assert (books.rows(app, people_table), books.rows(app, person_roles), books.rows(app, audit_log)) == before
    heading, *complaints = refusal.value.text.splitlines()
    assert heading == "Nothing was imported:"
    return complaints


def record(app: App, email: str) -> dict[str, object]:
    """Everything we have of someone; their manager by e-mail, their roles sorted."""
    with app.database.reading() as session:
        known = people_store.all_by_email(session)
        row = known[email]
        roles = people_store.roles_by_person(session).get(row["id"], set())
    manager = next((e for e, other in known.items() if other["id"] == row["manager_id"]), None)
    return row | {"manager": manager, "roles": sorted(roles)}


def test_a_file_adds_people(app: App) -> None:
    """Every column of a line is kept; what is not said has its default."""
    text = (
        HEADER
        + f"New@Example.com, Zoë Å ,U0ZOE,{ADA},senior,data,P3,0.625,Asia/Tokyo,2026-02-01,2026-12-31,3,chair; board\n"
    )
    text += new("other@example.com")
    done = bring(app, text)
    assert (done.added, done.changed, done.unchanged) == (2, 0, 0)
    zoe = record(app, "new@example.com")
    assert zoe["name"] == "Zoë Å"
    assert (zoe["slack_user_id"], zoe["manager"], zoe["level"], zoe["role_family"]) == ("U0ZOE", ADA, "senior", "data")
    assert (zoe["pay_band"], zoe["fte_permille"], zoe["time_zone"], zoe["wave"]) == ("P3", 625, "Asia/Tokyo", 3)
    assert (str(zoe["hired_on"]), str(zoe["left_on"])) == ("2026-02-01", "2026-12-31")
    assert zoe["roles"] == ["board", "chair"]
    other = record(app, "other@example.com")
    empty = dict.fromkeys(("slack_user_id", "manager", "pay_band", "left_on", "wave"))
    assert other == other | empty | {"fte_permille": 1000, "roles": []}


def test_the_same_file_again_changes_nothing(sqlite_app: App) -> None:
    """An import is an upsert by e-mail: what is the same stays, and leaves no trace in the audit log."""
    before = books.rows(sqlite_app, people_table), books.count(sqlite_app, audit_log)
    done = bring(sqlite_app, cast.PEOPLE)
    assert (done.added, done.changed, done.unchanged) == (0, 0, 6)
    assert (books.rows(sqlite_app, people_table), books.count(sqlite_app, audit_log)) == before


def test_what_a_line_leaves_out_stays(sqlite_app: App) -> None:
    """An empty cell, and a column that is not there, leave what was there."""
    before = record(sqlite_app, ADA)
    done = bring(sqlite_app, f"email,wave,pay_band\n{ADA.upper()},2,\n")
    assert (done.added, done.changed, done.unchanged) == (0, 1, 0)
    assert record(sqlite_app, ADA) == before | {"wave": 2}


def test_a_dash_clears_what_may_be_empty(sqlite_app: App) -> None:
    """`-` is how a line says that someone has no manager, wave, band, Slack user, last day or role any more."""
    bring(sqlite_app, f"email,left_on,roles\n{ADA},2026-12-31,board\n")
    before = record(sqlite_app, ADA)
    bring(sqlite_app, f"email,slack_user_id,manager_email,pay_band,left_on,wave,roles\n{ADA},-,-,-,-,-,-\n")
    cleared = dict.fromkeys(("slack_user_id", "manager", "manager_id", "pay_band", "left_on", "wave"))
    assert record(sqlite_app, ADA) == before | cleared | {"roles": [], "former_slack_user_id": "U0ADA"}


@pytest.mark.parametrize("kind", ["email", "user"])
def test_an_e_mail_of_before_is_known_in_any_case(app: App, kind: IdentityKind) -> None:
    """Gateways write e-mails as people typed them; an earlier one, or one that was mapped, is found all the same."""
    with app.transaction() as moment:
        directory.rename(moment, "ada@example.com", "ada.king@example.com", actor="test")
        theirs = {"source": "eu", "email": "ben@example.com", "actor": "test"}
        directory.map_identity(moment, kind=kind, value="Ada@Home.com", **theirs)
        directory.map_identity(moment, kind="key_alias", value="A@b", **theirs)
        told = [(kind, one) for one in ("ADA@example.com", "Ada.King@Example.com", "ada@HOME.com")]
        found = people_store.resolve(moment.session, "eu", {*told, ("key_alias", "a@b"), ("key_alias", "A@b")})
        ada, ben = (directory.require(moment, one).id for one in ("ada.king@example.com", "ben@example.com"))
        assert [found.get(one) for one in told] == [ada, ada, ben]
        assert (found.get(("key_alias", "a@b")), found[("key_alias", "A@b")]) == (None, ben)
        directory.map_identity(moment, kind=kind, value="ada@Home.com", **theirs | {"email": "ada.king@example.com"})
        assert people_store.resolve(moment.session, "eu", {told[2]})[told[2]] == ada
        directory.forget_identity(moment, source="eu", kind=kind, value="ADA@HOME.COM", actor="test")
        assert people_store.resolve(moment.session, "eu", {told[2]}) == {}


@pytest.mark.parametrize("column", ["name", "level", "role_family", "fte", "time_zone", "hired_on"])
def test_a_dash_clears_nothing_that_everybody_has(sqlite_app: App, column: str) -> None:
    """No one is without a name or a level: a dash there is a mistake of the file."""
    [complaint] = refused(sqlite_app, f"email,{column}\n{ADA},-\n")
    assert complaint.startswith(f"line 2: {column} = '-': expected ")


def test_a_manager_may_come_later_in_the_file(app: App) -> None:
    """Lines are in no order: a whole chain of newcomers may be written from the bottom up."""
    bring(app, HEADER + new("c@x.org", manager="B@x.org") + new("b@x.org", manager="a@x.org") + new("a@x.org"))
    assert [record(app, f"{name}@x.org")["manager"] for name in "cba"] == ["b@x.org", "a@x.org", None]


POST = "a share of a full-time post above 0 and at most 1, such as 0.9625"
MISTAKES = [
    ("email", "nobody", "an e-mail address"),
    ("email", "", "an e-mail address"),
    ("email", "a@b@c.org", "an e-mail address"),
    ("email", "a b@c.org", "an e-mail address; without blanks"),
    ("level", "Senior Staff", "one of junior, mid, senior, staff, principal"),
    ("fte", "0", POST),
    ("fte", "1.001", POST),
    ("fte", "80", f"{POST}; write 80 % for a share in percent"),
    ("fte", "0.1234567890123456789", POST),
    ("fte", "-0.5", POST),
    ("fte", "half", POST),
    ("fte", "NaN", POST),
    ("fte", "Infinity", POST),
    ("fte", "1e999999", POST),
    ("time_zone", "Berlin", "a time zone such as Europe/Berlin; perhaps Europe/Berlin"),
    ("time_zone", "../etc/passwd", "a time zone such as Europe/Berlin"),
    ("hired_on", "01.02.2026", "a date such as 2026-11-01; write 2026-01-02 or 2026-02-01"),
    ("left_on", "2026-02-30", "a date such as 2026-11-01"),
    ("left_on", "2020-12-31", "a day not before hired_on = 2021-03-01"),
    ("wave", "0", "a number from 1 to 100"),
    ("wave", "one", "a number from 1 to 100"),
    (
        "roles",
        "board;king",
        "roles separated by `;` out of board, alternate, chair, finance, recruiter, admin, auditor",
    ),
    ("manager_email", "nobody@example.com", "someone in this file or imported before"),
    ("manager_email", ADA, "no circle of managers"),
    ("slack_user_id", "U1> <!channel", "a Slack user id such as U012AB3CD"),
    ("name", "\u200b\u3164", "a text that shows something"),
    ("name", "\x07", "a text that shows something"),
    ("slack_user_id", "U0BEN", "one that does not belong to ben@example.com"),
]


@pytest.mark.parametrize(("column", "value", "expected"), MISTAKES)
def test_a_mistake_is_told_with_its_line_its_column_and_its_value(
    sqlite_app: App, column: str, value: str, expected: str
) -> None:
    """Whoever wrote the file finds the cell, and what should stand in it."""
    columns = "email,wave" if column == "email" else f"email,{column}"
    cells = f"{value},1" if column == "email" else f"{ADA},{value}"
    complaints = refused(sqlite_app, f"{columns}\n{BEN},\n{cells}\n")
    assert f"line 3: {column} = {value!r}: expected {expected}" in complaints


def test_every_bad_line_is_told_at_once(app: App) -> None:
    """One refusal names all mistakes of all lines in their order, and the good lines are not imported either."""
    text = (
        HEADER
        + new("good@example.com", manager=MARA)
        + "bad@example.com,,,,boss,engineering,,2,UTC,2026-01-01,,,\n"
        + new("good@example.com")
        + new("nomail")
        + "short@example.com,Short\n"
        + new("twin@example.com", slack="U0ADA")
        + new("lonely@example.com", manager="ghost@example.com")
    )
    assert refused(app, text) == [
        "line 3: fte = '2': expected a share of a full-time post above 0 and at most 1, such as 0.9625",
        "line 3: level = 'boss': expected one of junior, mid, senior, staff, principal",
        "line 3: name is empty; a new person needs it",
        "line 4: email = 'good@example.com': expected each once; line 2 has it too",
        "line 5: email = 'nomail': expected an e-mail address",
        "line 6: 13 cells expected, 2 found",
        "line 7: slack_user_id = 'U0ADA': expected one that does not belong to ada@example.com",
        "line 8: manager_email = 'ghost@example.com': expected someone in this file or imported before",
    ]


def test_an_e_mail_stands_in_a_file_once(sqlite_app: App) -> None:
    """Two lines of one person could contradict each other, also when they are written differently."""
    assert refused(sqlite_app, f"email,wave\n{ADA},1\n{ADA.title()},2\n") == [
        f"line 3: email = '{ADA}': expected each once; line 2 has it too"
    ]


def test_a_slack_user_is_one_person(sqlite_app: App) -> None:
    """Two lines of a file cannot claim one Slack user."""
    text = HEADER + new("a@example.com", slack="U0NEW") + new("b@example.com", slack="U0NEW")
    assert refused(sqlite_app, text) == [
        "line 3: slack_user_id = 'U0NEW': expected one that does not belong to a@example.com"
    ]


def test_managers_make_no_circle(sqlite_app: App) -> None:
    """No one is their own manager's manager, over any distance, together with the people we have."""
    loop = f"email,manager_email\n{MARA},{ADA}\n"
    assert refused(sqlite_app, loop) == [f"line 2: manager_email = '{ADA}': expected no circle of managers"]
    chain = HEADER + new("a@x.org", manager="b@x.org") + new("b@x.org", manager="c@x.org")
    complaints = refused(sqlite_app, chain + new("c@x.org", manager="a@x.org"))
    assert len(complaints) == 3
    assert all("no circle of managers" in complaint for complaint in complaints)


def test_a_circle_may_be_opened_by_the_file_itself(sqlite_app: App) -> None:
    """Manager and engineer may change places in one file."""
    bring(sqlite_app, f"email,manager_email\n{MARA},{ADA}\n{ADA},-\n")
    assert record(sqlite_app, MARA)["manager"] == ADA


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: no column 'email'; expected email, name, slack_user_id"),
        ("name,level\nA,mid\n", "line 1: no column 'email'; expected email, name, slack_user_id"),
        ("email,wave,wave\na@example.com,1,2\n", "line 1: column 'wave' stands there twice; expected email, name"),
        (f"email,salary\n{ADA},1\n", "line 1: unknown column 'salary'; expected email, name, slack_user_id"),
        (f"email,wave\n{ADA}\n", "line 2: 2 cells expected"),
        (f"email,wave\n{ADA},1,2\n", "line 2: 2 cells expected"),
        (f'email,name\n{ADA},"open\n', "line 2: unexpected end of data"),
        (f"email,name\n{ADA},A\0da\n", "line 2: name = 'A\\x00da': expected text without NUL"),
    ],
)
def test_a_file_of_another_shape_is_refused(sqlite_app: App, text: str, complaint: str) -> None:
    """A header that is not ours, and lines of other lengths, are told before anything is read into them."""
    assert refused(sqlite_app, text)[0].startswith(complaint)


def test_somebody_new_needs_the_columns_that_everybody_has(sqlite_app: App) -> None:
    """A new line says all that is required, and the refusal names what it lacks; an empty line is none."""
    assert refused(sqlite_app, "email,name\n\nnew@example.com,New\n") == [
        f"line 3: {column} is empty; a new person needs it"
        for column in ("hired_on", "level", "role_family", "time_zone")
    ]


def test_a_change_is_audited_with_before_and_after(app: App) -> None:
    """The log says who changed what of whom; an addition tells no more than the level."""
    bring(app, HEADER + new("new@example.com", roles="admin"))
    bring(app, f"email,level,hired_on,roles\n{ADA},principal,2021-04-01,board;chair\n")
    added, changed = books.audited(app, "people.add")[-1], books.audited(app, "people.change")[-1]
    assert (added["actor"], added["before"], added["after"]) == ("cli:test", None, {"level": "mid"})
    assert changed["subject"] == cast.person_id(app, ADA)
    assert changed["before"] == {"hired_on": "2021-03-01", "level": "staff", "roles": []}
    assert changed["after"] == {"hired_on": "2021-04-01", "level": "principal", "roles": ["board", "chair"]}
    assert books.findings(app) == {}


def link(app: App, slack_user_id: str, email: str | None) -> str | None:
    with app.transaction() as moment:
        person = linking.link(moment, SlackAccount(slack_user_id, email)).person
    if person is not None:
        assert person.slack_user_id == slack_user_id
    return person.email if person else None


def test_a_slack_user_is_linked_by_e_mail_once(sqlite_app: App) -> None:
    """At first contact the e-mail of Slack's profile finds the person; from then on the Slack id does."""
    bring(sqlite_app, HEADER + new("new@example.com"))
    assert link(sqlite_app, "U0NEW", "New@Example.com") == "new@example.com"
    assert link(sqlite_app, "U0NEW", None) == "new@example.com"
    assert link(sqlite_app, "U0NEW", ADA) == "new@example.com"
    [row] = books.audited(sqlite_app, "people.link")
    assert (row["actor"], row["after"]) == ("slack:U0NEW", {"slack_user_id": "U0NEW"})


def test_nobody_is_taken_over(sqlite_app: App) -> None:
    """A stranger, and a second Slack user with someone's e-mail, are linked to no one."""
    assert link(sqlite_app, "U0OTHER", ADA) is None
    assert link(sqlite_app, "U0OTHER", "nobody@example.com") is None
    assert link(sqlite_app, "U0OTHER", None) is None
    assert link(sqlite_app, "U0ADA", None) == ADA
    assert books.audited(sqlite_app, "people.link") == []


def test_a_gateways_name_is_mapped_to_somebody_and_audited(app: App) -> None:
    """A mapping is recorded when it changes something, with whose it was before."""
    for email in (ADA, ADA, BEN):
        with app.transaction() as moment:
            directory.map_identity(moment, source="eu", kind="user", value="u17", email=email, actor="cli:test")
    assert books.rows(app, sa.select(identities.c.person_id)) == [(cast.person_id(app, BEN),)]
    ada, ben = ({"person_id": cast.person_id(app, email)} for email in (ADA, BEN))
    rows = books.audited(app, "identity.map")
    assert [(row["subject"], row["before"], row["after"]) for row in rows] == [
        ("eu/user/u17", None, ada),
        ("eu/user/u17", ada, ben),
    ]


def test_who_is_not_there_cannot_be_named(sqlite_app: App) -> None:
    """A command for an e-mail that no one has is refused with the e-mail and the way on."""
    with sqlite_app.reading() as moment:
        assert directory.require(moment, ADA.upper()).email == ADA
        with pytest.raises(Refusal, match="No one has the e-mail 'ghost") as refusal:
            directory.require(moment, "ghost@example.com")
    assert (refusal.value.code, refusal.value.next_step) == ("unknown_person", "See `tokens-bot people import`.")
