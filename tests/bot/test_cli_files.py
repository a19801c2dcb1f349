"""Files as spreadsheets, HR programs and vendors write them: read right, or refused with what to do."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from store.people import directory as people_store
from store.tables.people import identities
from store.tables.people import people as people_table
from store.tables.usage import usage_events
from tests.bot.test_cli import run
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.data import FILES

if TYPE_CHECKING:
    from pathlib import Path

    from programme.app import App
    from tests.bot.test_cli import Run

__all__ = ["run"]

MAX = "max@example.com"
STAFF = f"""\
email,name,slack_user_id,manager_email,level,role_family,pay_band,fte,time_zone,hired_on,wave
{MAX},Max,,,principal,engineering,P5,1,Europe/Berlin,2020-01-01,
s1@example.com,S1,U00000001,{MAX},senior,engineering,P3,1,Europe/Berlin,2025-01-01,1
"""


def person(app: App, email: str) -> dict[str, Any]:
    with app.database.reading() as session:
        return people_store.all_by_email(session)[email]


def emails(app: App) -> set[str]:
    return {email for (email,) in books.rows(app, sa.select(people_table.c.email))}


def people_file(name: str) -> tuple[str, str, str]:
    return ("people", "import", str(FILES / name))


def usage_file(name: str) -> tuple[str, str, str]:
    return ("usage", "import", str(FILES / name))


def read(said: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(said)


# --- People --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "who"),
    [("61-semicolon.csv", "Cléo"), ("72-header-spaces.csv", "Cleo"), ("73-trailing-commas.csv", "Cleo")],
)
def test_what_excel_makes_of_a_table_is_read(sqlite_app: App, run: Run, name: str, who: str) -> None:
    """A mark before the text, semicolons, capitals and blanks in the header, empty columns and rows change nothing."""
    assert run(*people_file(name)).stdout == "1 added, 0 changed, 0 unchanged.\n"
    cleo = person(sqlite_app, "cleo@example.com")
    assert (cleo["name"], cleo["level"], cleo["time_zone"]) == (who, "mid", "Europe/Paris")


def test_latin_1_is_told_by_name_with_the_remedy(run: Run) -> None:
    """The word shows that it is the encoding, and how to save the file again."""
    said = run(*people_file("62-latin1.csv"), code=1).stderr
    assert "62-latin1.csv is not UTF-8 text. Line 2: expected UTF-8; it looks like Windows-1252 or Latin-1" in said
    assert "('Müller'): save it again as “CSV UTF-8”" in said


def test_days_as_people_write_them_are_told_by_line(run: Run) -> None:
    """Every line with what it may mean; a year of 0026 or 2926 is none of a person's."""
    lines = run(*people_file("63-dates.csv"), code=1).stderr.splitlines()
    hints = {line.partition(":")[0]: line.rpartition("; ")[2] for line in lines if line.startswith("line")}
    assert hints == {
        "line 2": "write 2026-01-11 or 2026-11-01",
        "line 3": "write 2026-01-11 or 2026-11-01",
        "line 4": "write 2026-11-01, without a time",
        "line 5": "Excel's number of 2026-11-01: format the column as yyyy-mm-dd",
        "line 6": "write 2026-11-01",
        "line 7": "write 2026-11-02",
        "line 8": "in the years 1950 to 2100",
        "line 9": "in the years 1950 to 2100",
    }


def test_addresses_that_only_look_right_are_refused(sqlite_app: App, run: Run) -> None:
    """A blank that no one sees, `mailto:`, marks and dots too many: each with what is wrong."""
    assert "U+200B ZERO WIDTH SPACE is in it" in run(*people_file("65-zwsp.csv"), code=1).stderr
    said = run(*people_file("65b-mailto.csv"), code=1).stderr
    wrong = (
        "without 'mailto:'",
        "has no dot",
        "without '<'",
        "without ';'",
        'without "\'"',
        "a dot too many after the @",
    )
    for number, what in enumerate(wrong, start=2):
        assert what in next(line for line in said.splitlines() if line.startswith(f"line {number}: email"))
    assert len(emails(sqlite_app)) == 6


def test_zones_are_those_of_the_packaged_list(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """Old names are zones, in any case; `localtime`, names of Windows and offsets are not."""
    said = run(*people_file("68-zones.csv"), code=1).stderr
    numbers = [int(line.split()[1].rstrip(":")) for line in said.splitlines() if line.startswith("line")]
    assert numbers == [6, 8, 12, 13, 14]
    assert "time_zone = 'W. Europe Standard Time'" in said
    assert "time_zone = 'localtime'" in said
    lines = (FILES / "68-zones.csv").read_text().splitlines()
    good = tmp_path / "zones.csv"
    good.write_text("\n".join(line for line in lines if not line.startswith(("b5@", "b7@", "b11@", "b12@", "b13@"))))
    run("people", "import", str(good))
    assert person(sqlite_app, "b6@example.com")["time_zone"] == "Europe/Berlin"
    assert person(sqlite_app, "b1@example.com")["time_zone"] == "Europe/Kiev"


def test_posts_have_any_precision(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """38.5 of 40 hours are kept as they are; a bare 80 is told, and the rest is read in the way people write it."""
    said = run(*people_file("69-fte.csv"), code=1).stderr
    [line] = [line for line in said.splitlines() if line.startswith("line")]
    assert line.startswith(
        "line 6: fte = '80': expected a share of a full-time post above 0 and at most 1, such as 0.9625"
    )
    assert line.endswith("; write 80 % for a share in percent")
    good = tmp_path / "fte.csv"
    good.write_text((FILES / "69-fte.csv").read_text().replace(",80,", ",80 %,"))
    run("people", "import", str(good))
    posts = [person(sqlite_app, f"c{number}@example.com")["fte_permille"] for number in range(1, 7)]
    assert posts == [800, Decimal("962.5"), 800, 800, 800, Decimal("333.333")]
    assert run("people", "import", str(good)).stdout == "0 added, 0 changed, 6 unchanged.\n"


def test_a_role_family_is_known_in_any_case(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """`Engineering ` is `engineering`, and `p3` the band `P3`; a family that is outside the programme is said to be."""
    run(*people_file("70b-family-case.csv"))
    found = person(sqlite_app, "d2@example.com")
    assert (found["role_family"], found["pay_band"]) == ("engineering", "P3")
    path = tmp_path / "people.csv"
    path.write_text(f"email,role_family\n{BEN},Enginering\n")
    assert "rollout.role_families has it: Enginering." in run("people", "import", str(path)).stderr
    path.write_text(f"email,role_family\n{BEN},eng\u0456neering\n", "utf-8")
    assert "U+0456 CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I" in run("people", "import", str(path), code=1).stderr


def test_an_e_mail_that_changes_leaves_one_person(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """The Slack user says who it is; usage that is still told under the old e-mail stays theirs."""
    cast.hire(sqlite_app, STAFF)
    before = person(sqlite_app, "s1@example.com")
    assert run(*people_file("71b-email-changed-slack.csv"), "--dry-run").stdout == (
        "s1.new@example.com: email s1@example.com → s1.new@example.com\n"
        "Nothing was changed. It would be: 0 added, 1 changed, 0 unchanged.\n"
    )
    assert run(*people_file("71b-email-changed-slack.csv")).stdout == "0 added, 1 changed, 0 unchanged.\n"
    assert person(sqlite_app, "s1.new@example.com") == before | {"email": "s1.new@example.com"}
    assert "s1@example.com" not in emails(sqlite_app)
    path = tmp_path / "usage.csv"
    header = (FILES / "89-zero.csv").read_text().splitlines()[0]
    path.write_text(f"{header}\nx,1,2026-11-20T09:30:00Z,s1@example.com,anthropic,claude-sonnet-4-5,1000,0,0,100,a\n")
    assert read(run("usage", "import", str(path), "--json").stdout)["accepted"] == 1
    assert run(*people_file("71b-email-changed-slack.csv")).stdout == "0 added, 0 changed, 1 unchanged.\n"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("71-email-changed.csv", "ada.l@example.com", "ada.lovelace@example.com"),
        ("71c-email-changed-no-slack.csv", "s1@example.com", "s1.new@example.com"),
    ],
)
def test_a_new_e_mail_that_may_be_someones_is_asked_about(
    sqlite_app: App, run: Run, name: str, old: str, new: str
) -> None:
    """Without a Slack user the same name and first day may be one person or two: the refusal names both ways on."""
    ada = "ada.l@example.com,Ada,,max@example.com,senior,engineering,P3,1,Europe/Berlin,2025-01-01,\n"
    cast.hire(sqlite_app, STAFF + ada)
    said = run(*people_file(name), code=1).stderr
    assert f"line 2: email = '{new}': {old} has the same name and hired_on" in said
    assert f"`tokens-bot people rename {old} {new}`" in said
    count = len(emails(sqlite_app))
    assert "from now on" in run("people", "rename", old, new).stdout
    run(*people_file(name))
    assert len(emails(sqlite_app)) == count
    assert (old in emails(sqlite_app), new in emails(sqlite_app)) == (False, True)


def test_a_manager_is_named_by_either_e_mail(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """A file in which a manager's e-mail changes may still name them by the old one."""
    cast.hire(sqlite_app, STAFF.replace("Max,,", "Max,U0MAX,"))
    path = tmp_path / "people.csv"
    for named in (MAX, "max.new@example.com"):
        path.write_text(f"email,slack_user_id,manager_email\nmax.new@example.com,U0MAX,\ns1@example.com,,{named}\n")
        run("people", "import", str(path), "--dry-run")
    run("people", "import", str(path))
    assert person(sqlite_app, "s1@example.com")["manager_id"] == person(sqlite_app, "max.new@example.com")["id"]


def test_two_people_of_one_name_are_two_once_both_are_in_the_file(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """Whoever is still in the file under the old e-mail has not changed it."""
    cast.hire(sqlite_app, STAFF)
    path = tmp_path / "people.csv"
    twin = STAFF.splitlines()[2].replace("s1@example.com", "s1.other@example.com").replace("U00000001", "")
    path.write_text(f"{STAFF}{twin}\n")
    assert run("people", "import", str(path)).stdout == "1 added, 0 changed, 2 unchanged.\n"


def test_a_slack_user_of_another_name_and_day_is_no_new_e_mail(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """A Slack user in the wrong line gives no one's wallet to somebody else."""
    cast.hire(sqlite_app, STAFF)
    path = tmp_path / "people.csv"
    path.write_text(
        "email,name,slack_user_id,level,role_family,time_zone,hired_on\nx@example.com,X,U00000001,mid,engineering,UTC,2026-11-01\n"
    )
    said = run("people", "import", str(path), code=1).stderr
    assert "line 2: slack_user_id = 'U00000001': expected one that does not belong to s1@example.com" in said


def test_an_old_e_mail_that_a_new_person_gets_is_theirs(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """Usage under an e-mail that was given away counts for whoever has it now."""
    cast.hire(sqlite_app, STAFF)
    run("people", "rename", "s1@example.com", "s1.new@example.com")
    assert len(books.rows(sqlite_app, identities)) == 2
    path = tmp_path / "people.csv"
    path.write_text(
        "email,name,level,role_family,time_zone,hired_on\ns1@example.com,Sue,mid,engineering,UTC,2026-11-01\n"
    )
    run("people", "import", str(path))
    assert books.rows(sqlite_app, identities) == []
    assert [row["after"] for row in books.audited(sqlite_app, "identity.drop")] == [None, None]


def test_renaming_is_refused_where_it_would_mix_people(run: Run) -> None:
    """An e-mail that someone has, one that is none, and someone who is not there."""
    assert "is the e-mail of Ben Okafor" in run("people", "rename", ADA, BEN, code=1).stderr
    assert "is not an e-mail address" in run("people", "rename", ADA, "ada@example.com;", code=1).stderr
    run("people", "rename", "nobody@example.com", "new@example.com", code=1)
    assert "Nothing was changed" in run("people", "rename", ADA, "a@example.com", "--dry-run").stdout
    assert "is a@example.com" in run("people", "rename", ADA, "a@example.com").stdout


def test_a_formula_is_no_address(run: Run) -> None:
    """What a spreadsheet would run is no e-mail."""
    assert "it begins with '=', like a formula" in run(*people_file("76-formula.csv"), code=1).stderr


def test_a_dry_run_of_people_says_who_would_change_and_how(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """Each person with each column before and after, and nothing is stored."""
    path = tmp_path / "people.csv"
    header = "email,name,level,role_family,fte,time_zone,hired_on,roles\n"
    path.write_text(f"{header}{BEN},,mid,,0.75,,,board\nnew@example.com,New,mid,engineering,,UTC,2026-01-01,\n")
    before = books.rows(sqlite_app, people_table)
    assert run("people", "import", str(path), "--dry-run").stdout.splitlines() == [
        "ben@example.com: level junior → mid, fte 0.6 → 0.75, roles - → board",
        "new@example.com: new",
        "Nothing was changed. It would be: 1 added, 1 changed, 0 unchanged.",
    ]
    assert books.rows(sqlite_app, people_table) == before


def test_a_hundred_mistakes_are_told_and_the_rest_counted(run: Run, tmp_path: Path) -> None:
    """A file in which everything is wrong does not fill the screen."""
    path = tmp_path / "people.csv"
    path.write_text("email,wave\n" + "".join(f"{ADA},many\n" for _ in range(150)))
    said = run("people", "import", str(path), code=1).stderr
    assert sum(line.startswith("line ") for line in said.splitlines()) == 100
    assert "… and 199 more." in said


# --- Usage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["80b-semicolon.csv", "88-trailing-commas.csv"])
def test_usage_from_a_spreadsheet_is_read(sqlite_app: App, run: Run, name: str) -> None:
    """Semicolons and empty columns at the end change nothing; the format follows from the file's name."""
    assert read(run(*usage_file(name), "--json").stdout)["accepted"] == 1
    [(meters, project)] = books.rows(sqlite_app, sa.select(usage_events.c.meters, usage_events.c.project))
    assert (meters, project) == ({"input_uncached": 1000, "output": 100}, "apollo")


def test_ids_that_excel_has_rounded_are_refused(sqlite_app: App, run: Run) -> None:
    """Three calls of one rounded id would be one and two conflicts: each line is named, and nothing is taken."""
    said = run(*usage_file("81-excel-scientific-ids.csv"), code=1).stderr
    for number in (2, 3, 4):
        assert f"line {number}: event_id: expected what was there (Excel has rounded this number: format" in said
    assert books.count(sqlite_app, usage_events) == 0


def test_a_formula_around_an_id_is_refused(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """What protects an id from a spreadsheet is no part of it: the call would be another one."""
    header, line = (FILES / "80b-semicolon.csv").read_text().splitlines()
    path = tmp_path / "usage.csv"
    path.write_text("\n".join((header, line.replace("x;1;", 'x;"=""1""";'))))
    said = run("usage", "import", str(path), code=1).stderr
    assert "line 2: event_id: expected what was there (this is a formula: write only what stands between" in said
    assert books.count(sqlite_app, usage_events) == 0


def test_files_of_vendors_are_told_by_name(run: Run, tmp_path: Path) -> None:
    """A bill and a vendor's totals name no call: the refusal says what will read them, and what to do today."""
    path = tmp_path / "focus.csv"
    columns = "BilledCost,BillingAccountId,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,EffectiveCost,ServiceName"
    path.write_text(f"{columns}\n0.1,1,Usage,2026-10-01,2026-09-01,0.1,Example\n")
    bill, totals = (
        run("usage", "import", str(path), code=1).stderr,
        run(*usage_file("86-openai-export.csv"), code=1).stderr,
    )
    assert "this is a FOCUS file" in bill
    assert "this is a usage export of OpenAI" in totals
    assert "`tokens-bot invoices import` reads it" in bill
    assert "`tokens-bot vendors sync openai`" in totals
    for said in (bill, totals):
        assert "docs/operators/gateways.md" in said


@pytest.mark.parametrize("name", ["usage.csv.gz", "usage.dump"])
def test_a_file_without_a_name_is_told_by_its_content(run: Run, tmp_path: Path, name: str) -> None:
    """Whoever packed it reads that, and not which formats there are; of a text nobody can say more than that."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"source\n") if name.endswith("gz") else b"source\n")
    said = run("usage", "import", str(path), code=1).stderr
    assert ("is compressed with gzip; unpack it" in said) == name.endswith("gz")
    assert ("Say --format csv or --format jsonl." in said) != name.endswith("gz")


def test_a_line_that_contradicts_another_is_told_and_fails(sqlite_app: App, run: Run) -> None:
    """The first of two lines stays; the second is a conflict with its number, and the command exits with 1."""
    first = run(*usage_file("87-corrected.csv"), "--json", code=1)
    assert read(first.stdout) == {
        "read": 2,
        "accepted": 1,
        "duplicate": 0,
        "conflict": 1,
        "quarantined": 0,
        "rejected": 0,
    }
    assert (
        "line 3: conflict: '1' of 'x': another event was already taken in under this id; that one stays" in first.stderr
    )
    [(meters,)] = books.rows(sqlite_app, sa.select(usage_events.c.meters))
    assert meters == {"input_uncached": 1000, "output": 100}


def test_a_line_without_a_figure_is_a_free_call(run: Run) -> None:
    """An empty count is zero, so a line of empty counts is a call of which nothing was used, as it is over HTTP."""
    assert json.loads(run(*usage_file("89-zero.csv"), "--json").stdout)["accepted"] == 1


def test_a_dry_run_of_usage_tells_what_would_become_of_each_line(sqlite_app: App, run: Run, tmp_path: Path) -> None:
    """Repeats, conflicts and strangers are counted as an import would, over batches too, and nothing is taken."""
    header, line = (FILES / "80b-semicolon.csv").read_text().splitlines()
    path = tmp_path / "usage.csv"
    stranger = line.replace("x;1;", "x;2;").replace("ben@", "nobody@")
    path.write_text("\n".join((header, line, stranger, line, line.replace("1000", "900"))))
    tried = run("usage", "import", str(path), "--dry-run", "--json", code=1)
    assert "line 5: conflict" in tried.stderr
    assert books.count(sqlite_app, usage_events) == 0
    done = run("usage", "import", str(path), "--json", code=1)
    assert read(tried.stdout) == read(done.stdout)
    assert read(done.stdout)["duplicate"] == read(done.stdout)["conflict"] == read(done.stdout)["quarantined"] == 1


def test_a_name_that_says_nothing_needs_a_format(run: Run, tmp_path: Path) -> None:
    """A file is read as what its name says, or as what `--format` says."""
    path = tmp_path / "usage.dat"
    path.write_bytes((FILES / "80b-semicolon.csv").read_bytes())
    assert "Say --format csv or --format jsonl." in run("usage", "import", str(path), code=1).stderr
    assert read(run("usage", "import", str(path), "--format", "csv", "--json").stdout)["accepted"] == 1


def test_bad_lines_beyond_a_hundred_are_counted(run: Run, tmp_path: Path) -> None:
    """A file of a million bad lines is told in a hundred, with every mistake of each."""
    header, line = (FILES / "80b-semicolon.csv").read_text().splitlines()
    path = tmp_path / "usage.csv"
    bad = line.replace("ben@example.com", "<ben@example.com>").replace("1000", "many")
    path.write_text("\n".join((header, *[bad] * 140)))
    said = run("usage", "import", str(path), code=1).stderr
    assert "line 2: user: expected an e-mail address (without '<')" in said
    assert "; input_tokens: expected an integer" in said
    assert "… and 40 more." in said
    assert "140 bad lines, so nothing was imported." in said


# --- Others --------------------------------------------------------------------------------------------------------


def test_a_dry_run_of_projects_and_outcomes_stores_nothing(run: Run, tmp_path: Path) -> None:
    """Both say what would be, and the same command without it finds all still to do."""
    projects, outcomes = tmp_path / "projects.csv", tmp_path / "outcomes.csv"
    projects.write_text(f"Project;Name;Complexity;Email;Share\natlas;Atlas;Novel;{ADA};0,6\n")
    outcomes.write_text(
        f"source;outcome_id;kind;occurred_at;user;weight\njira;S-1;Bug;2026-10-07T09:30:00Z;{ADA};2,5\n"
    )
    for _ in range(2):
        said = run("projects", "import", str(projects), "--dry-run").stdout
        assert said == "Nothing was changed. It would be: 1 projects, 1 assignments; 0 ended.\n"
        said = run("outcomes", "import", str(outcomes), "--dry-run").stdout
        assert said.startswith("Nothing was changed. It would be: 1 read, 1 accepted")
    assert read(run("projects", "import", str(projects), "--json").stdout)["assignments"] == 1
    assert read(run("outcomes", "import", str(outcomes), "--json").stdout)["accepted"] == 1
