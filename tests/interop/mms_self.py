"""The MMS Relay/Server against another of its kind, and through Postfix, without a gateway: what this finds is the suite's
own fault."""

import contextlib
import re

import capture
import judge
import mm4
import peers
import pictures
import postfix
from mmsc import DOMAIN, GATEWAY_DOMAIN, Answer, Mmsc, Rule

SENDER, RECIPIENT, OTHER = "491710000001", "4915559900001", "4915559900002"
TEXT = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich."
REFUSALS = {
    "CONNECT": "421 4.3.2 busy",
    "MAIL": "451 4.7.1 later",
    "RCPT": "550 5.1.1 nobody",
    "DATA": "452 4.3.1 full",
    "DOT": "554 5.6.0 no",
}


@contextlib.contextmanager
def pair(setting, relayed=False):
    """Two of them, each the other's peer or both behind Postfix, and the capture of what they say."""
    here, there, between = peers.free_ports(3)
    first = Mmsc(here, between if relayed else there, DOMAIN, GATEWAY_DOMAIN)
    second = Mmsc(there, between if relayed else here, GATEWAY_DOMAIN, DOMAIN, pipelining=False)
    with contextlib.ExitStack() as stack:
        watch = capture.Capture(setting.folder, [], [], smtp_ports=[here, there, between]) if setting.capture else None
        if watch:
            watch.start()
            stack.callback(watch.process.kill)
        if relayed:
            first.relay = postfix.Postfix(setting.folder, between, {DOMAIN: here, GATEWAY_DOMAIN: there})
            stack.callback(first.relay.stop)
        for each in (first, second):
            each.start()
            stack.callback(each.stop)
        yield first, second, watch


def seen_by(watch, mmscs):
    """(frames, findings): what tshark holds to be wrong, and mails that it does not read."""
    if not watch:
        return 0, []
    watch.stop()
    count, findings = watch.findings()
    sent = {mail.get("Message-ID") for mmsc in mmscs for mail in mmsc.mails}
    return count, findings + [f"tshark reads no mail {each}" for each in sent - watch.mails()]


def alone(setting):
    """Mails with their answers and reports both ways, every refusal and every lost connection, and broken mails that the
    judge must find."""
    findings = list(blind_spots())
    with pair(setting) as (first, second, watch):
        findings += carried(first, second, setting.seed)
        findings += [finding for stage in REFUSALS for finding in refused(first, second, stage)]
        findings += lost(first, second)
        findings += away(first, second)
        findings += first.flaws + second.flaws
        frames, malformed = seen_by(watch, (first, second))
    judge.demand(findings, malformed)
    return f"{len(first.mails) + len(second.mails)} mails, {frames} frames"


def relayed(setting):
    """Through Postfix, which queues what it cannot pass on."""
    if why := postfix.missing():
        return f"SKIP: NOT CHECKED ({why})"
    with pair(setting, relayed=True) as (first, second, watch):
        findings = list(carried(first, second, setting.seed))
        second.stop()
        mail, said = first.forward(pictures.Multimedia.small(TEXT, 700, 4), SENDER, [RECIPIENT, OTHER])
        peers.wait(lambda: any(status == "deferred" for _, status in first.relay.statuses()), 20, "Postfix to defer it")
        second.start()
        first.wait_answered(mail.transaction)
        taken = [each.numbers() for each in second.taken("MM4_forward.REQ") if each.id == mail.id]
        findings += judge.holds((said.code, taken) == (250, [[RECIPIENT, OTHER]]), f"deferred: {said}, taken for {taken}")
        findings += [*first.flaws, *second.flaws, *first.relay.flaws()]
        frames, malformed = seen_by(watch, (first, second))
    judge.demand(findings, malformed)
    return f"{len(first.mails) + len(second.mails)} mails, {frames} frames"


def carried(first, second, seed):
    """A picture one way, its answer, and the reports that it asked for."""
    content = pictures.Multimedia.shown(TEXT, 100_000, seed)
    second.answers[RECIPIENT] = Answer(early=True, reports=(("MM4_delivery_report.REQ", "Retrieved"),))
    mail, said = first.forward(content, SENDER, [RECIPIENT], X_Mms_Delivery_Report="Yes", X_Mms_Read_Reply="Yes")
    yield from judge.holds(said.code == 250, f"the mail got {said}")
    yield from judge.holds(first.wait_answered(mail.transaction).get("X-Mms-Request-Status-Code") == "Ok", "no Ok")
    came = second.wait_taken("MM4_forward.REQ")[0]
    yield from pictures.compared(content.parts, came.parts())
    delivered = first.wait_taken("MM4_delivery_report.REQ")[0]
    transaction, _ = second.report("MM4_read_reply_report.REQ", came, "Read")
    second.wait_answered(transaction)
    read = first.wait_taken("MM4_read_reply_report.REQ")[0]
    for report in (delivered, read):
        where = mm4.number_in(report.get("From")), mm4.number_in(report.get("To")), report.id
        yield from judge.holds(where == (RECIPIENT, SENDER, mail.id), f"{report.kind} says {where}")
    second.answers.clear()


def refused(first, second, stage):
    """A refusal at the stage, and then the same mail is taken."""
    before = len(second.taken("MM4_forward.REQ"))
    second.rules.append(Rule(stage, REFUSALS[stage]))
    content = pictures.Multimedia.small(TEXT, 700, stage)
    codes = [first.forward(content, SENDER, [RECIPIENT], message_id=stage)[1].code for _ in range(2)]
    after = len(second.taken("MM4_forward.REQ")) - before
    wanted = [int(REFUSALS[stage][:3]), 250]
    yield from judge.holds((codes, after) == (wanted, 1), f"{stage}: codes {codes}, {after} mails taken")


def lost(first, second):
    """The connection ends within the data, after the dot, and after the dot with the mail taken."""
    content = pictures.Multimedia.small(TEXT, 700, 1)
    for rule, taken in ((Rule("BODY", cut=True), 0), (Rule("DOT", cut=True), 0), (Rule("DOT", cut=True, taken=True), 1)):
        before = len(second.taken("MM4_forward.REQ"))
        second.rules.append(rule)
        _, said = first.forward(content, SENDER, [RECIPIENT])
        after = len(second.taken("MM4_forward.REQ")) - before
        yield from judge.holds((said.data[0], after) == (0, taken), f"{rule}: {said}, {after} mails taken")


def away(first, second):
    """The port is closed, and open again."""
    content = pictures.Multimedia.small(TEXT, 700, 2)
    second.stop()
    codes = [first.forward(content, SENDER, [RECIPIENT])[1].code]
    second.start()
    codes += [first.forward(content, SENDER, [RECIPIENT, OTHER])[1].code]
    yield from judge.holds(codes == [0, 250], f"away and back: codes {codes}")


# --- the judge


def blind_spots():
    """Mails that are wrong in one way each: the judge must say so, and must be content with the right one."""
    right = model()
    yield from (f"the judge holds against a right mail: {flaw}" for flaw in right.flaws())
    for what, pattern, other in BROKEN:
        octets = re.sub(pattern, other, right.octets, count=1, flags=re.S)
        wrong = mm4.Mail(octets, right.mail_from, right.rcpt_to)
        if octets == right.octets or not wrong.flaws():
            yield f"the judge does not see: {what}"


def model():
    content = pictures.Multimedia.shown(TEXT, 900, 3)
    sender, to = mm4.phone(SENDER, DOMAIN), mm4.phone(RECIPIENT, GATEWAY_DOMAIN)
    octets = mm4.forward(content, sender, [to], "m1", "t1", f"system@{DOMAIN}", f"x@{DOMAIN}", X_Mms_Expiry="86400")
    return mm4.Mail(octets, sender, [to])


BROKEN = (
    ("no Transaction ID", rb"X-Mms-Transaction-ID: t1\r\n", b""),
    ("an empty Message ID", rb"X-Mms-Message-ID: m1", b"X-Mms-Message-ID: "),
    ("two Message IDs", rb"X-Mms-Message-ID: m1", b"X-Mms-Message-ID: m1\r\nX-Mms-Message-ID: m1"),
    ("another type", rb"MM4_forward.REQ", b"MM4_forwards.REQ"),
    ("a field of another type", rb"X-Mms-Priority: Normal", b"X-Mms-Read-Status: Read"),
    ("a priority", rb"Normal", b"Medium"),
    ("a date", rb"Date: [^\r]*", b"Date: tomorrow"),
    ("an expiry", rb"86400", b"soon"),
    ("no address for the answer", rb"X-Mms-Originator-System: [^\r]*\r\n", b""),
    ("a mail id", rb"Message-ID: <x@[^>]*>", b"Message-ID: x"),
    ("a lone LF", rb"</smil>\r\n", b"</smil>\n"),
    ("a long line", rb"par dur", b"par " + b"x" * 1000 + b" dur"),
    ("octets of 8 bits", rb"5s", b"\xc3\xa9"),
    ("NUL", rb"5s", b"\0"),
    ("a boundary", rb"boundary=.related", b'boundary="unrelated'),
    ("no last boundary", rb"--related-7fKq.1--", b""),
    ("base64", rb"(Encoding: base64\r\n\r\n.{8})", rb"\1=!"),
    ("an encoding", rb"Encoding: base64", b"Encoding: binary"),
    ("no MIME-Version", rb"MIME-Version: 1.0\r\n", b""),
)
