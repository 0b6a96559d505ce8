"""The gateway under test: its configuration, its process, its metrics."""

import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

READY_S_MAX = 15
DRAIN_S_MAX = 40
PUBLISH_S = 1.5  # numbers on /metrics are at most this old

# A sender or recipient of messages.py.
ADDRESS = re.compile(r"\b49(?:155|160|17[123])\d{7}\b")

CONFIGURATION = """
profile = "{profile}"
state_dir = "{folder}/state"

[runtime]
cores = {cores}
backend = "{backend}"

[sip]
listen = ["udp://127.0.0.1:{sip}", "tcp://127.0.0.1:{sip}"]
next_hop = "sip:127.0.0.1:{next_hop}{next_hop_transport}"
domain = "gw.example.net"
trusted = ["127.0.0.0/8"]

{links}

[admin]
listen = "127.0.0.1:{admin}"

{more}
"""

SMSC = """
[[smsc]]
name = "node-smpp"
address = "127.0.0.1:{smpp}"
system_id = "isthmus"
password = "secret"
bind = "{bind}"
binds = {binds}
window = {window}
concatenation = "{concatenation}"
message_id = "{message_id}"
{smsc_more}
"""

DEFAULTS = {
    "profile": "cpm",
    "ready": "/readyz",
    "cores": [0],
    "backend": "auto",
    "next_hop_transport": "",
    "bind": "transceiver",
    "binds": 1,
    "window": 64,
    "concatenation": "sar",
    "message_id": "opaque",
    "smsc_more": "",
    "links": SMSC,
    "more": "",
}

# Another link to the same account: what comes back, comes here.
RECEIVER = """
[[smsc]]
name = "receiver"
address = "127.0.0.1:{smpp}"
system_id = "isthmus"
password = "secret"
bind = "receiver"
message_id = "{message_id}"
"""

SECOND_SMSC = """
[[smsc]]
name = "second"
address = "127.0.0.1:{second}"
password = "secret"
"""


class Gateway:
    """`isthmus run` with the given settings (see CONFIGURATION)."""

    def __init__(self, binary, folder, **settings):
        self.binary, self.folder = binary, folder
        self.settings = {**DEFAULTS, "folder": folder, **settings}

    def start(self):
        configuration = self.folder / "isthmus.toml"
        parts = {name: self.settings[name].format(**self.settings) for name in ("links", "more")}
        configuration.write_text(CONFIGURATION.format(**{**self.settings, **parts}))
        self.log = (self.folder / "gateway.log").open("a")
        self.process = subprocess.Popen([self.binary, "run", "-c", configuration], stdout=self.log, stderr=self.log)
        self.wait_ready()

    def wait_ready(self):
        deadline = time.monotonic() + READY_S_MAX
        while self.get(self.settings["ready"]) is None:
            if self.process.poll() is not None:
                raise RuntimeError(f"isthmus ended with {self.process.returncode} before it was ready\n{self.tail()}")
            if time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError(f"isthmus was not ready within {READY_S_MAX} s\n{self.tail()}")
            time.sleep(0.05)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def tail(self, lines=6):
        return "\n".join((self.folder / "gateway.log").read_text().splitlines()[-lines:])

    def indiscretions(self):
        """Addresses of users in the log, which belongs to operators."""
        found = set(ADDRESS.findall((self.folder / "gateway.log").read_text()))
        return [f"the log names {len(found)} users, {min(found)} for one"] if found else []

    def get(self, path):
        """The body of a 200, else None."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.settings['admin']}{path}", timeout=5) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None

    def metric(self, name, **labels):
        """The sum of a metric over all label sets that have these labels; None if there is none of the name."""
        time.sleep(PUBLISH_S)
        found = [value for has, value in self.samples(name) if all(has.get(k) == v for k, v in labels.items())]
        return sum(found) if found else None

    def samples(self, name):
        for line in (self.get("/metrics") or "").splitlines():
            match = re.fullmatch(rf"isthmus_{name}(?:_total)?(?:{{(.*)}})? (\S+)", line)
            if match:
                yield dict(re.findall(r'(\w+)="([^"]*)"', match[1] or "")), float(match[2])

    def stop(self):
        """SIGTERM; the findings are an exit code other than 0, or no end in time."""
        if self.process.poll() is not None:
            return [f"isthmus ended by itself with {self.process.returncode}, see gateway.log"]
        (self.folder / "metrics.txt").write_text(self.get("/metrics") or "")
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(DRAIN_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return [f"isthmus did not end within {DRAIN_S_MAX} s of SIGTERM"]
        return [] if code == 0 else [f"isthmus ended with {code} after SIGTERM"]
