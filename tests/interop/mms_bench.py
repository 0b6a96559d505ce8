"""The ground of scenarios with MMS: CPM clients on one side of the gateway, an MMS Relay/Server on the other; and what must
hold of a message that crossed."""

import dataclasses
import datetime
import email.utils

import judge
import mm4
import peers
import pictures
import postfix
from mmsc import DOMAIN, GATEWAY_DOMAIN, Mmsc
from sessions import SessionBench
from sipmsg import Notification, Request

CLIENT, OTHER_CLIENT = "491555900001", "491555900002"
SYSTEM = f"system-user@{GATEWAY_DOMAIN}"
WRITTEN = "2026-11-21T02:10:49Z"  # the DateTime in every CPIM head of cpm.py
MM4 = """
[mm4]
listen = ["tcp://127.0.0.1:{mm4}"]
domain = "{mm4_domain}"
system_user = "system-user"
trusted = ["127.0.0.0/8"]
{mm4_more}

[[mmsc]]
name = "aiosmtpd"
address = "127.0.0.1:{mmsc}"
domain = "{mmsc_domain}"
{mmsc_more}
"""
SECOND_DOMAIN = "mms.mnc002.mcc001.gprs"
SECOND = """
[[mmsc]]
name = "second"
address = "127.0.0.1:{second_mail}"
domain = "{second_domain}"
reconnect_max_s = 1
"""
# What the request asks of reports, and the (element, status) that each report of MM4 gives (IWF V3.0 Tables 17 and 20).
DELIVERY = {
    "Retrieved": ("positive-delivery", "delivered", "legacy-mms"),
    "Rejected": ("negative-delivery", "failed", "error"),
    "Expired": ("negative-delivery", "failed", "error"),
    "Unrecognised": ("negative-delivery", "failed", "error"),
}
PROCESSING = {"Deferred": "stored", "Indeterminate": "processed", "Forwarded": "processed"}
DISPLAY = {"Read": "displayed", "Deleted without being read": "error"}


class MmsBench(SessionBench):
    """As SessionBench, with `mmsc` in place of the SM-SC, or beside it (`sms`); `between`: Postfix in both directions;
    `second`: more of the configuration of another MMSC, or an empty text."""

    def __init__(
        self, setting, sms=False, between=False, away=False, second=None, more="", mm4_more="", mmsc_more="", **others
    ):
        self.mm4, self.mail, self.queue, second_mail = peers.free_ports(4)
        self.sms, self.away, self.between = sms, away, between
        names = {"mm4": self.mm4, "mmsc": self.queue if between else self.mail, "mmsc_domain": DOMAIN}
        names |= {"mm4_domain": GATEWAY_DOMAIN, "mm4_more": mm4_more, "mmsc_more": mmsc_more}
        others |= {} if sms else {"links": ""}
        names |= {"second_mail": second_mail, "second_domain": SECOND_DOMAIN}
        more = MM4 + (SECOND + second if second is not None else "") + more
        super().__init__(setting, more=more, **names, **others)
        self.mmsc = Mmsc(self.mail, self.queue if between else self.mm4)
        self.second_mmsc = Mmsc(second_mail, self.mm4, SECOND_DOMAIN) if second is not None else None
        if self.capture:
            self.capture.smtp_ports = [self.mm4, self.mail, self.queue, second_mail]

    def smscs(self):
        return super().smscs() if self.sms else []

    def mmscs(self):
        return [mmsc for mmsc in (self.mmsc, self.second_mmsc) if mmsc]

    def taken(self):
        """The MMs that the MMSCs have."""
        return [mail for mmsc in self.mmscs() for mail in mmsc.taken("MM4_forward.REQ")]

    def start_gateway(self, stack):
        for mmsc in self.mmscs():
            stack.callback(mmsc.stop)
            if not self.away:
                mmsc.start()
        if self.between:
            self.relay_mail = postfix.Postfix(self.folder, self.queue, {DOMAIN: self.mail, GATEWAY_DOMAIN: self.mm4})
            stack.callback(self.relay_mail.stop)
        super().start_gateway(stack)

    def finish(self):
        """As Bench, with what the MMSC and Postfix had to complain of."""
        frames, findings = super().finish()
        findings += [flaw for mmsc in self.mmscs() for flaw in mmsc.flaws]
        findings += self.relay_mail.flaws() if self.between else []
        if self.capture:
            taken = {mail.get("Message-ID") for mmsc in self.mmscs() for mail in mmsc.mails}
            findings += [f"tshark reads no mail {each}" for each in taken - self.capture.mails()]
        return frames, findings


@dataclasses.dataclass
class Message:
    """A CPM message for an MMS user: `content` is a Part or a Multimedia."""

    id: str
    recipient: str
    content: object
    requests: str = ""
    sender: str = CLIENT
    headers: tuple = ()
    outcomes: tuple = ()  # the reports that the MMSC brings, as (kind, status)
    domains: tuple = (DOMAIN,)  # those of the MMSCs that may get it

    @property
    def content_type(self):
        alone = isinstance(self.content, pictures.Part)
        return self.content.content_type if alone else self.content.content_type()

    def octets(self):
        return self.content.octets if isinstance(self.content, pictures.Part) else self.content.body()

    def parts(self):
        return [self.content] if isinstance(self.content, pictures.Part) else self.content.parts

    def wishes(self):
        return [wish for wish in self.requests.split(", ") if wish]

    def reports(self):
        """The (element, status) that must come of it; judge.reported asks for them."""
        return {state for _, outcome in self.outcomes for state in states_of(outcome, self.wishes())}


def states_of(outcome, wishes):
    if outcome in DELIVERY:
        wish, delivery, interworking = DELIVERY[outcome]
        yield from [("delivery-notification", delivery)] if wish in wishes else []
        yield from [("interworking-notification", interworking)] if "interworking" in wishes else []
    asked = {"positive-delivery", "negative-delivery", "interworking"} & set(wishes)  # Table 13: else no report is wanted
    if outcome in PROCESSING and "processing" in wishes and asked:
        yield "processing-notification", PROCESSING[outcome]
    if outcome in DISPLAY and "display" in wishes:
        yield "display-notification", DISPLAY[outcome]


# --- CPM to MMS


def arrived(messages, accepted, mails):
    """What was accepted is with the MMSC once, whole and as Tables 12, 13, 15 and 16 say; of the rest nothing is twice."""
    by_recipient = {}
    for mail in mails:
        by_recipient.setdefault(tuple(mail.numbers()), []).append(mail)
    for message in messages:
        found = by_recipient.pop((message.recipient,), [])
        if len(found) > 1 or (message.id in accepted and not found):
            yield f"{message.id}: came {len(found)} times"
        yield from (f"{message.id}: {flaw}" for mail in found[:1] for flaw in mail_flaws(message, mail))
    yield from (f"a mail to {numbers}, who were not addressed" for numbers in by_recipient)
    yield from id_flaws(mails)


def id_flaws(mails):
    for name in ("X-Mms-Message-ID", "X-Mms-Transaction-ID", "Message-ID"):
        values = [mail.get(name) for mail in mails]
        yield from judge.holds(len(set(values)) == len(values), f"{name} is not unique: {values[:4]}")


def mail_flaws(message, mail):
    """IWF V3.0 Tables 12 and 13, 15 and 16."""
    wanted = {
        "MAIL FROM": (mail.mail_from, mm4.phone(message.sender, GATEWAY_DOMAIN)),
        "RCPT TO": (mm4.number_in(mail.rcpt_to[0]), message.recipient),
        "From": (mm4.number_in(mail.get("From")), message.sender),
        "To": (mm4.number_in(mail.get("To")), message.recipient),
        "Sender": (mm4.unquoted(mail.get("Sender")), SYSTEM),
        "X-Mms-Originator-System": (mm4.unquoted(mail.get("X-Mms-Originator-System")), SYSTEM),
        "X-Mms-Ack-Request": (mail.get("X-Mms-Ack-Request"), "Yes"),
        "X-Mms-Priority": (mail.get("X-Mms-Priority"), "Normal"),
        "X-Mms-Delivery-Report": (mail.get("X-Mms-Delivery-Report") or "No", yes(asks_delivery(message))),
        "X-Mms-Read-Reply": (mail.get("X-Mms-Read-Reply") or "No", yes("display" in message.wishes())),
        "Date": (seconds(mail.get("Date")), datetime.datetime.fromisoformat(WRITTEN).timestamp()),
        "X-Mms-Sender-Visibility": (mail.get("X-Mms-Sender-Visibility") or "Show", visibility(message)),
        "Subject": (mail.get("Subject"), dict(message.headers).get("Subject", "")),
    }
    yield from (f"{name} is {got!r}, not {right!r}" for name, (got, right) in wanted.items() if got != right)
    domain = mail.rcpt_to[0].partition("@")[2]
    yield from judge.holds(domain in message.domains, f"went to {domain}")
    yield from pictures.compared(message.parts(), mail.parts())


def asks_delivery(message):
    return bool({"positive-delivery", "negative-delivery", "interworking"} & set(message.wishes()))


def yes(condition):
    return "Yes" if condition else "No"


def visibility(message):
    return "Hide" if "Privacy" in dict(message.headers) else "Show"


def seconds(date):
    return email.utils.parsedate_to_datetime(date).timestamp()


def correlated(message, response, mails):
    """A 2xx that says it went as MMS (IWF V3.0 6.3.1.1.7): `response` is a Sip."""
    mail = next((mail for mail in mails if mail.numbers() == [message.recipient]), None)
    got = response.get("Message-Context").lower(), mm4.unquoted(response.get("Message-Correlator"))
    if mail and got != ("multimedia-message", mm4.unquoted(mail.id)):
        yield f"{message.id}: Message-Context and Message-Correlator {got} for {mail.id}"


def notified(messages, agent):
    """The IMDNs that came are those that were asked for (judge.reported), and tell when the message was written."""
    requests = [Request(request.octets) for request in agent.requests]
    yield from judge.reported(messages, requests)
    for request in requests:
        written = Notification(request.content).tree.findtext("{*}datetime")
        yield from judge.holds(written == WRITTEN, f"a report with datetime {written}")


# --- MMS to CPM


def user_of(request):
    """The digits in a Request-URI."""
    return "".join(char for char in request.split("@")[0] if char.isdigit())


def sender_flaws(request, sender):
    """IWF V3.0 Tables 36 and 40, Appendix D. `request` has `get`."""
    for name in ("From", "P-Asserted-Identity"):
        if f"+{sender}" not in request.get(name):
            yield f"{name} is {request.get(name)}, not {sender}"
    if "nccsid=mms" not in (request.get("From") + request.get("P-Asserted-Identity")).lower().replace('"', ""):
        yield f"From and P-Asserted-Identity do not say MMS: {request.get('From')}"


def content_flaws(wanted, message):
    """The same Parts, in the same multipart: `message` is a cpm.Wrapped."""
    content_type = message.mime["Content-Type"] or ""
    if content_type.lower().startswith("multipart/"):
        return pictures.compared(wanted, pictures.binary_leaves(content_type, message.content))
    encoding = message.mime["Content-Transfer-Encoding"] or "binary"
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return pictures.compared(wanted, [pictures.leaf_of(head.encode() + message.content)])
