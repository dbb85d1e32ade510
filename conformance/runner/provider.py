"""Starts the provider with everything that the plans need, in a folder that lives as long as the run."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from . import certificates, member
from .front import Front
from .mailbox import Mailbox

HOST = "localhost"
REFRESH_SECONDS = 1

CONFIGURATION = """
[server]
issuer = "{issuer}"
listen = "127.0.0.1:{listen}"
trusted_proxies = ["127.0.0.1/32"]

[database]
url = "sqlite://{folder}/kenpos.sqlite"

[keys]
directory = "{folder}/keys"
algorithms = ["RS256", "ES256", "PS256"]
# A rotation is seen at once.
refresh_seconds = {refresh}

[mail]
host = "127.0.0.1"
port = {smtp}
security = "none"
from = "no-reply@kenpos.example"

[limits]
# One member logs in hundreds of times from one address.
per_address = 100000
per_network = 100000
per_insurer = 100000
overall = 100000
{insurer}"""


class Provider:
    """A running provider; `stop` ends it."""

    def __init__(self, binary: Path, folder: Path, port: int) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.issuer = f"https://{HOST}:{port}"
        self._binary, self._folder = binary, folder
        self._mailbox = Mailbox()
        self._certificates = certificates.make(folder, HOST)
        self.trust = self._certificates.trust()
        listen = _free_port()
        self._configure(listen)
        self._import_roster()
        self._log = (folder / "provider.log").open("wb")
        self._process = subprocess.Popen(self._command("serve"), stdout=self._log, stderr=self._log)
        try:
            Front(port, listen, self._certificates)
            self._wait_until_ready()
            member.register(self.issuer, self.trust, self._mailbox)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the provider in order."""
        self._process.terminate()
        self._process.wait(30)
        self._log.close()
        self._mailbox.shutdown()

    def run(self, *arguments: str) -> str:
        """Runs a command of the provider's and gives what it prints."""
        return subprocess.run(self._command(*arguments), check=True, capture_output=True, text=True).stdout

    def metadata(self) -> dict:
        """The discovery document."""
        url = f"{self.issuer}/.well-known/openid-configuration"
        with urllib.request.urlopen(url, context=self.trust, timeout=10) as response:
            return json.load(response)

    def rotate_keys(self) -> None:
        """Signs with the next keys from now on, everywhere."""
        self.run("keys", "rotate")
        time.sleep(REFRESH_SECONDS + 1)

    def _command(self, *arguments: str) -> list[str]:
        return [str(self._binary), "--config", str(self._folder / "kenpos.toml"), *arguments]

    def _configure(self, listen: int) -> None:
        text = CONFIGURATION.format(
            issuer=self.issuer, listen=listen, folder=self._folder, smtp=self._mailbox.port,
            refresh=REFRESH_SECONDS, insurer=member.INSURER,
        )
        (self._folder / "kenpos.toml").write_text(text)

    def _import_roster(self) -> None:
        roster = self._folder / "roster.csv"
        roster.write_text(member.ROSTER)
        self.run("migrate")
        self.run("roster", "import", str(roster))

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                self.metadata()
                return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError(f"the provider does not start; see {self._log.name}")


def build(repository: Path) -> Path:
    """Builds the provider and gives its path."""
    subprocess.run(["cargo", "build", "--locked", "--quiet"], cwd=repository, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", repository / "target"))
    return target / "debug" / "kenpos-idp"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
