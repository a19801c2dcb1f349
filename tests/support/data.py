"""Where the recordings and traces lie that tests read (`tests/data/README.md`)."""

from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
LITELLM = DATA / "litellm"
FILES = DATA / "files"
TELEMETRY = DATA / "telemetry"
LITELLM_CASES = DATA / "litellm_cases"
FOCUS = DATA / "focus"
