"""The static clients: one definition for what the provider registers and what the suite is told."""

import json
from collections.abc import Callable
from dataclasses import dataclass

ALIAS = "kenpos"
"""Part of the suite's redirect URIs (`{suite}/test/a/{alias}/callback`)."""


@dataclass(frozen=True)
class StaticClient:
    """A client that is registered before a plan starts."""

    key: str
    """Its key in the suite's configuration."""
    auth: str
    """`--auth` of `client create`."""


STATIC_CLIENTS = [
    StaticClient("client", "basic"),
    StaticClient("client2", "basic"),
    StaticClient("client_secret_post", "post"),
]


def register(create: Callable[..., str], suite: str, scope: str) -> dict[str, dict[str, str]]:
    """Registers every static client; gives their section of the suite's configuration.

    `create` runs `kenpos-idp client create` with the arguments and gives what it prints.
    """
    base = f"{suite}/test/a/{ALIAS}"
    configured = {}
    for client in STATIC_CLIENTS:
        printed = create(
            "--name", f"Conformance {client.key}",
            "--auth", client.auth,
            "--redirect-uri", f"{base}/callback",
            "--post-logout-redirect-uri", f"{base}/post_logout_redirect",
            "--scope", scope,
            # The profiles of OpenID Connect Core are older than PKCE.
            "--pkce-optional",
            "--json",
        )
        created = json.loads(printed)
        configured[client.key] = {name: created[name] for name in ("client_id", "client_secret")}
    return configured
