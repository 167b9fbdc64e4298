"""Where the server listens: the URL to show, and the socket, whose address is free or is not."""

import errno
import socket
import sys

from config.settings import Settings
from config.startup_faults import StartupError

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 # nosec B104


def base_url(settings: Settings) -> str:
    """For a browser on this machine."""
    host = EVERYWHERE.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def bound_socket(settings: Settings) -> socket.socket:
    """The address is ours from here on; nobody can connect before somebody listens.

    Raises StartupError.
    """
    host, port = settings.host, settings.port
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    # Where there is no "exclusive", "reuse" means: although old connections linger.
    option = "SO_EXCLUSIVEADDRUSE" if sys.platform == "win32" else "SO_REUSEADDR"
    listener.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
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
    return f"HOST={host} is no address of this machine: {error}. Try HOST=127.0.0.1."
