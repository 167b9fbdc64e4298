"""Containers of the project's images, run by podman as docker would: without rights, read-only."""

import secrets
import subprocess
from typing import Any

from tools import needed_program

# Podman's runtime knows no machine with both generations of control groups: in a mount namespace of
# its own the second one is not there. The limits are those that it would raise, where it may not.
PODMAN = (
    "unshare --mount sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec podman \"$@\"' podman "
    "--log-level=fatal"
)
OPTIONS = (
    "--network=host --cgroups=disabled --ulimit=nofile=4096:4096 --ulimit=nproc=4096:4096 "
    "--cap-drop=all --security-opt=no-new-privileges --read-only --read-only-tmpfs=false "
    "--tmpfs=/tmp --ipc=none"
)


def podman(*arguments: str) -> "subprocess.CompletedProcess[str]":
    needed_program("podman")
    command = f'{PODMAN} "$@"'
    return subprocess.run(
        ["sh", "-c", command, "sh", *arguments], capture_output=True, text=True, timeout=300
    )


class Container:
    """One that has been started. `options` are podman's, `settings` the variables."""

    def __init__(self, image: str, *command: str, options: tuple[str, ...] = (), **settings: Any):
        self.name = f"gophertalk-test-{secrets.token_hex(4)}"
        variables = [f"--env={name}={value}" for name, value in settings.items()]
        arguments = [*OPTIONS.split(), *options, *variables, f"--name={self.name}"]
        started = podman("run", "--detach", *arguments, f"localhost/{image}", *command)
        assert started.returncode == 0, started.stderr

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return podman("exec", self.name, *command)

    def is_healthy(self) -> bool:
        """Asks as the image's HEALTHCHECK does."""
        return podman("healthcheck", "run", self.name).returncode == 0

    def stop(self) -> int:
        """SIGTERM to process 1; gives the exit code."""
        podman("kill", "--signal=TERM", self.name)
        return self.wait()

    def wait(self) -> int:
        return int(podman("wait", self.name).stdout)

    def output(self) -> str:
        said = podman("logs", self.name)
        return said.stdout + said.stderr

    def remove(self) -> None:
        podman("rm", "--force", "--time=0", self.name)
