"""The static clients: one definition for what the provider registers and what the suite is told."""

import json
from collections.abc import Callable

from .plans import Plan

ALIAS = "kenpos"
"""Part of the suite's redirect URIs (`{suite}/test/a/{alias}/callback`)."""

AUTH_METHODS = {
    "client": "client_secret_basic",
    "client2": "client_secret_basic",
    "client_secret_post": "client_secret_post",
}
"""The clients by their keys in the suite's configuration."""


def register(create: Callable[[str], str], suite: str, plan: Plan, metadata: dict) -> dict[str, dict[str, str]]:
    """Registers every static client; gives their sections of the suite's configuration.

    `create` registers a client with the metadata and gives what the provider prints; `metadata` is the
    provider's own.
    """
    configured = {}
    for key, method in AUTH_METHODS.items():
        printed = create(json.dumps(_client(key, method, f"{suite}/test/a/{ALIAS}", plan, metadata)))
        created = json.loads(printed)
        configured[key] = {name: created[name] for name in ("client_id", "client_secret")}
    return configured


def _client(key: str, method: str, base: str, plan: Plan, metadata: dict) -> dict:
    """What OIDC Registration §2 calls client metadata."""
    return {
        "client_name": f"Conformance {key}",
        "token_endpoint_auth_method": method,
        "redirect_uris": [f"{base}/callback"],
        "post_logout_redirect_uris": [f"{base}/post_logout_redirect"],
        "response_types": metadata["response_types_supported"],
        "grant_types": ["authorization_code", "implicit", "refresh_token"],
        "scope": " ".join(standard_scopes(metadata)),
        # The profiles of OpenID Connect Core are older than PKCE.
        "pkce_optional": True,
    } | {name: value.replace("{base}", base) if isinstance(value, str) else value for name, value in plan.client.items()}


def standard_scopes(metadata: dict) -> list[str]:
    """The scopes of OIDC Core §5.4 and §11 that the provider has."""
    standard = ("openid", "profile", "email", "address", "phone", "offline_access")
    return [scope for scope in standard if scope in metadata["scopes_supported"]]
