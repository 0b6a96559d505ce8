"""What a SIP MESSAGE says, read by Python's own means."""

import email.parser
import email.policy
import pathlib

from lxml import etree

IMDN = "{urn:ietf:params:xml:ns:imdn}"
SCHEMA = etree.RelaxNG(etree.parse(str(pathlib.Path(__file__).with_name("imdn.rng"))))


class Request:
    """A MESSAGE with a CPIM body: `headers`, `cpim` and `mime` are mappings that ignore case."""

    def __init__(self, octets):
        head, _, body = octets.partition(b"\r\n\r\n")
        start, _, headers = head.partition(b"\r\n")
        self.method, self.uri = start.decode().split(" ")[:2]
        self.headers, self.body = mapping(headers), body
        cpim, _, inner = body.partition(b"\r\n\r\n")
        mime, _, self.content = inner.partition(b"\r\n\r\n")
        self.cpim, self.mime = mapping(cpim), mapping(mime)

    def transaction(self):
        """The same for every retransmission, another for every new request."""
        return self.headers["Call-ID"], self.headers["CSeq"]

    def flaws(self):
        """What no receiver should have to accept."""
        found = []
        if self.headers["Content-Length"] != str(len(self.body)):
            found.append(f"Content-Length {self.headers['Content-Length']} of {len(self.body)} octets")
        if self.headers["Content-Type"] != "message/cpim":
            found.append(f"Content-Type {self.headers['Content-Type']}")
        wanted = ("Conversation-ID", "Contribution-ID", "P-Asserted-Identity", "User-Agent", "Accept-Contact")
        found += [f"no {name}" for name in wanted if not self.headers[name]]
        if not self.cpim["imdn.Message-ID"]:
            found.append("no imdn.Message-ID")
        return found


class Notification:
    """A message/imdn+xml document: `states` is a list of (element, status)."""

    def __init__(self, content):
        self.tree = etree.fromstring(content)
        self.message_id = (self.tree.findtext(f"{IMDN}message-id") or "").strip()
        self.states = [
            (local(element), local(status))
            for element in self.tree
            if local(element).endswith("-notification")
            for status in element[0]
        ]

    def flaws(self):
        return [] if SCHEMA.validate(self.tree) else [str(SCHEMA.error_log.last_error)]


def mapping(lines):
    return email.parser.HeaderParser(policy=email.policy.compat32).parsestr(lines.decode("utf-8", "replace"))


def local(element):
    return etree.QName(element).localname


def distinct(requests):
    """One of each transaction, in order."""
    return list({request.transaction(): request for request in requests}.values())
