"""Which plans are run, and with which variants."""

from dataclasses import dataclass, field

STATIC = {"server_metadata": "discovery", "client_registration": "static_client"}
DYNAMIC = {"server_metadata": "discovery", "client_registration": "dynamic_client"}


@dataclass(frozen=True)
class Plan:
    """A certification plan of the suite as it is run here."""

    name: str
    """Its name on the command line and in `results/`."""
    profile: str
    """Its name in the suite is `oidcc-{profile}-certification-test-plan`."""
    variant: dict[str, str] = field(default_factory=dict)
    """Variant parameters that the plan leaves open."""
    client: dict[str, str | bool] = field(default_factory=dict)
    """Metadata that static clients have for this plan alone."""
    real_browser: bool = False
    """The pages need more than the suite's own browser can do: Chromium drives them."""

    @property
    def suite_name(self) -> str:
        """Its name in the suite."""
        return f"oidcc-{self.profile}-certification-test-plan"


STATIC_CODE = {"client_registration": "static_client", "response_type": "code"}
DYNAMIC_CODE = {"client_registration": "dynamic_client", "response_type": "code"}
BACK_CHANNEL = {"backchannel_logout_uri": "{base}/backchannel_logout", "backchannel_logout_session_required": True}
FRONT_CHANNEL = {"frontchannel_logout_uri": "{base}/frontchannel_logout", "frontchannel_logout_session_required": True}

PLANS = [
    Plan("config", "config"),
    Plan("basic", "basic", STATIC),
    Plan("basic-dynamic", "basic", DYNAMIC),
    Plan("formpost-basic", "formpost-basic", STATIC),
    Plan("formpost-basic-dynamic", "formpost-basic", DYNAMIC),
    Plan("rp-initiated-logout", "rp-initiated-logout", STATIC_CODE),
    Plan("rp-initiated-logout-dynamic", "rp-initiated-logout", DYNAMIC_CODE),
    Plan("backchannel", "backchannel-rp-initiated-logout", STATIC_CODE, BACK_CHANNEL),
    Plan("backchannel-dynamic", "backchannel-rp-initiated-logout", DYNAMIC_CODE),
    Plan("frontchannel", "frontchannel-rp-initiated-logout", STATIC_CODE, FRONT_CHANNEL, real_browser=True),
    Plan("frontchannel-dynamic", "frontchannel-rp-initiated-logout", DYNAMIC_CODE, real_browser=True),
    Plan("session-management", "session-management", STATIC_CODE, real_browser=True),
    Plan("session-management-dynamic", "session-management", DYNAMIC_CODE, real_browser=True),
    Plan("3rdparty-init-login", "3rdparty-init-login", {"response_type": "code"}),
    Plan("dynamic", "dynamic", {"response_type": "code"}),
    Plan("implicit", "implicit", STATIC),
    Plan("implicit-dynamic", "implicit", DYNAMIC),
    Plan("hybrid", "hybrid", STATIC),
    Plan("hybrid-dynamic", "hybrid", DYNAMIC),
    Plan("formpost-implicit", "formpost-implicit", STATIC),
    Plan("formpost-hybrid", "formpost-hybrid", STATIC),
]
"""Every plan, in the order of the certification targets."""


def select(names: list[str]) -> list[Plan]:
    """The plans of these names, in the order of the list; `KeyError` for a name that there is not."""
    known = {plan.name: plan for plan in PLANS}
    return [known[name] for name in names]
