"""CPM to MMS through the gateway (IWF V3.0 6.3.1.1): pager mode, large messages, the answers of MMS Relay/Servers, and their
reports."""

import asyncio

import judge
import messages
import mm4
import mms_self
import mms_bench
import pictures
from bench import QUIET_S
from mms_bench import CLIENT, Message, MmsBench
from mmsc import Answer, Rule
from pictures import Multimedia, Part

AT_ONCE = 8
PKCS7 = bytes.fromhex("301506092a864886f70d010701a00804060102030a0d00")  # RFC 5652: ContentInfo of six octets of data
TEXT = mms_self.TEXT
MMS_USER = "49171{:07}"
REQUESTS = (*messages.REQUESTS, "processing", "positive-delivery, negative-delivery, display, processing, interworking")
DELIVERED = (("MM4_delivery_report.REQ", "Retrieved"),)
READ = (*DELIVERED, ("MM4_read_reply_report.REQ", "Read"))
OUTCOMES = (
    READ,
    DELIVERED,
    (("MM4_delivery_report.REQ", "Rejected"),),
    (("MM4_delivery_report.REQ", "Deferred"), *READ),
    (("MM4_delivery_report.REQ", "Expired"),),
    (("MM4_delivery_report.REQ", "Forwarded"), *DELIVERED),
    (*DELIVERED, ("MM4_read_reply_report.REQ", "Deleted without being read")),
    (("MM4_delivery_report.REQ", "Unrecognised"),),
    (("MM4_delivery_report.REQ", "Indeterminate"), *DELIVERED),
)
# What no page of Table 14 lists may become any of these.
REFUSED = {400, 403, 404, 408, 415, 480, 488, 500, 503, 504}
SPELLINGS = {"OK": 202, "ok": 202, "error-service-denied": 403, "Error-content-not-accepted ": 415}
OTHERS = {
    "Error-sending-address-unresolved": REFUSED,
    "Error-message-not-found": REFUSED,
    "Error-unsupported-message": REFUSED,
    "Error-transient-failure": REFUSED,
    "Error-of-its-own": REFUSED,
}


def contents(number):
    """What CPM clients send: multiparts with and without SMIL, one picture, one text."""
    text = f"{number}: {TEXT}"
    kinds = (
        lambda: Multimedia.small(text, 300, number),
        lambda: Part("text/plain; charset=utf-8", f"{text} \u4f60\u597d\n.\n".replace("\n", "\r\n").encode()),
        lambda: Multimedia.small(text, 250, number, subtype="mixed", boundary="=_next 5"),
        lambda: Part("image/jpeg", pictures.jpeg(600, number)),
        lambda: Multimedia.shown(text, 200, number),
    )
    return kinds[number % len(kinds)]()


def pager_messages(count, first=0, **more):
    return [
        Message(
            f"p-{number}",
            MMS_USER.format(number),
            contents(number),
            REQUESTS[number % len(REQUESTS)],
            headers=(("Subject", f"Grüße {number}"),) if number % 3 == 0 else (),
            **more,
        )
        for number in range(first, first + count)
    ]


async def paged(client, sent, at_once=AT_ONCE):
    """{message id: the final response, None for none}."""
    turns, answers = asyncio.Semaphore(at_once), {}

    async def one(message):
        async with turns:
            answers[message.id] = await client.page(
                message.recipient, message.id, message.octets(), message.content_type, message.requests, message.headers
            )

    await asyncio.gather(*(one(message) for message in sent))
    return answers


def code_of(response):
    return response.code if response else 0


def accepted_flaws(sent, answers, mails, allowed=()):
    """Every answer is a 202 that says what became of it, or one of those allowed."""
    for message in sent:
        response = answers[message.id]
        code = code_of(response)
        if code != judge.OK and code not in allowed:
            yield f"{message.id}: {code or 'no final response'} ({message.content_type[:20]}, {message.requests!r})"
        if code == judge.OK:
            yield from mms_bench.correlated(message, response, mails)
            server = response.get("Server")
            yield from judge.holds(judge.SERVER.match(server), f"{message.id}: Server {server!r}")


def accepted_of(sent, answers):
    return [message for message in sent if code_of(answers[message.id]) == judge.OK]


async def quiet(client, wanted):
    """When no more notifications come."""
    last, still = -1, 0.0
    while still < (1.0 if len(client.agent.requests) >= wanted else QUIET_S):
        still = still + 0.1 if len(client.agent.requests) == last else 0.0
        last = len(client.agent.requests)
        await asyncio.sleep(0.1)


def pager(setting, count=None, outcomes=OUTCOMES, **bench):
    """Messages of every kind with every request, and the MMSC's reports on them."""
    sent = pager_messages(count or setting.share(50))
    for number, message in enumerate(sent):
        message.outcomes = outcomes[number % len(outcomes)]
    with MmsBench(setting, **bench) as bench:
        for number, message in enumerate(sent):
            bench.mmsc.answers[message.recipient] = Answer(early=number % 4 == 0, reports=message.outcomes)
        answers, findings = bench.run(reported(bench, sent))
        return judge_pager(bench, sent, answers, findings)


async def reported(bench, sent):
    """(answers, findings), when the reports are there."""
    async with bench.user(CLIENT) as client:
        answers = await paged(client, sent)
        accepted = accepted_of(sent, answers)
        await quiet(client, sum(len(message.reports()) for message in accepted))
        return answers, [*mms_bench.notified(accepted, client.agent), *client.agent.flaws]


def judge_pager(bench, sent, answers, findings, allowed=(), more=()):
    mails = bench.taken()
    accepted = {message.id for message in accepted_of(sent, answers)}
    more = [*more, *unanswered(bench.mmsc)]
    frames, malformed = bench.finish()
    judge.demand(
        accepted_flaws(sent, answers, mails, allowed),
        mms_bench.arrived(sent, accepted, mails),
        findings,
        more,
        bench.core_flaws(),
        malformed,
    )
    reports = sum(len(message.outcomes) for message in sent if message.id in accepted)
    return f"{len(sent)} messages, {len(mails)} mails, {reports} reports, {frames} frames"


def unanswered(mmsc):
    """Reports that were brought got their .RES: Ok, or for one that nobody had asked for that there is no such message."""
    asked = {mail.id: mail for mail in mmsc.taken("MM4_forward.REQ")}
    for octets, said in mmsc.brought:
        mail = mm4.Mail(octets)
        if mail.kind not in ("MM4_delivery_report.REQ", "MM4_read_reply_report.REQ"):
            continue
        wanted = "X-Mms-Delivery-Report" if "delivery" in mail.kind else "X-Mms-Read-Reply"
        allowed = {mm4.OK} if asked[mail.id].get(wanted) == "Yes" else {mm4.OK, "Error-message-not-found"}
        status = [answer.get("X-Mms-Request-Status-Code") for answer in mmsc.answered(mail.transaction)]
        if said.code != 250 or len(status) != 1 or not set(status) <= allowed:
            yield f"{mail.kind} about {mail.id}: {said.code}, answered with {status}"


# --- answers


def statuses(setting):
    """Every X-Mms-Request-Status-Code, in every spelling (IWF V3.0 Table 14)."""
    wanted = {status: {code} for status, code in (mm4.STATUSES | SPELLINGS).items()} | OTHERS
    return refusals(setting, {status: (codes, Answer(status), None) for status, codes in wanted.items()})


def smtp_refusals(setting):
    """Every reply at every stage that refuses a mail, and none."""
    plans = {
        "550 to RCPT": ({404}, Rule("RCPT", "550 5.1.1 nobody")),
        "553 to RCPT": ({404}, Rule("RCPT", "553 5.1.3 nobody")),
        "554 to the mail": ({403}, Rule("DOT", "554 5.7.1 no")),
        "552 to the mail": ({488}, Rule("DOT", "552 5.3.4 too large")),
        "501 to RCPT": ({400}, Rule("RCPT", "501 5.1.7 what")),
        "451 to RCPT": ({480, 503}, Rule("RCPT", "451 4.7.1 later", times=99)),
        "452 to DATA": ({480, 503}, Rule("DATA", "452 4.3.1 full", times=99)),
        "451 to the mail": ({480, 503}, Rule("DOT", "451 4.3.0 later", times=99)),
    }
    return refusals(setting, {name: (codes, None, rule) for name, (codes, rule) in plans.items()})


def refusals(setting, plans):
    """`plans`: name -> (the codes it may be answered with, an Answer or a Rule for its recipient)."""
    sent = pager_messages(len(plans))
    with MmsBench(setting) as bench:
        for message, (_, answer, rule) in zip(sent, plans.values()):
            message.requests = "positive-delivery"
            bench.mmsc.answers[message.recipient] = answer or Answer()
            if rule:
                rule.number = message.recipient
                bench.mmsc.rules.append(rule)
        answers, findings = bench.run(reported(bench, sent))
        allowed = {code for codes, _, _ in plans.values() for code in codes}
        more = [
            f"{name}: {code_of(answers[message.id])}, not {sorted(codes)}"
            for message, (name, (codes, _, _)) in zip(sent, plans.items())
            if code_of(answers[message.id]) not in codes
        ]
        return judge_pager(bench, sent, answers, findings, allowed, more)


def unanswering(setting):
    """No .RES comes, or it comes after the gateway answered by policy, as it must before the client gives up (RFC 3261
    17.1.2.2). One that comes late and is not Ok is told by a notification."""
    sent = pager_messages(3)
    late = Answer(after_s=27, reports=DELIVERED), Answer("Error-service-denied", after_s=27)
    with MmsBench(setting) as bench:
        for message, answer in zip(sent, (Answer(None, reports=DELIVERED), *late)):
            message.requests, bench.mmsc.answers[message.recipient] = "positive-delivery, negative-delivery", answer
            message.outcomes = answer.reports or (("MM4_forward.RES", "Rejected"),)
        answers, findings = bench.run(reported(bench, sent))
        return judge_pager(bench, sent, answers, findings)


def doubly_answered(setting):
    """Every .RES comes three times, and one to nothing that was sent."""
    sent = pager_messages(10)
    with MmsBench(setting) as bench:
        bench.mmsc.answers = {message.recipient: Answer(times=3, early=True) for message in sent}
        stranger = mm4.Mail(b"X-Mms-Message-Type: MM4_forward.REQ\r\nX-Mms-Message-ID: 1\r\nX-Mms-Transaction-ID: 2\r\n\r\n")
        octets = mm4.answer(stranger, bench.mmsc.system, bench.mmsc.mail_id())
        said = bench.mmsc.bring(octets, bench.mmsc.system, [mms_bench.SYSTEM])
        answers, findings = bench.run(reported(bench, sent))
        more = judge.holds(said.code == 250, f"an answer to nothing got {said}")
        more = [*more, *(f"an answer got {said}" for _, said in bench.mmsc.brought if said.code != 250)]
        return judge_pager(bench, sent, answers, findings, more=more)


def plain_smtp(setting):
    """An MMSC that knows HELO only, whose .RES goes to the sender of the message, not to the gateway's system address."""
    sent = pager_messages(10)
    bench = MmsBench(setting)
    bench.mmsc.rules.append(Rule("EHLO", "502 5.5.1 what", times=99))
    with bench:
        bench.mmsc.answers = {message.recipient: Answer(to_sender=True) for message in sent}
        answers, findings = bench.run(reported(bench, sent))
        findings += judge.holds("HELO" in bench.mmsc.greetings, f"the gateway said {bench.mmsc.greetings}")
        return judge_pager(bench, sent, answers, findings)


# --- content


def content(setting):
    """What MMS does not take is left out, if anything is left, else refused; as is what is too large, what wants
    protection (6.6), and so on."""
    pkcs7 = Part("application/pkcs7-mime; smime-type=enveloped-data", PKCS7)
    exe = Part("application/x-msdownload", b"MZ\0\1")
    mixed = Multimedia.small(TEXT, 300, 1, subtype="mixed")
    kept = list(mixed.parts)
    mixed.parts = [mixed.parts[0], exe, mixed.parts[1]]
    cases = {
        "protected": (pkcs7, {488, 403}, None),
        "protected inside": (Multimedia([*kept, pkcs7], "mixed"), {488, 403}, None),
        "unsupported": (exe, {488}, None),
        "unsupported inside": (Multimedia([exe], "mixed"), {488}, None),
        "partly supported": (mixed, {202}, kept),
        "too large": (Part("image/jpeg", pictures.jpeg(1100, 5)), {488}, None),
    }
    sent = [Message(f"c-{n}", MMS_USER.format(n), each) for n, (each, _, _) in enumerate(cases.values())]
    with MmsBench(setting, mmsc_more="message_bytes_max = 1024") as bench:
        answers, findings = bench.run(reported(bench, sent))
        for message, (name, (_, codes, left)) in zip(sent, cases.items()):
            code = code_of(answers[message.id])
            findings += judge.holds(code in codes, f"{name}: {code}, not {codes}")
            message.content = Multimedia(left, "mixed") if left else message.content
        return judge_pager(bench, sent, answers, findings, allowed={403, 488})


def anonymous(setting):
    """Privacy: id passes as X-Mms-Sender-Visibility: Hide."""
    sent = pager_messages(5)
    for message in sent:
        message.headers = (("Privacy", "id"),)
    with MmsBench(setting) as bench:
        answers, findings = bench.run(reported(bench, sent))
        return judge_pager(bench, sent, answers, findings)


def beside_sms(setting):
    """With an SM-SC too: texts go there, the rest to the MMSC."""
    texts = messages.messages(setting.share(200), setting.seed, first=100_000)
    pictures_sent = [each for each in pager_messages(20) if each.content_type.split("/")[0] != "text"]
    with MmsBench(setting, sms=True) as bench:
        answers, texts_answers, findings = bench.run(both_sent(bench, texts, pictures_sent))
        submits = bench.submits()
        findings += judge.arrived(texts, {each: (code_of(r), "") for each, r in texts_answers.items()}, submits)
        findings += [f"{each}: {code_of(r)}" for each, r in texts_answers.items() if code_of(r) != judge.OK]
        return judge_pager(bench, pictures_sent, answers, findings)


def prefixes(setting):
    """Two MMSCs for numbers of their own."""
    sent = pager_messages(20)
    for message in sent[::2]:
        message.recipient, message.domains = "49172" + message.recipient[5:], (mms_bench.SECOND_DOMAIN,)
    with MmsBench(setting, second='prefixes = ["+49172"]') as bench:
        answers, findings = bench.run(reported(bench, sent))
        return judge_pager(bench, sent, answers, findings)


async def both_sent(bench, texts, pictures_sent):
    async with bench.user(CLIENT) as client:
        as_messages = [
            Message(each.id, each.recipient, Part("text/plain; charset=utf-8", each.text.encode()), "") for each in texts
        ]
        for message in texts:
            message.sender = CLIENT
        answers, others = await asyncio.gather(paged(client, pictures_sent), paged(client, as_messages))
        return answers, others, list(client.agent.flaws)


SCENARIOS = {
    "mms.out.pager.udp": lambda setting: pager(setting),
    "mms.out.pager.tcp": lambda setting: pager(setting, transport="tcp", next_hop_transport=";transport=tcp"),
    "mms.out.pager.two_cores": lambda setting: pager(setting, cores=[0, 1]),
    "mms.out.pager.epoll": lambda setting: pager(setting, backend="epoll"),
    "mms.out.pager.lossy": lambda setting: pager(setting, relayed=True),
    "mms.out.statuses": statuses,
    "mms.out.smtp_refusals": smtp_refusals,
    "mms.out.unanswered": unanswering,
    "mms.out.doubly_answered": doubly_answered,
    "mms.out.plain_smtp": plain_smtp,
    "mms.out.content": content,
    "mms.out.anonymous": anonymous,
    "mms.out.beside_sms": beside_sms,
    "mms.out.prefixes": prefixes,
}
