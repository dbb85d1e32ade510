"""Which plans are run, and with which variants."""

from dataclasses import dataclass, field

STATIC = {"server_metadata": "discovery", "client_registration": "static_client"}
DYNAMIC = {"server_metadata": "discovery", "client_registration": "dynamic_client"}


@dataclass(frozen=True)
class Plan:
    """A certification plan of the suite as it is run here."""

    name: str
    """Its name on the command line and in `results/`."""
    suite_name: str
    """Its name in the suite."""
    variant: dict[str, str] = field(default_factory=dict)
    """Variant parameters that the plan leaves open."""
    real_browser: bool = False
    """The pages need more than the suite's own browser can do: Chromium drives them."""


def _plan(name: str, profile: str, variant: dict[str, str] | None = None, real_browser: bool = False) -> Plan:
    return Plan(name, f"oidcc-{profile}-certification-test-plan", variant or {}, real_browser)


PLANS = [
    _plan("config", "config"),
    _plan("basic", "basic", STATIC),
    _plan("basic-dynamic", "basic", DYNAMIC),
    _plan("formpost-basic", "formpost-basic", STATIC),
    _plan("formpost-basic-dynamic", "formpost-basic", DYNAMIC),
    _plan("rp-initiated-logout", "rp-initiated-logout", {"client_registration": "static_client", "response_type": "code"}),
    _plan("backchannel", "backchannel-rp-initiated-logout", {"client_registration": "static_client", "response_type": "code"}),
    _plan("frontchannel", "frontchannel-rp-initiated-logout", {"client_registration": "static_client", "response_type": "code"}),
    _plan("session-management", "session-management", {"client_registration": "static_client", "response_type": "code"}, real_browser=True),
    _plan("3rdparty-init-login", "3rdparty-init-login", {"response_type": "code"}),
    _plan("dynamic", "dynamic", {"response_type": "code"}),
    _plan("implicit", "implicit", STATIC),
    _plan("implicit-dynamic", "implicit", DYNAMIC),
    _plan("hybrid", "hybrid", STATIC),
    _plan("hybrid-dynamic", "hybrid", DYNAMIC),
]
"""Every plan, in the order of the certification targets."""


def select(names: list[str]) -> list[Plan]:
    """The plans of these names, in the order of the list; `KeyError` for a name that there is not."""
    known = {plan.name: plan for plan in PLANS}
    return [known[name] for name in names]
