"""Drives one module from its start to its result."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .suite import DONE, Suite

POLL_SECONDS = 0.3
IDLE_SECONDS = 75
"""A module that waits this long with no browser under way waits for something that will not come."""
LONGEST_SECONDS = 420

LEVELS = ("FAILURE", "WARNING")


@dataclass
class Outcome:
    """How a module ended."""

    module: str
    variant: dict[str, str]
    result: str
    """PASSED, REVIEW, WARNING, FAILED, SKIPPED or INTERRUPTED."""
    findings: list[dict[str, str]] = field(default_factory=list)
    """`level`, `condition` and `message` of every failure and warning."""
    seconds: float = 0
    id: str = ""


@dataclass
class Helpers:
    """What a module may need from outside."""

    rotate_keys: Callable[[], None]
    visit: Callable[[str], None] | None
    """Takes an address to a real browser."""


def run(suite: Suite, plan: str, name: str, variant: dict[str, str], helpers: Helpers) -> Outcome:
    """Creates the module, helps it along and waits for its end."""
    began = time.monotonic()
    id = suite.create_module(plan, name, variant)
    _wait(suite, id, helpers)
    info = suite.info(id)
    log = suite.log(id)
    result = "INTERRUPTED" if info["status"] == "INTERRUPTED" and info.get("result") != "FAILED" else info["result"]
    return Outcome(name, variant, result, _findings(log), round(time.monotonic() - began, 1), id)


def _wait(suite: Suite, id: str, helpers: Helpers) -> None:
    began = idle_since = time.monotonic()
    started = False
    while True:
        status = suite.info(id)["status"]
        if status in DONE:
            return
        if status == "CONFIGURED" and not started and time.monotonic() - began > 2:
            # The only module that does not start by itself wants the keys rotated first.
            helpers.rotate_keys()
            suite.start(id)
            started = True
        now = time.monotonic()
        if status != "WAITING" or _browse(suite, id, helpers):
            idle_since = now
        if now - idle_since > IDLE_SECONDS or now - began > LONGEST_SECONDS:
            suite.cancel(id)
            idle_since = began = now
        time.sleep(POLL_SECONDS)


def _browse(suite: Suite, id: str, helpers: Helpers) -> bool:
    """Takes waiting addresses to the real browser; says whether any browser is under way."""
    try:
        state = suite.browser(id)
    except RuntimeError:
        return False
    if helpers.visit and state["urls"]:
        for url in state["urls"]:
            suite.visited(id, url)
            helpers.visit(url)
        return True
    return bool(state["runners"])


def _findings(log: list[dict]) -> list[dict[str, str]]:
    return [
        {"level": entry["result"], "condition": entry.get("src", ""), "message": str(entry.get("msg", ""))[:300]}
        for entry in log
        if entry.get("result") in LEVELS
    ]
