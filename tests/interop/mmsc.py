"""An MMS Relay/Server: aiosmtpd takes the mails that come, smtplib brings those that go. What it does to whom is told by
`Answer`s and `Rule`s."""

import asyncio
import concurrent.futures
import dataclasses
import logging
import secrets
import smtplib

import mm4
import peers
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

DOMAIN, GATEWAY_DOMAIN = "mms.mnc001.mcc001.gprs", "mms.gw.example.net"
SYSTEM = "system-user"
REPLY_S_MAX = 100  # RFC 5321 4.5.3.2.6 has ten minutes, a scenario has not
SIZE_MAX = 4_000_000
logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd tells every cut connection


@dataclasses.dataclass
class Answer:
    """What a MM4_forward.REQ for somebody gets: the .RES (None: none), and then reports. `early`: before the SMTP reply;
    `to_sender`: to its MAIL FROM, as IWF V3.0 Table 37 has it, and not to its X-Mms-Originator-System."""

    status: str | None = mm4.OK
    early: bool = False
    to_sender: bool = False
    after_s: float = 0.0
    times: int = 1
    reports: tuple = ()  # (kind, status), as ("MM4_delivery_report.REQ", "Retrieved")


@dataclasses.dataclass
class Rule:
    """What happens at a stage (CONNECT, HELO, EHLO, MAIL, RCPT, DATA, BODY, DOT) in place of the good reply: another one, a
    pause, the end of the connection. `taken`: the mail is taken all the same; `number`: only if it is for him; `times`: so
    often, and then no more."""

    stage: str
    reply: str = ""
    cut: bool = False
    stall_s: float = 0.0
    taken: bool = False
    number: str = ""
    times: int = 1


@dataclasses.dataclass
class Brought:
    """The replies to a mail that was brought: (code, text) to MAIL, to each RCPT, and to the data; (0, "") for none."""

    mail: tuple = (0, "")
    rcpt: dict = dataclasses.field(default_factory=dict)
    data: tuple = (0, "")

    @property
    def code(self):
        """The last word."""
        return self.data[0] or max((code for code, _ in self.rcpt.values()), default=0) or self.mail[0]


class Protocol(SMTP):
    """aiosmtpd's server, but that it can refuse or end at every stage."""

    def __init__(self, mmsc):
        # Its replies name the host, and RFC 5321 4.5.3.2.7 lets a server wait five minutes.
        super().__init__(mmsc, hostname=mmsc.host, ident="MMSC", data_size_limit=SIZE_MAX, loop=asyncio.get_running_loop())
        self.mmsc, self.number = mmsc, 0

    def connection_made(self, transport):
        self.mmsc.connections += 1
        self.number = self.mmsc.connections
        self.mmsc.transports.add(transport)
        if self.mmsc.open and (rule := self.mmsc.rule("CONNECT", [])):
            transport.write(f"{rule.reply}\r\n".encode() if rule.reply else b"")
            transport.close()
        super().connection_made(transport)

    def connection_lost(self, error):
        self.mmsc.transports.discard(self.transport)
        super().connection_lost(error)

    async def smtp_DATA(self, argument):
        concerned = [mm4.number_in(each) for each in self.envelope.rcpt_tos]
        if (rule := self.mmsc.rule("DATA", concerned)) and (reply := await self.done(rule)) is not None:
            if reply:
                await self.push(reply)
            return
        if rule := self.mmsc.rule("BODY", concerned):
            await self.push("354 go on")
            await self._reader.read(700)
            self.transport.abort()
            return
        await super().smtp_DATA(argument)

    async def done(self, rule):
        """The reply to give; None for the good one, an empty one for the end of the connection."""
        await asyncio.sleep(rule.stall_s)
        if rule.cut:
            self.transport.abort()
            return ""
        return rule.reply or None


class Mmsc:
    """`mails` are those taken, in order; `flaws` what they should not have had; `brought` every mail that was sent and what
    was said to it."""

    def __init__(self, port, peer, host=DOMAIN, peer_domain=GATEWAY_DOMAIN, pipelining=True, style=None):
        self.port, self.peer, self.host, self.peer_domain, self.pipelining = port, peer, host, peer_domain, pipelining
        self.system = f"{SYSTEM}@{host}"
        self.mails, self.brought, self.flaws, self.greetings = [], [], [], []
        self.answers, self.rules, self.style = {}, [], style or (lambda octets: octets)
        self.connections, self.transports, self.controller, self.open = 0, set(), None, False
        self.workers = concurrent.futures.ThreadPoolExecutor(8)

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.factory = lambda: Protocol(self)
        self.controller.start()  # it tries the port itself once, which is no connection of the peer's
        self.connections, self.open = self.connections - 1, True

    def stop(self):
        """Every connection is reset and the port is closed; `start` opens it again."""
        self.open = False
        if self.controller:
            self.cut_all()
            self.controller.stop()
            self.controller = None

    def cut_all(self):
        """Every connection is reset; the port stays."""
        self.controller.loop.call_soon_threadsafe(lambda: [each.abort() for each in list(self.transports)])

    # --- what happens to whom

    def rule(self, stage, numbers):
        """The rule that holds now, if one does; it is used up by that."""
        for rule in self.rules:
            if rule.stage == stage and rule.times > 0 and (not rule.number or rule.number in numbers):
                rule.times -= 1
                return rule
        return None

    async def ruled(self, server, stage, numbers):
        rule = self.rule(stage, numbers)
        return await server.done(rule) if rule else None

    async def handle_HELO(self, server, session, envelope, hostname):
        self.greetings.append("HELO")
        session.host_name = hostname
        return await self.ruled(server, "HELO", []) or f"250 {self.host}"

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.greetings.append("EHLO")
        if (reply := await self.ruled(server, "EHLO", [])) is not None:
            return [reply]
        session.host_name = hostname
        more = ["250-PIPELINING", "250-ENHANCEDSTATUSCODES"] if self.pipelining else []
        return [*responses[:-1], *more, responses[-1]]

    async def handle_MAIL(self, server, session, envelope, address, options):
        if (reply := await self.ruled(server, "MAIL", [mm4.number_in(address)])) is not None:
            return reply
        envelope.mail_from, envelope.mail_options = address, options
        return "250 2.1.0 go on"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if (reply := await self.ruled(server, "RCPT", [mm4.number_in(address)])) is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 go on"

    async def handle_DATA(self, server, session, envelope):
        mail = mm4.Mail(envelope.content, envelope.mail_from, list(envelope.rcpt_tos), envelope.mail_options, server.number)
        if rule := self.rule("DOT", mail.numbers()):
            if rule.taken:
                await self.take(mail)
            if (reply := await server.done(rule)) is not None:
                return reply
            if rule.taken:
                return "250 2.0.0 taken"
        await self.take(mail)
        return "250 2.0.0 taken"

    async def take(self, mail):
        self.flaws += mail.flaws()
        self.mails.append(mail)
        if mail.kind.endswith(".RES"):
            return
        answer = self.answers.get(next(iter(mail.numbers()), ""), Answer())
        work = asyncio.get_running_loop().run_in_executor(self.workers, self.respond, mail, answer)
        if answer.early:
            await work

    # --- mails that go

    def respond(self, mail, answer):
        """Never raises: nobody waits for it."""
        try:
            peers.time.sleep(answer.after_s)
            asked = answer.status is not None and mail.get("X-Mms-Ack-Request") == "Yes"
            for _ in range(answer.times if asked else 0):
                octets = mm4.answer(mail, self.system, self.mail_id(), answer.status)
                system = "" if answer.to_sender else mm4.unquoted(mail.get("X-Mms-Originator-System"))
                self.bring(octets, self.system, [system or mail.mail_from])
            for kind, status in answer.reports if mail.kind == "MM4_forward.REQ" else ():
                self.report(kind, mail, status)
        except Exception as error:
            self.flaws.append(f"the MMSC, when it answered {mail.id}: {error!r}")

    def mail_id(self):
        return f"{secrets.token_hex(8)}@{self.host}"

    def report(self, kind, about, status, number=None, **more):
        """Brings a report about a mail that came: (its transaction id, what was said)."""
        transaction, number = secrets.token_hex(6), number or about.numbers()[0]
        octets = mm4.report(kind, about, status, self.system, transaction, self.mail_id(), number, **more)
        return transaction, self.bring(octets, self.system, [mm4.unquoted(about.get("X-Mms-Originator-System"))])

    def forward(self, content, sender, recipients, message_id=None, rcpt_to=None, **more):
        """Brings a MM4_forward.REQ: (the mail, what was said)."""
        message_id, transaction = message_id or secrets.token_hex(8), secrets.token_hex(6)
        there = [mm4.phone(number, self.peer_domain) for number in recipients]
        sender = mm4.phone(sender, self.host)
        octets = mm4.forward(content, sender, there, message_id, transaction, self.system, self.mail_id(), **more)
        rcpt_to = there if rcpt_to is None else [mm4.phone(number, self.peer_domain) for number in rcpt_to]
        return mm4.Mail(octets, sender, rcpt_to), self.bring(octets, sender, rcpt_to)

    def bring(self, octets, mail_from, rcpt_to, port=None):
        octets, said = self.style(octets), Brought()
        self.brought.append((octets, said))
        try:
            with smtplib.SMTP("127.0.0.1", port or self.peer, local_hostname=self.host, timeout=REPLY_S_MAX) as client:
                client.ehlo_or_helo_if_needed()
                self.transact(client, octets, mail_from, rcpt_to, said)
        except (smtplib.SMTPServerDisconnected, ConnectionError):
            pass  # `said` tells how far it came
        except smtplib.SMTPResponseException as error:
            said.mail = error.smtp_code, error.smtp_error
        return said

    def transact(self, client, octets, mail_from, rcpt_to, said):
        """One mail on a connection."""
        options = [] if octets.isascii() else ["BODY=8BITMIME"]
        said.mail = client.mail(mail_from, [f"SIZE={len(octets)}", *options] if client.does_esmtp else [])
        if said.mail[0] != 250:
            client.rset()
            return
        for each in rcpt_to:
            said.rcpt[each] = client.rcpt(each)
        if not any(code in (250, 251) for code, _ in said.rcpt.values()):
            client.rset()
            return
        try:
            said.data = client.data(octets)
        except smtplib.SMTPDataError as error:
            said.data = error.smtp_code, error.smtp_error

    # --- what was seen

    def taken(self, kind, number=None):
        """The mails of a kind, or those of them for somebody."""
        return [mail for mail in list(self.mails) if mail.kind == kind and (number is None or number in mail.numbers())]

    def answered(self, transaction):
        """The .RES to what we sent."""
        answers = [mail for mail in list(self.mails) if mail.kind.endswith(".RES")]
        return [mail for mail in answers if mm4.unquoted(mail.transaction) == mm4.unquoted(transaction)]

    def wait_taken(self, kind, count=1, limit_s=40, number=None):
        peers.wait(lambda: len(self.taken(kind, number)) >= count, limit_s, f"{count} {kind}")
        return self.taken(kind, number)

    def wait_answered(self, transaction, limit_s=40):
        peers.wait(lambda: self.answered(transaction), limit_s, f"an answer to {transaction}")
        return self.answered(transaction)[0]

    async def soon(self, call, *arguments, **named):
        """One of the above that wait, from a coroutine."""
        return await asyncio.to_thread(call, *arguments, **named)
