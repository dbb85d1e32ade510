"""The API of an installed suite."""

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

DONE = ("FINISHED", "INTERRUPTED")


class Suite:
    """A running suite at its https address."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        # The suite's certificate is its own affair; nothing secret is sent to it.
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    @property
    def address(self) -> str:
        """Host and port."""
        return urllib.parse.urlsplit(self.url).netloc

    def certificate(self) -> str:
        """The certificate that it shows, as PEM."""
        parts = urllib.parse.urlsplit(self.url)
        return ssl.get_server_certificate((parts.hostname or "", parts.port or 443))

    def version(self) -> str:
        """The version that it names."""
        return self._call("GET", "server")["version"]

    def create_plan(self, name: str, variant: dict[str, str], configuration: dict) -> dict:
        """Creates a plan; gives its `id` and `modules`."""
        return self._call("POST", "plan", configuration, planName=name, variant=json.dumps(variant))

    def create_module(self, plan: str, name: str, variant: dict[str, str]) -> str:
        """Creates a module of a plan, which starts by itself; gives its id."""
        return self._call("POST", "runner", plan=plan, test=name, variant=json.dumps(variant))["id"]

    def start(self, module: str) -> None:
        """Lets a module go on that waits for something to be done first."""
        self._call("POST", f"runner/{module}")

    def cancel(self, module: str) -> None:
        """Stops a module."""
        self._call("DELETE", f"runner/{module}")

    def info(self, module: str) -> dict:
        """`status` and `result` of a module."""
        return self._call("GET", f"info/{module}")

    def browser(self, module: str) -> dict:
        """Addresses that a module wants visited (`urls`) and what is under way (`runners`)."""
        return self._call("GET", f"runner/browser/{module}")

    def visited(self, module: str, url: str) -> None:
        """Says that an address of a module is being visited."""
        self._call("POST", f"runner/browser/{module}/visit", url=url)

    def log(self, module: str) -> list[dict]:
        """Everything that a module wrote down."""
        return self._call("GET", f"log/{module}")

    def _call(self, method: str, path: str, body: dict | None = None, **query: str) -> Any:
        url = f"{self.url}/api/{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, context=self._context, timeout=120) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from error
        return json.loads(text) if text else None
