"""What sessions agree on: their timers (RFC 4028), what the SMS user says when he is asked (IWF V3.0 6.1.4, Tables 4 and 5),
and what strangers on the media port get (RFC 4975 10)."""

import asyncio

import cpm
import judge
import large
import messages
import msrp
import texts
from sessions import SessionBench, within
from sipmsg import Request

ASK = '[policy.sessions]\ninvitation = "ask"\n'
INTERVAL_S = 90  # the least that RFC 4028 allows


def timers(setting):
    """The gateway refreshes when it is to; it ends a session that the client does not refresh; 422 to a short interval."""
    with SessionBench(setting) as bench:
        findings = bench.run(all_timers(bench))
        frames, malformed = bench.finish()
    judge.demand(findings, malformed)
    return f"3 sessions, {frames} frames"


async def all_timers(bench):
    async with bench.user() as client:
        found = await asyncio.gather(refreshed(client), neglected(client), too_short(client))
        return [flaw for each in found for flaw in each] + client.agent.flaws


async def invited_with(client, recipient, name, expires):
    return await cpm.Call.to(client, cpm.SESSION, recipient, name, more=[("Session-Expires", expires)])


async def refreshed(client):
    call = await invited_with(client, "491718100001", "timer-1", f"{INTERVAL_S};refresher=uas")
    await call.connect()
    for _ in range(INTERVAL_S * 10):
        if call.dialog.refreshes or call.dialog.ended.is_set():
            break
        await asyncio.sleep(0.1)
    findings = [] if call.dialog.refreshes else ["the gateway did not refresh"]
    findings += [] if not call.dialog.ended.is_set() else ["the gateway ended what it was to refresh"]
    response = await call.dialog.bye()
    call.close()
    return findings + call.all_flaws() + ([] if response.code == 200 else [f"BYE got {response.start}"])


async def neglected(client):
    """BYE a third of the interval, or 32 s, before it is over (RFC 4028 10)."""
    call = await invited_with(client, "491718100002", "timer-2", f"{INTERVAL_S};refresher=uac")
    await call.connect()
    await within(call.dialog.ended, INTERVAL_S + 5, "a BYE for want of a refresh")
    call.close()
    return call.all_flaws()


async def too_short(client):
    call = await invited_with(client, "491718100003", "timer-3", "60;refresher=uac")
    if call.response and call.response.code == 422 and call.response.get("Min-SE"):
        return []
    return [f"Session-Expires 60 got {call.response and call.response.start}, Min-SE {call.response.get('Min-SE')!r}"]


def asked(setting):
    """One SMS user says yes, one says no, one says nothing and the client takes the invitation back."""
    with SessionBench(setting, more=ASK) as bench:
        findings = bench.run(all_asked(bench))
        frames, malformed = bench.finish()
    judge.demand(findings, malformed)
    return f"3 invitations, {frames} frames"


async def all_asked(bench):
    async with bench.user() as client:
        found = await asyncio.gather(
            answered_with(bench, client, "491718200001", "yes", 200),
            answered_with(bench, client, "491718200002", "No!", 603),
            taken_back(bench, client, "491718200003"),
        )
        return [flaw for each in found for flaw in each] + client.agent.flaws


async def question_to(bench, recipient):
    """The question, when it is with the SM-SC."""
    for _ in range(100):
        for submit in bench.submits():
            if submit["dest"] == recipient:
                return submit, texts.decode(submit["data_coding"], texts.segment_number(submit)[3])
        await asyncio.sleep(0.1)
    raise RuntimeError(f"no question to {recipient}")


def says(bench, recipient, dest, text):
    part = {**texts.cut(text, "sar", 1)[0], "key": f"{recipient}/{text}", "source": recipient, "dest": dest}
    file = bench.folder / f"says_{recipient}.jsonl"
    messages.write_parts(file, [part])
    bench.smsc.order(deliver=str(file), window=1)


async def answered_with(bench, client, recipient, word, code):
    calling = asyncio.create_task(cpm.Call.to(client, cpm.SESSION, recipient, f"ask-{word[0].lower()}"))
    submit, question = await question_to(bench, recipient)
    findings = [] if client.number in question and "YES" in question else [f"the question is {question!r}"]
    says(bench, recipient, submit["source"], word)
    call = await calling
    if 180 not in [response.code for response in call.provisional]:
        findings.append(f"{word}: provisional responses {[response.code for response in call.provisional]}")
    got = call.response and call.response.code
    if got != code:
        return [*findings, f"{word}: the INVITE got {got}, not {code}"]
    return findings + (await talked(bench, call, recipient) if call.dialog else [])


async def talked(bench, call, recipient):
    await call.connect()
    codes = await call.send("ask-1-1", "hello")
    response = await call.dialog.bye()
    call.close()
    told = [texts.decode(s["data_coding"], texts.segment_number(s)[3]) for s in bench.submits() if s["dest"] == recipient]
    findings = [] if any("hello" in text for text in told) and codes == [200] else [f"hello got {codes}, {told}"]
    return findings + call.all_flaws() + ([] if response.code == 200 else [f"BYE got {response.start}"])


async def taken_back(bench, client, recipient):
    calling = asyncio.create_task(cpm.Call.to(client, cpm.SESSION, recipient, "ask-0"))
    submit, _ = await question_to(bench, recipient)
    await asyncio.sleep(0.5)
    invite = next(request for request, _ in client.agent.clients.values() if "ask-0" in request.get("Call-ID"))
    answer = await client.agent.final(await client.agent.transact(cpm.cancel_of(client.agent, invite)))
    call = await calling
    codes = answer and answer.code, call.response and call.response.code
    findings = [] if codes == (200, 487) else [f"CANCEL and INVITE got {codes}"]
    says(bench, recipient, submit["source"], "yes")  # too late: a short message like any other
    for _ in range(100):
        if any(recipient in Request(request.octets).headers["From"] for request in client.agent.requests):
            return findings
        await asyncio.sleep(0.1)
    return [*findings, "what came after the CANCEL is no pager message"]


def strangers(setting):
    """Requests for no session of ours, on the media port, while others use it."""
    wanted = large.long_messages(setting, 4, first=300)
    with SessionBench(setting, captured=False) as bench:
        (outcomes, requests, flaws), findings = bench.run(both(bench, wanted))
        findings += [flaw for _, found in outcomes.values() for flaw in found] + flaws
        return large.judge_to_sms(bench, wanted, large.answers_of(outcomes), requests, findings)


async def both(bench, wanted):
    return await asyncio.gather(large.all_sent(bench, wanted, 2), all_strange(bench.media))


async def all_strange(port):
    findings = []
    for what, octets, code in strange(port):
        got = await asyncio.wait_for(said_to(port, octets), 20)
        findings += [] if got in code else [f"{what}: {got}, not {code}"]
    return findings


def strange(port):
    """(what it is, octets, the codes that will do; 0 is a closed connection without any)."""
    ours, theirs = f"msrp://127.0.0.1:{port}/nobody;tcp", "msrp://127.0.0.1:9/me;tcp"
    paths = f"To-Path: {ours}\r\nFrom-Path: {theirs}\r\n"
    end = "-------0123456789abcdef$\r\n"
    body = "Message-ID: m1\r\nByte-Range: 1-5/5\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    start = "MSRP 0123456789abcdef"
    yield "SEND to no session", f"{start} SEND\r\n{paths}{body}{end}", (481,)
    yield "an empty SEND to no session", f"{start} SEND\r\n{paths}Message-ID: m2\r\nByte-Range: 1-0/0\r\n{end}", (481,)
    yield "AUTH", f"{start} AUTH\r\n{paths}{end}", (403, 481, 501)
    yield "an unknown method", f"{start} DANCE\r\n{paths}{end}", (481, 501)
    yield "no From-Path", f"{start} SEND\r\nTo-Path: {ours}\r\n{body}{end}", (0, 400)
    yield "another protocol", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", (0,)
    yield "endless headers", f"{start} SEND\r\n{paths}" + "X: y\r\n" * 40_000, (0, 400, 413)
    yield "a head that stops", f"{start} SEND\r\nTo-Pa", (0,)


async def said_to(port, octets):
    """The code of the first response, 0 if the connection is closed instead."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    frames = msrp.Frames()
    try:
        writer.write(octets.encode())
        await writer.drain()
        while received := await reader.read(msrp.READ_BYTES):
            for frame in frames.feed(received):
                return frame.code
        return 0
    except ConnectionError:
        return 0
    finally:
        writer.close()
