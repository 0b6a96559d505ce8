"""A CPM client with sessions: its INVITEs, its SDP, its CPIM, and what it expects of the other side's."""

import asyncio
import re
import secrets

import msrp
from sipmsg import mapping
from ua import ALLOW, Dialog, Sip, uri_in

LARGE, SESSION = "largemsg", "session"
URN = "urn:urn-7:3gpp-service.ims.icsi.oma.cpm."
DOMAIN = "gw.example.net"
CPIM = "message/cpim"
PAGER = "msg"
TEXT = "text/plain; charset=utf-8"
PRODUCT = re.compile(r"\S+/\S+")


def icsi(service):
    return f'+g.3gpp.icsi-ref="{(URN + service).replace(":", "%3A")}"'


def cpim(message_id, text, requests="", content_type=TEXT):
    """A message as it goes into MSRP SEND requests and into SIP MESSAGEs."""
    wish = f"imdn.Disposition-Notification: {requests}\r\n" if requests else ""
    head = (
        "From: <sip:anonymous@anonymous.invalid>\r\nTo: <sip:anonymous@anonymous.invalid>\r\n"
        f"NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: {message_id}\r\nDateTime: 2026-11-21T02:10:49Z\r\n{wish}\r\n"
        f"Content-Type: {content_type}\r\n\r\n"
    )
    return head.encode() + (text if isinstance(text, bytes) else text.encode())


class Wrapped:
    """A CPIM message that came: `cpim` and `mime` headers, `content`."""

    def __init__(self, octets):
        head, _, rest = octets.partition(b"\r\n\r\n")
        mime, _, self.content = rest.partition(b"\r\n\r\n")
        self.cpim, self.mime = mapping(head), mapping(mime)
        self.id = self.cpim["imdn.Message-ID"]

    def text(self):
        return self.content.decode(self.mime.get_param("charset") or "utf-8", "replace")

    def flaws(self, people=("anonymous@anonymous.invalid",) * 2, types=("text/plain", "message/imdn+xml")):
        """IWF V3.0 6.1.5.1, 6.2.2.2.2; `people` says what must be in CPIM From and To, which name nobody in a session."""
        for name, who in zip(("From", "To"), people):
            if who not in (self.cpim[name] or ""):
                yield f"CPIM {name} is {self.cpim[name]}"
        if self.mime.get_content_type() not in types:
            yield f"CPIM content is {self.mime['Content-Type']}"


class Sdp:
    """A session description with one MSRP stream."""

    def __init__(self, body):
        self.lines = body.decode().replace("\r\n", "\n").split("\n")
        media = next((line for line in self.lines if line.startswith("m=message ")), "m=message 0 none")
        self.port, self.protocol = int(media.split()[1]), media.split()[2]

    def get(self, name):
        """The value of an attribute; empty if it has none, None if it is not there."""
        found = (re.fullmatch(rf"a={re.escape(name)}(?::(.*))?", line) for line in self.lines)
        return next((match[1] or "" for match in found if match), None)

    def path(self):
        return (self.get("path") or "").split()

    def direction(self):
        known = ("sendonly", "recvonly", "inactive", "sendrecv")
        return next((name for name in known if self.get(name) is not None), "sendrecv")

    def flaws(self):
        if self.protocol != "TCP/MSRP":
            yield f"SDP: {self.protocol}"
        first = msrp.PARTS.fullmatch((self.path() or [""])[0])
        if not first or int(first[2]) != self.port and (self.get("setup"), self.port) != ("active", 9):
            yield f"SDP: port {self.port}, path {self.get('path')}"
        if self.get("accept-types") is None or not {CPIM, "*", "message/*"} & set(self.get("accept-types").split()):
            yield f"SDP: accept-types {self.get('accept-types')}"
        if self.get("setup") not in ("active", "passive", "actpass"):
            yield f"SDP: setup {self.get('setup')}"


def sdp(session, direction, setup, more=(), version=1, relayed=False, wrapped=""):
    """An offer or an answer for an MSRP session."""
    wrapped = wrapped or ("text/plain message/imdn+xml" if direction == "sendrecv" else "text/plain")
    first = session.path().split()[0]
    host, port, _ = msrp.PARTS.fullmatch(first).groups()
    lines = [
        "v=0",
        f"o=- 3930000000 {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=message {9 if setup == 'active' and not relayed else port} TCP/MSRP *",
        f"a=accept-types:{CPIM}",
        f"a=accept-wrapped-types:{wrapped}",
        f"a=path:{session.path()}",
        f"a=setup:{setup}",
        f"a={direction}",
        *more,
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


class Client:
    """One CPM user at an agent."""

    def __init__(self, agent, listener, number, relay=None):
        self.agent, self.listener, self.number, self.relay = agent, listener, number, relay

    async def media(self):
        """A new MSRP session, behind the relay if there is one."""
        session = self.listener.session()
        if self.relay:
            await session.use_relay(self.relay)
        return session

    def invite(self, service, recipient, name, body, more=()):
        """`name` makes the Conversation-ID, the Contribution-ID and the Call-ID."""
        headers = [
            *self.headers("INVITE", service, recipient, name),
            ("Contact", self.agent.contact(f";{icsi(service)}")),
            ("Allow", ALLOW),
            ("Supported", "timer"),
            *more,
            ("Content-Type", "application/sdp"),
        ]
        return self.agent.request("INVITE", f"tel:+{recipient}", headers, body)

    def headers(self, method, service, recipient, name):
        return [
            ("From", f"<sip:+{self.number}@{DOMAIN};user=phone>;tag={secrets.token_hex(6)}"),
            ("To", f"<tel:+{recipient}>"),
            ("Call-ID", f"{name}-{secrets.token_hex(8)}"),
            ("CSeq", f"1 {method}"),
            ("P-Asserted-Identity", f"<tel:+{self.number}>"),
            ("P-Asserted-Service", URN + service),
            ("Accept-Contact", f"*;{icsi(service)};require;explicit"),
            ("Conversation-ID", f"c-{name}"),
            ("Contribution-ID", f"d-{name}"),
            ("User-Agent", "CPM-client/OMA1.0"),
        ]

    async def page(self, recipient, name, content, content_type=TEXT, requests="", more=()):
        """The final response to a message in Pager Mode; None if there is none."""
        headers = [*self.headers("MESSAGE", PAGER, recipient, name), *more, ("Content-Type", CPIM)]
        body = cpim(name, content, requests, content_type)
        request = self.agent.request("MESSAGE", f"tel:+{recipient}", headers, body)
        return await self.agent.final(await self.agent.transact(request))


class Call:
    """A session that a client set up, or was invited to: its dialog and its MSRP session."""

    def __init__(self, client, service, session):
        self.client, self.service, self.session = client, service, session
        self.dialog = self.response = self.request = self.sdp = None
        self.flaws, self.provisional = [], []

    @classmethod
    async def to(
        cls, client, service, recipient, name, setup="actpass", direction=None, sdp_more=(), more=(), wrapped=""
    ):
        """INVITE; `dialog` is None if it was refused. The ACK is sent, the MSRP connection is not made."""
        call = cls(client, service, await client.media())
        direction = direction or ("sendonly" if service == LARGE else "sendrecv")
        call.offer = sdp(call.session, direction, setup, sdp_more, relayed=bool(client.relay), wrapped=wrapped)
        call.request = client.invite(service, recipient, name, call.offer, more)
        responses = await client.agent.transact(call.request)
        call.response = await client.agent.final(responses, seen=call.provisional)
        await call.settle(name)
        return call

    async def settle(self, name):
        if self.response is None or self.response.code >= 300:
            return
        self.dialog = Dialog.of_client(self.client.agent, self.request, self.response)
        self.dialog.answer = lambda request: (answer_headers(request), self.offer if request.body else b"")
        await self.dialog.ack()
        self.sdp = Sdp(self.response.body)
        self.session.peer = self.sdp.path()
        self.flaws += accepted_flaws(self.response, self.sdp, self.service, name)

    @classmethod
    async def accept(cls, client, server, setup="passive", limit=None, more=(), wrapped=""):
        """200 to an INVITE that came."""
        call = cls(client, LARGE if "largemsg" in server.request.get("Accept-Contact") else SESSION, await client.media())
        call.request, call.sdp = server.request, Sdp(server.request.body)
        call.session.peer = call.sdp.path()
        direction = {"sendonly": "recvonly", "recvonly": "sendonly"}.get(call.sdp.direction(), "sendrecv")
        body = sdp(call.session, direction, setup, relayed=bool(client.relay), wrapped=wrapped)
        call.dialog = Dialog.of_server(client.agent, server)
        call.dialog.answer = lambda request: (answer_headers(request), body if request.body else b"")
        headers = [("Contact", client.agent.contact(f";{icsi(call.service)}")), ("Allow", ALLOW)]
        server.respond(200, [*headers, *answer_headers(server.request), *more], body)
        call.flaws += invited_flaws(server.request, call.sdp, call.service)
        return call

    async def connect(self):
        """The active side: connects and binds. The code of the response to the empty SEND."""
        if not self.client.relay:
            await self.session.connect()
        return await self.session.bind()

    async def send(self, message_id, text, requests="", chunk=2048, content_type=TEXT, **more):
        return await self.session.send(CPIM, cpim(message_id, text, requests, content_type), chunk, **more)

    async def received(self, limit_s=30):
        return Wrapped((await asyncio.wait_for(self.session.messages.get(), limit_s)).body)

    def all_flaws(self):
        return [*self.flaws, *self.session.flaws]

    def close(self):
        self.session.close()


def answer_headers(request):
    """What a 2xx says of session timers (RFC 4028 9): the other side refreshes."""
    headers = [("Content-Type", "application/sdp")] if request.body else []
    if "timer" not in request.get("Supported") or not request.get("Session-Expires"):
        return headers
    interval = request.get("Session-Expires").split(";")[0]
    return [*headers, ("Session-Expires", f"{interval};refresher=uac"), ("Require", "timer")]


def cancel_of(agent, invite):
    """The CANCEL of an INVITE: the same branch (RFC 3261 9.1)."""
    kept = [(name, value) for name, value in invite.headers if name in ("Via", "From", "To", "Call-ID", "Route")]
    uri = invite.start.split(" ")[1]
    return Sip(f"CANCEL {uri} SIP/2.0", [*kept, ("Max-Forwards", "70"), ("CSeq", f"{invite.cseq} CANCEL")])


def accepted_flaws(response, answer, service, name):
    """A 200 to an INVITE (IWF V3.0 6.1.2 1 to 6, 6.1.4 6)."""
    yield from answer.flaws()
    if not PRODUCT.match(response.get("Server")):
        yield f"200 with Server {response.get('Server')!r}"
    if icsi(service).lower() not in response.get("Contact").lower():
        yield f"200 with Contact {response.get('Contact')!r}"
    pair = response.get("Conversation-ID"), response.get("Contribution-ID")
    if pair != (f"c-{name}", f"d-{name}"):
        yield f"200 with Conversation-ID and Contribution-ID {pair}"
    if answer.get("setup") != "passive":
        yield f"200 with setup:{answer.get('setup')}"
    if service == LARGE and answer.direction() != "recvonly":
        yield f"200 to a large message with {answer.direction()}"
    if service == SESSION:
        yield from session_flaws(response)


def session_flaws(response):
    if not response.get("P-Asserted-Identity"):
        yield "200 to a session without P-Asserted-Identity"
    if "timer" not in response.get("Supported"):
        yield f"200 with Supported {response.get('Supported')!r}"
    if not re.fullmatch(r"\d+\s*;\s*refresher=ua[cs]", response.get("Session-Expires")):
        yield f"200 with Session-Expires {response.get('Session-Expires')!r}"
    if "INVITE" not in response.get("Allow"):
        yield f"200 with Allow {response.get('Allow')!r}"


def invited_flaws(invite, offer, service):
    """An INVITE for a large message (IWF V3.0 Table 11)."""
    yield from offer.flaws()
    for name in ("Contact", "Accept-Contact"):
        if icsi(service).lower() not in invite.get(name).lower():
            yield f"INVITE with {name} {invite.get(name)!r}"
    wanted = ("P-Asserted-Identity", "Conversation-ID", "Contribution-ID", "User-Agent", "Max-Forwards")
    yield from (f"INVITE without {name}" for name in wanted if not invite.get(name))
    if offer.get("setup") == "passive":
        yield "an offer with setup:passive"


def sender_of(request):
    digits = re.search(r"\+(\d+)", request.get("P-Asserted-Identity") or uri_in(request.get("From")))
    return digits[1] if digits else "nobody"

