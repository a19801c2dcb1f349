"""What a tester of the standard itself finds: every check of it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from tests.support import scim

if TYPE_CHECKING:
    from programme.app import App

WELL = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}


def test_the_standards_own_tester_finds_nothing(sqlite_app: App) -> None:
    """Discovery, users and groups pass every check of scim2-tester, and none is left out."""
    with scim.connected(sqlite_app) as provider:
        provider.client.base_url = "http://testserver/scim/v2/"
        results = check_server(SyncSCIMClient(provider.client))
    wrong = [f"{one.status.name} {one.title}: {one.reason}" for one in results if one.status not in WELL]
    assert not wrong, "\n".join(wrong)
    assert {one.resource_type for one in results} >= {"User", "Group"}
    assert len(results) > 100
