"""A gateway's key is shown once, kept as a hash, and ends when it is revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.reasons import Refusal
from programme.usage import keys
from store.tables.people import api_keys
from store.usage import keys as keys_store
from tests.support import books
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from programme.app import App
    from programme.usage.keys import CreatedKey
    from tests.support.clock import Clock


def create(app: App, name: str = "litellm", *, scopes: Sequence[str] = ("usage:write",)) -> CreatedKey:
    with app.transaction() as moment:
        return keys.create(moment, name=name, source="litellm-eu", scopes=scopes, actor="cli:test")


def revoke(app: App, name: str) -> None:
    with app.transaction() as moment:
        keys.revoke(moment, name, actor="cli:test")


def test_a_key_lets_its_gateway_in(app: App) -> None:
    """The secret finds the key with its name, source and scopes."""
    created = create(app)
    with app.reading() as moment:
        key = keys.authenticate(moment, created.secret)
    assert key is not None
    assert (key.id, key.name, key.source, key.scopes) == (
        created.id,
        "litellm",
        "litellm-eu",
        frozenset({"usage:write"}),
    )
    assert (key.created_at, key.revoked_at) == (NOON, None)


@pytest.mark.parametrize("wrong", ["", "tb_", "tb_guess", "key_123"])
def test_no_other_secret_does(sqlite_app: App, wrong: str) -> None:
    """What is not the secret, the key's own id included, opens nothing."""
    created = create(sqlite_app)
    with sqlite_app.reading() as moment:
        for secret in (wrong, created.id, created.secret + "x", created.secret.upper()):
            assert keys.authenticate(moment, secret) is None


def test_the_secret_is_kept_nowhere(sqlite_app: App) -> None:
    """Neither the table nor the audit log could tell it."""
    created = create(sqlite_app)
    assert created.secret.startswith("tb_")
    assert len(created.secret) > 40
    stored = str(books.rows(sqlite_app, api_keys)) + str(books.audited(sqlite_app, "key.create"))
    assert created.secret not in stored
    assert created.secret.removeprefix("tb_") not in stored


def test_two_keys_differ(sqlite_app: App) -> None:
    """No key is made twice."""
    one, other = create(sqlite_app, "one"), create(sqlite_app, "other")
    assert one.secret != other.secret
    assert one.id != other.id


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_revoked_key_opens_nothing(app: App, by: str) -> None:
    """From the moment it is revoked, by name or id, a secret is refused; the others stay."""
    created, other = create(app), create(app, "other")
    revoke(app, "litellm" if by == "name" else created.id)
    with app.reading() as moment:
        assert keys.authenticate(moment, created.secret) is None
        assert keys.authenticate(moment, other.secret) is not None
        ended = {key.name: key.revoked_at for key in keys_store.listed(moment.session)}
    assert ended == {"litellm": NOON, "other": None}


def test_a_key_is_revoked_once(sqlite_app: App) -> None:
    """A second revocation, and one of an unknown key, are refused, and the first one's time stands."""
    create(sqlite_app)
    revoke(sqlite_app, "litellm")
    for name in ("litellm", "unknown"):
        with pytest.raises(Refusal, match=f"No key in force is named '{name}'"):
            revoke(sqlite_app, name)
    assert books.rows(sqlite_app, sa.select(api_keys.c.revoked_at)) == [(NOON,)]


def test_a_name_is_given_once(app: App) -> None:
    """A name that is taken, also by a revoked key, is refused, and nothing is made."""
    create(app)
    revoke(app, "litellm")
    with pytest.raises(Refusal, match="There is already a key named 'litellm'") as refusal:
        create(app)
    assert refusal.value.code == "key_name_taken"
    assert books.count(app, api_keys) == 1
    assert len(books.audited(app, "key.create")) == 1


@pytest.mark.parametrize(
    ("scopes", "named"), [(["usage:read"], "usage:read"), (["usage:write", "all"], "all"), ([], "")]
)
def test_a_scope_that_does_not_exist_is_refused(sqlite_app: App, scopes: list[str], named: str) -> None:
    """The refusal names the scope and those there are; a key without any scope is of no use."""
    with pytest.raises(Refusal, match=f"scope '{named}' does not exist") as refusal:
        create(sqlite_app, scopes=scopes)
    assert refusal.value.next_step == "Scopes are usage:write, usage:correct, outcomes:write, holds:write, scim:write."
    assert books.count(sqlite_app, api_keys) == 0


def test_making_and_revoking_are_audited(sqlite_app: App) -> None:
    """The log names the key, its source and who did it."""
    created = create(sqlite_app)
    revoke(sqlite_app, "litellm")
    [made], [ended] = books.audited(sqlite_app, "key.create"), books.audited(sqlite_app, "key.revoke")
    assert made["after"] == {"name": "litellm", "source": "litellm-eu", "scopes": ["usage:write"]}
    assert made["subject"] == ended["subject"] == created.id
    assert made["actor"] == ended["actor"] == "cli:test"


# --- Expiry, rotation, use -----------------------------------------------------------------------------------------


def opens(app: App, secret: str) -> bool:
    with app.reading() as moment:
        return keys.authenticate(moment, secret) is not None


def rotate(app: App, *, hours: int = 24) -> str:
    with app.transaction() as moment:
        return keys.rotate(moment, "litellm", keep=timedelta(hours=hours), actor="cli:test").secret


@pytest.mark.every_database
def test_a_key_opens_until_it_expires(app: App, clock: Clock) -> None:
    """At the instant at which it expires a key opens nothing more, and it can't be rotated to life again."""
    with app.transaction() as moment:
        made = keys.create(
            moment,
            name="litellm",
            source="x",
            scopes=["usage:write"],
            actor="cli:test",
            expires_at=NOON + timedelta(days=1),
        )
    clock.move(hours=23, minutes=59)
    assert opens(app, made.secret)
    clock.move(minutes=1)
    assert not opens(app, made.secret)
    with app.reading() as moment:
        [listed] = keys_store.listed(moment.session)
    assert listed.state(clock()) == "expired"
    with pytest.raises(Refusal, match="No key in force is named 'litellm'"):
        rotate(app)


def test_a_key_that_would_be_expired_is_not_made(sqlite_app: App) -> None:
    """An expiry that is over is refused."""
    with pytest.raises(Refusal, match="expired already"), sqlite_app.transaction() as moment:
        keys.create(moment, name="x", source="x", scopes=["usage:write"], actor="cli:test", expires_at=NOON)
    assert books.count(sqlite_app, api_keys) == 0


@pytest.mark.every_database
def test_a_rotation_leaves_no_gap(app: App, clock: Clock) -> None:
    """Both secrets open while the old one is kept, as the same key; then the new one alone."""
    created = create(app)
    new = rotate(app)
    assert new != created.secret
    with app.reading() as moment:
        old_key, new_key = (keys.authenticate(moment, one) for one in (created.secret, new))
    assert old_key == new_key
    assert new_key is not None
    assert (new_key.id, new_key.source) == (created.id, "litellm-eu")
    clock.move(hours=24)
    assert (opens(app, created.secret), opens(app, new)) == (False, True)


def test_a_second_rotation_shuts_no_one_out(sqlite_app: App, clock: Clock) -> None:
    """While the secret before still opens, rotating again is refused: with a third, the first would end unseen."""
    first = create(sqlite_app).secret
    second = rotate(sqlite_app)
    with pytest.raises(Refusal, match="until 2026-11-21 12:00 UTC") as refused:
        rotate(sqlite_app)
    assert refused.value.code == "rotating"
    assert opens(sqlite_app, first)
    clock.move(hours=24)
    third = rotate(sqlite_app)
    assert [opens(sqlite_app, one) for one in (first, second, third)] == [False, True, True]


def test_a_leaked_secret_ends_at_once(sqlite_app: App) -> None:
    """Rotating without keeping the old one ends every earlier secret, also one that was kept before."""
    first = create(sqlite_app).secret
    second = rotate(sqlite_app)
    third = rotate(sqlite_app, hours=0)
    assert [opens(sqlite_app, one) for one in (first, second, third)] == [False, False, True]


def test_a_revoked_key_ends_with_both_its_secrets(sqlite_app: App) -> None:
    """Revoking ends the secret that is kept after a rotation as well."""
    first, second = create(sqlite_app).secret, rotate(sqlite_app)
    revoke(sqlite_app, "litellm")
    assert not opens(sqlite_app, first)
    assert not opens(sqlite_app, second)


def test_a_rotation_is_audited_without_the_secret(sqlite_app: App) -> None:
    """The log says who did it and until when the old secret opens; neither secret is in it, nor in any `repr`."""
    created = create(sqlite_app)
    new = rotate(sqlite_app)
    [logged] = books.audited(sqlite_app, "key.rotate")
    assert logged["after"] == {"former_ends_at": "2026-11-21T12:00:00+00:00"}
    assert (logged["subject"], logged["actor"]) == (created.id, "cli:test")
    for secret in (created.secret, new):
        assert secret not in str(logged) + repr(created)


def test_use_is_kept_to_the_hour(sqlite_app: App, clock: Clock) -> None:
    """When a key was last used is on record, at most once an hour, and no earlier use replaces a later one."""
    created = create(sqlite_app)

    def used() -> datetime | None:
        with sqlite_app.transaction() as moment:
            key = keys.authenticate(moment, created.secret)
            assert key is not None
            if not key.was_used_lately(moment.now):
                keys.note_use(moment, key)
            [listed] = keys_store.listed(moment.session)
        return listed.last_used_at

    assert used() == NOON
    clock.move(minutes=59)
    assert used() == NOON
    clock.move(minutes=1)
    assert used() == NOON + timedelta(hours=1)
    clock.move(hours=-5)
    assert used() == NOON + timedelta(hours=1)
