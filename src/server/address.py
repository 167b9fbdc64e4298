"""The address that the server listens on, as a URL and as a socket."""

import errno
import socket
import sys

from config.settings import Settings
from config.startup_faults import StartupError

# A client that acknowledges nothing of what it is sent has gone without a word: a telephone in a
# tunnel. Linux would wait for a quarter of an hour, and its stream would count for as long.
GONE_AFTER_MS = 30_000
LOOPBACK_OF_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 # nosec B104


def base_url(settings: Settings) -> str:
    """The URL for a browser on this machine."""
    host = LOOPBACK_OF_ANY.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def bound_socket(settings: Settings) -> socket.socket:
    """A socket bound to HOST and PORT; clients cannot connect before uvicorn listens on it.

    Raises StartupError.
    """
    host, port = settings.host, settings.port
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    # On Windows REUSEADDR would share the port; elsewhere it allows a port of closed connections.
    option = "SO_EXCLUSIVEADDRUSE" if sys.platform == "win32" else "SO_REUSEADDR"
    listener.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # each connection inherits it
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_AFTER_MS)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:
        listener.close()
        raise StartupError(_fault(host, port, error)) from error
    listener.set_inheritable(True)
    return listener


def _fault(host: str, port: int, error: OSError | UnicodeError) -> str:
    if isinstance(error, PermissionError):
        return (
            f"Only an administrator may listen on port {port}. "
            "Set PORT to 1024 or more, such as PORT=3000."
        )
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 3000
        return (
            f"Port {port} of {host} is taken by another program. "
            f"Stop that, or choose another port: PORT={other}."
        )
    return f"HOST={host} is not an address of this machine: {error}. Try HOST=127.0.0.1."
