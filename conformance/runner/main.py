"""The command: arguments, and one plan after the other."""

import argparse
import datetime
import fnmatch
from pathlib import Path

from . import browser, clients, drive, provider, readme, results
from .chromium import Chromium
from .plans import PLANS, Plan, select
from .provider import Provider
from .suite import Suite

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent


def main() -> int:
    """Runs the plans that were asked for; 0 if every module passed or ended as expected."""
    arguments = _arguments()
    if arguments.list:
        for plan in PLANS:
            print(f"{plan.name:<24}{plan.suite_name}  {plan.variant or ''}")
        return 0
    try:
        plans = select(arguments.plans or [plan.name for plan in PLANS])
    except KeyError as unknown:
        print(f"there is no plan {unknown}; --list names them")
        return 2
    suite = Suite(arguments.suite)
    version = suite.version()
    binary = arguments.binary or provider.build(REPOSITORY)
    revision = arguments.revision or provider.revision(REPOSITORY)
    expected = results.read_expected(HERE / "expected.json")
    print(f"suite {version} at {suite.url}\n")
    running = Provider(binary.resolve(), arguments.data.resolve(), arguments.port, suite)
    try:
        unexpected = 0
        for plan in plans:
            outcomes = _run_plan(suite, running, plan, arguments.module, expected)
            unexpected += sum(not results.is_fine(plan, outcome, expected) for outcome in outcomes)
            if arguments.export:
                today = datetime.date.today().isoformat()
                results.export(arguments.export, plan, version, revision, today, outcomes)
                readme.update(HERE / "README.md", arguments.export, expected)
    finally:
        running.stop()
    return 1 if unexpected else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="conformance/run", description="Runs conformance plans against the provider.")
    parser.add_argument("plans", nargs="*", metavar="PLAN", help="plans to run; all of them if none is named")
    parser.add_argument("--list", action="store_true", help="name the plans and stop")
    parser.add_argument("--suite", default="https://localhost:8443", metavar="URL", help="where the suite is")
    parser.add_argument("--module", default="*", metavar="PATTERN", help="only modules whose name matches")
    parser.add_argument("--binary", type=Path, metavar="FILE", help="the provider; built if absent")
    parser.add_argument("--revision", metavar="COMMIT", help="of the provider; that of the repository if absent")
    parser.add_argument("--port", type=int, default=9443, help="port of the provider")
    parser.add_argument(
        "--data", type=Path, default=REPOSITORY / "target" / "conformance", metavar="DIR",
        help="folder of the provider's files and log; emptied first",
    )
    parser.add_argument("--export", type=Path, metavar="DIR", help="write the results there")
    arguments = parser.parse_args()
    if arguments.export and arguments.module != "*":
        parser.error("--export keeps whole plans; leave --module out")
    return arguments


def _run_plan(
    suite: Suite, running: Provider, plan: Plan, pattern: str, expected: list[results.Expectation]
) -> list[drive.Outcome]:
    print(f"{plan.name} ({plan.suite_name})", flush=True)
    created = suite.create_plan(plan.suite_name, plan.variant, _configuration(suite, running, plan))
    chromium = Chromium(running.issuer) if plan.real_browser else None
    helpers = drive.Helpers(running.rotate_keys, chromium.visit if chromium else None)
    outcomes = []
    try:
        for module in created["modules"]:
            name = module["testModule"]
            if fnmatch.fnmatch(name, pattern):
                outcome = drive.run(suite, created["id"], name, module.get("variant") or {}, helpers)
                results.print_outcome(plan, outcome, expected)
                outcomes.append(outcome)
    finally:
        if chromium:
            chromium.quit()
    results.print_summary(plan, outcomes, expected)
    return outcomes


def _configuration(suite: Suite, running: Provider, plan: Plan) -> dict:
    configuration = {
        "alias": clients.ALIAS,
        "description": f"kenpos-idp, {plan.name}",
        "server": {"discoveryUrl": f"{running.issuer}/.well-known/openid-configuration"},
    }
    if plan.variant.get("client_registration") == "static_client":
        configuration |= clients.register(running.create_client, suite.url, plan, running.metadata())
    else:
        configuration |= {key: {"client_name": f"Conformance {key}"} for key in clients.AUTH_METHODS}
    if not plan.real_browser:
        configuration["browser"] = browser.section(running.issuer, suite.url)
        configuration["override"] = browser.overrides(running.issuer, suite.url)
    return configuration
