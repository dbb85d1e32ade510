"""How the provider's pages are worked: the `browser` section of the suite's configuration.

The suite compares the address with each task's `match` and skips an optional one that differs. A wait with a
pattern and `update-image-placeholder-optional` hands the page in where a module asks for a picture.
"""

from . import member

WITH_PICTURE = [".+", "update-image-placeholder-optional"]


ASKS_FIRST = [
    f"oidcc-rp-initiated-logout-{reason}"
    for reason in (
        "bad-id-token-hint",
        "bad-post-logout-redirect-uri",
        "modified-id-token-hint",
        "no-id-token-hint",
        "query-added-to-post-logout-redirect-uri",
    )
]
"""Modules that want a picture of the error or of the question, while the others want one of the end."""

SHOWN = {
    "oidcc-registration-logo-uri": "#client-logo",
    "oidcc-registration-policy-uri": "#client-policy",
    "oidcc-registration-tos-uri": "#client-terms",
}
"""Modules that want a picture of the login page, and what has to be on it."""


def section(issuer: str, suite: str) -> list[dict]:
    """Logging in and allowing, and logging out."""
    return [
        {
            "match": f"{issuer}/authorize*",
            "tasks": [
                _task(
                    "Give the login ID",
                    f"{issuer}/login/*",
                    [_wait("#login-id-form, #password-form"), _text("login_id", member.LOGIN_ID), _click("next")],
                ),
                _task(
                    "Give the password",
                    f"{issuer}/login/*/password",
                    [_text("password", member.PASSWORD), _click("login")],
                ),
                _task("Allow the client what it asks for", f"{issuer}/consent/*", [_click("allow")]),
                _task("Arrive at the client", f"{suite}/test/*", [["wait", "id", "submission_complete", 10]]),
                _task("Or at an error", f"{issuer}/*", [_wait("#message")]),
            ],
        },
        {
            "match": f"{issuer}/logout*",
            "tasks": [
                _task("Agree to log out", f"{issuer}/logout*", [_click("logout")]),
                _task("Arrive at the client", f"{suite}/test/*", []),
                _task("Or at the end", f"{issuer}/*", [_wait("#login-again")]),
            ],
        },
    ]


def overrides(issuer: str, suite: str) -> dict[str, dict]:
    """The `override` section: modules whose pages are worked in another way."""
    logging_in = section(issuer, suite)[0]
    asked = {
        "match": f"{issuer}/logout*",
        "tasks": [_task("Be asked, or refused", "*", [_wait("#logout-form, #message")])],
    }
    asking = {name: {"browser": [logging_in, asked]} for name in ASKS_FIRST}
    showing = {name: {"browser": [_looking(issuer, css)]} for name, css in SHOWN.items()}
    return asking | showing


def _looking(issuer: str, css: str) -> dict:
    """Goes to the login page and no further."""
    commands = [["wait", "css", css, 10], _wait("#login-id-form")]
    return {"match": f"{issuer}/authorize*", "tasks": [_task("Look at the login page", "*", commands)]}


def _task(name: str, match: str, commands: list[list]) -> dict:
    return {"task": name, "match": match, "optional": True, "commands": commands}


def _click(id: str) -> list[str]:
    return ["click", "id", id, "optional"]


def _text(id: str, text: str) -> list[str]:
    return ["text", "id", id, text, "optional"]


def _wait(css: str) -> list:
    return ["wait", "css", css, 10, *WITH_PICTURE]
