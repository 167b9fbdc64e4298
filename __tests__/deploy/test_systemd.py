"""deploy/gophertalk@.service: checked by systemd's own tools, and run by a systemd of the test's.

That one finds the code and its environment under /opt, as on a server, because the image has them.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
from pages import OPERATIONS
from shop import eventually
from tools import needed_program

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.tools

UNIT = PROJECT_ROOT / "deploy/gophertalk@.service"
BOOT = Path(__file__).parents[1] / "support/boot_systemd.sh"
DOCKERFILE = """
FROM localhost/gophertalk:complete
USER root
RUN apt-get update && apt-get install --yes --no-install-recommends systemd dbus
RUN /usr/sbin/userdel gophertalk && mv /app /opt/gophertalk
COPY . /opt/gophertalk
RUN cd /etc/systemd/system && mkdir gophertalk@.service.d && \
    mv /opt/gophertalk/quick.conf gophertalk@.service.d/
"""
# The unit's own watchdog waits for a minute.
QUICK = "[Service]\nWatchdogSec=5\nTimeoutStopSec=5\n"


def systemd_analyze(*arguments):
    program = needed_program("systemd-analyze")
    return subprocess.run([program, *arguments], capture_output=True, text=True)


def test_it_is_valid(tmp_path):
    """Nothing to say, not even a warning; the paths are those of this machine."""
    text = UNIT.read_text()
    assert "/opt/gophertalk/.venv/bin/python" in text
    text = text.replace("/opt/gophertalk/.venv/bin/python", "/usr/bin/env")
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/gophertalk", str(PROJECT_ROOT)))
    verified = systemd_analyze("verify", str(unit))
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_it_exposes_little():
    """2.5 of 10 at most, in systemd's own measure."""
    rated = systemd_analyze("security", "--offline=yes", "--threshold=25", str(UNIT))
    assert rated.returncode == 0, rated.stdout[-200:]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    for program in ("buildah", "crun", "debootstrap", "podman"):
        needed_program(program, f"/usr/sbin/{program}")
    folder = tmp_path_factory.mktemp("image")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "quick.conf").write_text(QUICK)
    shutil.copytree(UNIT.parent, folder / "deploy")
    shutil.copy(PROJECT_ROOT / ".env.example", folder)
    build = "buildah build --isolation chroot --network host --pull-never --layers --tag"
    for command in ([PROJECT_ROOT / ".ci/image"], [*build.split(), "gophertalk:systemd", folder]):
        built = subprocess.run(command, capture_output=True, text=True)
        assert built.returncode == 0, built.stderr[-5000:]
    return "localhost/gophertalk:systemd"


class Systemd:
    """As process 1 of its own namespaces, the network's too."""

    def __init__(self, image, folder):
        self.boot = subprocess.Popen(["sh", BOOT, image, folder], stdout=subprocess.DEVNULL)
        assert eventually(self.is_up, 60)

    def run(self, *command):
        children = Path(f"/proc/{self.boot.pid}/task/{self.boot.pid}/children").read_text()
        enter = f"nsenter --all --target {children.strip() or 0}".split()
        return subprocess.run([*enter, *command], capture_output=True, text=True)

    def follow(self, block):
        """Runs the commands in the folder of the code."""
        done = self.run("sh", "-euc", f"cd /opt/gophertalk\n{block}")
        assert done.returncode == 0, done.stderr + self.log()
        return done.stdout

    def is_up(self):
        return self.run("systemctl", "is-system-running").stdout.strip() in {"running", "degraded"}

    def state(self, name):
        command = ["systemctl", "show", "--value", f"--property={name}", "gophertalk@serve"]
        return self.run(*command).stdout.strip()

    def log(self):
        return self.run("journalctl", "--unit=gophertalk@serve", "--output=cat").stdout

    def health(self):
        ask = (
            "import urllib.request as r; print(r.urlopen('http://127.0.0.1:3000/api/ping').read())"
        )
        return self.run("/usr/bin/python3", "-c", ask).stdout


@pytest.fixture
def systemd(image, tmp_path):
    needed_program("unshare")
    systemd = Systemd(image, tmp_path)
    yield systemd
    systemd.boot.kill()
    systemd.boot.wait()
    for group in Path("/sys/fs/cgroup").glob("**/gophertalk-test"):
        for folder in sorted(group.glob("**/"), reverse=True):
            assert eventually(lambda folder=folder: not (folder / "cgroup.procs").read_text())
            folder.rmdir()


def test_the_commands_of_the_page_start_it_and_it_is_watched(systemd):
    _, install, create_superuser = OPERATIONS.blocks("On a bare server", "bash")
    systemd.follow(install)
    assert '"database":"ok"' in systemd.health()
    assert systemd.state("ActiveState") == "active"
    assert "password" in systemd.follow(create_superuser).lower()

    main = systemd.state("MainPID")
    systemd.follow("systemctl kill --kill-whom=main --signal=STOP gophertalk@serve")
    assert eventually(lambda: systemd.state("NRestarts") == "1", 60)
    assert eventually(lambda: systemd.state("ActiveState") == "active", 60)
    assert systemd.state("MainPID") != main
    assert '"database":"ok"' in systemd.health()

    systemd.follow("systemctl stop gophertalk@serve")
    assert systemd.state("ActiveState") == "inactive"
    assert systemd.state("ExecMainStatus") == "0"
    assert systemd.run("sh", "-c", "grep postgres /proc/[0-9]*/comm").stdout == ""


def test_a_wrong_setting_is_not_tried_again(systemd):
    _, install, _ = OPERATIONS.blocks("On a bare server", "bash")
    wrong = "sed --in-place s/^PORT=.*/PORT=many/ /etc/gophertalk.env\n"
    with pytest.raises(AssertionError):
        systemd.follow(install.replace("systemctl enable", f"{wrong}systemctl enable"))
    assert systemd.state("ExecMainStatus") == "2"
    assert systemd.state("ActiveState") == "failed"
    assert systemd.state("NRestarts") == "0"
    assert "GopherTalk cannot start. Wrong settings: PORT: " in systemd.log()
