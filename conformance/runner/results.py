"""What was expected, the table on the terminal, and the exported results."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .drive import Outcome
from .plans import Plan

FINE = ("PASSED", "REVIEW")


@dataclass(frozen=True)
class Expectation:
    """An entry of `expected.json`: something short of PASSED that is known, with its reason."""

    module: str
    result: str
    """SKIPPED, WARNING or FAILED."""
    reason: str
    conditions: tuple[str, ...] = ()
    """The conditions that may warn or fail, and no others."""
    plans: tuple[str, ...] = ()
    """The plans that it is about; none: all."""

    def covers(self, plan: Plan, outcome: Outcome) -> bool:
        """Whether the outcome is this one and nothing more."""
        about = outcome.module == self.module and (not self.plans or plan.name in self.plans)
        seen = {finding["condition"] for finding in outcome.findings}
        return about and outcome.result == self.result and seen <= set(self.conditions)


def read_expected(path: Path) -> list[Expectation]:
    """Reads the list; `TypeError` for an entry without module, result or reason."""
    entries = json.loads(path.read_text())
    return [
        Expectation(**{name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()})
        for entry in entries
    ]


def is_fine(plan: Plan, outcome: Outcome, expected: list[Expectation]) -> bool:
    """Whether the module passed, or ended as expected."""
    return outcome.result in FINE or any(entry.covers(plan, outcome) for entry in expected)


def print_outcome(plan: Plan, outcome: Outcome, expected: list[Expectation]) -> None:
    """A line for the module, and one for each finding."""
    mark = "  " if is_fine(plan, outcome, expected) else "! "
    print(f"{mark}{outcome.result:<12}{outcome.seconds:>6.1f} s  {outcome.module}", flush=True)
    for finding in outcome.findings:
        print(f"      {finding['level'].lower()}: {finding['condition']}: {finding['message']}", flush=True)


def print_summary(plan: Plan, outcomes: list[Outcome], expected: list[Expectation]) -> None:
    """Counts, a line."""
    unexpected = sum(not is_fine(plan, outcome, expected) for outcome in outcomes)
    counts = ", ".join(f"{count} {result}" for result, count in counted(outcomes).items())
    print(f"{plan.name}: {len(outcomes)} modules: {counts}; unexpected: {unexpected}\n", flush=True)


def counted(outcomes: list[Outcome]) -> dict[str, int]:
    """How often each result came."""
    results = sorted({outcome.result for outcome in outcomes})
    return {result: sum(outcome.result == result for outcome in outcomes) for result in results}


def export(
    folder: Path, plan: Plan, version: str, revision: str, date: str, outcomes: list[Outcome]
) -> None:
    """Writes `PLAN.json`: what is worth comparing with the next run."""
    modules = []
    for outcome in outcomes:
        module = asdict(outcome)
        del module["seconds"], module["id"]
        modules.append(module)
    record = {
        "plan": plan.suite_name,
        "variant": plan.variant,
        "suite": version,
        "provider": revision,
        "date": date,
        "counts": counted(outcomes),
        "modules": modules,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{plan.name}.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n")
