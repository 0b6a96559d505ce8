"""A SIP user agent on asyncio (RFC 3261, RFC 4028): as much of it as a CPM client needs to hold sessions."""

import asyncio
import dataclasses
import re
import secrets

T1_S, T2_S, B_S = 0.5, 4.0, 32.0
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "x": "session-expires"}
COMPACT |= {"c": "content-type", "k": "supported", "a": "accept-contact"}
LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d+)", re.I | re.M)
ALLOW = "INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS, MESSAGE, PRACK"
REASONS = {100: "Trying", 180: "Ringing", 200: "OK", 481: "No such dialog", 486: "Busy Here", 487: "Terminated"}
REASONS |= {404: "Not Found", 480: "Temporarily Unavailable", 488: "Not Acceptable Here", 603: "Decline"}


@dataclasses.dataclass
class Sip:
    """A request or a response; `headers` is a list of (name, value) as they came."""

    start: str
    headers: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    octets: bytes = b""

    @classmethod
    def parse(cls, octets):
        head, _, body = octets.partition(b"\r\n\r\n")
        start, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode()).split("\r\n")
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        length = LENGTH.search(head)
        return cls(start, headers, body[: int(length[1])] if length else body, octets)

    def write(self):
        lines = [f"{name}: {value}" for name, value in self.headers if name.lower() != "content-length"]
        head = "\r\n".join([self.start, *lines, f"Content-Length: {len(self.body)}"])
        return head.encode() + b"\r\n\r\n" + self.body

    @property
    def code(self):
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self):
        return self.get("CSeq").split()[-1] if self.code else self.start.split(" ")[0]

    @property
    def cseq(self):
        return int(self.get("CSeq").split()[0])

    def all(self, name):
        return [value for has, value in self.headers if COMPACT.get(has.lower(), has.lower()) == name.lower()]

    def get(self, name, otherwise=""):
        return next(iter(self.all(name)), otherwise)

    def transaction(self):
        branch = re.search(r"branch=([^;,\s]+)", self.get("Via"))
        method = "INVITE" if self.method == "ACK" else self.method
        return (branch[1] if branch else "", method)

    def tag(self, name):
        found = re.search(r";\s*tag=([^;\s]+)", self.get(name))
        return found[1] if found else ""


def listed(values):
    """The elements of comma lists whose elements have angle brackets."""
    return [each.strip() for value in values for each in re.split(r",(?=\s*<)", value)]


def uri_in(value):
    found = re.search(r"<([^>]*)>", value)
    return found[1] if found else value.split(";")[0].strip()


class Agent(asyncio.DatagramProtocol):
    """Sends to and takes from one next hop, over UDP or TCP. `invited` gets each incoming call; `requests` are the MESSAGEs
    that came (once each), answered with 200."""

    def __init__(self, port, hop, transport="udp", reached_at=None):
        self.port, self.hop, self.transport_name, self.reached_at = port, hop, transport, reached_at or port
        self.invited, self.requests, self.dialogs = asyncio.Queue(), [], {}
        self.clients, self.servers, self.flaws, self.tasks = {}, {}, [], set()
        self.stream = None
        self.reply_to_message = lambda request: 200

    async def start(self):
        loop = asyncio.get_running_loop()
        self.udp, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
        self.tcp = await asyncio.start_server(self.serve, "127.0.0.1", self.port, limit=1 << 20)

    def stop(self):
        for task in self.tasks:
            task.cancel()
        self.udp.close()
        self.tcp.close()
        if self.stream:
            self.stream.close()

    def spawn(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.done)
        return task

    def done(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and task.exception():
            self.flaws.append(f"the client: {task.exception()!r}")

    # --- the wire

    def datagram_received(self, data, peer):
        self.hear(data, lambda octets: self.udp.sendto(octets, peer))

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.strip():
                    continue
                length = LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                self.hear(head.lstrip(b"\r\n") + body, writer.write)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    async def send(self, octets):
        if self.transport_name == "udp":
            self.udp.sendto(octets, ("127.0.0.1", self.hop))
            return
        if self.stream is None or self.stream.is_closing():
            reader, self.stream = await asyncio.open_connection("127.0.0.1", self.hop, limit=1 << 20)
            self.spawn(self.serve(reader, self.stream))
        self.stream.write(octets)

    def hear(self, octets, reply):
        message = Sip.parse(octets)
        if message.code:
            self.hear_response(message)
        elif message.method == "ACK":
            self.hear_ack(message)
        else:
            self.hear_request(message, reply)

    # --- client transactions

    async def transact(self, request):
        """A queue of the responses: provisional, final, None for time-out."""
        responses = asyncio.Queue()
        self.clients[request.transaction()] = (request, responses)
        self.spawn(self.retransmit(request, responses))
        return responses

    async def retransmit(self, request, responses):
        pause, spent = T1_S, 0.0
        while spent < B_S and request.transaction() in self.clients and not getattr(responses, "answered", False):
            if spent == 0.0 or self.transport_name == "udp":
                await self.send(request.write())
            await asyncio.sleep(pause)
            spent += pause
            pause = pause * 2 if request.method == "INVITE" else min(pause * 2, T2_S)
        if not getattr(responses, "answered", False):
            responses.put_nowait(None)

    def hear_response(self, response):
        request, responses = self.clients.get(response.transaction(), (None, None))
        if request is None:
            self.flaws.append(f"a response {response.start} to nothing that was sent")
            return
        final = response.code >= 200
        if request.method == "INVITE" or final:
            responses.answered = True
        if request.method == "INVITE" and response.code >= 300:
            self.spawn(self.send(ack_of(request, response).write()))
        if request.method == "INVITE" and 200 <= response.code < 300:
            self.again(response)
        if not getattr(responses, "over", False):
            responses.over = final
            responses.put_nowait(response)

    def again(self, response):
        """A 2xx that came again gets its ACK again."""
        dialog = self.dialogs.get((response.get("Call-ID"), response.tag("From")))
        if dialog and dialog.last_ack and response.tag("To") == dialog.remote_tag:
            self.spawn(self.send(dialog.last_ack))

    async def final(self, responses, limit_s=B_S + 2, seen=None):
        """The final response; provisional ones go to `seen`."""
        while True:
            response = await asyncio.wait_for(responses.get(), limit_s)
            if response is None or response.code >= 200:
                return response
            if seen is not None:
                seen.append(response)

    # --- server transactions

    def hear_request(self, request, reply):
        if held := self.servers.get(request.transaction()):
            if held.last:
                reply(held.last)
            return
        server = self.servers[request.transaction()] = Server(self, request, reply)
        dialog = self.dialogs.get((request.get("Call-ID"), request.tag("To")))
        if request.method == "CANCEL":
            self.hear_cancel(server)
        elif dialog:
            dialog.hear(server)
        elif request.method == "INVITE" and not request.tag("To"):
            server.respond(100)
            self.invited.put_nowait(server)
        elif request.method == "MESSAGE":
            self.requests.append(request)
            server.respond(self.reply_to_message(request))
        elif request.method == "OPTIONS":
            server.respond(200, [("Allow", ALLOW)])
        else:
            server.respond(481)

    def hear_cancel(self, cancel):
        branch, _ = cancel.request.transaction()
        invite = self.servers.get((branch, "INVITE"))
        cancel.respond(200 if invite else 481)
        if invite and not invite.final:
            invite.cancelled.set()
            invite.respond(487)

    def hear_ack(self, request):
        dialog = self.dialogs.get((request.get("Call-ID"), request.tag("To")))
        server = self.servers.get(request.transaction())
        if dialog:
            dialog.acked.set()
        elif server:
            server.acked.set()

    def request(self, method, uri, headers, body=b"", branch=None):
        via = f"SIP/2.0/{self.transport_name.upper()} 127.0.0.1:{self.port};branch={branch or new_branch()};rport"
        return Sip(f"{method} {uri} SIP/2.0", [("Via", via), ("Max-Forwards", "70"), *headers], body)

    def contact(self, tag=""):
        return f"<sip:client@127.0.0.1:{self.reached_at};transport={self.transport_name}>{tag}"


class Server:
    """An incoming request and what was said to it."""

    def __init__(self, agent, request, reply):
        self.agent, self.request, self.reply = agent, request, reply
        self.last, self.final, self.tag = b"", 0, secrets.token_hex(6)
        self.acked, self.cancelled = asyncio.Event(), asyncio.Event()

    def respond(self, code, headers=(), body=b""):
        request = self.request
        to = request.get("To")
        if code > 100 and not request.tag("To"):
            to += f";tag={self.tag}"
        copied = [("Via", value) for value in request.all("Via")]
        copied += [(name, request.get(name)) for name in ("From", "Call-ID", "CSeq")] + [("To", to)]
        if code > 100 and request.method == "INVITE":
            copied += [("Record-Route", value) for value in request.all("Record-Route")]
        self.last = Sip(f"SIP/2.0 {code} {REASONS.get(code, 'Other')}", [*copied, *headers], body).write()
        self.final = code if code >= 200 else 0
        self.reply(self.last)
        if request.method == "INVITE" and code >= 200:
            self.agent.spawn(self.repeat())

    async def repeat(self):
        """The final response to an INVITE again until its ACK (RFC 3261 13.3.1.4, 17.2.1)."""
        pause, spent, sent = T1_S, 0.0, self.last
        while spent < B_S:
            await asyncio.sleep(pause)
            spent, pause = spent + pause, min(pause * 2, T2_S)
            dialog = self.agent.dialogs.get((self.request.get("Call-ID"), self.request.tag("To") or self.tag))
            if self.acked.is_set() or (dialog and dialog.acked.is_set()):
                return
            self.reply(sent)
        self.agent.flaws.append(f"no ACK for the final response to {self.request.get('Call-ID')}")


class Dialog:
    """One dialog. `ended` is set by a BYE, `refreshes` counts UPDATEs and re-INVITEs of the peer; `answer` gives the
    headers and body of the answer to one."""

    def __init__(self, agent, call_id, local, remote, target, routes):
        self.agent, self.call_id, self.local, self.remote = agent, call_id, local, remote
        self.target, self.routes, self.cseq, self.last_ack = target, routes, secrets.randbelow(1000) + 1, None
        self.acked, self.ended = asyncio.Event(), asyncio.Event()
        self.bye_request, self.refreshes, self.bye_headers = None, 0, []
        self.answer = lambda request: ([], b"")
        agent.dialogs[(call_id, tag_of(local))] = self

    @property
    def remote_tag(self):
        return tag_of(self.remote)

    @classmethod
    def of_client(cls, agent, invite, response):
        routes = [uri for uri in reversed(listed(response.all("Record-Route")))]
        target = uri_in(response.get("Contact"))
        dialog = cls(agent, invite.get("Call-ID"), invite.get("From"), response.get("To"), target, routes)
        dialog.cseq = invite.cseq
        return dialog

    @classmethod
    def of_server(cls, agent, server):
        request = server.request
        routes = listed(request.all("Record-Route"))
        local = f"{request.get('To')};tag={server.tag}"
        return cls(agent, request.get("Call-ID"), local, request.get("From"), uri_in(request.get("Contact")), routes)

    def request(self, method, headers=(), body=b""):
        if method != "ACK":
            self.cseq += 1
        own = [("Route", route) for route in self.routes]
        own += [("From", self.local), ("To", self.remote), ("Call-ID", self.call_id), ("CSeq", f"{self.cseq} {method}")]
        return self.agent.request(method, self.target, [*own, *headers], body)

    async def ack(self):
        self.last_ack = self.request("ACK").write()
        await self.agent.send(self.last_ack)

    async def ask(self, method, headers=(), body=b""):
        """The final response to a request in the dialog."""
        responses = await self.agent.transact(self.request(method, headers, body))
        response = await self.agent.final(responses)
        if response and method == "INVITE" and response.code < 300:
            await self.ack()
        return response

    async def bye(self, headers=()):
        response = await self.ask("BYE", headers)
        self.ended.set()
        return response

    def hear(self, server):
        method = server.request.method
        if method == "BYE":
            self.bye_request = server.request
            server.respond(200, self.bye_headers)
            self.ended.set()
        elif method in ("UPDATE", "INVITE"):
            self.refreshes += 1
            headers, body = self.answer(server.request)
            self.acked.clear()
            server.respond(200, [("Contact", self.agent.contact()), *headers], body)
        else:
            server.respond(200)


def ack_of(request, response):
    """The ACK of a final response that is no 2xx: it belongs to the transaction (RFC 3261 17.1.1.3)."""
    uri = request.start.split(" ")[1]
    kept = [("Via", request.get("Via")), ("Max-Forwards", "70"), ("From", request.get("From"))]
    kept += [("Route", route) for route in request.all("Route")]
    kept += [("To", response.get("To")), ("Call-ID", request.get("Call-ID")), ("CSeq", f"{request.cseq} ACK")]
    return Sip(f"ACK {uri} SIP/2.0", kept)


def tag_of(value):
    found = re.search(r";\s*tag=([^;\s]+)", value)
    return found[1] if found else ""


def new_branch():
    return f"z9hG4bK{secrets.token_hex(8)}"
