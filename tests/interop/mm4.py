"""Mails between MMS Relay/Servers (3GPP TS 23.140 8.4): what one must have, read by Python's email package, and such mails
written."""

import dataclasses
import email
import email.policy
import email.utils
import re

import pictures

VERSION = "6.10.0"
PHONE = re.compile(r"\+(\d{5,15})/TYPE=PLMN@([A-Za-z0-9.-]+)")
ADDRESS = r"[\w.+/=-]+@[A-Za-z0-9.-]+"
YES, TOKEN = r"Yes|No", r'"[^"]{1,140}"|[\x21-\x7e]{1,140}'
STATUS = r"Ok|Error-[a-z-]+"
OK = "Ok"
STATUSES = {  # X-Mms-Request-Status-Code -> the code of the SIP response (IWF V3.0 Table 14, and by analogy)
    OK: 202,
    "Error-unspecified": 400,
    "Error-network-problem": 400,
    "Error-service-denied": 403,
    "Error-content-not-accepted": 415,
    "Error-message-format-corrupt": 415,
}

# Field -> what its value may be; in the first group mandatory, in the second not.
EVERY = {
    "X-Mms-3GPP-MMS-Version": r"\d+\.\d+\.\d+",
    "X-Mms-Message-Type": r"MM4_(forward|delivery_report|read_reply_report)\.(REQ|RES)",
    "X-Mms-Transaction-ID": TOKEN,
    "X-Mms-Message-ID": TOKEN,
    "Message-ID": r"<[^<>\s@]+@[^<>\s@]+>",
    "Sender": f"<?{ADDRESS}>?",
    "Date": r".+",
    "MIME-Version": r"1\.0",
    "To": r".+",
}
ROUTES = {
    "X-Mms-Forward-Route": TOKEN,
    "X-Mms-Return-Route": TOKEN,
    "X-Mms-Originator-Recipient-Address": r".+",
    "X-Mms-MMSIP-Address": r".+",
}
REQUEST = {"From": r".+"}
MANDATORY = {
    "MM4_forward.REQ": REQUEST | {"Content-Type": r".+"},
    "MM4_forward.RES": {"X-Mms-Request-Status-Code": STATUS},
    "MM4_delivery_report.REQ": REQUEST
    | {"X-Mms-MM-Status-Code": r"Expired|Retrieved|Rejected|Deferred|Indeterminate|Forwarded|Unrecognised"},
    "MM4_delivery_report.RES": {"X-Mms-Request-Status-Code": STATUS},
    "MM4_read_reply_report.REQ": REQUEST | {"X-Mms-Read-Status": r"Read|Deleted without being read"},
    "MM4_read_reply_report.RES": {"X-Mms-Request-Status-Code": STATUS},
}
ANSWER = ROUTES | {"X-Mms-Status-Text": r".+", "X-Mms-Request-Recipients": r".+"}
REPORT = ROUTES | {"X-Mms-Ack-Request": YES, "X-Mms-Status-Text": r".+", "X-Mms-Originator-System": f"<?{ADDRESS}>?"}
OPTIONAL = {
    "MM4_forward.REQ": ROUTES
    | {
        "Cc": r".+",
        "X-Mms-Message-Class": r"Personal|Advertisement|Informational|Auto",
        "X-Mms-Expiry": r".+",
        "X-Mms-Delivery-Report": YES,
        "X-Mms-Originator-R/S-Delivery-Report": YES,
        "X-Mms-Priority": r"Low|Normal|High",
        "X-Mms-Sender-Visibility": r"Hide|Show",
        "X-Mms-Read-Reply": YES,
        "X-Mms-Ack-Request": YES,
        "X-Mms-Forward-Counter": r"\d{1,3}",
        "X-Mms-Originator-System": f"<?{ADDRESS}>?",
        "X-Mms-Adaptation-Allowed": YES,
        "X-Mms-Content-Class": r"[a-z-]+",
        "X-Mms-Drm-Content": YES,
        "X-Mms-Applic-ID": r".+",
    },
    "MM4_forward.RES": ANSWER,
    "MM4_delivery_report.REQ": REPORT | {"X-Mms-MM-Status-Extension": r".+", "X-Mms-Forward-To-Originator-UA": YES},
    "MM4_delivery_report.RES": ANSWER,
    "MM4_read_reply_report.REQ": REPORT,
    "MM4_read_reply_report.RES": ANSWER,
}
LINE_OCTETS_MAX = 998


def phone(number, domain):
    return f"+{number}/TYPE=PLMN@{domain}"


def number_in(address):
    """The digits of a phone address; empty if it is none."""
    found = PHONE.search(str(address or ""))
    return found[1] if found else ""


def unquoted(value):
    return value.strip().strip('"<>')


@dataclasses.dataclass
class Mail:
    """What came in one SMTP transaction. `octets` are without dot-stuffing; `options` those of MAIL FROM."""

    octets: bytes
    mail_from: str = ""
    rcpt_to: list = dataclasses.field(default_factory=list)
    options: list = dataclasses.field(default_factory=list)
    connection: int = 0

    def __post_init__(self):
        self.message = email.message_from_bytes(self.octets, policy=email.policy.SMTP)
        self.kind = self.get("X-Mms-Message-Type")
        self.id, self.transaction = self.get("X-Mms-Message-ID"), self.get("X-Mms-Transaction-ID")

    def get(self, name):
        return str(self.message[name] or "").strip()

    def numbers(self):
        """Whom the envelope names."""
        return [number_in(address) for address in self.rcpt_to]

    def parts(self):
        return pictures.leaves(self.message)

    def body(self):
        return self.octets.partition(b"\r\n\r\n")[2]

    def flaws(self):
        """What no MMS Relay/Server should have to accept."""
        found = [*line_flaws(self), *field_flaws(self), *mime_flaws(self), *envelope_flaws(self)]
        return [f"{self.kind or 'a mail'} {self.id}: {flaw}" for flaw in found]


def line_flaws(mail):
    """RFC 5321 2.3.8 and 4.5.3.1.6, RFC 6152, RFC 1870."""
    lines = mail.octets.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines):
        yield "a lone CR or LF, or NUL"
    if (longest := max(map(len, lines))) > LINE_OCTETS_MAX:
        yield f"a line of {longest} octets"
    if not mail.octets.isascii() and "BODY=8BITMIME" not in mail.options:
        yield "octets of 8 bits that were not announced"
    if not mail.octets.partition(b"\r\n\r\n")[0].isascii():
        yield "octets of 8 bits in the header"
    size = next((int(option[5:]) for option in mail.options if option.startswith("SIZE=")), None)
    if size is not None and abs(size - len(mail.octets)) > 200 + len(mail.octets) // 50:
        yield f"SIZE={size} for {len(mail.octets)} octets"


def field_flaws(mail):
    """TS 23.140 8.4.4 and RFC 5322 3.6."""
    if mail.kind not in MANDATORY:
        yield f"X-Mms-Message-Type is {mail.kind!r}"
        return
    mandatory, optional = EVERY | MANDATORY[mail.kind], OPTIONAL[mail.kind]
    yield from (f"no {name}" for name in mandatory if name not in mail.message)
    known = {name.lower(): name for name in [*mandatory, *optional]}
    counts = [name for name in mail.message if name.lower() != "received"]
    yield from (f"{name} {counts.count(name)} times" for name in set(counts) if counts.count(name) > 1)
    for name, value in mail.message.items():
        if name.lower() not in known and name.lower().startswith("x-mms-"):
            yield f"{name}, which a {mail.kind} does not have"
        elif name.lower() in known and not re.fullmatch((mandatory | optional)[known[name.lower()]], str(value).strip()):
            yield f"{name} is {str(value)!r}"
    yield from expiry_flaws(mail)


def expiry_flaws(mail):
    """A date, or seconds."""
    expiry = mail.get("X-Mms-Expiry")
    try:
        if expiry and not expiry.isdigit():
            email.utils.parsedate_to_datetime(expiry)
    except ValueError:
        yield f"X-Mms-Expiry is {expiry!r}"


def mime_flaws(mail):
    """What the email package complains of, in the message, in its fields and in every part."""
    for part in mail.message.walk():
        yield from (f"{type(defect).__name__} in {part.get_content_type()}" for defect in part.defects)
        for name, value in part.items():
            yield from (f"{type(defect).__name__} in {name}: {value}" for defect in getattr(value, "defects", ()))
        encoding = (part["Content-Transfer-Encoding"] or "7bit").lower()
        if encoding not in ("7bit", "8bit", "base64", "quoted-printable"):
            yield f"{part.get_content_type()} in {encoding}"
        if part.is_multipart() and encoding not in ("7bit", "8bit"):
            yield f"{part.get_content_type()} in {encoding}"
        if not part.is_multipart():
            part.get_payload(decode=True)
            yield from (f"{type(defect).__name__} in a {part.get_content_type()}" for defect in part.defects)


def envelope_flaws(mail):
    if not re.fullmatch(ADDRESS, mail.mail_from):
        yield f"MAIL FROM:<{mail.mail_from}>"
    if mail.kind == "MM4_forward.REQ":
        yield from (f"RCPT TO:<{each}>" for each in mail.rcpt_to if not PHONE.fullmatch(each))
        if mail.get("X-Mms-Ack-Request") == "Yes" and not mail.get("X-Mms-Originator-System"):
            yield "asks for an answer and names no X-Mms-Originator-System"
    if mail.kind.endswith(".RES") and mail.body().strip():
        yield f"a body of {len(mail.body())} octets"


# --- writing


def written(fields, body=b""):
    """A mail of (name, value) fields; what has no value is left out."""
    lines = [f"{name}: {value}\r\n" for name, value in fields if value]
    return "".join(lines).encode() + b"\r\n" + body


def common(kind, message_id, transaction, system, mail_id):
    return [
        ("X-Mms-3GPP-MMS-Version", VERSION),
        ("X-Mms-Message-Type", kind),
        ("X-Mms-Transaction-ID", transaction),
        ("X-Mms-Message-ID", message_id),
        ("Message-ID", f"<{mail_id}>"),
        ("Date", email.utils.formatdate()),
        ("Sender", system),
        ("MIME-Version", "1.0"),
    ]


def answer(mail, system, mail_id, status=OK, text=""):
    """The .RES to a .REQ."""
    kind = mail.kind.replace(".REQ", ".RES")
    fields = common(kind, mail.id, mail.transaction, system, mail_id)
    fields += [("To", mail.get("X-Mms-Originator-System") or mail.mail_from), ("From", system)]
    fields += [("X-Mms-Request-Status-Code", status), ("X-Mms-Status-Text", text)]
    fields += [("X-Mms-Return-Route", mail.get("X-Mms-Forward-Route"))]
    return written([*fields, ("Content-Type", "text/plain")])


def forward(content, sender, recipients, message_id, transaction, system, mail_id, **more):
    """MM4_forward.REQ around a Multimedia or a Part; `more` as X_Mms_Priority="High" adds or, empty, takes fields."""
    kind, encoding, body = content.carried()
    fields = dict(common("MM4_forward.REQ", message_id, transaction, system, mail_id))
    fields |= {"From": sender, "To": ", ".join(recipients), "X-Mms-Ack-Request": "Yes", "X-Mms-Originator-System": system}
    fields |= {"X-Mms-Message-Class": "Personal", "X-Mms-Priority": "Normal"}
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    return written([*fields.items(), ("Content-Type", kind), ("Content-Transfer-Encoding", encoding)], body)


def report(kind, about, status, system, transaction, mail_id, number, **more):
    """MM4_delivery_report.REQ or MM4_read_reply_report.REQ from the recipient `number` about a MM4_forward.REQ."""
    fields = common(kind, about.id, transaction, system, mail_id)
    domain = about.rcpt_to[0].partition("@")[2]
    fields += [("From", phone(number, domain)), ("To", about.mail_from), ("X-Mms-Ack-Request", "Yes")]
    name = "X-Mms-MM-Status-Code" if "delivery" in kind else "X-Mms-Read-Status"
    fields += [(name, status), *((name.replace("_", "-"), value) for name, value in more.items())]
    return written([*fields, ("Content-Type", "text/plain")])
