"""Large messages and MMS through the gateway, both ways (IWF V3.0 6.3.1.1.2 and 6.3.1.2.2)."""

import asyncio

import cpm
import judge
import mm4
import mms_bench
from mms import MMS_USER, OUTCOMES, REQUESTS, TEXT, code_of, quiet, unanswered
from mms_bench import CLIENT, Message, MmsBench, content_flaws, sender_flaws
from mms_in import CPM_USER, Mms, all_brought, answers_of, fields_of, head_flaws, judged
from mmsc import Answer
from pictures import Multimedia
from sessions import within

PICTURE_OCTETS, PICTURE_OCTETS_IN = 300_000, 100_000


# --- CPM to MMS


def large_messages(count, picture=PICTURE_OCTETS, **more):
    return [
        Message(
            f"l-{number}",
            MMS_USER.format(9_000 + number),
            Multimedia.shown(TEXT, picture - number, number),
            REQUESTS[number % len(REQUESTS)],
            headers=(("Subject", "Bilder"),) if number % 2 else (),
            outcomes=OUTCOMES[number % len(OUTCOMES)],
            **more,
        )
        for number in range(count)
    ]


async def sent_large(client, message, chunk=2048):
    """(the last MSRP code or that of the INVITE, the BYE's answer, findings)."""
    content = message.content
    wrapped = ["multipart/related", *content.types()]
    call = await cpm.Call.to(
        client, cpm.LARGE, message.recipient, message.id, more=message.headers, wrapped=" ".join(wrapped)
    )
    if not call.dialog:
        return code_of(call.response), None, call.flaws
    bound = await call.connect()
    reported = {"Success_Report": "yes"} if client.relay else {}
    codes = await call.send(
        message.id, content.body(), message.requests, chunk, content_type=content.content_type(), **reported
    )
    code = await told_by_report(call) if client.relay else codes[-1]
    early = [f"{message.id}: a chunk before the last got {each}" for each in set(codes[:-1]) - {200}]
    early += [] if bound == 200 else [f"{message.id}: bound with {bound}"]
    response, findings = await ended(call, message, code)
    return code, response, [*early, *findings, *call.all_flaws()]


async def told_by_report(call):
    report = await asyncio.wait_for(call.session.reports.get(), 60)
    return int(report.get("Status").split()[1])


async def ended(call, message, code):
    """BYE from the client after a 200, from the gateway after anything else (IWF V3.0 6.2.3, B)."""
    if code == 200:
        response = await call.dialog.bye()
        call.close()
        return response, [] if code_of(response) == 200 else [f"{message.id}: BYE got {code_of(response)}"]
    try:
        await asyncio.wait_for(call.dialog.ended.wait(), 40)
    except asyncio.TimeoutError:
        return None, [f"{message.id}: {code}, and no BYE"]
    finally:
        call.close()
    return None, []


def to_mms(setting, count=6, chunks=(2048, 700, 8000, 1300, 64, 4000), at_once=3, **bench):
    """SMIL, a text and a picture of 300 kB."""
    sent = large_messages(count)
    with MmsBench(setting, **bench) as bench:
        bench.mmsc.answers = {message.recipient: Answer(reports=message.outcomes) for message in sent}
        outcomes, findings = bench.run(all_large(bench, sent, chunks, at_once))
        return judge_large(bench, sent, outcomes, findings)


async def all_large(bench, sent, chunks, at_once):
    async with bench.user(CLIENT) as client:
        turns, outcomes = asyncio.Semaphore(at_once), {}

        async def one(number, message):
            async with turns:
                outcomes[message.id] = await sent_large(client, message, chunks[number % len(chunks)])

        await asyncio.gather(*(one(*each) for each in enumerate(sent)))
        accepted = [message for message in sent if outcomes[message.id][0] == 200]
        await quiet(client, sum(len(message.reports()) for message in accepted))
        return outcomes, [*mms_bench.notified(accepted, client.agent), *client.agent.flaws]


def judge_large(bench, sent, outcomes, findings, codes=()):
    """`codes`: message id -> what it must be answered; 200 for those that are not named."""
    mails, codes = bench.taken(), dict(codes)
    findings = [*findings, *unanswered(bench.mmsc)]
    for message in sent:
        code, response, flaws = outcomes[message.id]
        findings += flaws
        wanted = codes.get(message.id, {200})
        findings += judge.holds(code in wanted, f"{message.id}: {code}, not {wanted}")
        findings += mms_bench.correlated(message, response, mails) if response else []
    frames, malformed = bench.finish()
    accepted = {message.id for message in sent if outcomes[message.id][0] == 200}
    judge.demand(mms_bench.arrived(sent, accepted, mails), findings, bench.core_flaws(), malformed)
    return f"{len(sent)} large messages, {len(mails)} mails, {frames} frames"


def statuses(setting):
    """What a .RES that is not Ok does to the last chunk, and to the sender who wanted to know of failures (6.3.1.1.2 6)."""
    sent = large_messages(len(mm4.STATUSES), picture=3_000)
    codes = {}
    with MmsBench(setting) as bench:
        for message, status in zip(sent, mm4.STATUSES):
            message.requests, message.outcomes = "", ()
            bench.mmsc.answers[message.recipient] = Answer(status)
            codes[message.id] = {200} if status == mm4.OK else {400, 403, 408, 413, 415}
        outcomes, findings = bench.run(all_large(bench, sent, (2048,), 3))
        return judge_large(bench, sent, outcomes, findings, codes)


# --- MMS to CPM


def to_cpm(setting, count=6, recipients=1, setup="passive", at_once=2, picture=PICTURE_OCTETS_IN, **bench):
    """SMIL, a text and a picture of 100 kB, to one or to several."""
    sent = [
        Mms(
            n,
            Multimedia.shown(TEXT, picture + n, n),
            [CPM_USER.format(10 * n + each) for each in range(recipients)],
            fields_of(n),
        )
        for n in range(count)
    ]
    with MmsBench(setting, **bench) as bench:
        got, findings = bench.run(all_taken(bench, sent, setup, at_once))
        return judged(bench, sent, findings, arrived(sent, got))


async def all_taken(bench, sent, setup, at_once):
    """([(INVITE, its SDP, the CPIM message)], findings)."""
    async with bench.user() as client:
        got, taking = [], []
        accepting = asyncio.create_task(accept_all(client, setup, got, taking))
        await all_brought(bench.mmsc, sent, at_once)
        await answers_of(bench.mmsc, sent)
        await asyncio.sleep(1.0)
        accepting.cancel()
        findings = [flaw for each in taking for flaw in await asyncio.wait_for(each, 60)]
        findings += [f"{len(client.agent.requests)} MESSAGEs came"] if client.agent.requests else []
        return got, findings + client.agent.flaws


async def accept_all(client, setup, got, taking):
    while True:
        taking.append(asyncio.create_task(take(client, await client.agent.invited.get(), setup, got)))


async def take(client, server, setup, got):
    """Accepts, takes the message, waits for the BYE."""
    call = await cpm.Call.accept(client, server, setup, wrapped="*")
    if setup == "active" and (code := await call.connect()) != 200:
        return [f"the empty SEND got {code}"]
    message = await call.received(60)
    got.append((server.request, call.sdp, message))
    await within(call.dialog.ended, 20, "the gateway's BYE after a large message")
    call.close()
    return call.all_flaws()


def arrived(sent, got):
    came = {}
    for invite, offer, message in got:
        came.setdefault(mms_bench.user_of(invite.start.split(" ")[1]), []).append((invite, offer, message))
    for mms in sent:
        for recipient in mms.recipients:
            found = came.pop(recipient, [])
            yield from judge.holds(len(found) == 1, f"{mms.message_id}: came {len(found)} times to {recipient}")
            yield from (f"{mms.message_id}: {flaw}" for each in found[:1] for flaw in large_flaws(mms, *each))
    yield from (f"an INVITE to {who}, to whom nothing was sent" for who in came)


def large_flaws(mms, invite, offer, message):
    """IWF V3.0 Tables 39 and 40, and 6.3.1.2.2 step 2a."""
    yield from sender_flaws(invite, mms.sender)
    yield from head_flaws(mms, invite, message)
    yield from content_flaws(mms.parts(), message)
    offered = set((offer.get("accept-wrapped-types") or "").lower().split())
    wanted = set(mms.content.types())
    yield from judge.holds(wanted <= offered, f"accept-wrapped-types {sorted(offered)} without {sorted(wanted - offered)}")


def refused(setting):
    """The client answers 486, 480, 404, 603 to the INVITE, or 413 to the message."""
    codes = (486, 480, 404, 603, 413)
    sent = [Mms(n, Multimedia.shown(TEXT, 5_000, n)) for n in range(len(codes))]
    with MmsBench(setting) as bench:
        findings = bench.run(all_refused(bench, sent, dict(zip((mms.recipients[0] for mms in sent), codes))))
        for mms, code in zip(sent, codes):
            found = bench.mmsc.answered(mms.mail.transaction)
            status = [each.get("X-Mms-Request-Status-Code") for each in found]
            told = mms.said.code >= 400 or len(status) == 1 and status[0].startswith("Error")
            findings += judge.holds(told, f"{code}: the mail got {mms.said}, answers {status}")
        frames, malformed = bench.finish()
    judge.demand(findings, malformed)
    return f"{len(sent)} MMs, {frames} frames"


async def all_refused(bench, sent, codes):
    async with bench.user() as client:
        accepting = asyncio.create_task(refuse_all(client, codes))
        await all_brought(bench.mmsc, sent, 2)
        await answers_of(bench.mmsc, sent)
        accepting.cancel()
        return client.agent.flaws


async def refuse_all(client, codes):
    while True:
        server = await client.agent.invited.get()
        code = codes[mms_bench.user_of(server.request.start.split(" ")[1])]
        if code != 413:
            server.respond(code)
            continue
        call = await cpm.Call.accept(client, server, wrapped="*")
        call.session.answer = lambda message: 413


SCENARIOS = {
    "mms.out.large.udp": lambda setting: to_mms(setting),
    "mms.out.large.tcp": lambda setting: to_mms(setting, transport="tcp", next_hop_transport=";transport=tcp"),
    "mms.out.large.kamailio": lambda setting: to_mms(setting, through="kamailio"),
    "mms.out.large.two_cores": lambda setting: to_mms(setting, cores=[0, 1]),
    "mms.out.large.statuses": statuses,
    "mms.in.large.udp": lambda setting: to_cpm(setting),
    "mms.in.large.tcp": lambda setting: to_cpm(setting, transport="tcp", next_hop_transport=";transport=tcp"),
    "mms.in.large.active": lambda setting: to_cpm(setting, setup="active"),
    "mms.in.large.many": lambda setting: to_cpm(setting, count=2, recipients=3),
    "mms.in.large.kamailio": lambda setting: to_cpm(setting, through="kamailio"),
    "mms.in.large.two_cores": lambda setting: to_cpm(setting, cores=[0, 1]),
    "mms.in.large.refused": refused,
}
