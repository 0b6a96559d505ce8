"""The processes around the gateway: sipp on both sides, the SM-SC, the core, the relay."""

import itertools
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import time

from sipmsg import Request

HERE = pathlib.Path(__file__).resolve().parent
START_S_MAX = 10
PORTS_OF_A_RUN = 4_000
# Final responses that are not the 202.
OTHERS = (
    "200 400 401 403 404 405 406 408 410 413 415 416 420 480 481 482 483 484 486 488 489 493 494 500 501 "
    "502 503 504 505 513 580 600 603 604 606"
).split()
RECEIVED = re.compile(rb"-{20,}[^\n]*\n(?:UDP|TCP) message received \[(\d+)\] bytes\s*:\s*\n\n")


def listening_range():
    """Ports that the kernel gives to no connection of its own choosing, so that none can sit on one of ours: the wider
    side of its range (ip_local_port_range). Where that leaves too few, any do."""
    first, last = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    widest = max(range(10_000, first), range(last + 1, 65_536), key=len)
    return widest if len(widest) >= PORTS_OF_A_RUN else range(10_000, 65_536)


def is_free(port):
    """For UDP and for TCP."""
    with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            udp.bind(("127.0.0.1", port))
            tcp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count):
    """Ports that are free for UDP and for TCP, and were not given before: nobody may listen on those yet."""
    ports = list(itertools.islice(filter(is_free, PORTS), count))
    if len(ports) < count:
        raise RuntimeError("no port is left to listen on")
    return ports


PORTS = iter(random.sample(listening_range(), len(listening_range())))  # each is given once


class Process:
    """A child whose output goes to a file; `ready` is what it prints when it can be used."""

    def __init__(self, command, log, ready=None, **more):
        self.log = log
        with log.open("a") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdout=output, stderr=output, cwd=log.parent, **more
            )
        deadline = time.monotonic() + START_S_MAX
        while ready and ready not in log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{command[0]} did not start: {log.read_text()[-400:]}")
            time.sleep(0.02)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(START_S_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Smsc:
    """node-smpp; see smsc.js for the behaviours. Its log survives a restart."""

    def __init__(self, folder, port, name="smsc", **behaviour):
        self.folder, self.log, self.output = folder, folder / f"{name}.jsonl", folder / f"{name}.log"
        self.behaviour = {"port": port, "log": str(self.log), "receipts": "after", **behaviour}

    def start(self, **changed):
        self.behaviour.update(changed)
        before = len(self.events("listening"))
        command = ["node", HERE / "smsc.js", json.dumps(self.behaviour)]
        self.child = Process(command, self.output, stdin=subprocess.PIPE, text=True)
        wait(lambda: len(self.events("listening")) > before, START_S_MAX, "the SM-SC to listen")

    def order(self, **order):
        self.child.process.stdin.write(json.dumps(order) + "\n")
        self.child.process.stdin.flush()

    def kill(self):
        self.child.stop(signal.SIGKILL)

    def stop(self):
        self.child.stop()

    def responses(self):
        """How many deliver_sm were answered."""
        return self.log.read_bytes().count(b'{"event":"deliver_resp",')

    def taken(self):
        """How many were answered with ESME_ROK."""
        return self.log.read_bytes().count(b',"status":0}') - len(self.events("receipt_resp"))

    def events(self, kind):
        """All events of a kind; a last line that a kill cut in two does not count."""
        if not self.log.exists():
            return []
        lines = self.log.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines if f'{{"event":"{kind}",' in line or f'{{"event":"{kind}"}}' in line]


class Core:
    """core.py: takes every MESSAGE over UDP and TCP."""

    def __init__(self, folder, udp, tcp):
        self.folder, self.log, self.ports = folder, folder / "core.hex", (udp, tcp)
        self.log.touch()
        self.start()

    def start(self):
        output = self.folder / "core.log"
        output.unlink(missing_ok=True)
        self.child = Process([sys.executable, HERE / "core.py", *self.ports, self.log], output, "ready")

    def kill(self):
        self.child.stop(signal.SIGKILL)

    def requests(self):
        lines = self.log.read_text().split("\n")[:-1]
        return [Request(bytes.fromhex(line)) for line in lines]

    def count(self):
        return self.log.read_bytes().count(b"\n")

    def stop(self):
        self.child.stop()


class Relay:
    """relay.py in front of a UDP port."""

    def __init__(self, folder, name, port, target, seed, lost=0.05, doubled=0.05, delayed=0.10):
        command = [sys.executable, HERE / "relay.py", port, target, seed, lost, doubled, delayed]
        self.child = Process(command, folder / f"{name}.log", "ready")

    def counts(self):
        """What it did, when it has been stopped."""
        self.child.stop()
        return json.loads(self.child.log.read_text().splitlines()[-1])


class Esme:
    """esme.js: sends parts to the SM-SC without a gateway between them."""

    def __init__(self, folder, port, parts):
        self.child = Process(["node", HERE / "esme.js", port, parts], folder / "esme.log")

    def told(self, limit_s):
        """How many submits were answered, and how many receipts came."""
        self.child.process.wait(limit_s)
        return json.loads(self.child.log.read_text())


class MsrpEcho:
    """The gateway's MSRP engine as an echo (msrp_echo.rs): listens, or connects to the first URI of `path`."""

    def __init__(self, folder, port, path, chunk, passive):
        session = f"echo{chunk}"
        self.uri, self.log = f"msrp://127.0.0.1:{port}/{session};tcp", folder / f"echo_{chunk}.log"
        first = re.match(r"msrps?://([^/;]+)", path)[1]
        command = [os.environ["MSRP_ECHO"], port, session, path, chunk, "passive" if passive else first]
        self.child = Process(command, self.log, "ready")

    def stop(self):
        """What it said."""
        self.child.stop()
        return self.log.read_text().splitlines()


class Hostile:
    """hostile.py against a SIP port."""

    def __init__(self, folder, port, seed):
        self.child = Process([sys.executable, HERE / "hostile.py", port, seed], folder / "hostile.log", "ready")

    def stop(self):
        self.child.stop()


class SippClient:
    """sipp as the CPM clients: sends each message once and logs each answer."""

    def __init__(self, folder, messages, port, target, transport, form, rate=400, at_once=300):
        self.folder, self.answers_log = folder, folder / "answers.log"
        scenario, fields = folder / "uac.xml", folder / "uac.csv"
        scenario.write_text(client_scenario(form, messages[0].lines()))
        fields.write_text("SEQUENTIAL\n" + "".join(message.line() for message in messages))
        command = [
            "sipp",
            f"127.0.0.1:{target}",
            "-i",
            "127.0.0.1",
            "-p",
            port,
            "-t",
            f"{transport[0]}1",
            "-sf",
            scenario,
            "-inf",
            fields,
            "-m",
            len(messages),
            "-r",
            rate,
            "-l",
            at_once,
            "-nostdin",
            "-timeout",
            "600",
            "-trace_logs",
            "-log_file",
            self.answers_log,
            "-log_overwrite",
            "false",
            "-trace_err",
            "-error_file",
            folder / "uac_errors.log",
        ]
        self.child = Process(command, folder / "uac.log", env={**os.environ, "TERM": "dumb"})

    def wait(self, limit_s):
        try:
            self.child.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.child.stop()

    def stop(self):
        self.child.stop()

    def answers(self):
        """Message id -> (status code, Server header of a 202 or Retry-After of another)."""
        lines = self.answers_log.read_text().splitlines() if self.answers_log.exists() else []
        found = (line.split(" ", 2) for line in lines)
        return {parts[1]: (int(parts[0]), parts[2] if len(parts) > 2 else "") for parts in found}


def client_scenario(form, lines):
    uri = {"tel": "tel:+[field0]", "sip": "sip:+[field0]@gw.example.net;user=phone"}[form]
    other = (
        '  <recv response="{0}" optional="true" next="1"><action>'
        '<ereg regexp="[^ ].*" search_in="hdr" header="Retry-After:" assign_to="again"/>'
        '<log message="{0} [field2] [$again]"/></action></recv>'
    )
    text = (HERE / "sipp/uac_message.xml").read_text().replace("@@RECIPIENT_URI@@", uri)
    text = text.replace("@@TEXT@@", "\n      ".join(f"[field{4 + line}]" for line in range(lines)))
    return text.replace("@@OTHERS@@", "\n".join(other.format(code) for code in OTHERS))


class SippCore:
    """sipp as the SIP/IP core: one process for UDP and one for TCP, where long requests come (RFC 3261 18.1.1)."""

    def __init__(self, folder, udp, tcp):
        scenario = folder / "uas.xml"
        scenario.write_text((HERE / "sipp/uas_message.xml").read_text().replace("@@TIMEWAIT@@", "4000"))
        ports = {"udp": udp, "tcp": tcp}
        self.logs = [folder / f"uas_{transport}_messages.log" for transport in ports]
        self.children = [self.spawn(folder, scenario, *each) for each in zip(ports, ports.values(), self.logs)]

    @staticmethod
    def spawn(folder, scenario, transport, port, log):
        command = [
            "sipp",
            "-i",
            "127.0.0.1",
            "-p",
            port,
            "-t",
            f"{transport[0]}1",
            "-sf",
            scenario,
            "-nostdin",
            "-trace_msg",
            "-message_file",
            log,
            "-message_overwrite",
            "false",
            "-trace_err",
            "-error_file",
            folder / f"uas_{transport}_errors.log",
        ]
        return Process(command, folder / f"uas_{transport}.log", env={**os.environ, "TERM": "dumb"})

    def octets(self):
        return [log.read_bytes() if log.exists() else b"" for log in self.logs]

    def count(self):
        return sum(text.count(b"\nMESSAGE ") for text in self.octets())

    def requests(self):
        found = ((text, match) for text in self.octets() for match in RECEIVED.finditer(text))
        taken = (text[match.end() : match.end() + int(match[1])] for text, match in found)
        return [Request(octets) for octets in taken if octets.startswith(b"MESSAGE ")]

    def stop(self):
        for child in self.children:
            child.stop(signal.SIGKILL)


def wait(condition, limit_s, what):
    """Until the condition holds; an error if it does not in time."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {limit_s} s for {what}")
        time.sleep(0.05)


def settle(count, wanted, quiet_s, linger_s=1.0):
    """Until `count()` reaches `wanted` or has not grown for `quiet_s`; then a moment more, for what should not come."""
    last, since = count(), time.monotonic()
    while last < wanted and time.monotonic() - since < quiet_s:
        time.sleep(0.1)
        now = count()
        if now != last:
            last, since = now, time.monotonic()
    time.sleep(linger_s)
