"""A UDP relay that loses, doubles and reorders datagrams in both directions, as a bad network does.

Arguments: listen port, target port, seed, and the fractions lost, doubled and delayed. What it did it prints as one
JSON line when it is terminated.
"""

import asyncio
import json
import random
import signal
import sys

DELAY_S_MAX = 0.040


class Relay:
    """Decides the fate of each datagram; the seed makes it the same again for the same order of arrival."""

    def __init__(self, target, seed, lost, doubled, delayed):
        self.target, self.lost, self.doubled, self.delayed = target, lost, doubled, delayed
        self.random = random.Random(seed)
        self.upstreams = {}
        self.counts = {"passed": 0, "lost": 0, "doubled": 0, "delayed": 0}

    def forward(self, send):
        """Calls `send` not at all, once or twice, now or later."""
        if self.random.random() < self.lost:
            self.counts["lost"] += 1
            return
        copies = 1
        if self.random.random() < self.doubled:
            self.counts["doubled"] += 1
            copies = 2
        for _ in range(copies):
            self.counts["passed"] += 1
            if self.random.random() < self.delayed:
                self.counts["delayed"] += 1
                asyncio.get_running_loop().call_later(self.random.uniform(0.001, DELAY_S_MAX), send)
            else:
                send()


class Downstream(asyncio.DatagramProtocol):
    """The side the clients see."""

    def __init__(self, relay):
        self.relay = relay

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        asyncio.get_running_loop().create_task(self.pass_on(data, peer))

    async def pass_on(self, data, peer):
        pending = self.relay.upstreams.get(peer)
        if pending is None:
            loop = asyncio.get_running_loop()
            pending = loop.create_task(
                loop.create_datagram_endpoint(
                    lambda: Upstream(self, peer), remote_addr=("127.0.0.1", self.relay.target)
                )
            )
            self.relay.upstreams[peer] = pending
        transport, _ = await pending
        self.relay.forward(lambda: transport.sendto(data))


class Upstream(asyncio.DatagramProtocol):
    """One socket per client, so that the target's answers find their way back."""

    def __init__(self, downstream, peer):
        self.downstream, self.peer = downstream, peer

    def datagram_received(self, data, _):
        self.downstream.relay.forward(lambda: self.downstream.transport.sendto(data, self.peer))

    def error_received(self, _):
        """The target is not there; that is a loss like any other."""


async def main():
    port, target, seed = map(int, sys.argv[1:4])
    relay = Relay(target, seed, *map(float, sys.argv[4:7]))
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Downstream(relay), local_addr=("127.0.0.1", port))
    done = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, done.set)
    print("ready", flush=True)
    await done.wait()
    print(json.dumps(relay.counts), flush=True)


asyncio.run(main())
