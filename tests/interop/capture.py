"""Captures on the loopback interface, judged by tshark."""

import subprocess
import tempfile
import time

import realign

SEVERITY_ERROR = 8388608
START_S_MAX = 10


def permitted():
    """Whether this host lets us capture, and if not, why."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                ["dumpcap", "-q", "-i", "lo", "-a", "duration:1", "-w", f"{folder}/try.pcapng"],
                capture_output=True,
                text=True,
                timeout=START_S_MAX,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return False, str(error)
    return done.returncode == 0, (done.stderr.strip().splitlines() or [""])[0]


class Capture:
    """Everything on the given ports, from `start` to `stop`."""

    def __init__(self, folder, sip_ports, smpp_ports, msrp_ports=(), smtp_ports=()):
        self.file, self.log = folder / "capture.pcapng", folder / "dumpcap.log"
        self.sip_ports, self.smpp_ports, self.msrp_ports, self.smtp_ports = sip_ports, smpp_ports, msrp_ports, smtp_ports

    def start(self):
        watched = [*self.sip_ports, *self.smpp_ports, *self.msrp_ports, *self.smtp_ports]
        ports = " or ".join(f"port {port}" for port in watched)
        command = ["dumpcap", "-i", "lo", "-q", "-B", "64", "-s", "0", "-f", ports, "-w", str(self.file)]
        self.process = subprocess.Popen(command, stderr=self.log.open("w"))
        deadline = time.monotonic() + START_S_MAX
        while "Capturing on" not in self.log.read_text() or not self.file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"dumpcap: {self.log.read_text()}")
            time.sleep(0.05)

    def stop(self):
        time.sleep(0.3)  # what the kernel holds is handed over in blocks
        self.process.terminate()
        self.process.wait(START_S_MAX)

    def findings(self):
        """(number of frames, what tshark holds to be malformed or in error)."""
        count, bad = self.judged(self.file)
        if not self.msrp_ports:
            return count, bad
        again = self.file.with_name("msrp.pcap")
        fields = ("tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.seq", "tcp.payload")
        media = " or ".join(f"tcp.port == {port}" for port in self.msrp_ports)
        lines = self.tshark(self.file, "-Y", f"({media}) and tcp.len > 0", *fields_of(*fields))
        frames, cut = realign.write(again, (line.split("\t") for line in lines))
        seen, malformed = self.judged(again, "msrp.transaction.id")
        odd = [] if seen == frames else [f"tshark sees MSRP in {seen} of {frames} frames"]
        return count + frames, [*bad, *cut, *malformed, *odd]

    def mails(self):
        """The Message-IDs of the mails that tshark reads."""
        found = (line.split(",") for line in self.tshark(self.file, "-Y", "imf", *fields_of("imf.message_id")))
        return {each for line in found for each in line if each}

    def judged(self, file, wanted="frame.len"):
        """(how many frames have the field, those that are bad)."""
        judged = ("_ws.malformed", "_ws.expert.severity", "_ws.col.Protocol", "_ws.expert.message")
        lines = self.tshark(file, *fields_of(wanted, "frame.number", *judged))
        bad = [line for line in lines if is_bad(*line.split("\t")[2:4])]
        return sum(not line.startswith("\t") for line in lines), [f"tshark: frame {line.expandtabs(2)}" for line in bad]

    def tshark(self, file, *more):
        media = "data" if file == self.file else "msrp"
        decode = [f"-d{kind}.port=={port},sip" for port in self.sip_ports for kind in ("udp", "tcp")]
        decode += [f"-dtcp.port=={port},smpp" for port in self.smpp_ports]
        decode += [f"-dtcp.port=={port},{media}" for port in self.msrp_ports]
        decode += [f"-dtcp.port=={port},smtp" for port in self.smtp_ports]
        command = ["tshark", "-n", "-r", str(file), *decode, *more]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def fields_of(*names):
    return ["-T", "fields", *(part for name in names for part in ("-e", name))]


def is_bad(malformed, severities):
    return bool(malformed) or str(SEVERITY_ERROR) in severities.split(",")
