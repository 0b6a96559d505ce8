"""The ground of scenarios with sessions: CPM clients with MSRP on one side of the gateway, the SM-SC on the other."""

import asyncio
import contextlib

import capture
import cpm
import msrp
import peers
from bench import Bench
from kamailio import Kamailio
from ua import Agent

FLOW_S_MAX = 300
MSRP = '[msrp]\nlisten = ["tcp://127.0.0.1:{msrp}"]\n'
CLIENT = "4915559900001"


class NoCore:
    """Stands where the core is: the client's own agent does its work."""

    def stop(self):
        pass


class SessionBench(Bench):
    """As Bench, but the client's agent is the core; `through` is "kamailio" or None."""

    def __init__(self, setting, through=None, transport="udp", more="", **others):
        self.media, self.client_media, self.relay_media, self.outside = peers.free_ports(4)
        self.through, self.transport = through, transport
        if not others.get("gatewayless"):
            others |= {"msrp": self.media, "more": MSRP.format(msrp=self.media) + more}
        super().__init__(setting, core=None, **others)
        if self.capture:
            sip = [self.sip, self.hop, *([self.outside] if through else [])]
            media = [self.media, self.client_media, *([self.relay_media] if through else [])]
            self.capture = capture.Capture(self.folder, sip, self.capture.smpp_ports, media)

    def start_core(self):
        if not self.through:
            return NoCore()
        return Kamailio(self.folder, self.outside, self.hop, self.relay_media, self.sip, self.behind)

    @property
    def relay(self):
        return self.core.uri if self.through else None

    @contextlib.asynccontextmanager
    async def user(self, number=CLIENT):
        """A CPM client where the gateway's next hop is, or behind what is there."""
        hidden = self.through or self.relayed
        target = self.outside if self.through else self.front if self.relayed else self.sip
        reached_at = self.hop if self.relayed else None
        agent = Agent(self.behind if hidden else self.hop, target, self.transport, reached_at)
        async with started(agent, msrp.Listener(self.client_media)) as listener:
            yield cpm.Client(agent, listener, number, self.relay)

    @contextlib.asynccontextmanager
    async def other(self, number):
        """A CPM client in the gateway's place."""
        agent = Agent(self.sip, self.hop, self.transport)
        async with started(agent, msrp.Listener(self.media)) as listener:
            yield cpm.Client(agent, listener, number)

    def core_flaws(self):
        return self.core.flaws() if self.through else []

    def run(self, flow, limit_s=FLOW_S_MAX):
        return asyncio.run(asyncio.wait_for(flow, limit_s))


@contextlib.asynccontextmanager
async def started(agent, listener):
    await agent.start()
    await listener.start()
    try:
        yield listener
    finally:
        agent.stop()
        listener.stop()


async def invited(client, limit_s=30):
    return await asyncio.wait_for(client.agent.invited.get(), limit_s)


async def within(event, limit_s, what):
    try:
        await asyncio.wait_for(event.wait(), limit_s)
    except asyncio.TimeoutError:
        raise RuntimeError(f"waited {limit_s} s for {what}") from None
