"""The end of a large message or a session at every step of its flow: what the client did, and what may be with the other
side then."""

import asyncio
import dataclasses

import cpm
import judge
import large
import messages
import peers
from bench import QUIET_S
from sessions import SessionBench, invited, within

CUT = "0123456789abcdef"  # of a chunk whose end never comes
EARLY = "taken before the end"
NOTHING, WHOLE, EITHER = "nothing", "all of it", "nothing or all of it"


@dataclasses.dataclass
class Step:
    """`do(client, message)` gives findings; `left` is what the SM-SC has of the message afterwards."""

    name: str
    do: object
    left: str


# --- CPM to SMS


async def opened(client, message, bound=True):
    call = await cpm.Call.to(client, cpm.LARGE, message.recipient, message.id)
    if not call.dialog:
        raise RuntimeError(f"{message.id}: INVITE got {call.response and call.response.start}")
    if bound:
        await call.connect()
    return call


async def bye(call, what):
    response = await call.dialog.bye()
    call.close()
    got = response and response.code
    return [*call.flaws, *([] if got == 200 else [f"{what}: BYE got {response and response.start}"])]


async def cancel(client, message):
    """CANCEL at once: it comes before the 200 or crosses it, and then a BYE is needed (RFC 3261 9.1)."""
    calling = asyncio.create_task(cpm.Call.to(client, cpm.LARGE, message.recipient, message.id))
    mine = lambda: [r for r, _ in client.agent.clients.values() if message.id in r.get("Call-ID")]  # noqa: E731
    while not mine():
        await asyncio.sleep(0)
    cancelling = cpm.cancel_of(client.agent, mine()[0])
    answer = await client.agent.final(await client.agent.transact(cancelling))
    call = await calling
    findings = [] if answer and answer.code in (200, 481) else [f"CANCEL got {answer and answer.start}"]
    if call.dialog:
        return findings + await bye(call, "after CANCEL")
    return findings + ([] if call.response and call.response.code == 487 else [f"INVITE got {call.response.start}"])


async def no_connection(client, message):
    return await bye(await opened(client, message, bound=False), "no connection")


async def only_bound(client, message):
    return await bye(await opened(client, message), "bound")


async def half_sent(client, message):
    call = await opened(client, message)
    await call.send(message.id, message.text, message.requests, 1000, stop_after=3)
    return await bye(call, "half sent")


async def all_but_one(client, message):
    call = await opened(client, message)
    body = cpm.cpim(message.id, message.text, message.requests)
    await call.send(message.id, message.text, message.requests, 500, stop_after=-(-len(body) // 500) - 1)
    return await bye(call, "all but the last chunk")


async def sent_unanswered(client, message):
    """BYE on the heels of the last chunk."""
    call = await opened(client, message)
    sending = asyncio.create_task(call.send(message.id, message.text, message.requests, 4000))
    await asyncio.sleep(0.005)
    findings = await bye(call, "sent, not answered")
    await asyncio.wait([sending], timeout=40)
    return findings


async def answered(client, message):
    code, findings = await large.sent(client, message)
    return findings + ([] if code == 200 else [f"{message.id}: {code}"])


async def cut_off(client, message):
    """The MSRP connection is lost within a chunk; the dialog is not."""
    call = await opened(client, message)
    await call.send(message.id, message.text, message.requests, 1000, stop_after=2)
    call.session.writer.write(f"MSRP {CUT} SEND\r\nTo-Path: ".encode() + call.session.to_path().encode())
    await call.session.writer.drain()
    call.session.cut()
    await asyncio.sleep(0.3)
    if call.dialog.ended.is_set():
        return call.flaws
    return await bye(call, "cut off")


async def aborted(client, message):
    """The client takes its message back with '#' (RFC 4975 7.1.1)."""
    call = await opened(client, message)
    await call.send(message.id, message.text, message.requests, 1000, stop_after=2)
    headers = {"Message-ID": message.id, "Byte-Range": "2001-2001/5000", "Content-Type": cpm.CPIM}
    frame = call.session.request("SEND", headers, b"x", "#")
    call.session.expect(frame)
    call.session.write(frame)
    await asyncio.sleep(0.3)
    return await bye(call, "aborted")


async def unconfirmed(client, message):
    """No ACK ever: the gateway ends the dialog (RFC 3261 13.3.1.4)."""
    session = await client.media()
    invite = client.invite(cpm.LARGE, message.recipient, message.id, cpm.sdp(session, "sendonly", "actpass"))
    response = await client.agent.final(await client.agent.transact(invite))
    dialog = cpm.Dialog.of_client(client.agent, invite, response)
    await within(dialog.ended, 45, "the gateway's BYE for want of an ACK")
    return []


TO_SMS = (
    Step("CANCEL", cancel, NOTHING),
    Step("BYE before the connection", no_connection, NOTHING),
    Step("BYE when bound", only_bound, NOTHING),
    Step("BYE after some chunks", half_sent, NOTHING),
    Step("BYE before the last chunk", all_but_one, NOTHING),
    Step("BYE after the last chunk", sent_unanswered, EITHER),
    Step("BYE after the 200", answered, WHOLE),
    Step("connection lost", cut_off, NOTHING),
    Step("abort", aborted, NOTHING),
    Step("no ACK", unconfirmed, NOTHING),
)


def to_sms(setting):
    """Every step of TO_SMS, all at the same time."""
    wanted = large.long_messages(setting, len(TO_SMS), first=200)
    wanted = [dataclasses.replace(m, recipient=f"{messages.DELIVERED}9{200 + n:06}", requests="") for n, m in enumerate(wanted)]
    with SessionBench(setting) as bench:
        findings = bench.run(all_steps(bench, wanted))
        submits = bench.submits()
        frames, malformed = bench.finish()
        malformed = [finding for finding in malformed if CUT not in finding]
    left = (flaw for step, message in zip(TO_SMS, wanted) for flaw in left_over(step, message, submits))
    judge.demand(findings, left, malformed)
    return f"{len(TO_SMS)} steps, {frames} frames"


async def all_steps(bench, wanted):
    async with bench.user() as client:
        findings = []
        for step, found in zip(TO_SMS, await asyncio.gather(*(step_done(s, client, m) for s, m in zip(TO_SMS, wanted)))):
            findings += [f"{step.name}: {finding}" for finding in found]
        await asyncio.sleep(2.0)
        return findings + client.agent.flaws


async def step_done(step, client, message):
    try:
        return await step.do(client, message)
    except (RuntimeError, asyncio.TimeoutError, ConnectionError) as error:
        return [repr(error)]


def left_over(step, message, submits):
    mine = [submit for submit in submits if submit["dest"] == message.recipient]
    if step.left == NOTHING or (step.left == EITHER and not mine):
        if mine:
            yield f"{step.name}: {len(mine)} segments are with the SM-SC"
        return
    yield from (f"{step.name}: {flaw}" for flaw in judge.segment_flaws(message, mine, whole=True))


# --- SMS to CPM


async def busy(client, server):
    server.respond(486)


async def away(client, server):
    server.respond(480)


async def unknown(client, server):
    server.respond(404)


def gone(message):
    """The answer of a client that has said BYE."""
    return 481


async def bye_at_once(client, server):
    call = await cpm.Call.accept(client, server)
    await within(call.dialog.acked, 10, "the ACK")
    call.session.answer = gone
    await call.dialog.bye()
    return call


async def bye_when_bound(client, server):
    call = await cpm.Call.accept(client, server)
    await within(call.session.bound, 10, "the gateway to connect")
    call.session.answer = gone
    await call.dialog.bye()
    return call


async def stopped(client, server):
    """413 to the message (RFC 4975 10.5)."""
    call = await cpm.Call.accept(client, server)
    call.session.answer = lambda message: 413
    await within(call.dialog.ended, 60, "the gateway's BYE after 413")


async def closed(client, server):
    """The client's connection goes away as soon as it is there."""
    call = await cpm.Call.accept(client, server)
    await within(call.session.bound, 10, "the gateway to connect")
    call.session.cut()
    await within(call.dialog.ended, 60, "the gateway's BYE after the connection was lost")
    return call


FROM_SMS = (busy, away, unknown, bye_at_once, bye_when_bound, stopped, closed)


def to_cpm(setting):
    """The client does one of these to the first INVITE for each message and takes what comes after it: a short message
    whose parts all got ESME_ROK has been taken, and none is taken twice."""
    wanted, parts = large.long_parts(setting, len(FROM_SMS))
    with SessionBench(setting) as bench:
        messages.write_parts(bench.folder / "parts.jsonl", parts)
        got, findings, met = bench.run(all_refused(bench))
        peers.settle(bench.smsc.taken, len(parts), QUIET_S)
        responses = bench.smsc.events("deliver_resp")
        frames, malformed = bench.finish()
    judge.demand(findings, kept(wanted, parts, responses, got, met), malformed)
    count = sum(who != EARLY for who, _ in got)
    return f"{len(FROM_SMS)} steps, {count} delivered all the same, {frames} frames"


async def all_refused(bench):
    got, findings, met = [], [], {}
    async with bench.user() as client:
        bench.smsc.order(deliver=str(bench.folder / "parts.jsonl"), window=64)
        tasks = []
        while True:
            try:
                server = await invited(client, QUIET_S + 8)
            except asyncio.TimeoutError:
                break
            sender = cpm.sender_of(server.request)
            first = sender not in met
            met.setdefault(sender, FROM_SMS[len(met) % len(FROM_SMS)])
            work = done_to(met[sender], client, server, got) if first else taken(client, server, got)
            tasks.append(asyncio.create_task(work))
        for found in await asyncio.gather(*tasks):
            findings += found or []
        return got, findings, {sender: step.__name__ for sender, step in met.items()}


async def taken(client, server, got):
    """What comes after it. A session may end without its message: one connection carries several, and one step cuts it."""
    found = await large.take(client, server, "passive", got)
    return [finding for finding in found if "without a message" not in finding]


async def done_to(step, client, server, got):
    """Does the step; a message that was answered with 200 before the client went on has been delivered, marked as such."""
    try:
        call = await step(client, server)
    except (RuntimeError, asyncio.TimeoutError) as error:
        return [f"{step.__name__}: {error}"]
    while call and not call.session.messages.empty():
        message = call.session.messages.get_nowait()
        if message.code == 200:
            got.append((cpm.sender_of(server.request), cpm.Wrapped(message.body).text()))
            got.append((EARLY, cpm.sender_of(server.request)))
    return []


def kept(wanted, parts, responses, got, met):
    taken = {(response["key"], response["part"]) for response in responses if response["status"] == 0}
    for sender, text in wanted.items():
        numbers = {part["part"] for part in parts if part["key"] == sender}
        all_taken = all((sender, number) in taken for number in numbers)
        found = [each for who, each in got if who == sender]
        # The 200 and what ended the session travel on different roads: the gateway may see the end first.
        most = 2 if (EARLY, sender) in got else 1
        if all_taken and set(found) != {text}:
            yield f"from {sender}: ESME_ROK to every part, and it came {len(found)} times ({met[sender]})"
        if len(found) > most:
            yield f"from {sender}: came {len(found)} times ({met[sender]})"
