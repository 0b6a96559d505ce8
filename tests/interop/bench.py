"""What every scenario runs on: a gateway, its peers, and a capture of what they say."""

import contextlib

import capture
import peers
from gateway import SECOND_SMSC, Gateway

QUIET_S = 12  # so long without news, nothing more comes; longer than the gateway holds a report that it cannot place


class Bench:
    """A gateway between an SM-SC and a core, with everything on the wire recorded."""

    def __init__(
        self,
        setting,
        core="python",
        relayed=False,
        gatewayless=False,
        smsc=None,
        second=False,
        captured=True,
        **gateway,
    ):
        self.setting, self.folder, self.relayed = setting, setting.folder, relayed
        self.sip, self.hop, self.smpp, self.client, self.behind, self.admin, self.front, spare = peers.free_ports(8)
        self.smsc = peers.Smsc(self.folder, self.smpp, **(smsc or {}))
        self.second = peers.Smsc(self.folder, spare, name="second") if second else None
        if second:
            gateway |= {"more": SECOND_SMSC, "second": spare}
        ports = {"sip": self.sip, "next_hop": self.hop, "smpp": self.smpp, "admin": self.admin}
        self.gateway = None if gatewayless else Gateway(setting.binary, self.folder, **ports, **gateway)
        self.kind, self.relays, self.stack = core, [], contextlib.ExitStack()
        smpp = [self.smpp, spare] if second else [self.smpp]
        watched = setting.capture and captured
        self.capture = capture.Capture(self.folder, [self.sip, self.hop], smpp) if watched else None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            if self.capture:
                self.capture.start()
                stack.callback(self.capture.process.kill)
            self.core = self.start_core()
            stack.callback(self.core.stop)
            self.start_relays(stack)
            for smsc in self.smscs():
                smsc.start()
                stack.callback(smsc.stop)
            self.start_gateway(stack)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def smscs(self):
        return [smsc for smsc in (self.smsc, self.second) if smsc]

    def submits(self):
        return [event for smsc in self.smscs() for event in smsc.events("submit")]

    def start_gateway(self, stack):
        if self.gateway:
            self.gateway.start()
            stack.callback(self.gateway.kill)

    def restart_gateway(self):
        """As after a crash: nothing is finished, what is on disk is all that is left."""
        self.gateway.kill()
        self.gateway.start()

    def start_core(self):
        kind = peers.SippCore if self.kind == "sipp" else peers.Core
        return kind(self.folder, self.behind if self.relayed else self.hop, self.hop)

    def start_relays(self, stack):
        if not self.relayed:
            return
        for name, port, target in (("relay_in", self.front, self.sip), ("relay_out", self.hop, self.behind)):
            self.relays.append(peers.Relay(self.folder, name, port, target, self.setting.seed))
            stack.callback(self.relays[-1].child.stop)

    def client_for(self, sent, transport="udp", form="tel", **more):
        target = self.front if self.relayed else self.sip
        client = peers.SippClient(self.folder, sent, self.client, target, transport, form, **more)
        self.stack.callback(client.stop)
        return client

    def finish(self):
        """SIGTERM to the gateway, then tshark: (frames, findings)."""
        findings = [*self.gateway.stop(), *self.gateway.indiscretions()] if self.gateway else []
        if not self.capture:
            return 0, findings
        self.capture.stop()
        frames, malformed = self.capture.findings()
        return frames, findings + malformed

    def wait_reports(self, accepted):
        wanted = sum(len(message.reports()) for message in accepted)
        peers.settle(self.core.count, wanted, QUIET_S)
