"""A workspace by itself: `python -m sandbox`, and any app that speaks the platform's protocols can join it."""

import argparse
import threading
from pathlib import Path

from sandbox.server import Sandbox
from sandbox.workspace import Workspace

EXAMPLE = Path(__file__).parent / "example.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--workspace", type=Path, default=EXAMPLE, help="JSON file that describes the workspace")
    parser.add_argument("--history", type=Path, help="file that keeps the conversation between runs")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8070)
    options = parser.parse_args()
    workspace = Workspace.load(options.workspace, history=options.history)
    with Sandbox(workspace, host=options.host, port=options.port) as sandbox:
        _announce(sandbox)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("\nStopped.")  # noqa: T201 - a program for the terminal


def _announce(sandbox: Sandbox) -> None:
    app = sandbox.workspace.app
    lines = (
        f"Workspace {sandbox.workspace.name}: {sandbox.url}",
        "",
        "An app joins it with",
        f"  SLACK_API_URL={sandbox.api_url}",
        f"  SLACK_BOT_TOKEN={app.bot_token}",
        f"  SLACK_APP_TOKEN={app.app_token}",
        f"  SLACK_SIGNING_SECRET={app.signing_secret}",
    )
    print("\n".join(lines), flush=True)  # noqa: T201 - a program for the terminal


if __name__ == "__main__":
    main()
