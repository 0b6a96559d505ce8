"""A chat through the gateway: one CPM user, one SMS user, messages both ways (IWF V3.0 6.1.4, 6.1.5.1, 6.2.2.1.5, 6.2.2.2.2)."""

import asyncio
import collections
import random

import cpm
import judge
import messages
import texts
from large import told_by_report
from sessions import CLIENT, SessionBench, within
from sipmsg import Notification, Request

EACH_WAY = 200
USER = "491718000001"
POOL = '[policy.sessions]\nsender = "interworking_number"\ninterworking_numbers = ["+4915229000000-+4915229000099"]\n'
QUIET_S = 12.0


def chat(setting, ends="client", more="", refresh="UPDATE", **bench):
    """200 messages each way, a refresh in the middle, the end from either side, and a short message after it."""
    there = chat_messages(setting)
    with SessionBench(setting, more=more, **bench) as bench:
        result = bench.run(Chat(bench, setting, there, ends, refresh).run())
        submits, responses = bench.submits(), bench.smsc.events("deliver_resp")
        frames, malformed = bench.finish()
    written = [message.text for message in there]
    if POOL in more:
        result.findings += judge.holds(result.sender != CLIENT, "the SMS user sees the CPM user's own number")
        # Who it is that has this number is told with the first message (6.2.2.1.3), and that he left when he has (6.1.6).
        written[0] = f"+{CLIENT}: {written[0]}"
        written += [f"+{CLIENT} has left the chat."] if ends == "client" else []
    judge.demand(
        result.findings,
        chat_arrived(written, submits, result.sender),
        chat_received(result.back, result.got),
        chat_reported(there, result.notified),
        judge.all_rok(result.parts, responses),
        bench.core_flaws(),
        malformed,
    )
    return f"{len(there)} and {len(result.back)} messages, {len(result.notified)} reports, {frames} frames"


def chat_messages(setting):
    """One SMS user gets them all, and the SM-SC delivers every one."""
    return [
        messages.Message(f"c{setting.seed}-{n}", CLIENT, USER, texts.text_of(n, setting.seed + 7)[:400], messages.REQUESTS[n % 9])
        for n in range(EACH_WAY)
    ]


class Chat:
    """What happens, and what was seen of it."""

    def __init__(self, bench, setting, there, ends, refresh):
        self.bench, self.setting, self.there, self.ends, self.refresh = bench, setting, there, ends, refresh
        self.findings, self.got, self.notified, self.back, self.parts = [], [], [], [], []
        self.sender = CLIENT

    async def run(self):
        async with self.bench.user() as client:
            self.call = await cpm.Call.to(client, cpm.SESSION, USER, "chat-1", more=[("Session-Expires", "1800")])
            if not self.call.dialog:
                self.findings.append(f"the INVITE got {self.call.response and self.call.response.start}")
                return self
            bound = await self.call.connect()
            self.findings += [] if bound == 200 else [f"bound with {bound}"]
            listening = asyncio.create_task(self.listen())
            await self.converse(client)
            await self.end(client)
            listening.cancel()
            self.notified += [states_of(Request(request.octets).content) for request in self.reports(client)]
            self.findings += [*self.call.all_flaws(), *client.agent.flaws]
            return self

    async def converse(self, client):
        half = len(self.there) // 2
        await self.say(self.there[:1])
        await self.first_submit()
        self.parts_back()
        self.bench.smsc.order(deliver=str(self.bench.folder / "parts.jsonl"), window=8)
        await self.say(self.there[1:half])
        await self.refreshed()
        await self.say(self.there[half:])
        wanted = sum(len(message.reports()) for message in self.there)
        await self.settled(lambda: (len(self.got) >= len(self.back)) and len(self.notified) >= wanted)

    async def say(self, them):
        relayed = {"Success_Report": "yes"} if self.call.client.relay else {}
        for message in them:
            codes = await self.call.send(message.id, message.text, message.requests, 500, **relayed)
            codes += [await told_by_report(self.call)] if relayed else []
            self.findings += [f"{message.id}: {code}" for code in codes if code != 200]

    async def first_submit(self):
        """The number under which the SMS user sees the CPM user."""
        await self.settled(lambda: self.bench.submits())
        self.sender = next((submit["source"] for submit in self.bench.submits()), CLIENT)

    def parts_back(self):
        """What the SMS user writes to that number; deliver_sm of one sender and one receiver."""
        chance = random.Random(f"chat/{self.setting.seed}")
        self.back = [texts.text_of(n, self.setting.seed + 9)[:300] for n in range(EACH_WAY)]
        for number, text in enumerate(self.back):
            method = ("sar", "udh8", "udh16")[number % 3]
            to = {"key": f"back-{number}", "source": USER, "dest": self.sender}
            self.parts += [{**part, **to} for part in texts.cut(text, method, chance.randrange(1, 256))]
        messages.write_parts(self.bench.folder / "parts.jsonl", self.parts)

    async def refreshed(self):
        """RFC 4028: as the 200 says, or re-INVITE with the same SDP."""
        timer = [("Session-Expires", "1800;refresher=uac"), ("Supported", "timer"), ("Contact", self.call.client.agent.contact(f";{cpm.icsi(cpm.SESSION)}"))]
        body = self.call.offer if self.refresh == "INVITE" else b""
        kind = [("Content-Type", "application/sdp")] if body else []
        response = await self.call.dialog.ask(self.refresh, [*timer, *kind], body)
        if response is None or response.code != 200:
            self.findings.append(f"{self.refresh} got {response and response.start}")
        elif not response.get("Session-Expires"):
            self.findings.append(f"200 to {self.refresh} without Session-Expires")

    async def listen(self):
        while True:
            message = cpm.Wrapped((await self.call.session.messages.get()).body)
            self.findings += message.flaws()
            if message.mime.get_content_type() == "message/imdn+xml":
                self.notified.append(states_of(message.content))
            else:
                self.got.append(message.text())

    async def end(self, client):
        """BYE from the client, or the SMS user's word that he leaves; a short message after that is a pager message."""
        if self.ends == "client":
            response = await self.call.dialog.bye()
            self.findings += [] if response and response.code == 200 else [f"BYE got {response and response.start}"]
        else:
            self.one_part("leave", "#leave")
            await within(self.call.dialog.ended, 20, "the gateway's BYE after #leave")
        before = len(self.pagers(client))
        self.one_part("late", "are you there?", CLIENT)
        await self.settled(lambda: len(self.pagers(client)) > before)
        late = [Request(request.octets).content.decode() for request in self.pagers(client)[before:]]
        self.findings += [] if late == ["are you there?"] else [f"after the session came {late}"]

    def one_part(self, key, text, dest=None):
        part = {**texts.cut(text, "sar", 1)[0], "key": key, "source": USER, "dest": dest or self.sender}
        file = self.bench.folder / f"{key}.jsonl"
        messages.write_parts(file, [part])
        self.parts.append(part)
        self.bench.smsc.order(deliver=str(file), window=1)

    def pagers(self, client):
        return [request for request in client.agent.requests if b"message/imdn+xml" not in request.body]

    def reports(self, client):
        return [request for request in client.agent.requests if b"message/imdn+xml" in request.body]

    async def settled(self, condition):
        last, quiet = None, 0.0
        while not condition() and quiet < QUIET_S:
            now = len(self.got), len(self.notified), len(self.call.client.agent.requests)
            last, quiet = now, quiet + 0.1 if now == last else 0.0
            await asyncio.sleep(0.1)


def states_of(content):
    document = Notification(content)
    return document.message_id, document.states, document.flaws()


def chat_arrived(written, submits, sender):
    """Every message is with the SM-SC once and whole; all have one recipient, so texts tell them apart."""
    wanted = collections.Counter(written)
    got, open_ = collections.Counter(), {}
    for submit in submits:
        if submit["source"] != sender:
            yield f"source_addr {submit['source']}, the first had {sender}"
        if submit["dest"] != USER:
            yield f"destination_addr {submit['dest']}"
        reference, total, number, octets = texts.segment_number(submit)
        held = open_.setdefault((reference, total), {})
        held[number] = octets
        if len(held) == total:
            whole = b"".join(held[each] for each in sorted(held))
            got[texts.decode(submit["data_coding"], whole)] += 1
            del open_[(reference, total)]
    yield from (f"{len(text)} characters missing with the SM-SC: {text[:30]!r}" for text in wanted - got)
    yield from (f"{len(text)} characters too many with the SM-SC: {text[:30]!r}" for text in got - wanted)
    yield from (f"{len(held)} segments of {key} left over" for key, held in open_.items())


def chat_received(back, got):
    wanted, seen = collections.Counter(back), collections.Counter(got)
    yield from (f"missing in the chat: {len(text)} characters, {text[:30]!r}" for text in wanted - seen)
    yield from (f"too many in the chat: {len(text)} characters, {text[:30]!r}" for text in seen - wanted)


def chat_reported(there, notified):
    wanted = collections.Counter((message.id, *state) for message in there for state in message.reports())
    got = collections.Counter((message_id, *state) for message_id, states, _ in notified for state in states)
    yield from (flaw for _, _, flaws in notified for flaw in flaws)
    yield from (f"{' '.join(report)}: missing" for report in wanted - got)
    yield from (f"{' '.join(report)}: not asked for, or twice" for report in got - wanted)
