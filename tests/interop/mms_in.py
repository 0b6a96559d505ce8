"""MMS to CPM through the gateway (IWF V3.0 6.3.1.2): pager mode, large messages, and what clients report of them."""

import asyncio

import cpm
import judge
import mm4
import mms_bench
import mms_self
import pictures
from mms_bench import MmsBench, SYSTEM, content_flaws, sender_flaws
from mmsc import DOMAIN, GATEWAY_DOMAIN
from pictures import Multimedia, Part
from sipmsg import Request

MMS_USER, CPM_USER = "49171{:07}", "49155{:07}"
TEXT = mms_self.TEXT
AT_ONCE = 4
# So that a small picture goes into a MESSAGE, which the gateway measures whole (RFC 3428 8).
ROOMY = "[policy.mms]\nlarge_message_octets = 4000\n"
# A response of the CPM client, and what the MMS Relay/Server hears of it (IWF V3.0 Table 38, and by analogy).
ERRORS = {
    404: {"Error-sending-address-unresolved"},
    403: {"Error-service-denied"},
    503: {"Error-service-denied"},
    415: {"Error-content-not-accepted"},
    488: {"Error-content-not-accepted"},
    480: {"Error-network-problem", "Error-unspecified"},
    486: {"Error-network-problem", "Error-unspecified"},
    603: {"Error-service-denied", "Error-unspecified"},
}


class Mms:
    """A multimedia message for CPM users, and what the gateway said to it: `mail`, `said`."""

    def __init__(self, number, content, recipients=None, fields=None, message_id=None):
        self.sender, self.content = MMS_USER.format(number), content
        self.recipients, self.fields = recipients or [CPM_USER.format(number)], fields or {}
        self.message_id, self.mail, self.said = message_id or f"mm-{number}", None, None

    def parts(self):
        return [self.content] if isinstance(self.content, Part) else self.content.parts

    async def bring(self, mmsc, **more):
        self.mail, self.said = await asyncio.to_thread(
            mmsc.forward, self.content, self.sender, self.recipients, self.message_id, **self.fields, **more
        )
        return self.said

    def written(self, there):
        """The mail for these addresses, without an MMSC."""
        sender, system = mm4.phone(self.sender, DOMAIN), f"system-user@{DOMAIN}"
        return mm4.forward(self.content, sender, there, self.message_id, "t", system, f"x@{DOMAIN}", **self.fields)

    def requests(self):
        """What imdn.Disposition-Notification must ask for (Table 36)."""
        delivery = {"positive-delivery", "negative-delivery"} if self.fields.get("X_Mms_Delivery_Report") == "Yes" else set()
        return delivery | ({"display"} if self.fields.get("X_Mms_Read_Reply") == "Yes" else set())


def small(number):
    kinds = (
        lambda: Multimedia.small(f"{number}: {TEXT}", 200, number),
        lambda: Part("text/plain; charset=utf-8", f"{number}: {TEXT}".encode()),
        lambda: Multimedia.small("x", 180, number, subtype="mixed", boundary="=_next 5"),
    )
    return kinds[number % len(kinds)]()


def fields_of(number):
    wishes = {"X_Mms_Delivery_Report": "Yes" if number % 2 else "No", "X_Mms_Read_Reply": "Yes" if number % 3 == 0 else ""}
    subject = {"Subject": "=?utf-8?B?R3LDvMOfZQ==?="} if number % 4 == 0 else {}
    expiry = {"X_Mms_Expiry": ("86400", "Sat, 20 Nov 2027 02:10:49 +0000")[number % 2]} if number % 5 == 0 else {}
    route = {"X_Mms_Forward_Route": f"hub{number}@hub.example.net"} if number % 4 == 1 else {}
    return wishes | subject | expiry | route


async def all_brought(mmsc, sent, at_once=AT_ONCE):
    turns = asyncio.Semaphore(at_once)

    async def one(mms):
        async with turns:
            await mms.bring(mmsc)

    await asyncio.gather(*(one(each) for each in sent))


async def answers_of(mmsc, sent):
    """The .RES to each that asked for one and got 250, when it is there."""
    for mms in sent:
        if mms.said.code == 250 and mms.fields.get("X_Mms_Ack_Request", "Yes") == "Yes":
            await mmsc.soon(mmsc.wait_answered, mms.mail.transaction)


# --- judging


def wrapped(octets):
    """The CPIM message in a SIP MESSAGE, also if a list of recipients stands beside it (RFC 5365)."""
    request = Request(octets)
    if not (request.headers["Content-Type"] or "").lower().startswith("multipart/mixed"):
        return request, cpm.Wrapped(request.body)
    parts = pictures.binary_leaves(request.headers["Content-Type"], request.body)
    return request, cpm.Wrapped(next(part.octets for part in parts if part.content_type.lower().startswith(cpm.CPIM)))


def arrived_in_pager(sent, requests):
    """Every message came once to each of its recipients, whole."""
    came = {}
    for request in {request.transaction(): request for request in requests}.values():
        came.setdefault(mms_bench.user_of(request.start.split(" ")[1]), []).append(request)
    for mms in sent:
        for recipient in mms.recipients:
            found = came.pop(recipient, [])
            yield from judge.holds(len(found) == 1, f"{mms.message_id}: came {len(found)} times to {recipient}")
            yield from (f"{mms.message_id}: {flaw}" for each in found[:1] for flaw in pager_flaws(mms, each))
    yield from (f"a MESSAGE to {who}, to whom nothing was sent" for who in came)


def pager_flaws(mms, request):
    """IWF V3.0 Tables 35 and 36."""
    read, cpim = wrapped(request.octets)
    excused = ["P-Asserted-Identity"] if is_hidden(mms) else []
    excused += ["Content-Type", "imdn"] if len(mms.recipients) > 1 else []  # a list of recipients stands beside the CPIM
    yield from (flaw for flaw in read.flaws() if not any(name in flaw for name in excused))
    if is_hidden(mms):
        yield from hidden(request, mms.sender)
    else:
        yield from sender_flaws(request, mms.sender)
    yield from head_flaws(mms, request, cpim)
    yield from content_flaws(mms.parts(), cpim)


def is_hidden(mms):
    return mms.fields.get("X_Mms_Sender_Visibility") == "Hide"


def head_flaws(mms, request, cpim):
    asked = {wish.strip() for wish in (cpim.cpim["imdn.Disposition-Notification"] or "").split(",") if wish.strip()}
    yield from judge.holds(asked == mms.requests(), f"asks for {asked}, not {mms.requests()}")
    yield from judge.holds(cpim.id, "no imdn.Message-ID")
    subject = "Grüße" if mms.fields.get("Subject") else ""
    yield from judge.holds(request.get("Subject") == subject, f"Subject {request.get('Subject')!r}, not {subject!r}")
    if mms.fields.get("X_Mms_Expiry") == "86400":
        left = request.get("Expires") or request.get("Message-Expires")
        yield from judge.holds(left.isdigit() and 86_000 < int(left) <= 86_400, f"expires in {left!r}, not 86400")


def hidden(request, sender):
    """RFC 3323, RFC 3325; Tables 36 and 40."""
    yield from judge.holds("anonymous" in request.get("From").lower(), f"From is {request.get('From')}")
    yield from judge.holds(sender not in request.octets.decode("utf-8", "replace"), "the sender is not hidden")
    yield from judge.holds("id" in request.get("Privacy"), f"Privacy is {request.get('Privacy')!r}")


def answer_flaws(mmsc, sent, statuses=(mm4.OK,)):
    """Each has 250 and, if it asked for one, one .RES (Tables 37 and 38)."""
    for mms in sent:
        yield from judge.holds(mms.said.code == 250, f"{mms.message_id}: the mail got {mms.said}")
        found = mmsc.answered(mms.mail.transaction)
        wanted = 1 if mms.fields.get("X_Mms_Ack_Request", "Yes") == "Yes" else 0
        yield from judge.holds(len(found) == wanted, f"{mms.message_id}: {len(found)} answers")
        yield from (f"{mms.message_id}: {flaw}" for each in found for flaw in res_flaws(mms.mail, each, statuses))


def res_flaws(mail, res, statuses):
    got = {
        "X-Mms-Message-Type": (res.kind.lower(), mail.kind.replace(".REQ", ".RES").lower()),
        "X-Mms-Transaction-ID": (res.transaction, mail.transaction),
        "X-Mms-Message-ID": (res.id, mail.id),
        "MAIL FROM": (res.mail_from, SYSTEM),
        "Sender": (mm4.unquoted(res.get("Sender")), SYSTEM),
    }
    yield from (f"{name} is {is_!r}, not {wanted!r}" for name, (is_, wanted) in got.items() if is_ != wanted)
    routes = res.get("X-Mms-Return-Route"), mail.get("X-Mms-Forward-Route")
    yield from judge.holds(routes[0] == routes[1], f"X-Mms-Return-Route is {routes[0]!r}, not {routes[1]!r}")
    status = res.get("X-Mms-Request-Status-Code")
    yield from judge.holds(status in statuses, f"X-Mms-Request-Status-Code {status!r}, not {sorted(statuses)}")
    known = {mail.mail_from, mm4.unquoted(mail.get("X-Mms-Originator-System"))}
    yield from judge.holds(set(res.rcpt_to) <= known, f"RCPT TO {res.rcpt_to}, not of {known}")


def judged(bench, sent, findings, *checks, statuses=(mm4.OK,)):
    findings = [*findings, *answer_flaws(bench.mmsc, sent, statuses)]
    count = len(bench.mmsc.mails)
    frames, malformed = bench.finish()
    judge.demand(findings, *checks, bench.core_flaws(), malformed)
    return f"{len(sent)} MMs, {count} mails came of them, {frames} frames"


# --- pager mode


def pager(setting, sent=None, more=ROOMY, **bench):
    """Small messages of every kind with every request."""
    sent = sent or [Mms(number, small(number), fields=fields_of(number)) for number in range(setting.share(100))]
    with MmsBench(setting, more=more, **bench) as bench:
        requests, findings = bench.run(all_paged(bench, sent))
        return judged(bench, sent, findings, arrived_in_pager(sent, requests))


async def all_paged(bench, sent):
    """(the MESSAGEs that came, findings)."""
    async with bench.user() as client:
        await all_brought(bench.mmsc, sent)
        await answers_of(bench.mmsc, sent)
        await asyncio.sleep(1.0)  # for what should not come
        findings = [f"{client.agent.invited.qsize()} INVITEs came"] if client.agent.invited.qsize() else []
        return client.agent.requests, findings + client.agent.flaws


def many(setting):
    """Several RCPT TO in one mail (6.3.1.2, NOTE), some in Cc, some only in the envelope."""
    sent = [Mms(n, small(n), [CPM_USER.format(10 * n + each) for each in range(n + 1)]) for n in range(1, 6)]
    sent[2].fields = {"Cc": mm4.phone(CPM_USER.format(99), GATEWAY_DOMAIN)}  # who is not in RCPT TO
    return pager(setting, sent)


def partly(setting):
    """One of three recipients does not exist: the others have it, once, and the mail brought again changes nothing."""
    mms = Mms(1, small(1), [CPM_USER.format(n) for n in (1, 2, 3)])
    with MmsBench(setting, more=ROOMY) as bench:
        requests, findings = bench.run(partly_paged(bench, mms, CPM_USER.format(2)))
        got = [mms_bench.user_of(request.start.split(" ")[1]) for request in requests]
        frames, malformed = bench.finish()
    findings += [f"{got.count(each)} MESSAGEs to {each}" for each in mms.recipients[::2] if got.count(each) != 1]
    judge.demand(findings, malformed)
    return f"{len(requests)} requests, {frames} frames"


async def partly_paged(bench, mms, nobody):
    async with bench.user() as client:
        client.agent.reply_to_message = lambda request: 404 if nobody in request.start else 200
        findings = []
        for _ in range(2):
            said = await mms.bring(bench.mmsc)
            findings += judge.holds(said.code in (250, 451), f"the mail got {said}")
        await asyncio.sleep(1)
        return client.agent.requests, findings + client.agent.flaws


def refused(setting):
    """What the CPM client refuses: the MMS Relay/Server hears why, and nothing is lost without a word."""
    sent = [Mms(number, small(number)) for number in range(len(ERRORS))]
    codes = {mms.recipients[0]: code for mms, code in zip(sent, ERRORS)}
    with MmsBench(setting, more=ROOMY) as bench:
        findings = bench.run(all_refused(bench, sent, codes))
        for mms, (code, statuses) in zip(sent, ERRORS.items()):
            if mms.said.code == 250:
                found = bench.mmsc.answered(mms.mail.transaction)
                findings += [f"{code}: {flaw}" for each in found for flaw in res_flaws(mms.mail, each, statuses)]
                findings += judge.holds(len(found) == 1, f"{code}: 250 and {len(found)} answers")
            else:
                findings += judge.holds(400 <= mms.said.code < 600, f"{code}: the mail got {mms.said}")
        frames, malformed = bench.finish()
    judge.demand(findings, malformed)
    return f"{len(sent)} MMs, {frames} frames"


async def all_refused(bench, sent, codes):
    async with bench.user() as client:
        client.agent.reply_to_message = lambda request: codes[mms_bench.user_of(request.start.split(" ")[1])]
        await all_brought(bench.mmsc, sent)
        await answers_of(bench.mmsc, sent)
        return client.agent.flaws


def anonymous(setting, refused=False):
    """X-Mms-Sender-Visibility: Hide; with profile rcs it is refused (6.3.1.2.1 step 1, 4.4)."""
    sent = [Mms(number, small(number), fields={"X_Mms_Sender_Visibility": "Hide"}) for number in range(3)]
    if not refused:
        return pager(setting, sent)
    with MmsBench(setting, profile="rcs", more=ROOMY) as bench:
        requests, findings = bench.run(all_paged(bench, sent))
        findings += [f"{len(requests)} MESSAGEs came"] if requests else []
        return judged(bench, sent, findings, statuses=("Error-unsupported-message",))


SCENARIOS = {
    "mms.in.pager.udp": lambda setting: pager(setting),
    "mms.in.pager.tcp": lambda setting: pager(setting, transport="tcp", next_hop_transport=";transport=tcp"),
    "mms.in.pager.two_cores": lambda setting: pager(setting, cores=[0, 1]),
    "mms.in.pager.epoll": lambda setting: pager(setting, backend="epoll"),
    "mms.in.pager.lossy": lambda setting: pager(setting, relayed=True),
    "mms.in.many": many,
    "mms.in.partly": partly,
    "mms.in.refused": refused,
    "mms.in.anonymous": anonymous,
    "mms.in.anonymous.rcs": lambda setting: anonymous(setting, refused=True),
}
