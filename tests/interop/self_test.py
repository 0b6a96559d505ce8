"""The peers of the session scenarios against each other, without a gateway: what this finds is the suite's own fault."""

import asyncio

import cpm
import judge
import media
import msrp
import peers
from sessions import CLIENT, SessionBench, invited, within

OTHER = "4915559900002"
TEXT = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. " * 80


def bytes_of_all_sizes(setting):
    """Two MSRP endpoints through Kamailio's relay, and directly: byte for byte."""
    with SessionBench(setting, through="kamailio", gatewayless=True) as bench:
        findings, count = bench.run(all_sizes(bench, media.chance_of(setting)))
        findings += bench.core_flaws()
        frames, malformed = bench.finish()
    judge.demand(findings, malformed)
    return f"{count} messages, {frames} frames"


async def all_sizes(bench, chance):
    listener = msrp.Listener(bench.client_media)
    await listener.start()
    findings, count = [], 0
    for relay in (bench.relay, None):
        first, second, bound = await media.joined(relay, listener)
        bodies, found = await media.carried(first, second, media.SIZES, chance)
        findings += found
        if relay:
            chunks = {f"size.{number}": chunk for number, (_, chunk) in enumerate(media.SIZES)}
            findings += media.understood(bodies, bench.core.handled(), chunks)
        for source, sink in ((first, second), (second, first)):
            more, found = await media.interleaved(source, sink, chance)
            findings, count = findings + found, count + len(more)
        count += len(bodies)
        findings += [*first.flaws, *second.flaws, *([] if bound == 200 else [f"bound with {bound}"])]
        first.close()
    listener.stop()
    return findings, count


def engine(setting, side, through):
    """The gateway's MSRP engine on a socket, as an echo, on the passive or the active side; behind the relay or not."""
    echoed = media.ECHOED if through else media.ECHOED | media.ECHOED_DIRECTLY
    with SessionBench(setting, through=through, gatewayless=True) as bench:
        findings, count = [], 0
        for chunk, sizes in echoed.items():
            found, lines = bench.run(echo(bench, side, chunk, sizes, media.chance_of(setting)))
            findings += found + [line for line in lines if line.startswith(("broken", "thread", "Discarded", "Closed"))]
            delivered = sum("Sent" in line and "Delivered" in line for line in lines)
            count += len(sizes)
            findings += judge.holds(delivered == len(sizes) + 8, f"in chunks of {chunk}: {delivered} delivered")
        findings += bench.core_flaws()
        frames, malformed = bench.finish()
    judge.demand(findings, malformed)
    return f"{count} messages there and back, {frames} frames"


async def echo(bench, side, chunk, sizes, chance):
    """(findings, what the echo said)."""
    listener = msrp.Listener(bench.client_media)
    await listener.start()
    session = listener.session()
    if bench.relay:
        await session.use_relay(bench.relay)
    process = peers.MsrpEcho(bench.folder, bench.media, session.path(), chunk, side == "passive")
    session.peer = [process.uri]
    if side == "passive":
        if not bench.relay:
            await session.connect()
        bound = await session.bind()
    else:
        # Behind the relay a connection is there before the echo is: only its own SEND says that it can be reached.
        await within(session.heard, 10, "the echo to bind")
        bound = 200
    bodies, findings = await media.echoed(session, sizes, chunk, chance)
    findings += await media.echoed_between(session, chunk, chance)
    if bench.relay:
        findings += media.understood_twice(bodies, bench.core.handled(), sizes, chunk)
    findings += [] if bound == 200 else [f"bound with {bound}"]
    await asyncio.sleep(0.2)
    session.close()
    listener.stop()
    await asyncio.sleep(0.2)
    return findings + session.flaws, process.stop()


def dialogs(setting, transport):
    """Two CPM clients through Kamailio: large messages and a chat, refreshed and ended from both sides, and refusals."""
    with SessionBench(setting, through="kamailio", transport=transport, gatewayless=True) as bench:
        findings = bench.run(all_dialogs(bench)) + bench.core_flaws()
        frames, malformed = bench.finish()
    judge.demand(findings, malformed)
    return f"5 dialogs, {frames} frames"


async def all_dialogs(bench):
    async with bench.user() as client, bench.other(OTHER) as other:
        client.relay = other.relay = None
        flaws = []
        for caller, called, setup in ((client, other, "passive"), (other, client, "active")):
            flaws += await large(caller, called, setup)
        client.relay = bench.relay
        flaws += await chat(client, other)
        flaws += await refused(client, other)
        flaws += await cancelled(client, other)
        await asyncio.sleep(1)
        return flaws + client.agent.flaws + other.agent.flaws


async def established(caller, called, service, setup):
    """(the caller's call, the called's), with MSRP bound."""
    calling = asyncio.create_task(cpm.Call.to(caller, service, called.number, "m1-1"))
    server = await invited(called)
    answers = [("Conversation-ID", "c-m1-1"), ("Contribution-ID", "d-m1-1"), ("Server", "IWF/OMA1.0")]
    answers += [("P-Asserted-Identity", f"<tel:+{called.number}>"), ("Supported", "timer")]
    answers += [("Session-Expires", "1800;refresher=uac")] if service == cpm.SESSION else []
    there = await cpm.Call.accept(called, server, setup, more=answers)
    here = await calling
    active = there if setup == "active" else here
    bound = await active.connect()
    await within((here if active is there else there).session.bound, 10, "the other side to be bound")
    here.flaws = [flaw for flaw in here.flaws if "setup:active" not in flaw]
    there.flaws += [] if bound == 200 else [f"bound with {bound}"]
    return here, there


async def large(caller, called, setup):
    here, there = await established(caller, called, cpm.LARGE, setup)
    codes = await here.send("m1-1", TEXT, "positive-delivery")
    message = await there.received()
    await here.dialog.bye()
    await within(there.dialog.ended, 10, "a BYE")
    here.close()
    same = message.text() == TEXT and message.id == "m1-1" and set(codes) == {200}
    return here.all_flaws() + there.all_flaws() + ([] if same else ["the large message differs"])


async def chat(client, other):
    here, there = await established(client, other, cpm.SESSION, "passive")
    flaws = []
    for number in range(20):
        source, sink = (here, there) if number % 2 else (there, here)
        await source.send(f"m1-{number}", TEXT[: number * 20 + 1])
        got = await sink.received()
        flaws += [] if got.text() == TEXT[: number * 20 + 1] else [f"chat message {number} differs"]
    for call in (here, there):
        for method, body in (("UPDATE", b""), ("INVITE", here.offer if call is here else there.request.body)):
            kind = [("Content-Type", "application/sdp")] if body else []
            timer = [("Session-Expires", "1800;refresher=uac"), ("Supported", "timer"), ("Contact", call.client.agent.contact())]
            response = await call.dialog.ask(method, [*timer, *kind], body)
            flaws += [] if response and response.code == 200 else [f"{method} got {response and response.start}"]
    await there.dialog.bye([("Reason", 'SIP;cause=480;text="Bearer unavailable"')])
    await within(here.dialog.ended, 10, "a BYE")
    here.close()
    return flaws + here.all_flaws() + there.all_flaws()


async def refused(client, other):
    calling = asyncio.create_task(cpm.Call.to(client, cpm.SESSION, OTHER, "m1-2"))
    (await invited(other)).respond(488, [("Warning", '305 gw.example.net "Incompatible media format"')])
    call = await calling
    return [] if call.response.code == 488 else [f"488 came as {call.response.start}"]


async def cancelled(client, other):
    client.relay = None
    calling = asyncio.create_task(cpm.Call.to(client, cpm.SESSION, OTHER, "m1-3"))
    server = await invited(other)
    server.respond(180)
    await asyncio.sleep(0.2)
    invite = next(request for request, _ in client.agent.clients.values() if "m1-3" in request.get("Call-ID"))
    answer = await client.agent.final(await client.agent.transact(cpm.cancel_of(client.agent, invite)))
    call = await calling
    codes = answer and answer.code, call.response and call.response.code
    return [] if codes == (200, 487) else [f"CANCEL and INVITE got {codes}"]
