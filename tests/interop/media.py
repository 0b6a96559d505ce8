"""Messages of many sizes between two MSRP endpoints, in chunks of many sizes."""

import asyncio
import hashlib
import random

import msrp

TYPE = "application/octet-stream"
# (octets of the message, octets of a chunk)
SIZES = ((0, 2048), (1, 1), (1, 2048), (1300, 1), (1301, 1), (1300, 1300), (1301, 1300), (65536, 63), (65536, 2048))
SIZES += ((65536, 7999), (10_000_000, 2048), (10_000_000, 8000))
LARGEST_S_MAX = 120


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
    if report.get("Status") != "000 200 OK" or report.get("Message-ID") != message_id:
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
