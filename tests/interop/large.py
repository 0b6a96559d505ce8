"""Large messages through the gateway: CPM to SMS (IWF V3.0 6.1.2, 6.2.2.1) and SMS to CPM (6.2.2.2.3)."""

import asyncio
import random

import cpm
import judge
import messages
import peers
import texts
from bench import QUIET_S
from sessions import CLIENT, SessionBench, within
from sipmsg import Notification, Request

CHARACTERS = 5000
PARTS = 40
CHUNKS = (2048, 700, 8000, 1, 1300, 64, 4000, 10)
RUN_S_MAX = 240


def long_text(index, seed, characters):
    """A text in one script; of no character that would make a cut text hard to read."""
    turns = range(index % 5, index % 5 + 5 * characters, 5)
    text = ""
    for turn in turns:
        if len(text) >= characters:
            break
        text += texts.text_of(turn, seed)
    return texts.fill(text[:characters])


def long_messages(setting, count, first=0, characters=CHARACTERS):
    return [
        messages.Message(
            id=f"L{setting.seed}-{first + index}",
            sender=CLIENT,
            recipient=f"{messages.OUTCOMES[index % len(messages.OUTCOMES)]}9{first + index:06}",
            text=long_text(first + index, setting.seed, characters),
            requests=messages.REQUESTS[index % len(messages.REQUESTS)],
        )
        for index in range(count)
    ]


# --- CPM to SMS


async def sent(client, message, chunk=2048, **more):
    """(the last code, findings): 200 if the gateway took all of it, else what it said to the INVITE or to a chunk."""
    call = await cpm.Call.to(client, cpm.LARGE, message.recipient, message.id, **more)
    if not call.dialog:
        return call.response.code if call.response else 408, call.flaws
    bound = await call.connect()
    if bound != 200:
        return bound, [*call.all_flaws(), f"{message.id}: bound with {bound}"]
    reported = {"Success_Report": "yes"} if client.relay else {}
    codes = await call.send(message.id, message.text, message.requests, chunk, **reported)
    code = await told_by_report(call) if client.relay else codes[-1]
    early = [f"{message.id}: a chunk before the last got {each}" for each in set(codes[:-1]) - {200}]
    return code, [*early, *await ended(call, message, code), *call.all_flaws()]


async def told_by_report(call):
    """Behind a relay the responses are the relay's; the gateway's word is its REPORT."""
    try:
        report = await asyncio.wait_for(call.session.reports.get(), RUN_S_MAX)
    except asyncio.TimeoutError:
        return 408
    return int(report.get("Status").split()[1])


async def ended(call, message, code):
    """BYE from the client after a 200, from the gateway after anything else (IWF V3.0 6.2.3, B)."""
    if code == 200:
        response = await call.dialog.bye()
        call.close()
        return list(bye_flaws(message, response))
    try:
        await asyncio.wait_for(call.dialog.ended.wait(), 40)
    except asyncio.TimeoutError:
        return [f"{message.id}: {code}, and no BYE"]
    finally:
        call.close()
    reason = call.dialog.bye_request.get("Reason")
    return [] if "cause=480" in reason.replace(" ", "") else [f"{message.id}: BYE with Reason {reason!r}"]


def bye_flaws(message, response):
    """IWF V3.0 6.2.4."""
    if response is None or response.code != 200:
        yield f"{message.id}: BYE got {response and response.start}"
    elif response.get("Message-Context") != "pager-message" or not response.get("Message-Correlator"):
        got = response.get("Message-Context"), response.get("Message-Correlator")[:40]
        yield f"{message.id}: 200 to BYE with Message-Context and Message-Correlator {got}"


def answers_of(outcomes):
    """As a pager message's: 202 in place of 200."""
    return {each: (judge.OK if code == 200 else code, "a/b") for each, (code, _) in outcomes.items()}


def judge_to_sms(bench, messages_, answers, requests, findings, allowed=()):
    submits = bench.submits()
    frames, malformed = bench.finish()
    accepted = judge.accepted(messages_, answers)
    judge.demand(
        judge.answered(messages_, answers, allowed),
        judge.arrived(messages_, answers, submits),
        judge.reported(accepted, requests),
        findings,
        bench.core_flaws(),
        malformed,
    )
    refused = f" ({len(messages_) - len(accepted)} refused)" if len(accepted) < len(messages_) else ""
    return f"{len(messages_)} large messages{refused}, {len(submits)} segments, {frames} frames"


async def reports_of(client, accepted):
    """The notifications that came, when no more come."""
    wanted = sum(len(message.reports()) for message in accepted)
    last, quiet = -1, 0.0
    while quiet < (1.0 if len(client.agent.requests) >= wanted else QUIET_S):
        quiet = quiet + 0.1 if len(client.agent.requests) == last else 0.0
        last = len(client.agent.requests)
        await asyncio.sleep(0.1)
    return [Request(request.octets) for request in client.agent.requests]


def to_sms(setting, count=8, at_once=4, **bench):
    """Messages of 5,000 characters."""
    wanted = long_messages(setting, count)
    with SessionBench(setting, **bench) as bench:
        outcomes, requests, flaws = bench.run(all_sent(bench, wanted, at_once))
        findings = [flaw for _, found in outcomes.values() for flaw in found]
        return judge_to_sms(bench, wanted, answers_of(outcomes), requests, findings + flaws)


async def all_sent(bench, wanted, at_once, during=None):
    """({message id: (code, findings)}, the notifications, the agent's flaws)."""
    async with bench.user() as client:
        turns, outcomes = asyncio.Semaphore(at_once), {}

        async def one(number, message):
            async with turns:
                # Through the relay no chunk may be larger than it takes.
                outcomes[message.id] = await sent(client, message, CHUNKS[number % len(CHUNKS)])

        work = [asyncio.create_task(one(*each)) for each in enumerate(wanted)]
        if during:
            await during(bench, outcomes)
        await asyncio.gather(*work)
        accepted = [message for message in wanted if outcomes[message.id][0] == 200]
        return outcomes, await reports_of(client, accepted), client.agent.flaws


def smsc_killed(setting):
    """The SM-SC stops answering in the middle of large messages, is killed, and comes back."""
    wanted = long_messages(setting, 12, first=100)
    with SessionBench(setting, smsc={"hold_after": 150}) as bench:
        outcomes, requests, flaws = bench.run(all_sent(bench, wanted, 3, killed_and_back))
        findings = [flaw for _, found in outcomes.values() for flaw in found]
        answers = answers_of(outcomes)
        refused = [code for code, _ in answers.values() if code != judge.OK]
        findings += judge.holds(refused, "nothing was refused although the SM-SC was away")
        requests = [request for request in requests if not of_refused(request, wanted, answers)]
        return judge_to_sms(bench, wanted, answers, requests, findings + flaws, allowed=set(refused) - {200, 202})


def of_refused(request, wanted, answers):
    """A segment had failed, and its sender was told, before the others could not be submitted and the message was refused."""
    document = Notification(request.content)
    states = {status for _, status in document.states}
    known = {message.id for message in wanted}
    return document.message_id in known and answers[document.message_id][0] != judge.OK and states <= {"failed", "error"}


async def killed_and_back(bench, _):
    loop = asyncio.get_running_loop()
    holding = lambda: bench.smsc.events("holding")  # noqa: E731
    await loop.run_in_executor(None, peers.wait, holding, RUN_S_MAX, "the SM-SC to owe answers")
    await asyncio.sleep(0.3)
    bench.smsc.kill()
    await asyncio.sleep(1.0)
    await loop.run_in_executor(None, lambda: bench.smsc.start(hold_after=0))


# --- SMS to CPM


def long_parts(setting, count, dest=CLIENT):
    """(sender -> text, the parts): each text has 40 parts in some coding and some method of concatenation."""
    chance, wanted, parts = random.Random(f"large/{setting.seed}"), {}, []
    for index in range(count):
        sender = f"49160{8_000_000 + index:07}"
        method = ("sar", "udh8", "udh16")[index % 3]
        size = {True: (153, 153, 152), False: (67, 67, 66)}[index % 5 == 0][index % 3]
        text = long_text(index, setting.seed + 3, PARTS * size)
        wanted[sender] = fitted(text, method)
        parts += [{**part, "dest": dest} for part in messages.parts_of(sender, wanted[sender], method, chance)]
    return wanted, messages.mixed(parts, chance)


def fitted(text, method):
    """As much of it as goes into 40 parts."""
    while len(texts.cut(text, method, 1)) > PARTS:
        text = texts.fill(text[:-7])
    return text


def to_cpm(setting, count=5, setup="passive", during=None, **bench):
    wanted, parts = long_parts(setting, count)
    with SessionBench(setting, **bench) as bench:
        messages.write_parts(bench.folder / "parts.jsonl", parts)
        got, findings = bench.run(all_received(bench, len(wanted), setup, during))
        peers.settle(bench.smsc.taken, len(parts), QUIET_S)
        responses = bench.smsc.events("deliver_resp")
        frames, malformed = bench.finish()
    judge.demand(
        received(wanted, got), judge.all_rok(parts, responses), findings, bench.core_flaws(), malformed
    )
    return f"{len(wanted)} large messages, {len(parts)} parts, {frames} frames"


async def all_received(bench, count, setup, during=None):
    """([(sender, text)], findings)."""
    got, findings, taking = [], [], []
    async with bench.user() as client:
        bench.smsc.order(deliver=str(bench.folder / "parts.jsonl"), window=64 if during is None else 4)
        accepting = asyncio.create_task(accept_all(client, setup, got, taking))
        if during:
            await during(bench)
        for _ in range(RUN_S_MAX * 10):
            if len(got) >= count or accepting.done():
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(2.0)
        accepting.cancel()
        for each in taking:
            findings += await asyncio.wait_for(each, RUN_S_MAX)
        if client.agent.requests:
            findings.append(f"{len(client.agent.requests)} MESSAGEs came as well")
        return got, findings + client.agent.flaws


async def accept_all(client, setup, got, taking):
    while True:
        taking.append(asyncio.create_task(take(client, await client.agent.invited.get(), setup, got)))


async def killed_delivering(bench):
    """The SM-SC is killed while it delivers, comes back, and sends again what it has no answer for."""
    loop = asyncio.get_running_loop()
    some = lambda: bench.smsc.responses() > 60  # noqa: E731
    await loop.run_in_executor(None, peers.wait, some, RUN_S_MAX, "some parts to be answered")
    bench.smsc.kill()
    binds = len(bench.smsc.events("bind"))
    await loop.run_in_executor(None, bench.smsc.start)
    bound = lambda: len(bench.smsc.events("bind")) > binds  # noqa: E731
    await loop.run_in_executor(None, peers.wait, bound, RUN_S_MAX, "the gateway to bind again")
    bench.smsc.order(deliver=str(bench.folder / "parts.jsonl"), window=64)


async def take(client, server, setup, got):
    """Accepts, takes the message, waits for the BYE."""
    call = await cpm.Call.accept(client, server, setup)
    if setup == "active" and (code := await call.connect()) != 200:
        return [f"the empty SEND got {code}"]
    message = await received_or_ended(call)
    if message is None:
        return ["the gateway's BYE came without a message"]
    got.append((cpm.sender_of(server.request), message.text()))
    await within(call.dialog.ended, 20, "the gateway's BYE after a large message")
    call.close()
    return [*call.all_flaws(), *message.flaws((f"+{cpm.sender_of(server.request)}", f"+{client.number}"))]


async def received_or_ended(call):
    """The message; None if a BYE came without one."""
    came = asyncio.create_task(call.received(60))
    over = asyncio.create_task(call.dialog.ended.wait())
    await asyncio.wait([came, over], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait([came], timeout=0.5)  # what came just before the BYE
    over.cancel()
    if came.done():
        return await came
    came.cancel()
    return None


def received(wanted, got):
    for sender, text in wanted.items():
        found = [each for who, each in got if who == sender]
        if len(found) != 1:
            yield f"from {sender}: came {len(found)} times ({len(text)} characters)"
        yield from (f"from {sender}: text differs: {judge.difference(text, each)}" for each in found if each != text)
    yield from (f"from {who}, who sent nothing" for who in {who for who, _ in got} - set(wanted))
