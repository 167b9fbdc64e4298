"""Known vulnerabilities in requirements.txt: fails when there is one, and only then.

Where the advisories cannot be reached nothing is known, which is said loudly but fails nothing:
a change is no worse for it, and the next run on a connected machine finds what there is.
"""

import json
import subprocess
import sys
from pathlib import Path

PIP_AUDIT = [Path(sys.executable).with_name("pip-audit"), "--disable-pip", "--require-hashes"]
REQUIREMENTS = ["-r", "requirements.txt", "--format", "json", "--progress-spinner", "off"]
SERVICES = ("pypi", "osv")
# What we live with, and why. docs/operations.md says so too.
ACCEPTED = {
    # ecdsa leaks time when it signs. It comes with python-jose, which does its signing with
    # `cryptography` when that is there, and we sign with HMAC alone. There will be no mended ecdsa.
    "CVE-2024-23342",
}


def audit(service: str) -> list[dict] | None:
    """The packages with what is known about each; None where nothing could be asked."""
    ignored = [word for name in sorted(ACCEPTED) for word in ("--ignore-vuln", name)]
    command = [*PIP_AUDIT, *REQUIREMENTS, "--vulnerability-service", service, *ignored]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.stdout:
        return json.loads(done.stdout)["dependencies"]
    if not any(word in done.stderr for word in ("onnect", "imeout", "imed out", "HTTP")):
        sys.exit(f"pip-audit failed:\n{done.stderr}")
    print(f"pip-audit could not ask {service}")
    return None


def main() -> int:
    asked, found = set(), []
    for service in SERVICES:
        packages = audit(service) or []
        asked |= {each["name"] for each in packages if "skip_reason" not in each}
        found += [each for each in packages if each.get("vulns")]
        missing = {each["name"] for each in packages} - asked
        if packages and not missing:
            break
    for each in found:
        for fault in each["vulns"]:
            names = " ".join([fault["id"], *fault["aliases"]])
            print(f"VULNERABLE: {each['name']} {each['version']}: {names}")
            print(f"  mended in: {', '.join(fault['fix_versions']) or 'no version'}")
    if not asked:
        print("=" * 78)
        print("WARNING: NOT AUDITED. No service with advisories can be reached from here.")
        print("=" * 78)
    elif missing:
        print(f"WARNING: nothing is known about {', '.join(sorted(missing))}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
