"""Messages of many sizes between two MSRP endpoints, in chunks of many sizes."""

import asyncio
import hashlib
import random

import msrp

TYPE = "application/octet-stream"
# (octets of the message, octets of a chunk)
SIZES = ((0, 2048), (1, 1), (1, 2048), (1300, 1), (1301, 1), (1300, 1300), (1301, 1300), (65536, 63), (65536, 2048))
SIZES += ((65536, 7999), (10_000_000, 2048), (10_000_000, 8000))
LARGEST_S_MAX = 60

# Octets in a chunk of the engine's -> the messages that it sends back, in what chunks they come to it.
ECHOED = {
    1: ((0, 2048), (1, 1), (1300, 1), (1301, 1), (1301, 1300)),
    2048: ((0, 2048), (1, 1), (1300, 1300), (1301, 1300), (65536, 63), (65536, 2048), (10_000_000, 2048)),
    8000: ((1300, 1), (65536, 7999), (10_000_000, 8000)),
}
# What the relay does not take.
ECHOED_DIRECTLY = {65536: ((65536, 65536), (10_000_000, 65536), (10_000_000, 10_000_000))}


async def joined(relay, listener):
    """Two sessions that know each other; the first is behind the relay and is the active side."""
    first, second = msrp.Session(listener.port + 1), listener.session()
    if relay:
        await first.use_relay(relay)
    first.peer, second.peer = [second.uri], first.path().split()
    if not relay:
        await first.connect()
    bound = await first.bind()
    await asyncio.wait_for(second.bound.wait(), LARGEST_S_MAX)
    return first, second, bound


def octets(count, chance):
    """Octets that look like an end-line now and then."""
    body = bytearray(chance.randbytes(count))
    for _ in range(count // 5000):
        line = b"\r\n-------%016x$\r\n" % chance.randrange(1 << 64)
        at = chance.randrange(count - len(line))
        body[at : at + len(line)] = line
    return bytes(body)


async def carried(first, second, sizes, chance):
    """Sends messages of all sizes, both ways in turn: (the bodies by Message-ID, findings)."""
    bodies, findings = {}, []
    for number, (count, chunk) in enumerate(sizes):
        source, sink = (first, second) if number % 2 else (second, first)
        body, message_id = octets(count, chance), f"size.{number}"
        bodies[message_id] = body
        codes = await source.send(TYPE, body, chunk, message_id, Success_Report="yes")
        findings += [f"{count} octets in chunks of {chunk}: {code}" for code in set(codes) - {200}]
        findings += await checked(source, sink, body, message_id)
    return bodies, findings


async def checked(source, sink, body, message_id):
    message = await asyncio.wait_for(sink.messages.get(), LARGEST_S_MAX)
    report = await asyncio.wait_for(source.reports.get(), LARGEST_S_MAX)
    if message.id != message_id or message.body != body:
        return [f"{message_id}: {len(message.body)} octets came of {len(body)}, or they differ"]
    if report.get("Status").split()[:2] != ["000", "200"] or report.get("Message-ID") != message_id:
        return [f"{message_id}: REPORT {report.get('Status')} about {report.get('Message-ID')}"]
    return []


async def interleaved(source, sink, chance, count=12):
    """Messages whose chunks come between each other's."""
    bodies = {f"between.{number}": octets(chance.randrange(1, 40_000), chance) for number in range(count)}
    sent = (
        source.send(TYPE, body, chance.choice((100, 1000, 2048)), message_id, star=bool(number % 2))
        for number, (message_id, body) in enumerate(bodies.items())
    )
    codes = {code for each in await asyncio.gather(*sent) for code in each}
    got = {}
    for _ in bodies:
        message = await asyncio.wait_for(sink.messages.get(), LARGEST_S_MAX)
        got[message.id] = message.body
    findings = [f"interleaved: {message_id} differs" for message_id in bodies if got.get(message_id) != bodies[message_id]]
    return bodies, findings + [f"interleaved: {code}" for code in codes - {200}]


async def echoed(session, sizes, chunk, chance):
    """Sends messages to an echo that answers in chunks of its own size: (the bodies by Message-ID, findings)."""
    bodies, findings = {}, []
    for number, (count, ours) in enumerate(sizes):
        body, message_id = octets(count, chance), f"echo.{chunk}.{number}"
        bodies[message_id] = body
        codes = await session.send(TYPE, body, ours, message_id, Success_Report="yes")
        findings += [f"{count} octets in chunks of {ours}: {code}" for code in set(codes) - {200}]
        findings += await checked(session, session, body, message_id)
    return bodies, findings


async def echoed_between(session, chunk, chance, count=8):
    """Messages sent at the same time; they come back in any order, their chunks between each other's."""
    most = min(40_000, 100 * chunk)
    bodies = {f"between.{number}": octets(chance.randrange(1, most), chance) for number in range(count)}
    await asyncio.gather(*(session.send(TYPE, body, 1000, message_id) for message_id, body in bodies.items()))
    got = [await asyncio.wait_for(session.messages.get(), LARGEST_S_MAX) for _ in bodies]
    got = {message.id: message.body for message in got}
    return [f"interleaved: {message_id} differs" for message_id in bodies if got.get(message_id) != bodies[message_id]]


def understood(bodies, handled, chunk_of):
    """What the relay said that it saw in each message is what was sent: octets and digest of every body."""
    for message_id, body in bodies.items():
        seen = handled.get(message_id, [])
        wanted = [piece for _, piece, _ in msrp.pieces(body, chunk_of[message_id])]
        digests = [(len(piece) + 2, hashlib.md5(piece + b"\r\n").hexdigest()) for piece in wanted]
        if seen != digests:
            yield f"the relay saw {len(seen)} bodies in {message_id}, not the {len(wanted)} that were sent"


def chance_of(setting):
    return random.Random(f"media/{setting.seed}")


def understood_twice(bodies, handled, sizes, chunk):
    """The same of messages that went there in chunks of `sizes` and came back in chunks of the other side's."""
    for (message_id, body), (_, ours) in zip(bodies.items(), sizes):
        pieces = [piece for size in (ours, chunk) for _, piece, _ in msrp.pieces(body, size)]
        digests = sorted((len(piece) + 2, hashlib.md5(piece + b"\r\n").hexdigest()) for piece in pieces)
        if sorted(handled.get(message_id, [])) != digests:
            yield f"the relay saw {len(handled.get(message_id, []))} bodies in {message_id}, not {len(digests)}, or others"
