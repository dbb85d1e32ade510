"""Speaks https in front of the provider, which speaks http behind it."""

import asyncio
import ssl
import threading

from .certificates import Certificates

HEAD_LIMIT = 1024 * 1024


class Front:
    """A TLS server that hands every request on; one request a connection keeps it simple."""

    def __init__(self, port: int, upstream: int, certificates: Certificates) -> None:
        self._port, self._upstream = port, upstream
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.certificate, certificates.key)
        self._listening = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        if not self._listening.wait(5):
            raise OSError(f"port {port} cannot be listened on")

    async def _serve(self) -> None:
        server = await asyncio.start_server(
            self._connection, "127.0.0.1", self._port, ssl=self._context, limit=HEAD_LIMIT
        )
        self._listening.set()
        await server.serve_forever()

    async def _connection(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        try:
            head = await client_in.readuntil(b"\r\n\r\n")
            server_in, server_out = await asyncio.open_connection("127.0.0.1", self._upstream, limit=HEAD_LIMIT)
            server_out.write(self._forwarded(head))
            await asyncio.gather(_copy(client_in, server_out), _copy(server_in, client_out, last=True))
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            client_out.close()

    @staticmethod
    def _forwarded(head: bytes) -> bytes:
        """The head of the request as the provider gets it: from a known client, alone on its connection."""
        lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        kept = [line for line in lines if not line.lower().startswith((b"connection:", b"x-forwarded-"))]
        return b"\r\n".join([*kept, b"X-Forwarded-For: 127.0.0.1", b"Connection: close", b"", b""])


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, last: bool = False) -> None:
    try:
        while data := await source.read(64 * 1024):
            sink.write(data)
            await sink.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    if last:
        sink.close()
