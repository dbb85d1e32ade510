"""A certificate authority and a certificate for this machine, made anew for every run."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

DAYS = 2


@dataclass(frozen=True)
class Certificates:
    """PEM files in the folder of the run."""

    authority: Path
    certificate: Path
    key: Path

    def trust(self) -> ssl.SSLContext:
        """Trusts the authority of this run and no other."""
        return ssl.create_default_context(cafile=str(self.authority))


def make(folder: Path, host: str) -> Certificates:
    """Makes them with the `openssl` command."""
    authority, authority_key = folder / "ca.pem", folder / "ca.key"
    certificate, key = folder / "server.pem", folder / "server.key"
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", str(DAYS)]
    _openssl(*new, "-subj", "/CN=conformance authority", "-keyout", authority_key, "-out", authority)
    _openssl(
        *new, "-CA", authority, "-CAkey", authority_key, "-subj", f"/CN={host}",
        "-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
        "-keyout", key, "-out", certificate,
    )
    return Certificates(authority, certificate, key)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, stderr=subprocess.DEVNULL)
