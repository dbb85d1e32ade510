"""Starts the provider with everything that the plans need, in a folder that lives as long as the run."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

from . import certificates, member
from .mailbox import Mailbox
from .suite import Suite

HOST = "localhost"
REFRESH_SECONDS = 1

CONFIGURATION = """
[server]
issuer = "{issuer}"
listen = "127.0.0.1:{port}"

[server.tls]
certificate = "{certificates.certificate}"
key = "{certificates.key}"

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

[egress]
# The suite is on this machine, and its certificate is its own.
allowed_hosts = ["{suite}"]
ca_file = "{suite_authority}"

[registration]
open = true
open_clients = 100000
per_address_hour = 100000
scopes = ["openid", "profile", "email", "address", "phone", "offline_access"]
certification = true

[protocol]
front_channel_tokens = true

[limits]
# One member logs in hundreds of times from one address.
per_address = 100000
per_network = 100000
per_insurer = 100000
overall = 100000
{insurer}"""


def revision(repository: Path) -> str:
    """The commit of the sources, with a `+` for what was changed since."""
    command = ["git", "-C", str(repository), "describe", "--always", "--exclude=*", "--dirty=+"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Provider:
    """A running provider; `stop` ends it."""

    def __init__(self, binary: Path, folder: Path, port: int, suite: Suite) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.issuer = f"https://{HOST}:{port}"
        self._binary, self._folder = binary, folder
        self._mailbox = Mailbox()
        made = certificates.make(folder, HOST)
        self.trust = made.trust()
        self._configure(port, made, suite)
        self._import_roster()
        self._log = (folder / "provider.log").open("wb")
        self._process = subprocess.Popen(self._command("serve"), stdout=self._log, stderr=self._log)
        try:
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

    def create_client(self, metadata: str) -> str:
        """Registers a client; gives what the command prints, as JSON."""
        return self._run("client", "create", "--metadata", "-", "--json", stdin=metadata)

    def metadata(self) -> dict:
        """The discovery document."""
        url = f"{self.issuer}/.well-known/openid-configuration"
        with urllib.request.urlopen(url, context=self.trust, timeout=10) as response:
            return json.load(response)

    def rotate_keys(self) -> None:
        """Signs with the next keys from now on, everywhere."""
        self._run("keys", "rotate")
        time.sleep(REFRESH_SECONDS + 1)

    def _run(self, *arguments: str, stdin: str = "") -> str:
        """Runs a command of the provider's and gives what it prints."""
        command = self._command(*arguments)
        return subprocess.run(command, check=True, input=stdin, stdout=subprocess.PIPE, text=True).stdout

    def _command(self, *arguments: str) -> list[str]:
        return [str(self._binary), "--config", str(self._folder / "kenpos.toml"), *arguments]

    def _configure(self, port: int, made: certificates.Certificates, suite: Suite) -> None:
        authority = self._folder / "suite.pem"
        authority.write_text(suite.certificate())
        text = CONFIGURATION.format(
            issuer=self.issuer, port=port, certificates=made, folder=self._folder, smtp=self._mailbox.port,
            suite=suite.address, suite_authority=authority, refresh=REFRESH_SECONDS, insurer=member.INSURER,
        )
        (self._folder / "kenpos.toml").write_text(text)

    def _import_roster(self) -> None:
        roster = self._folder / "roster.csv"
        roster.write_text(member.ROSTER)
        self._run("migrate")
        self._run("roster", "import", str(roster))

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
