"""What people do before the app is there: they read why it doesn't answer yet, and what they asked is kept for it."""

from collections.abc import Awaitable, Callable

Doing = Callable[[], Awaitable[object]]


class Hold:
    """Held as long as there is a `why`. Everything here runs on the server's event loop."""

    def __init__(self, why: str = "") -> None:
        self.why = why
        self._kept: list[Doing] = []

    def keep(self, doing: Doing) -> None:
        """To be done at the release."""
        self._kept.append(doing)

    async def release(self) -> None:
        """From now on everything goes to the app at once; first of all what was kept, in its order."""
        self.why = ""
        while self._kept:
            await self._kept.pop(0)()
