"""A mail relay that keeps what it gets, for the link of the member's registration."""

import email
import email.policy
import re
import socketserver
import threading
import time


class _Conversation(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as one well-behaved sender needs."""

    server: "Mailbox"

    def handle(self) -> None:
        self._say(220, "conformance")
        while line := self.rfile.readline():
            match line[:4].strip().upper():
                case b"DATA":
                    self._say(354, "go on")
                    self._take()
                    self._say(250, "taken")
                case b"QUIT":
                    self._say(221, "bye")
                    return
                case _:
                    self._say(250, "fine")

    def _say(self, code: int, text: str) -> None:
        self.wfile.write(f"{code} {text}\r\n".encode())

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        body = mail.get_body(("plain",))
        self.server.texts.append(body.get_content() if body else "")


class Mailbox(socketserver.ThreadingTCPServer):
    """Listens on a free port of this machine until it is shut down."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.texts: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self.server_address[1]

    def link(self, prefix: str, seconds: float = 30) -> str:
        """Waits for a mail with an address that starts with `prefix`, and gives it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for text in self.texts:
                if found := re.search(re.escape(prefix) + r"\S+", text):
                    return found[0]
            time.sleep(0.1)
        raise TimeoutError(f"no mail with {prefix} came")
