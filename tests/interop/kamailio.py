"""Kamailio between a CPM client and the gateway, as kamailio.cfg says."""

import collections
import pathlib
import re
import socket

from peers import HERE, Process, wait

START_S_MAX = 10
HANDLED = re.compile(r"MSRP (SEND|REPORT) (\S+) (\d+) ([0-9a-f]{32})?")
COMPLAINT = re.compile(r"(?:ERROR|CRITICAL|BUG|INSANE|STRAY).*")
# Not about what came in: it has no TLS to offer, and a connection that a peer resets is an error to it, as is its own end.
EXPECTED = re.compile(r"tls|receive_fd|tcp_read|handle_ser_child|tcp_main|tcp_send|forwarding frame failed")


class Kamailio:
    """A SIP proxy with a port for clients (`outside`), one for the gateway (`inside`), and an MSRP relay."""

    def __init__(self, folder, outside, inside, msrp, gateway, client):
        self.log, self.uri = folder / "kamailio.log", f"msrp://127.0.0.1:{msrp}/;tcp".replace("/;", "/relay;")
        names = {"OUTSIDE": outside, "INSIDE": inside, "MSRP": msrp, "GATEWAY": gateway, "CLIENT": client}
        names["MODULES"] = next(pathlib.Path("/usr/lib").glob("*/kamailio/modules"))
        text = (HERE / "kamailio.cfg").read_text()
        for name, value in names.items():
            text = text.replace(f"@@{name}@@", str(value))
        (folder / "kamailio.cfg").write_text(text)
        run = folder / "kamailio"
        run.mkdir()
        command = ["kamailio", "-f", folder / "kamailio.cfg", "-DD", "-E", "-m", "192", "-M", "16", "-Y", run]
        self.child = Process([*command, "-P", run / "pid", "-w", run], self.log)
        wait(lambda: self.listens(msrp), START_S_MAX, "Kamailio to listen")

    def listens(self, port):
        if self.child.process.poll() is not None:
            raise RuntimeError(f"kamailio did not start: {self.text()[-600:]}")
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", port)) == 0

    def text(self):
        return self.log.read_text(errors="replace")

    def handled(self):
        """Message-ID -> the (octets, MD5) of the bodies it saw in requests with it, in order. Its length counts the line
        end before the end-line."""
        found = collections.defaultdict(list)
        for match in HANDLED.finditer(self.text()):
            if match[1] == "SEND":
                found[match[2]].append((int(match[3]), match[4]))
        return found

    def flaws(self):
        """What it could not understand, or had no business to get."""
        complaints = [line for line in self.text().splitlines() if COMPLAINT.search(line)]
        return [f"Kamailio: {line.strip()[:200]}" for line in complaints if not EXPECTED.search(line)]

    def stop(self):
        self.child.stop()
