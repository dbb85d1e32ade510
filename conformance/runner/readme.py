"""The table of results in the README."""

import json
from pathlib import Path

from .plans import PLANS
from .results import Expectation

BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"
COLUMNS = ("PASSED", "REVIEW", "WARNING", "SKIPPED", "FAILED", "INTERRUPTED")


def update(readme: Path, results: Path, expected: list[Expectation]) -> None:
    """Writes the tables anew from the exported results and from what was expected."""
    text = readme.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(before + BEGIN + plans(results) + "\n" + exceptions(expected) + END + after)


def plans(results: Path) -> str:
    """A line for each plan that was exported."""
    lines = [
        "| Plan | Variant | Date | Provider | Suite | Modules | " + " | ".join(COLUMNS) + " |",
        "|---|---|---|---|---|--:|" + "--:|" * len(COLUMNS),
    ]
    for plan in PLANS:
        file = results / f"{plan.name}.json"
        if file.exists():
            record = json.loads(file.read_text())
            counts = [str(record["counts"].get(column, 0)) for column in COLUMNS]
            variant = ", ".join(record["variant"].values())
            about = [plan.name, variant, record["date"], record["provider"], record["suite"]]
            cells = [*about, str(len(record["modules"])), *counts]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def exceptions(expected: list[Expectation]) -> str:
    """A line for each module that is known to end short of PASSED."""
    lines = ["| Module | Ends as | Because |", "|---|---|---|"]
    lines += [f"| {entry.module} | {entry.result} | {entry.reason} |" for entry in expected]
    return "\n".join(lines) + "\n"
