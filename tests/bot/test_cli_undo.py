"""Commands that undo a slip or look something up: lots, names, projects, bands, roles, the audit log, messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot.cli import main
from scheduler import messages
from store.tables.outbox import outbox
from tests.support import books, cast, rollout
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from programme.app import App

    Run = Callable[..., Result]

LATER = ("--reason", "Pilot", "--expires", "2099-12-31")


@pytest.fixture
def run(sqlite_url: str) -> Run:
    def invoke(*arguments: str, code: int = 0) -> Result:
        env: dict[str, str | None] = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
        result = CliRunner().invoke(main, arguments, env=env)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


def read(result: Result) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(result.stdout)


def held(run: Run, email: str) -> str:
    return str(read(run("balance", email, "--json"))["balance_tokens"])


def test_a_slip_is_taken_back(run: Run, sqlite_app: App) -> None:
    """What is unused of a lot goes back, on record and told to its owner; a second time there is nothing left."""
    given = read(run("grants", "give", ADA, "125k", *LATER, "--json"))
    assert (given["amount_tokens"], held(run, ADA)) == ("125000.000000", "125000.000000")
    lot = str(given["lot_id"])
    would = run("grants", "revoke", lot, "--reason", "Meant for Ben", "--dry-run").stdout
    assert would.startswith(f"Nothing was changed. It would be: 125,000 tokens are taken back from {ADA}.")
    assert held(run, ADA) == "125000.000000"
    revoked = read(run("grants", "revoke", lot, "--reason", "Meant for Ben", "--json"))
    assert (revoked["revoked_tokens"], revoked["used_tokens"], held(run, ADA)) == (
        "125000.000000",
        "0.000000",
        "0.000000",
    )
    assert "Nothing is left of lot" in run("grants", "revoke", lot, "--reason", "Again", code=1).stderr
    [row] = books.audited(sqlite_app, "grant.revoke")
    assert row["subject"] == cast.person_id(sqlite_app, ADA)
    [owed] = read(run("outbox", "list", "--template", "grants/revoked", "--json"))
    assert (owed["to"], owed["state"]) == (ADA, "waiting")
    [(view,)] = books.rows(sqlite_app, sa.select(outbox.c.view).where(outbox.c.key == owed["key"]))
    composed = messages.compose("grants/revoked", view, app=sqlite_app)
    assert composed is not None
    said = json.dumps(composed.message.blocks)
    assert "*125,000 tokens were taken back" in said
    assert "Meant for Ben" in said
    assert "You have no tokens left." in said
    assert books.findings(sqlite_app) == {}


def test_only_what_was_given_by_hand_is_taken_back(run: Run, sqlite_app: App) -> None:
    """The policy's own grants, and lots that don't exist, are refused with what there is instead."""
    rollout.launch(sqlite_app)
    run("grants", "run", "--month", "2026-11")
    [lot] = read(run("grants", "list", BEN, "--json"))
    assert (lot["kind"], lot["remaining_tokens"]) == ("monthly", lot["amount_tokens"])
    refused = run("grants", "revoke", str(lot["id"]), "--reason", "Too much", code=1).stderr
    assert "was not given by hand" in refused
    assert "bands set" in refused
    assert "There is no lot 999999." in run("grants", "revoke", "999999", "--reason", "x", code=1).stderr
    run("grants", "revoke", str(lot["id"]), "--reason", " ", code=1)


def test_a_likely_repetition_is_not_given_unasked(run: Run) -> None:
    """The same amount for the same person within a week; another amount, another person and --again are none."""
    run("grants", "give", ADA, "1,500", *LATER)
    refused = run("grants", "give", ADA, "1.5k", *LATER, code=1).stderr
    assert f"1,500 tokens were given to {ADA} on" in refused
    assert "say --again" in refused
    run("grants", "give", ADA, "1,501", *LATER)
    run("grants", "give", BEN, "1500", *LATER)
    assert held(run, ADA) == "3001.000000"
    run("grants", "give", ADA, "1500", *LATER, "--again")
    assert held(run, ADA) == "4501.000000"


@pytest.mark.parametrize(
    ("amount", "said"),
    [("1e3", "power of ten"), ("12.500", "in two ways"), ("$50", "is in USD"), ("many", "no amount")],
)
def test_amounts_are_read_as_people_write_them(run: Run, amount: str, said: str) -> None:
    """What can be read in two ways, or is none, is wrong usage, with what to write."""
    assert said in run("grants", "give", ADA, amount, *LATER, code=2).stderr


def test_names_are_listed_and_forgotten(run: Run, sqlite_app: App) -> None:
    """A mapping that was a mistake is removed; one that is not there is refused."""
    run("identities", "add", ADA, "ada-laptop", "--source", "litellm-eu")
    run("identities", "add", BEN, "ben-ci", "--kind", "key_alias")
    [one] = read(run("identities", "list", "--person", ADA, "--json"))
    assert (one["source"], one["kind"], one["value"], one["email"]) == ("litellm-eu", "user", "ada-laptop", ADA)
    remove = ("identities", "remove", "ada-laptop", "--source", "litellm-eu")
    assert "Nothing was changed. It would be: user 'ada-laptop'" in run(*remove, "--dry-run").stdout
    assert f"was Ada Lovelace's ({ADA})" in run(*remove).stdout
    run("identities", "remove", "ada-laptop", "--source", "litellm-eu", code=1)
    assert "ben-ci" in run("identities", "list", "--kind", "key_alias").stdout
    assert "with `--source '*' --kind key_alias`" in run("identities", "remove", "ben-ci", code=1).stderr
    assert run("identities", "list", "--source", "nobody").stdout == "No name is mapped so.\n"
    [row] = books.audited(sqlite_app, "identity.forget")
    assert row["subject"] == "litellm-eu/user/ada-laptop"


def test_projects_bands_and_roles_are_listed(run: Run, tmp_path: Any) -> None:  # noqa: ANN401 - a path
    """Who answers for a project and how many work on it; midpoints with the people of each band; who has a role."""
    path = tmp_path / "projects.csv"
    path.write_text(f"project,name,complexity,director_email,email,share\natlas,Atlas,novel,{BEN},{ADA},0.6\n")
    run("projects", "import", str(path))
    [atlas] = read(run("projects", "list", "--json"))
    assert (atlas["key"], atlas["director"], atlas["people"]) == ("atlas", BEN, 1)
    assert read(run("projects", "list", "--person", BEN, "--json")) == []
    run("bands", "set", "P4", "160,000", "--dry-run")
    assert all(one["midpoint"] == "" for one in read(run("bands", "list", "--json")))
    run("bands", "set", "P4", "160,000")
    [band] = read(run("bands", "list", "--band", "P4", "--json"))
    assert (band["midpoint"], band["people"]) == ("160000.000000000", 2)
    assert "160,000" in run("bands", "list").stdout
    assert [one["email"] for one in read(run("roles", "list", "--role", "chair", "--json"))] == ["iris@example.com"]
    assert "No one has the role auditor." in run("roles", "list", "--role", "auditor").stdout


def test_the_audit_log_is_looked_through(run: Run) -> None:
    """By who, what, of whom and since when; a row is shown whole, and people by their e-mail."""
    run("grants", "give", ADA, "100", *LATER)
    run("bands", "set", "P4", "160000")
    [row] = read(run("audit", "list", "--what", "grant", "--json"))
    assert (row["what"], row["of"]) == ("grant.give", ADA)
    assert [one["what"] for one in read(run("audit", "list", "--of", ADA, "--what", "grant.give", "--json"))] == [
        "grant.give"
    ]
    assert read(run("audit", "list", "--who", "nobody", "--json")) == []
    assert read(run("audit", "list", "--since", "2099-01-01", "--json")) == []
    whole = read(run("audit", "show", str(row["seq"]), "--json"))
    assert whole["after"]["reason"] == "Pilot"
    assert "hash: " in run("audit", "show", str(row["seq"])).stdout
    assert "There is no row 99999." in run("audit", "show", "99999", code=1).stderr


def test_a_message_is_found_without_what_it_says(run: Run, sqlite_app: App) -> None:
    """State, reader and what to do about it; the outbox shows no word and no figure of a message."""
    rollout.launch(sqlite_app)
    run("grants", "run", "--month", "2026-11")
    listed = read(run("outbox", "list", "--person", ADA, "--json"))
    key = f"greeting:{cast.person_id(sqlite_app, ADA)}"
    assert [(one["key"], one["template"], one["state"]) for one in listed] == [(key, "grants/greeting", "waiting")]
    assert "view" not in listed[0]
    assert "state: waiting" in run("outbox", "show", key).stdout
    assert run("outbox", "list", "--state", "parked").stdout == "There is no such message.\n"
    run("outbox", "show", "no-such-key", code=1)
