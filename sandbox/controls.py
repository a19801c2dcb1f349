"""What the page offers beside the conversation: buttons whose meaning only the starter of the workspace knows."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict

from sandbox.hold import Hold
from sandbox.model import Clock, Control, Json

Operate = Callable[[str], str]
log = logging.getLogger(__name__)


class ControlRefused(Exception):  # noqa: N818 - the answer to a click, in a sentence
    """There is no such button, or one is at work."""


class ControlFailed(Exception):  # noqa: N818 - the answer to a click, in a sentence
    """What the button stands for went wrong; the argument says what and why."""


class Controls:
    """Buttons are clicked on the server's event loop; the work, and `tell`, are in a thread of their own."""

    def __init__(
        self,
        offered: Sequence[Control],
        operate: Operate | None,
        *,
        clock: Clock,
        hold: Hold,
        changed: Callable[[Json], None],
    ) -> None:
        if offered and operate is None:
            raise ValueError("controls need something that operates them")
        self._offered = {control.name: control for control in offered}
        self._operate = operate
        self._clock = clock
        self._hold = hold
        self._changed = changed
        self._running: Control | None = None
        self._progress = ""
        self._beat = 0
        self._lock = threading.Lock()

    def state(self) -> Json:
        """`beat` grows, so that a page can tell the newer of two answers that overtook each other."""
        return {
            "now": self._clock().isoformat(),
            "controls": [asdict(control) for control in self._offered.values()],
            "busy": self._is_busy,
            "progress": self._progress,
            "beat": self._beat,
        }

    async def press(self, name: str) -> str:
        """The sentence that the work ended with."""
        control = self._offered.get(name)
        if control is None or self._operate is None:
            raise ControlRefused(f"There is no control {name!r}.")
        if self._hold.why:
            raise ControlRefused(self._hold.why)
        if self._running is not None:
            raise ControlRefused(f"“{self._running.label}” is still running. Try again when it has finished.")
        self._change(control, f"{control.label}…")
        try:
            return await asyncio.to_thread(self._operate, control.name)
        except Exception as why:
            log.exception("control %s failed", control.name)
            raise ControlFailed(f"“{control.label}” failed: {why or type(why).__name__}") from why
        finally:
            self._change(None, "")

    def tell(self, text: str) -> None:
        """May be called from any thread; words that come after the work reach no one."""
        with self._lock:
            if not self._is_busy:
                return
            self._progress = text
            self._beat += 1
        self._changed(self.state())

    def released(self) -> None:
        """The app is there: the buttons work from now on."""
        self._change(None, "")

    @property
    def _is_busy(self) -> bool:
        return self._running is not None or bool(self._hold.why)

    def _change(self, running: Control | None, progress: str) -> None:
        with self._lock:
            self._running, self._progress = running, progress
            self._beat += 1
        self._changed(self.state())
