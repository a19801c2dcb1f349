"""What leaves this process: requests stay with the host that they were meant for."""

from __future__ import annotations

import urllib.request


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no one elsewhere: an answer that points to another address is an error like any other."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def refuse_redirects() -> None:
    """Make `urlopen` follow no redirect, in the whole process.

    Slack's library calls `urlopen`, which sends the token along to wherever it is sent. It copies its clients for
    each request, so a client of a class of our own would not last.
    """
    urllib.request.install_opener(urllib.request.build_opener(_StayHere))
