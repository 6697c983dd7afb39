"""The sockets of a server, bound before the model is loaded, so that an unusable address is reported at once."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from coinfarm.errors import CoinfarmError

_PRIVILEGED_PORTS = 1024


@contextmanager
def bound_sockets(host: str, port: int) -> Iterator[list[socket.socket]]:
    """A socket for each address of `host`, all with the same port; the system chooses it if `port` is 0. They do not listen yet.

    Raises `CoinfarmError` if an address or the port cannot be used.
    """
    with ExitStack() as opened:
        sockets: list[socket.socket] = []
        for family, kind, protocol, _, address in _addresses(host, port):
            bound = opened.enter_context(socket.socket(family, kind, protocol))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            shared_port = port_of(sockets[0]) if sockets else port
            try:
                bound.bind((address[0], shared_port, *address[2:]))
            except OSError as error:
                raise CoinfarmError(_bind_error_text(error, host, shared_port)) from None
            sockets.append(bound)
        yield sockets


def port_of(bound: socket.socket) -> int:
    """The port that the socket is bound to."""
    port: int = bound.getsockname()[1]
    return port


def _addresses(host: str, port: int) -> "list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]":
    try:
        return list(dict.fromkeys(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)))  # type: ignore[arg-type]
    except (OSError, UnicodeError):
        raise CoinfarmError(
            f"--host {host}: no such host or address. Use 127.0.0.1 for this machine alone, 0.0.0.0 for all of its addresses"
        ) from None


def _bind_error_text(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use by another program. Choose another with --port; --port 0 uses any free port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host {host} is not an address of this machine. Use 127.0.0.1 for this machine alone, 0.0.0.0 for all of its addresses"
    if error.errno in (errno.EACCES, errno.EPERM) and port < _PRIVILEGED_PORTS:
        return f"port {port} needs root permission, like all ports below {_PRIVILEGED_PORTS}. Choose another with --port, such as 8080"
    return f"{host}:{port} cannot be used ({error.strerror}). Choose another --host or --port"
