"""Lines count once: on the day they reach the default branch, by whichever way, in whatever order that is told."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.outcomes import github
from policy.period import Week
from programme.outcomes import intake
from programme.people import directory
from tests.support import books, depth
from tests.support import outcomes as work
from tests.support.outcomes import MERGED, REPOSITORY, sha

if TYPE_CHECKING:
    from policy.outcomes import OutcomeReport
    from programme.app import App
    from programme.moment import Moment

CASES = Path(__file__).parents[2] / "data" / "github"
COPILOT = ("Copilot", "Bot")
ADA = ("Ada-L", "User")


@pytest.fixture
def known(app: App) -> App:
    """Where the people of the payloads in the files are known."""
    with app.transaction() as moment:
        directory.map_identity(moment, source="github", kind="user", value="ada-l", email=books.ADA, actor="test")
    work.map_logins(app, "ben-o", "maraq")
    return app


def case(name: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((CASES / name).read_text("utf-8"))
    return payload


def after(days: float) -> datetime:
    return MERGED + timedelta(days=days)


def pull(number: int, days: float, lines: int, **more: Any) -> OutcomeReport:  # noqa: ANN401 - of the payload
    return work.reported(work.pull_request(number, at=after(days), lines=(lines, 0), **more))


def revert(number: int, days: float, **more: Any) -> OutcomeReport:  # noqa: ANN401 - the same
    told = pull(number, days, 100, **more)
    assert told.reverts
    return told


def lines(app: App, *told: OutcomeReport) -> dict[str, int]:
    """The lines that count, by week, whoever wrote them: of a year, told at once by people who are known."""
    work.map_logins(app)
    work.take_in(app, *told)
    return lines_by_week(app)


def lines_by_week(app: App) -> dict[str, int]:
    sums: dict[str, int] = {}
    for week, count in arrived(app).values():
        sums[week] = sums.get(week, 0) + count
    return {week: count for week, count in sums.items() if count}


def arrived(app: App) -> dict[str, tuple[str, int]]:
    """The week and the lines of each pull request that is somebody's and counts."""
    with app.reading() as moment:
        return arrived_in(moment)


def arrived_in(moment: Moment) -> dict[str, tuple[str, int]]:
    found = intake.arrived(moment, datetime(2026, 1, 1, tzinfo=UTC).date(), datetime(2027, 6, 1, tzinfo=UTC).date())
    return {
        one.outcome_id: (str(Week.containing(one.day)), one.lines or 0) for one in found if one.unit and not one.reverts
    }


def shares(app: App) -> dict[str, int]:
    return {outcome_id: count for outcome_id, (_, count) in arrived(app).items()}


# --- On the way to the default branch ------------------------------------------------------------------------------


def test_what_is_merged_into_another_branch_waits_for_it(known: App) -> None:
    """A pull request into a feature branch counts nothing, until that branch is merged into the default one."""
    payload = case("103-stacked-pr.json")
    with known.transaction() as moment:
        [answer] = intake.take_in(moment, [work.reported(payload)])
    assert (answer.status, answer.detail) == ("accepted", "it counts when its branch reaches the default one")
    assert work.weekly(known) == []
    payload["number"] = payload["pull_request"]["number"] = 6
    payload["pull_request"] |= {
        "merged_at": "2026-11-26T10:00:00Z",
        "updated_at": "2026-11-26T10:00:01Z",
        "additions": 2000,
        "user": {"login": "ben-o", "type": "User"},
        "base": {"ref": "main", "repo": {"default_branch": "main"}},
        "head": {"ref": "feature/big", "repo": None},
    }
    work.take_in(known, work.reported(payload))
    # √(1800 ÷ 50) for Ada, √(200 ÷ 50) for Ben, in the week of the second merge.
    assert [(str(row.week), row.output) for row in work.weekly(known)] == [("2026-W48", 6_000 + 2_000)]


def test_a_release_brings_what_it_carries_and_no_more(app: App) -> None:
    """Everyone's lines count when the release is merged; its author has what nobody else wrote."""
    assert lines(
        app,
        pull(1, 0, 300, into="develop"),
        pull(2, 1, 200, into="develop", by="ben-o"),
        pull(3, 7, 520, out_of="develop", by="maraq"),
        pull(4, 8, 50, into="develop"),
    ) == {"2026-W42": 520}
    assert shares(app) == {"acme/shop#1": 300, "acme/shop#2": 200, "acme/shop#3": 20}


def test_lines_that_were_written_over_are_not_counted_twice(app: App) -> None:
    """What a branch carries shares the lines that arrive, in proportion, when they are fewer than what was merged."""
    told = (pull(1, 0, 600, into="f"), pull(2, 1, 300, into="f", by="ben-o"), pull(3, 2, 300, out_of="f"))
    assert lines(app, *told) == {"2026-W41": 300}
    assert shares(app) == {"acme/shop#1": 200, "acme/shop#2": 100, "acme/shop#3": 0}


def test_a_stack_arrives_with_its_base(app: App) -> None:
    """Branches on branches: each step is counted once, when the last of them is merged into the default branch."""
    assert lines(
        app,
        pull(1, 0, 100, into="b", out_of="c"),
        pull(2, 1, 250, into="a", out_of="b", by="ben-o"),
        pull(3, 9, 400, out_of="a", by="ben-o"),
    ) == {"2026-W42": 400}


def test_what_is_merged_into_a_branch_after_it_arrived_does_not_count(app: App) -> None:
    """The accident of stacks: the base was merged first, and what then goes into its branch never arrives."""
    assert lines(app, pull(1, 0, 100, out_of="a"), pull(2, 1, 250, into="a", out_of="b")) == {"2026-W41": 100}


def test_a_stack_that_its_top_merges_counts_once(app: App) -> None:
    """GitHub calls the lower ones merged by the commit that merged the top, whose lines hold theirs."""
    top = sha("the merge")
    told = (pull(1, 0, 100, commit=top), pull(2, 0, 250, commit=top, by="ben-o"), pull(3, 0, 400, commit=top))
    # The two lower ones ask for 350 of the 400 lines.
    assert lines(app, *told) == {"2026-W41": 400}


def test_a_branch_that_goes_on_brings_only_what_is_new(app: App) -> None:
    """A second release counts what was merged since the first."""
    assert lines(
        app,
        pull(1, 0, 300, into="develop"),
        pull(2, 1, 300, out_of="develop"),
        pull(3, 7, 100, into="develop"),
        pull(4, 8, 100, out_of="develop"),
    ) == {"2026-W41": 300, "2026-W42": 100}


def test_the_default_branch_merged_back_brings_nothing(app: App) -> None:
    """Neither the default branch itself nor a branch cut from it counts again where it is merged into another."""
    work.map_logins(app)
    back = pull(2, 1, 5_000, into="develop", out_of="main")
    with app.transaction() as moment:
        [answer] = intake.take_in(moment, [back])
    assert (back.state, back.user) == ("withdrawn", "")
    assert answer.detail == "it brings the default branch back, whose lines have counted"
    assert lines(
        app,
        pull(1, 0, 100, commit=sha("release")),
        pull(3, 1, 100, into="develop", out_of="sync", head=sha("release")),
        pull(4, 2, 50, into="develop"),
        pull(5, 3, 150, out_of="develop"),
    ) == {"2026-W41": 100 + 50}


def test_a_hotfix_that_is_merged_twice_counts_once(app: App) -> None:
    """The same commits merged into the default branch and into another, which arrives later, are counted at first."""
    assert lines(
        app,
        pull(1, 0, 30, out_of="hotfix", head=sha("hotfix")),
        pull(2, 0.1, 30, out_of="hotfix", head=sha("hotfix"), into="develop"),
        pull(3, 1, 70, into="develop"),
        pull(4, 7, 100, out_of="develop"),
    ) == {"2026-W41": 30, "2026-W42": 70}


def test_cherry_picks_count_once(app: App) -> None:
    """Into a release branch they never count; from one into the default branch they bring what was written there."""
    fix = sha("fix")
    picked = f"Mends the till.\n\n(cherry picked from commit {fix})"
    assert lines(
        app,
        pull(1, 0, 30, commit=fix),
        pull(2, 1, 30, into="release/1.1", body=picked),
    ) == {"2026-W41": 30}
    first = sha("first")
    again = f"(cherry picked from commit {first})"
    told = (
        pull(3, 7, 40, into="release/1.1", commit=first, by="ben-o"),
        pull(4, 8, 40, body=again, by="maraq"),
        pull(5, 14, 40, out_of="release/1.1"),
    )
    assert lines(app, *told) == {"2026-W41": 30, "2026-W42": 40}
    assert shares(app) == {"acme/shop#1": 30, "acme/shop#2": 0, "acme/shop#3": 40, "acme/shop#4": 0, "acme/shop#5": 0}


def test_a_copy_into_another_repository_counts_nothing(app: App) -> None:
    """What a second repository takes over from the first, by commit or by number, has been counted there."""
    assert lines(
        app,
        pull(1, 0, 40, commit=sha("original")),
        pull(1, 1, 40, repository="acme/till", body=f"(cherry picked from commit {sha('original')})"),
        pull(2, 2, 40, repository="acme/till", body="Backport of acme/shop#1"),
    ) == {"2026-W41": 40}


def test_a_branch_of_a_fork_is_another_branch(app: App) -> None:
    """A fork's `main` is not the default branch of the repository, also when the fork is gone."""
    payload = work.pull_request(1, out_of="main", lines=(80, 0))
    payload["pull_request"]["head"] |= {
        "repo": {"full_name": "ada-l/shop", "default_branch": "main"},
        "label": "ada-l:main",
    }
    gone = work.pull_request(2, out_of="main", lines=(20, 0), by="ben-o")
    gone["pull_request"]["head"] |= {"repo": None, "label": "ben-o:main"}
    assert lines(app, work.reported(payload), work.reported(gone)) == {"2026-W41": 100}


def test_a_branch_may_take_long_but_not_for_ever(app: App) -> None:
    """What the default branch has not seen after `arrival_days` is not looked for any more."""
    told = [pull(1, 0, 300, into="f"), pull(2, 100, 100, into="f"), pull(3, 181, 400, out_of="f", by="ben-o")]
    assert sum(lines(app, *told).values()) == 400
    with app.reading() as moment:
        found = {one.outcome_id: one.lines for one in intake.arrived(moment, MERGED.date(), after(200).date())}
    assert found == {"acme/shop#2": 100, "acme/shop#3": 300}


def test_without_a_default_branch_every_branch_counts(app: App) -> None:
    """A payload that says nothing of branches is work that has arrived."""
    payload = work.pull_request(1)
    del payload["repository"]["default_branch"], payload["pull_request"]["base"], payload["pull_request"]["head"]
    work.map_logins(app)
    work.take_in(app, work.reported(payload))
    assert work.outputs(app) == {"pull_request": 2_000}


# --- Reverts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"title": 'Revert "Baskets"', "body": ""},
        {"title": 'Revert "Baskets (#1)"', "body": "It broke."},
        {"title": 'Revert "Baskets" (#9)', "body": None},
        {"title": "revert: Baskets", "body": None},
        {"title": 'Revert(shop)!: "Baskets (#1)"', "body": "It broke."},
        {"title": "Out again", "body": f"This reverts commit {sha('one')}."},
        {"title": "Out again", "body": f"This reverts commit {sha('one')}, reversing\nchanges made to {sha('x')}."},
        {"title": "Out again", "body": f"Why:\r\n\r\nThis reverts commit {sha('head')}.\r\n"},
        {"title": "Out again", "body": f"Reverts {REPOSITORY}#1"},
        {"title": "Out again", "body": "Reverts acme/shop#1", "repository": "acme/till"},
        {"title": "Out again", "body": f"This reverts commit {sha('one')}.", "repository": "acme/till"},
    ],
)
def test_reverts_are_known_by_number_commit_and_title(app: App, more: dict[str, Any]) -> None:
    """As GitHub's button and `git revert` write them, in the text or in the title, also from another repository."""
    one = pull(1, 0, 200, title="Baskets", commit=sha("one"), head=sha("head"), commits=1)
    assert lines(app, one, revert(2, 3, **more)) == {}


@pytest.mark.parametrize(
    "more",
    [
        {"title": 'Revert "Tills"', "body": ""},
        {"title": "revert: Tills", "body": ""},
        {"title": 'Revert "Baskets"', "body": "", "repository": "acme/till"},
        {"title": "Out again", "body": f"This reverts commit {sha('two')}."},
    ],
)
def test_reverts_of_something_else_take_nothing_back(app: App, more: dict[str, Any]) -> None:
    """A title of another repository, another title or an unknown commit leaves the work; the revert counts nothing."""
    assert lines(app, pull(1, 0, 200, title="Baskets"), revert(2, 3, **more)) == {"2026-W41": 200}


def test_a_commit_of_several_is_not_all_of_a_pull_request(app: App) -> None:
    """Reverting the last commit of a pull request takes back only a part of it, which is not looked into."""
    partly = revert(2, 1, body=f"This reverts commit {sha('head')}.")
    assert lines(app, pull(1, 0, 200, head=sha("head"), commits=3), partly) == {"2026-W41": 200}


def test_of_one_title_the_last_before_is_meant(app: App) -> None:
    """Of several pull requests of one title the revert takes back the one that came last before it."""
    told = [pull(n, n, n * 10, title="Bump") for n in (0, 1, 3)]
    assert lines(app, *told, revert(4, 2, title='Revert "Bump"', body="")) == {"2026-W41": 0 + 30}


@pytest.mark.parametrize("title", ['Revert "Revert "Baskets""', 'Reapply "Baskets"'])
def test_what_is_brought_back_by_title_counts_again(app: App, title: str) -> None:
    """A revert of a revert, in the words of GitHub and of git, brings the work back."""
    told = [pull(1, 0, 200, title="Baskets"), revert(2, 1, title='Revert "Baskets"', body="")]
    assert lines(app, *told, revert(3, 2, title=title, body="")) == {"2026-W41": 200}


def test_a_release_that_is_reverted_takes_all_of_it_back(app: App) -> None:
    """Everything that came with it counts nothing, and counts again when the revert is reverted."""
    told = [pull(1, 0, 300, into="develop"), pull(2, 1, 400, out_of="develop", by="ben-o")]
    assert lines(app, *told, revert(3, 2, body="Reverts #2")) == {}
    assert lines(app, revert(4, 3, body="Reverts #3")) == {"2026-W41": 400}


def test_what_is_reverted_on_its_branch_never_arrives(app: App) -> None:
    """A revert that comes with what it takes back: neither is in the lines that arrive, which are the others'."""
    told = [
        pull(1, 0, 1_000, into="develop"),
        pull(2, 1, 60, into="develop", by="ben-o"),
        revert(3, 2, into="develop", body="Reverts #1"),
        pull(4, 7, 60, out_of="develop", by="maraq"),
    ]
    assert lines(app, *told) == {"2026-W42": 60}


def test_a_revert_on_a_release_branch_leaves_the_default_branch_alone(app: App) -> None:
    """What is taken out of a branch that does not reach the default one still counts there."""
    assert lines(app, pull(1, 0, 200), revert(2, 1, into="release/1.1", body="Reverts #1")) == {"2026-W41": 200}


def test_thirty_days_begin_with_the_arrival(app: App) -> None:
    """The revert of what waited long in a branch is in time within thirty days of the day it arrived."""
    told = [pull(1, 0, 200, into="f"), pull(2, 60, 200, out_of="f"), revert(3, 80, body="Reverts #1")]
    assert sum(lines(app, *told).values()) == 0


# --- Agents, bots and types ----------------------------------------------------------------------------------------


def test_an_agents_pull_request_is_its_assignees(known: App) -> None:
    """What Copilot wrote counts for the team of the person whom it is assigned to."""
    assert work.take_in(known, work.reported(case("101-copilot-pr.json"))) == ["accepted"]
    assert work.outputs(known) == {"pull_request": 2_000}


@pytest.mark.parametrize(
    ("by", "kind", "assignees", "user"),
    [
        ("Copilot", "Bot", [COPILOT, ADA], "Ada-L"),
        ("copilot-swe-agent", "User", [("copilot-swe-agent", "User"), ADA], "Ada-L"),
        ("dependabot[bot]", "Bot", [ADA, ("ben-o", "User")], "Ada-L"),
        ("devin-ai-integration[bot]", "Bot", [COPILOT], ""),
        ("ben-o", "User", [ADA], "ben-o"),
    ],
)
def test_the_first_person_assigned_has_what_no_person_wrote(
    by: str, kind: str, assignees: list[tuple[str, str]], user: str
) -> None:
    """Agents among the assignees are passed over; a person's own work stays that person's."""
    told = work.reported(work.pull_request(1, by=by, kind=kind, assignees=assignees))
    assert (told.user, told.is_nobodys) == (user, not user)


def test_a_bot_may_carry_the_work_of_people(app: App) -> None:
    """A release that a bot makes counts for nobody itself, and brings what it carries."""
    work.map_logins(app)
    release = pull(2, 1, 320, out_of="develop", by="release[bot]", kind="Bot")
    assert work.take_in(app, pull(1, 0, 200, into="develop"), release, release) == ["accepted", "ignored", "duplicate"]
    assert lines_by_week(app) == {"2026-W41": 200}


def test_a_type_says_what_is_a_bug(known: App) -> None:
    """An issue of the type Bug is a bug without any label; one of another type is not."""
    assert work.take_in(known, work.reported(case("104-issue-type-bug.json"))) == ["accepted"]
    assert work.outputs(known) == {"bug": 1_000}
    assert isinstance(work.read(work.issue(1, labels=(), issue_type="Feature")), github.Ignored)
    assert work.reported(work.issue(1, labels=("bug",), issue_type="Task")).kind == "bug"


def test_a_bug_is_the_first_persons_who_is_assigned() -> None:
    """Where an agent is assigned first, the person beside it solved the bug; where no one else is, who closed it."""
    assert work.reported(work.issue(1, assignees=[COPILOT, ADA])).user == "Ada-L"
    assert work.reported(work.issue(1, assignees=[COPILOT], sender="maraq")).user == "maraq"
    assert isinstance(work.read(work.issue(1, assignees=[COPILOT], sender="x[bot]")), github.Ignored)


# --- Any order, any repetition -------------------------------------------------------------------------------------

HISTORY: tuple[OutcomeReport, ...] = (
    pull(1, 0, 300, into="develop"),
    pull(2, 1, 200, into="develop", by="ben-o", commit=sha("two")),
    pull(3, 1, 30, out_of="hotfix", head=sha("hotfix")),
    pull(4, 1.2, 30, out_of="hotfix", head=sha("hotfix"), into="develop"),
    pull(5, 2, 500, out_of="develop", by="release[bot]", kind="Bot"),
    pull(6, 3, 90, into="feature"),
    pull(7, 4, 40, into="feature", out_of="feature-b", by="ben-o"),
    revert(8, 5, into="feature", body="Reverts #6"),
    pull(9, 6, 50, into="develop", out_of="feature"),
    pull(10, 7, 5_000, into="develop", out_of="main"),
    pull(11, 8, 60, into="release/1", commit=sha("picked"), by="maraq"),
    pull(12, 9, 60, body=f"(cherry picked from commit {sha('picked')})"),
    pull(13, 10, 55, out_of="develop", by="ben-o", title="Release 2"),
    revert(14, 11, title='Revert "Release 2"', body=""),
    revert(15, 12, title='Reapply "Release 2"', body=""),
    revert(16, 13, body=f"This reverts commit {sha('two')}."),
    pull(17, 14, 60, out_of="release/1", by="ben-o"),
    pull(18, 15, 40, repository="acme/till", by="ben-o"),
    revert(19, 16, body="Reverts acme/till#18"),
    pull(20, 17, 70, into="never"),
    pull(6, 3, 95, into="feature", updated_at=after(4)),
    pull(21, 18, 100, commit=sha("stack")),
    pull(22, 18, 260, commit=sha("stack"), by="ben-o"),
)
ARRIVED = {
    # The first release has 500 lines, and 200 of them were reverted in time.
    "acme/shop#1": ("2026-W41", 300),
    "acme/shop#3": ("2026-W41", 30),
    "acme/shop#4": ("2026-W41", 0),
    # The second has 55: what is left of the feature, once what was reverted there is not in it, and 5 of its own.
    "acme/shop#7": ("2026-W42", 40),
    "acme/shop#9": ("2026-W42", 10),
    "acme/shop#13": ("2026-W42", 5),
    # What was cherry-picked from a branch that arrived later.
    "acme/shop#11": ("2026-W42", 60),
    "acme/shop#12": ("2026-W42", 0),
    "acme/shop#17": ("2026-W43", 0),
    # A stack of 260 lines, 100 of which are the lower one's.
    "acme/shop#21": ("2026-W43", 100),
    "acme/shop#22": ("2026-W43", 160),
}


def test_the_history_adds_up_as_worked_out_by_hand(app: App) -> None:
    """Told in the order in which it happened, a history of everything at once gives the figures of a calculator."""
    work.map_logins(app)
    for one in HISTORY:
        work.take_in(app, one)
    assert arrived(app) == ARRIVED


@settings(max_examples=depth.examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), repeats=st.integers(0, 10), largest=st.integers(1, 8))
def test_the_order_of_arrival_decides_nothing(app: App, seed: int, repeats: int, largest: int) -> None:
    """Any order, repetition and cut into batches gives the same figures, week by week as of all weeks at once."""
    rng = random.Random(seed)  # noqa: S311 - to repeat a failure
    told = [*HISTORY, *rng.choices(HISTORY, k=repeats)]
    rng.shuffle(told)
    monday = Week.containing(MERGED.date()).first_day
    with books.rolled_back(app) as moment:
        work.map_logins_in(moment, work.LOGINS)
        while told:
            size = rng.randint(1, largest)
            intake.take_in(moment, told[:size])
            del told[:size]
        assert arrived_in(moment) == ARRIVED
        weeks = [monday + timedelta(weeks=n) for n in range(6)]
        apart = [row for day in weeks for row in intake.weekly(moment, day, day + timedelta(weeks=1))]
        assert intake.weekly(moment, weeks[0], weeks[-1]) == apart
