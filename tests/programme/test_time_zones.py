"""Time zones are the packaged ones, on every machine."""

from __future__ import annotations

import zoneinfo

from bot import settings
from programme import time_zones


def test_only_places_and_their_old_names_are_zones() -> None:
    """What a machine calls `localtime` is another zone on the next one."""
    names = time_zones.names()
    assert {"Europe/Berlin", "Europe/Kiev", "Europe/Kyiv", "US/Pacific", "Asia/Calcutta", "UTC"} <= set(names)
    assert not {"localtime", "Factory", "posixrules", "posix/Europe/Berlin"} & set(names)
    assert len({name.casefold() for name in names}) == len(names)


def test_the_machines_own_zones_are_not_read() -> None:
    """Once the settings are read, `zoneinfo` knows the packaged zones only."""
    before = zoneinfo.TZPATH
    try:
        zoneinfo.reset_tzpath(to=("/usr/share/zoneinfo",))
        settings.load({})
        assert zoneinfo.TZPATH == ()
        assert all(zoneinfo.ZoneInfo(name).key == name for name in time_zones.names())
    finally:
        zoneinfo.reset_tzpath(to=before)
