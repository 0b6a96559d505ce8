"""Captures on the loopback interface, judged by tshark."""

import subprocess
import tempfile
import time

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

    def __init__(self, folder, sip_ports, smpp_ports):
        self.file, self.log = folder / "capture.pcapng", folder / "dumpcap.log"
        self.sip_ports, self.smpp_ports = sip_ports, smpp_ports

    def start(self):
        ports = " or ".join(f"port {port}" for port in [*self.sip_ports, *self.smpp_ports])
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
        lines = self.tshark(
            "-T",
            "fields",
            "-e",
            "frame.number",
            "-e",
            "_ws.malformed",
            "-e",
            "_ws.expert.severity",
            "-e",
            "_ws.col.Protocol",
            "-e",
            "_ws.expert.message",
        )
        bad = [line for line in lines if is_bad(*line.split("\t")[1:3])]
        return len(lines), [f"tshark: frame {line.expandtabs(2)}" for line in bad]

    def tshark(self, *more):
        decode = [f"-d{kind}.port=={port},sip" for port in self.sip_ports for kind in ("udp", "tcp")]
        decode += [f"-dtcp.port=={port},smpp" for port in self.smpp_ports]
        command = ["tshark", "-n", "-r", str(self.file), *decode, *more]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def is_bad(malformed, severities):
    return bool(malformed) or str(SEVERITY_ERROR) in severities.split(",")
