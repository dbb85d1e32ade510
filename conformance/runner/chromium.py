"""Chromium through ChromeDriver (W3C WebDriver), for pages that are more than the suite's browser can do."""

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from typing import Any

from . import member

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The name under which WebDriver hands out an element (WebDriver §12.1)."""
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=ja"]
PAGE_SECONDS = 20

STEPS = [
    ("#login_id", member.LOGIN_ID, "#next"),
    ("#password", member.PASSWORD, "#login"),
    (None, None, "#allow"),
    (None, None, "#logout"),
]
"""What is typed where, and pressed, on the provider's pages."""


class Chromium:
    """A browser window; `quit` closes it."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        assert self._driver.stdout
        for line in self._driver.stdout:
            if started := re.search(r"started successfully on port (\d+)", line):
                self._base = f"http://127.0.0.1:{started[1]}/session"
                break
        else:
            raise RuntimeError("ChromeDriver does not start")
        wanted = {"acceptInsecureCerts": True, "goog:chromeOptions": {"args": OPTIONS}}
        session = self._call("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self._base += f"/{session['sessionId']}"

    def quit(self) -> None:
        """Closes the browser and its driver."""
        try:
            self._call("DELETE", "")
        finally:
            self._driver.terminate()
            self._driver.wait(10)

    def visit(self, url: str) -> None:
        """Opens an address and works the provider's pages until they lead elsewhere."""
        self._call("POST", "/url", {"url": url})
        deadline = time.monotonic() + PAGE_SECONDS
        while self._call("GET", "/url").startswith(self._issuer) and time.monotonic() < deadline:
            if not any(self._step(*step) for step in STEPS):
                time.sleep(0.2)

    def _step(self, field: str | None, text: str | None, button: str) -> bool:
        """Fills in and presses what is on the page; whether it was there."""
        try:
            if field:
                self._call("POST", f"/element/{self._find(field)}/value", {"text": text})
            self._call("POST", f"/element/{self._find(button)}/click", {})
        except urllib.error.HTTPError:
            return False
        return True

    def _find(self, css: str) -> str:
        return self._call("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def _call(self, method: str, path: str, body: dict | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)["value"]
