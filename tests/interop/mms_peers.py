"""What other MMS Relay/Servers are known to do: their spellings, and mails that come again; and what becomes of the reports
of CPM clients on MMs (IWF V3.0 6.3.1.2.3, 6.3.1.2.4)."""

import asyncio
import base64
import functools
import re
import secrets

import cpm
import judge
import mm4
from mms_bench import SYSTEM, MmsBench
from mms_in import ROOMY, TEXT, Mms, all_brought, answer_flaws, answers_of, arrived_in_pager, judged, small, wrapped
from mmsc import DOMAIN
from pictures import Multimedia

IMDN = (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n<imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>{id}</message-id>'
    "<datetime>{datetime}</datetime><{kind}-notification><status><{status}/></status></{kind}-notification></imdn>"
)


# --- the spellings of other MMS Relay/Servers


def replaced(*pairs):
    return lambda octets: functools.reduce(lambda left, pair: re.sub(*pair, left, count=1), pairs, octets)


def of_8_bits(match):
    return b"Content-Transfer-Encoding: 8bit\r\n\r\n" + base64.b64decode(match[1]) + b"\r\n--"


SPELLINGS = {
    "as it should be": {},
    "quoted ids": {"X_Mms_Transaction_ID": '"t q-1"', "X_Mms_Message_ID": '"m q-1"'},
    "ids in brackets": {"X_Mms_Transaction_ID": "<t-2@x>", "X_Mms_Message_ID": "<m-2@x>"},
    "names of another case": replaced(
        (rb"X-Mms-Message-ID", b"x-mms-message-id"), (rb"X-Mms-Transaction-ID", b"X-Mms-Transaction-Id")
    ),
    "type of another case": replaced((rb"MM4_forward.REQ", b"MM4_Forward.REQ")),
    "version of another decade": replaced((rb"6\.10\.0", b"4.0.0")),
    "yes of another case": replaced((rb"Ack-Request: Yes", b"Ack-Request: YES")),
    "fields folded": replaced((rb"Content-Type: multipart/related; ", b"Content-Type: multipart/related;\r\n\t")),
    "no blank after the colon": replaced((rb"X-Mms-Message-Type: ", b"X-Mms-Message-Type:")),
    "a display name": replaced((rb"From: (\S+)", rb'From: "Somebody, Else" <\1>')),
    "type in lower case": replaced((rb"/TYPE=PLMN@", b"/type=plmn@")),
    "a sender without a domain": replaced((rb"From: ([^@]*)@\S+", rb"From: \1")),
    "the date of asctime": replaced((rb"Date: [^\r]*", b"Date: Sat Nov 21 02:10:49 2026")),
    "no last boundary": replaced((rb"--related-7fKq.1--\r\n", b"")),
    "an unknown field": {"X_Mms_Somebody_s_Own": "1", "X_Nokia": "2"},
    "an expiry in seconds since 1970": {"X_Mms_Expiry": "1826000000"},
    "octets of 8 bits": replaced((rb"Content-Transfer-Encoding: base64\r\n\r\n((?:[\w+/=]+\r\n)+)--", of_8_bits)),
    "no answer wanted": {"X_Mms_Ack_Request": "No"},
    "no word about an answer": {"X_Mms_Ack_Request": "", "X_Mms_Originator_System": ""},
    "preamble and epilogue": replaced(
        (rb"\r\n\r\n--", b"\r\n\r\nThis is a MIME message.\r\n--"),
        (rb"--related-7fKq.1--\r\n", b"--related-7fKq.1--\r\nend\r\n"),
    ),
}


def spellings(setting):
    """What others are known to write; the ids come back as they were."""
    sent = []
    for number, each in enumerate(SPELLINGS.values()):
        mms = Mms(number, Multimedia.small(TEXT, 200, number), fields=dict(each) if isinstance(each, dict) else {})
        mms.style = (lambda octets: octets) if isinstance(each, dict) else each
        sent.append(mms)
    with MmsBench(setting, more=ROOMY) as bench:
        requests, findings = bench.run(all_spelt(bench, sent))
        for mms in sent:
            if mms.fields.get("X_Mms_Ack_Request") == "":
                mms.fields["X_Mms_Ack_Request"] = "No"
        names = dict(zip((mms.message_id for mms in sent), SPELLINGS))
        found = [*findings, *arrived_in_pager(sent, requests), *answer_flaws(bench.mmsc, sent)]
        frames, malformed = bench.finish()
    told = [f"{names.get(each.split(':')[0], '')}: {each}" for each in found]
    judge.demand(told, malformed)
    return f"{len(sent)} MMs, {frames} frames"


async def all_spelt(bench, sent):
    async with bench.user() as client:
        for mms in sent:
            bench.mmsc.style = mms.style
            await mms.bring(bench.mmsc)
            mms.mail = mm4.Mail(mms.style(mms.mail.octets), mms.mail.mail_from, mms.mail.rcpt_to)
        bench.mmsc.style = lambda octets: octets
        for _ in range(100):
            if all(bench.mmsc.answered(mms.mail.transaction) for mms in sent if "Ack" not in "".join(mms.fields)):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        return client.agent.requests, client.agent.flaws


# --- mails that are no message for a user

RECEIVED = b"Received: from a.example by b.example; Sat, 21 Nov 2026 02:10:49 +0000\r\n"
NOT_DELIVERED = {  # what is other about the mail, the reply to it, the status in the .RES if there is one
    "over": ({"X_Mms_Expiry": "Sat, 21 Nov 2020 02:10:49 +0000"}, 250, "Error-unspecified"),
    "for an application": ({"X_Mms_Applic_ID": "com.example.game"}, 250, "Error-unsupported-message"),
    "a loop of MMSCs": ({"X_Mms_Forward_Counter": "200"}, 554, None),
    "a loop of hosts": (lambda octets: RECEIVED * 120 + octets, 554, None),
    "of no known type": (replaced((rb"MM4_forward.REQ", b"MM4_other.REQ")), 554, None),
    "of no type": (replaced((rb"X-Mms-Message-Type", b"X-Other")), 554, None),
}


def not_delivered(setting):
    """MMs that are over, for an application, or go round in circles, and mails that are no MMs."""
    with MmsBench(setting, more=ROOMY) as bench:
        requests, findings = bench.run(each_brought(bench))
        findings += judge.holds(not requests, f"{len(requests)} MESSAGEs came")
        frames, malformed = bench.finish()
    judge.demand(findings, malformed)
    return f"{len(NOT_DELIVERED)} mails, {frames} frames"


async def each_brought(bench):
    async with bench.user() as client:
        findings = []
        for number, (name, (other, code, status)) in enumerate(NOT_DELIVERED.items()):
            mms = Mms(number, small(number), fields=dict(other) if isinstance(other, dict) else {})
            bench.mmsc.style = (lambda octets: octets) if isinstance(other, dict) else other
            said = await mms.bring(bench.mmsc)
            await asyncio.sleep(0.5)
            got = [answer.get("X-Mms-Request-Status-Code") for answer in bench.mmsc.answered(mms.mail.transaction)]
            wanted = [status] if status else []
            findings += judge.holds((said.code, got) == (code, wanted), f"{name}: {said.code}, answers {got}")
        return client.agent.requests, findings + client.agent.flaws


# --- duplicates


def duplicates(setting, picture=200):
    """The same mail again, while the first is under way and after it: answered, and delivered once (promise 2)."""
    content = Multimedia.small(TEXT, 200, 1)
    sent = [Mms(number, content, fields={"X_Mms_Delivery_Report": "Yes"}) for number in range(4)]
    with MmsBench(setting, more=ROOMY) as bench:
        requests, findings = bench.run(all_doubled(bench, sent))
        for mms in sent:
            statuses = [each.get("X-Mms-Request-Status-Code") for each in bench.mmsc.answered(mms.mail.transaction)]
            findings += judge.holds(set(statuses) == {mm4.OK}, f"{mms.message_id}: answered {statuses}")
        frames, malformed = bench.finish()
    judge.demand(findings, arrived_in_pager(sent, requests), malformed)
    return f"{len(sent)} MMs, {frames} frames"


async def all_doubled(bench, sent):
    async with bench.user() as client:
        findings = []
        for mms in sent:
            await mms.bring(bench.mmsc)
            octets, there = mms.mail.octets, mms.mail.rcpt_to
            again = lambda: asyncio.to_thread(bench.mmsc.bring, octets, mms.mail.mail_from, there)  # noqa: B023, E731
            for said in [mms.said, *await asyncio.gather(again(), again()), await again()]:
                findings += judge.holds(said.code == 250, f"{mms.message_id}: got {said}")
        await asyncio.sleep(1.0)
        return client.agent.requests, findings + client.agent.flaws


# --- reports


def reports(setting, large_too=False):
    """What clients notify becomes MM4_delivery_report.REQ and MM4_read_reply_report.REQ (Tables 41 to 44)."""
    cases = [
        (("delivery", "delivered"),),
        (("delivery", "delivered"), ("display", "displayed")),
        (("display", "displayed"),),
        (("delivery", "failed"),),
        (("delivery", "forbidden"),),
        (("delivery", "error"),),
        (("processing", "processed"), ("delivery", "delivered")),
        (("delivery", "delivered"), ("delivery", "delivered")),
    ]
    wishes = {"X_Mms_Delivery_Report": "Yes", "X_Mms_Read_Reply": "Yes"}
    sent = [Mms(n, small(n), fields=dict(wishes), message_id=f'"mm {n}"' if n == 1 else None) for n in range(len(cases))]
    with MmsBench(setting, more=ROOMY) as bench:
        requests, findings = bench.run(all_notified(bench, sent, cases))
        for mms, states in zip(sent, cases):
            findings += [f"{states}: {flaw}" for flaw in report_flaws(bench.mmsc, mms, states)]
        return judged(bench, sent, findings, arrived_in_pager(sent, requests))


async def all_notified(bench, sent, cases):
    async with bench.user() as client:
        await all_brought(bench.mmsc, sent)
        await answers_of(bench.mmsc, sent)
        codes = []
        for request in list(client.agent.requests):
            mms = next(each for each in sent if each.recipients[0] in request.start)
            for kind, status in cases[sent.index(mms)]:
                codes.append(await notify(client, mms, request, kind, status))
        await asyncio.sleep(3.0)
        findings = [f"a notification got {code}" for code in codes if code not in (200, 202)]
        return client.agent.requests, findings + client.agent.flaws


async def notify(client, mms, request, kind, status):
    """An IMDN from the recipient of a message that came."""
    _, came = wrapped(request.octets)
    document = IMDN.format(id=came.id, datetime=came.cpim["DateTime"] or "2026-11-21T02:10:49Z", kind=kind, status=status)
    own = [("Conversation-ID", request.get("Conversation-ID")), ("Contribution-ID", request.get("Contribution-ID"))]
    notifier = cpm.Client(client.agent, client.listener, mms.recipients[0])
    kinds = "message/imdn+xml\r\nContent-Disposition: notification"
    headers = notifier.headers("MESSAGE", cpm.PAGER, mms.sender, secrets.token_hex(4))
    headers = [each for each in headers if each[0] not in dict(own)]
    body = cpm.cpim(secrets.token_hex(8), document, "", kinds)
    sent = client.agent.request("MESSAGE", f"tel:+{mms.sender}", [*headers, *own, ("Content-Type", cpm.CPIM)], body)
    response = await client.agent.final(await client.agent.transact(sent))
    return response.code if response else 0


STATUSES = {"delivered": "Retrieved", "failed": "Rejected", "forbidden": "Rejected", "error": "Indeterminate"}


def report_flaws(mmsc, mms, states):
    """One delivery report for the first final state, one read report if it was displayed, each about the right MM."""
    delivery = [mail for mail in mmsc.taken("MM4_delivery_report.REQ") if mail.id == mms.mail.id]
    read = [mail for mail in mmsc.taken("MM4_read_reply_report.REQ") if mail.id == mms.mail.id]
    shown = ("display", "displayed") in states
    final = [STATUSES[status] for kind, status in states if kind == "delivery"][:1] or ["Retrieved"]
    got = [mail.get("X-Mms-MM-Status-Code") for mail in delivery]
    yield from judge.holds(got == final, f"delivery reports {got}, not {final}")
    got = [mail.get("X-Mms-Read-Status") for mail in read]
    yield from judge.holds(got == (["Read"] if shown else []), f"read reports {got}")
    for mail in (*delivery, *read):
        where = mm4.number_in(mail.get("From")), mm4.number_in(mail.get("To")), mail.mail_from, mail.rcpt_to
        wanted = mms.recipients[0], mms.sender, SYSTEM, [mm4.phone(mms.sender, DOMAIN)]
        yield from judge.holds(where == wanted, f"{mail.kind}: From, To and envelope {where}, not {wanted}")


SCENARIOS = {
    "mms.in.spellings": spellings,
    "mms.in.not_delivered": not_delivered,
    "mms.in.duplicates": duplicates,
    "mms.in.reports": reports,
}
