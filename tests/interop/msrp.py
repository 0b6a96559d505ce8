"""MSRP endpoints (RFC 4975) on asyncio: what a CPM client has behind its SDP. Behind a relay they speak RFC 4976 too."""

import asyncio
import dataclasses
import re
import secrets

WINDOW_CHUNKS = 64  # so many chunks of a message wait for their responses at once
RESPONSE_S_MAX = 35  # the sender's timer is 30 s (RFC 4975 7.1.1)
READ_BYTES = 1 << 16
START = re.compile(rb"MSRP ([A-Za-z0-9][\w.+%=-]{3,31}) (?:(\d{3})(?: [^\r\n]*)?|([A-Z]+))\r\n")
RANGE = re.compile(r"(\d+)-(\d+|\*)/(\d+|\*)")
PARTS = re.compile(r"msrps?://(?:[^@/]*@)?(\[[^\]]+\]|[^:/;]+):(\d+)/([^;]+);tcp")


@dataclasses.dataclass
class Frame:
    """One request or response. `headers` by lower-case name; `body` is None if there is none at all."""

    id: str
    method: str = ""
    code: int = 0
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes | None = None
    flag: str = "$"

    def octets(self):
        what = self.method or f"{self.code:03} {REASONS.get(self.code, 'Other')}"
        start = f"MSRP {self.id} {what}\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        body = b"" if self.body is None else b"\r\n" + self.body + b"\r\n"
        return (start + lines).encode() + body + f"-------{self.id}{self.flag}\r\n".encode()

    def get(self, name, otherwise=""):
        return next((value for has, value in self.headers.items() if has.lower() == name.lower()), otherwise)

    def path(self, name):
        return self.get(name).split()


REASONS = {200: "OK", 400: "Bad Request", 408: "Timeout", 413: "Stop", 415: "Unsupported", 481: "No such session"}


class Frames:
    """Octets in, frames out. What is no MSRP raises ValueError."""

    def __init__(self):
        self.held, self.searched = bytearray(), 0

    def feed(self, octets):
        self.held += octets
        while (frame := self.next()) is not None:
            yield frame

    def next(self):
        start = self.start()
        if start is None:
            return None
        end = re.compile(rb"\r\n-------" + re.escape(start[1]) + rb"([$+#])\r\n")
        found = end.search(self.held, max(start.end() - 2, self.searched))
        if found is None:
            self.searched = max(0, len(self.held) - len(start[1]) - 12)
            return None
        frame = parsed(start, bytes(self.held[start.end() : found.start() + 2]), found[1].decode())
        del self.held[: found.end()]
        self.searched = 0
        return frame

    def start(self):
        if (start := START.match(self.held)) is None and (len(self.held) > 80 or b"\n" in self.held):
            raise ValueError(f"no MSRP: {bytes(self.held[:80])!r}")
        return start


def parsed(start, inner, flag):
    """`inner` is everything between the start line and the end-line, with the line end before the latter."""
    head, blank, body = inner.partition(b"\r\n\r\n") if not inner.startswith(b"\r\n") else (b"", b"", b"")
    lines = (line.split(": ", 1) for line in head.decode().split("\r\n") if line)
    code = int(start[2] or 0)
    method = (start[3] or b"").decode()
    return Frame(start[1].decode(), method, code, dict(lines), body[:-2] if blank else None, flag)


@dataclasses.dataclass
class Message:
    """A whole message as it came."""

    id: str
    content_type: str
    body: bytes
    headers: dict
    chunks: int
    code: int = 0  # what it was answered


class Assembly:
    """The octets of a message that comes in chunks, in any order."""

    def __init__(self):
        self.octets, self.ranges, self.total, self.chunks, self.first = bytearray(), [], None, 0, None

    def add(self, frame):
        """True when it is whole."""
        match = RANGE.fullmatch(frame.get("Byte-Range", "1-*/*"))
        start, body = int(match[1]), frame.body or b""
        if len(self.octets) < start - 1:
            self.octets.extend(bytes(start - 1 - len(self.octets)))
        self.octets[start - 1 : start - 1 + len(body)] = body
        self.ranges.append((start, start + len(body)))
        self.chunks += 1
        self.first = self.first or frame
        self.total = start - 1 + len(body) if frame.flag == "$" else self.total
        return self.total is not None and self.covered() == self.total

    def covered(self):
        """How many octets from the first one on are there without a gap."""
        reached = 1
        self.ranges = merged(self.ranges)
        for start, end in self.ranges:
            reached = end if start <= reached < end else reached
        return reached - 1

    def message(self):
        first = self.first
        return Message(
            first.get("Message-ID"), first.get("Content-Type"), bytes(self.octets), first.headers, self.chunks
        )


def merged(ranges):
    found = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


class Session:
    """One MSRP session. `messages` and `reports` are queues; `flaws` says what the peer did that RFC 4975 does not allow;
    `answer` decides the response to the last chunk of a message (None: no response)."""

    def __init__(self, port, host="127.0.0.1"):
        self.id = secrets.token_urlsafe(12).replace("-", "x").replace("_", "y")
        self.uri, self.relays, self.peer = f"msrp://{host}:{port}/{self.id};tcp", [], []
        self.messages, self.reports = asyncio.Queue(), asyncio.Queue()
        self.waiting, self.open, self.flaws, self.writer = {}, {}, [], None
        self.answer = lambda message: 200
        self.bound, self.heard = asyncio.Event(), asyncio.Event()
        self.binds, self.reading = 0, None

    def path(self):
        """What goes into a=path."""
        return " ".join([*self.relays, self.uri])

    def to_path(self):
        return " ".join([*self.relays, *self.peer])

    # --- the connection

    async def connect(self, uri=None):
        """To the first hop of the peer's path, or to `uri`."""
        host, port, _ = PARTS.fullmatch(uri or self.peer[0]).groups()
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        self.attach(writer)
        self.reading = asyncio.create_task(self.read(reader))

    def attach(self, writer):
        self.writer = writer
        self.bound.set()

    async def read(self, reader):
        frames = Frames()
        try:
            while octets := await reader.read(READ_BYTES):
                for frame in frames.feed(octets):
                    self.hear(frame)
        except (ConnectionError, ValueError) as error:
            self.flaws.append(f"connection: {error}")
        self.lost()

    def lost(self):
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_result(0)

    def close(self):
        """What we connected. A connection that the peer made may carry other sessions of his, so he closes it."""
        if self.writer and self.reading:
            self.writer.close()

    def cut(self):
        """The connection goes away, whoever made it and whatever it carries."""
        if self.writer:
            self.writer.close()

    async def use_relay(self, relay):
        """AUTH (RFC 4976 5.1): the relay's Use-Path comes before our own URI from now on."""
        await self.connect(relay)
        done = self.expect(frame := self.request("AUTH", {}, to=relay))
        self.write(frame)
        answer = await asyncio.wait_for(done, RESPONSE_S_MAX)
        self.relays = self.use_path.split() if answer == 200 else []
        return answer

    # --- sending

    def request(self, method, headers, body=None, flag="$", to=None):
        paths = {"To-Path": to or self.to_path(), "From-Path": self.uri}
        return Frame(secrets.token_hex(8), method, 0, paths | headers, body, flag)

    def write(self, frame):
        if self.writer is None or self.writer.is_closing():
            raise ConnectionError("the MSRP connection is gone")
        self.writer.write(frame.octets())

    def expect(self, frame):
        self.waiting[frame.id] = asyncio.get_running_loop().create_future()
        return self.waiting[frame.id]

    async def bind(self):
        """An empty SEND, as the active side must (RFC 4975 5.4). The code of the response."""
        frame = self.request("SEND", {"Message-ID": secrets.token_hex(6), "Byte-Range": "1-0/0"})
        done = self.expect(frame)
        self.write(frame)
        return await asyncio.wait_for(done, RESPONSE_S_MAX)

    async def send(self, content_type, body, chunk=2048, message_id=None, stop_after=None, star=False, **headers):
        """The codes of the responses to all chunks, 0 for none; headers as Success_Report="yes". Ends at the first code
        that is not 200. `stop_after` chunks nothing more is sent."""
        message_id, codes, waiting = message_id or secrets.token_hex(8), [], []
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        for number, (start, piece, flag) in enumerate(pieces(body, chunk)):
            if number == stop_after or any(code != 200 for code in codes):
                break
            frame = self.request("SEND", {"Message-ID": message_id, **more}, piece, flag)
            last = "*" if star else start + len(piece) - 1
            frame.headers |= {"Byte-Range": f"{start}-{last}/{len(body)}", "Content-Type": content_type}
            waiting.append(self.expect(frame) if more.get("Failure-Report", "yes") == "yes" else settled(200))
            self.write(frame)
            await self.writer.drain()
            while len(waiting) > WINDOW_CHUNKS:
                codes.append(await asyncio.wait_for(waiting.pop(0), RESPONSE_S_MAX))
            await asyncio.sleep(0)
        return codes + [await asyncio.wait_for(each, RESPONSE_S_MAX) for each in waiting]

    # --- receiving

    def hear(self, frame):
        if frame.code:
            self.hear_response(frame)
        elif frame.path("To-Path")[-1:] != [self.uri]:
            self.flaws.append(f"{frame.method} to {frame.get('To-Path')}, we are {self.uri}")
            self.respond(frame, 481)
        elif frame.method == "REPORT":
            self.reports.put_nowait(frame)
        elif frame.method == "SEND":
            self.hear_send(frame)
        else:
            self.respond(frame, 501)

    def hear_response(self, frame):
        self.use_path = frame.get("Use-Path", "")
        waiting = self.waiting.pop(frame.id, None)
        if waiting is None:
            self.flaws.append(f"a response {frame.code} to nothing that was sent, or the second one")
        elif not waiting.done():
            waiting.set_result(frame.code)

    def hear_send(self, frame):
        self.flaws += flaws_of(frame, self.peer)
        if frame.body is None:
            self.binds += 1
            self.heard.set()
            self.respond(frame, 200)
            return
        assembly = self.open.setdefault(frame.get("Message-ID"), Assembly())
        if not assembly.add(frame):
            self.respond(frame, 200)
            return
        del self.open[frame.get("Message-ID")]
        message = assembly.message()
        code = message.code = self.answer(message)
        self.respond(frame, code)
        self.messages.put_nowait(message)
        if code == 200 and message.headers.get("Success-Report") == "yes":
            self.report(frame, len(message.body))

    def respond(self, frame, code):
        if code is None or frame.get("Failure-Report", "yes") == "no":
            return
        if frame.get("Failure-Report") == "partial" and code == 200:
            return
        paths = {"To-Path": frame.path("From-Path")[0], "From-Path": self.uri}
        self.write(Frame(frame.id, code=code, headers=paths))

    def report(self, frame, total):
        headers = {"Message-ID": frame.get("Message-ID"), "Byte-Range": f"1-{total}/{total}", "Status": "000 200 OK"}
        self.write(self.request("REPORT", headers, to=" ".join(frame.path("From-Path"))))


class Listener:
    """A port where many sessions wait for their peers to connect."""

    def __init__(self, port):
        self.port, self.sessions, self.strangers = port, {}, []

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port)

    def session(self):
        session = Session(self.port)
        self.sessions[session.uri] = session
        return session

    async def serve(self, reader, writer):
        frames, met = Frames(), set()
        try:
            while octets := await reader.read(READ_BYTES):
                for frame in frames.feed(octets):
                    if session := self.sessions.get((frame.path("To-Path") or [""])[-1]):
                        met.add(session)
                        session.attach(writer)
                        session.hear(frame)
                    else:
                        self.strangers.append(frame)
        except asyncio.CancelledError:
            pass
        except (ConnectionError, ValueError) as error:
            self.strangers.append(str(error))
        for session in met:
            session.lost()
        writer.close()

    def stop(self):
        self.server.close()


def pieces(body, chunk):
    """(first position, octets, flag) of each chunk; one of no octets for an empty body."""
    for at in range(0, max(1, len(body)), chunk):
        yield at + 1, body[at : at + chunk], "+" if at + chunk < len(body) else "$"


def settled(code):
    done = asyncio.get_running_loop().create_future()
    done.set_result(code)
    return done


def flaws_of(frame, peer):
    """What a SEND must have (RFC 4975 7.1.1) and where it must come from."""
    if not frame.get("Message-ID"):
        yield "a SEND without Message-ID"
    if frame.body is not None and not RANGE.fullmatch(frame.get("Byte-Range")):
        yield f"a SEND with Byte-Range {frame.get('Byte-Range')!r}"
    if frame.body is not None and list(frame.headers)[-1].lower() != "content-type":
        yield f"a SEND whose last header is {list(frame.headers)[-1]}"
    if [name.lower() for name in list(frame.headers)[:2]] != ["to-path", "from-path"]:
        yield f"a SEND that begins with {list(frame.headers)[:2]}"
    if peer and frame.path("From-Path")[-1:] != peer[-1:]:
        yield f"a SEND from {frame.get('From-Path')}, the SDP says {' '.join(peer)}"
