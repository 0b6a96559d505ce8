"""What goes wrong between the gateway and MMS Relay/Servers, and Postfix between them."""

import asyncio
import random
import smtplib
import socket
import threading
import time

import judge
import mm4
import mms
import mms_bench
import mms_in
import mms_large
import peers
import pictures
import postfix
from mms_bench import CLIENT, MmsBench
from mmsc import DOMAIN, GATEWAY_DOMAIN, Answer, Rule

LATER = {408, 480, 500, 503, 504}  # what a client may try again
RUBBISH_S = 6


def down(setting):
    """There is no MMSC when the gateway starts; later there is."""
    sent = mms.pager_messages(8)
    with MmsBench(setting, away=True, ready="/healthz", mmsc_more="reconnect_max_s = 2") as bench:
        answers, findings = bench.run(down_and_up(bench, sent))
        early = [mms.code_of(answers[message.id]) for message in sent[:3]]
        findings += judge.holds(judge.OK not in early, f"without an MMSC: {early}")
        late = [mms.code_of(answers[message.id]) for message in sent[3:]]
        findings += judge.holds(set(late) == {judge.OK}, f"with an MMSC again: {late}")
        return mms.judge_pager(bench, sent, answers, findings, LATER)


async def down_and_up(bench, sent):
    async with bench.user(CLIENT) as client:
        answers = await mms.paged(client, sent[:3])
        bench.mmsc.start()
        await bench.mmsc.soon(peers.wait, lambda: bench.mmsc.connections > 0, 20, "the gateway to connect")
        await asyncio.sleep(0.5)
        return answers | await mms.paged(client, sent[3:]), client.agent.flaws


def killed(setting):
    """The MMSC resets every connection in the middle of it, is away for a second, and comes back."""
    sent = mms.pager_messages(setting.share(50, at_least=100))
    for message in sent:
        message.requests = ""
    with MmsBench(setting, mmsc_more="reconnect_max_s = 1") as bench:
        for message in sent:
            bench.mmsc.answers[message.recipient] = Answer(after_s=0.05)
        answers, findings = bench.run(killed_and_back(bench, sent))
        late = [mms.code_of(answers[message.id]) for message in sent[-5:]]
        findings += judge.holds(judge.OK in late, f"after the MMSC was back: {late}")
        return mms.judge_pager(bench, sent, answers, findings, LATER)


async def killed_and_back(bench, sent):
    async with bench.user(CLIENT) as client:
        paging = asyncio.create_task(mms.paged(client, sent[:-5]))
        while len(bench.mmsc.taken("MM4_forward.REQ")) < len(sent) // 3:
            await asyncio.sleep(0.02)
        await bench.mmsc.soon(bench.mmsc.stop)
        before = bench.mmsc.connections
        await asyncio.sleep(1.0)
        bench.mmsc.start()
        answers = await paging
        await bench.mmsc.soon(peers.wait, lambda: bench.mmsc.connections > before, 20, "the gateway to connect")
        await asyncio.sleep(0.5)
        return answers | await mms.paged(client, sent[-5:]), client.agent.flaws


CUTS = {
    "at MAIL": Rule("MAIL", cut=True),
    "at RCPT": Rule("RCPT", cut=True),
    "at DATA": Rule("DATA", cut=True),
    "within the mail": Rule("BODY", cut=True),
    "after the dot, mail not taken": Rule("DOT", cut=True),
    "after the dot, mail taken": Rule("DOT", cut=True, taken=True),
    "421 after the dot": Rule("DOT", "421 4.3.2 going down"),
    "a late 250": Rule("DOT", stall_s=4.0, taken=True),
    "a late 354": Rule("DATA", stall_s=4.0),
}


def lost(setting):
    """The connection is lost at every step, or the MMSC is slow: what got 202 is there, and nothing is there twice."""
    sent = mms.pager_messages(len(CUTS))
    with MmsBench(setting, mmsc_more="reconnect_max_s = 1") as bench:
        answers, findings = bench.run(lost_one_by_one(bench, sent))
        codes = dict(zip(CUTS, (mms.code_of(answers[message.id]) for message in sent)))
        for name in ("a late 250", "a late 354"):
            findings += judge.holds(codes[name] == judge.OK, f"{name}: {codes[name]}")
        # What failed before the dot was never with the MMSC, so there is no reason to give it up.
        return f"{mms.judge_pager(bench, sent, answers, findings, LATER)}, {list(codes.values())}"


async def lost_one_by_one(bench, sent):
    async with bench.user(CLIENT) as client:
        answers = {}
        for message, rule in zip(sent, CUTS.values()):
            # A MAIL names the sender, not the recipient, and the messages come one by one.
            bench.mmsc.rules = [Rule(rule.stage, rule.reply, rule.cut, rule.stall_s, rule.taken)]
            message.requests = ""
            answers |= await mms.paged(client, [message])
            await asyncio.sleep(1.5)
        return answers, client.agent.flaws


def slow(setting):
    """An MMSC that takes four seconds for each mail, and more messages at once than it can take before clients give up: what
    was refused is not sent later, when the client may have sent it again."""
    sent = mms.pager_messages(12)
    with MmsBench(setting) as bench:
        bench.mmsc.rules = [Rule("DOT", stall_s=4.0, taken=True, times=99)]
        for message in sent:
            message.requests = ""
        answers, findings = bench.run(slowly(bench, sent))
        refused = {message.recipient for message in sent if mms.code_of(answers[message.id]) != judge.OK}
        findings += judge.holds(refused, "all were accepted")
        late = [number for mail in bench.taken() for number in mail.numbers() if number in refused]
        findings += judge.holds(len(late) <= 1, f"{len(late)} that were refused came all the same")
        return f"{mms.judge_pager(bench, sent, answers, findings, LATER)}, {len(refused)} refused"


async def slowly(bench, sent):
    async with bench.user(CLIENT) as client:
        answers = await mms.paged(client, sent, at_once=len(sent))
        await asyncio.sleep(6)  # for what should not come
        return answers, client.agent.flaws


def large_lost(setting):
    """The connection is lost within a mail of 400 kB, and after its dot."""
    sent = mms_large.large_messages(3)
    rules = [Rule("BODY", cut=True), Rule("DOT", cut=True, taken=True), Rule("DOT", cut=True)]
    with MmsBench(setting, mmsc_more="reconnect_max_s = 1") as bench:
        for message, rule in zip(sent, rules):
            rule.number, message.outcomes, message.requests = message.recipient, (), ""
        bench.mmsc.rules = rules
        outcomes, findings = bench.run(large_one_by_one(bench, sent))
        left = [rule for rule in rules if rule.times]
        findings += judge.holds(not left, f"never came to {left}")
        return mms_large.judge_large(bench, sent, outcomes, findings, {each.id: {200, 408} for each in sent})


async def large_one_by_one(bench, sent):
    async with bench.user(CLIENT) as client:
        outcomes = {}
        for message in sent:
            outcomes[message.id] = await mms_large.sent_large(client, message)
            await asyncio.sleep(2.0)  # for a new connection
        return outcomes, client.agent.flaws


def drained(setting):
    """SIGTERM while answers are owed: what was taken is finished, the .RES that come are waited for."""
    sent = mms.pager_messages(40)
    with MmsBench(setting) as bench:
        for message in sent:
            bench.mmsc.answers[message.recipient], message.requests = Answer(after_s=1.0), ""
        answers, findings = bench.run(stopped_halfway(bench, sent))
        codes = {mms.code_of(response) for response in answers.values()}
        findings += judge.holds(judge.OK in codes, f"nothing was accepted: {codes}")
        return mms.judge_pager(bench, sent, answers, findings, LATER)


async def stopped_halfway(bench, sent):
    async with bench.user(CLIENT) as client:
        paging = asyncio.create_task(mms.paged(client, sent, at_once=20))
        await bench.mmsc.soon(bench.mmsc.wait_taken, "MM4_forward.REQ", 10)
        findings = await bench.mmsc.soon(bench.gateway.stop)
        answers = await asyncio.wait_for(paging, 60)
        bench.gateway.stop = lambda: findings
        return answers, client.agent.flaws


def failover(setting):
    """Two MMSCs for the same numbers, the first of which goes away and comes back: the second takes over."""
    sent = mms.pager_messages(60)
    for message in sent:
        message.requests, message.domains = "", (DOMAIN, mms_bench.SECOND_DOMAIN)
    with MmsBench(setting, second="", mmsc_more="reconnect_max_s = 1") as bench:
        answers, findings = bench.run(killed_and_back(bench, sent))
        took_over = bench.second_mmsc.taken("MM4_forward.REQ")
        findings += judge.holds(took_over, "the second MMSC got nothing")
        refused = [message.id for message in sent if mms.code_of(answers[message.id]) != judge.OK]
        findings += judge.holds(len(refused) <= mms.AT_ONCE, f"{len(refused)} were refused although there was a second MMSC")
        return mms.judge_pager(bench, sent, answers, findings, LATER)


# --- Postfix


def relayed_out(setting):
    """Postfix between the gateway and the MMSC, in both directions: mails, answers, reports."""
    if why := postfix.missing():
        return f"SKIP: NOT CHECKED ({why})"
    return mms.pager(setting, count=20, between=True)


def bounced(setting):
    """The MMSC refuses what Postfix had taken: Postfix says so in a mail (RFC 3464), and the sender hears it in time."""
    if why := postfix.missing():
        return f"SKIP: NOT CHECKED ({why})"
    sent = mms.pager_messages(6)
    with MmsBench(setting, between=True) as bench:
        for message in sent[::2]:
            bench.mmsc.rules.append(Rule("RCPT", "550 5.1.1 nobody", number=message.recipient))
        answers, findings = bench.run(mms.reported(bench, sent))
        codes = [mms.code_of(answers[message.id]) for message in sent]
        findings += judge.holds(codes == [404, judge.OK] * 3, f"answers {codes}")
        return mms.judge_pager(bench, sent, answers, findings, {404})


def relayed_large(setting):
    if why := postfix.missing():
        return f"SKIP: NOT CHECKED ({why})"
    return mms_large.to_mms(setting, count=3, between=True)


def relayed_in(setting):
    """Postfix takes the MMs and the .RES: each message arrives once."""
    if why := postfix.missing():
        return f"SKIP: NOT CHECKED ({why})"
    sent = [mms_in.Mms(number, mms_in.small(number), fields=mms_in.fields_of(number)) for number in range(20)]
    return mms_in.pager(setting, sent, between=True)


def relayed_large_in(setting):
    if why := postfix.missing():
        return f"SKIP: NOT CHECKED ({why})"
    return mms_large.to_cpm(setting, count=3, between=True)


# --- rubbish

LINE = b"A" * 600
HEAD = b"EHLO x\r\nMAIL FROM:<+1/TYPE=PLMN@%s>\r\nRCPT TO:<+491555900001/TYPE=PLMN@%s>\r\nDATA\r\n"
HEAD = HEAD % (DOMAIN.encode(), GATEWAY_DOMAIN.encode())
HIDDEN = mm4.phone("491555900009", GATEWAY_DOMAIN)  # to whom nothing is sent but behind another mail
SMUGGLED = (
    b"MAIL FROM:<+491710000001/TYPE=PLMN@%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" % (DOMAIN.encode(), HIDDEN.encode())
    + mms_in.Mms(1, mms_in.small(0)).written([HIDDEN])
    + b"\r\n.\r\n"
)
RUBBISH = (
    b"",
    b"\r\n\r\n\r\n",
    b"\0" * 2000,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"EHLO\r\nMAIL\r\nRCPT\r\nDATA\r\n.\r\nQUIT\r\n",
    b"EHLO " + LINE + b"\r\n",
    b"EHLO x\r\nMAIL FROM:<" + LINE + b"@x>\r\n",
    b"EHLO x\nMAIL FROM:<a@b>\nRCPT TO:<+1@" + GATEWAY_DOMAIN.encode() + b">\nDATA\nx\n.\n",
    b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@" + GATEWAY_DOMAIN.encode() + b">\r\nDATA\r\nx\r\n.\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@elsewhere.example>\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b> SIZE=99999999999\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b>\r\n" + b"RCPT TO:<+1/TYPE=PLMN@x>\r\n" * 5000,
    b"EHLO x\r\n" + b"NOOP\r\n" * 10_000,
    b"EHLO x\r\n" + b"RSET\r\nVRFY a\r\nEXPN b\r\nHELP\r\nTURN\r\nBDAT 5 LAST\r\nhello" * 50,
    HEAD + b"no header at all\r\n.\r\n",
    HEAD + b"X-Mms-Message-Type: MM4_forward.REQ\r\n\r\n.\r\n",
    HEAD + b"X-Mms-Message-Type: MM4_forward.RES\r\nX-Mms-Transaction-ID: \xff\xfe\r\n\r\n.\r\n",
    HEAD + b"X" * 200_000,
    HEAD + b"Y: " + b"z" * 3_000_000 + b"\r\n.\r\n",
    HEAD + b"\r\n" * 5000 + b".\r\n",
    HEAD + (b"X-Mms-Subject: " + b"h" * 60 + b"\r\n") * 20_000 + b"\r\n.\r\n",
    HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 20_000 + b"\r\n.\r\n",
    *(HEAD + b"Subject: 1\r\n\r\nx" + end + SMUGGLED for end in (b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r")),
)


class Rubbish(threading.Thread):
    """Connections to an SMTP port that send what no client should; about a third of it with octets changed."""

    def __init__(self, port, seed):
        super().__init__(daemon=True)
        self.port, self.chance, self.over, self.replies = port, random.Random(seed), threading.Event(), b""

    def run(self):
        held = []
        for number in range(100_000):
            if self.over.is_set():
                break
            held = held[-20:]
            try:
                held.append(self.sent(RUBBISH[number % len(RUBBISH)] if number < len(RUBBISH) else self.changed()))
            except OSError:
                pass  # refused or reset: what such a client must expect
            time.sleep(0.03)
        for each in held:
            each.close()

    def sent(self, octets):
        connection = socket.create_connection(("127.0.0.1", self.port), 2)
        connection.settimeout(2)
        connection.recv(500)
        connection.sendall(octets)
        connection.settimeout(0.05)
        try:
            self.replies += connection.recv(10_000)
        except TimeoutError:
            pass
        return connection

    def changed(self):
        octets = bytearray(self.chance.choice(RUBBISH))
        for _ in range(self.chance.randrange(6) if octets else 0):
            octets[self.chance.randrange(len(octets))] = self.chance.randrange(256)
        return bytes(octets[: self.chance.randrange(len(octets) + 1)] if self.chance.random() < 0.3 else octets)


def hostile(setting):
    """Others bring rubbish to the SMTP port: messages both ways do not notice, and nothing is smuggled in."""
    out = mms.pager_messages(setting.share(200))
    sent = [mms_in.Mms(5_000 + n, mms_in.small(n), fields=mms_in.fields_of(n)) for n in range(setting.share(200))]
    with MmsBench(setting, captured=False, more=mms_in.ROOMY) as bench:
        enemy = Rubbish(bench.mm4, setting.seed)
        enemy.start()
        answers, requests, findings = bench.run(both_ways(bench, out, sent))
        enemy.over.set()
        enemy.join(20)
        findings += [*mms_in.answer_flaws(bench.mmsc, sent), *mms_in.arrived_in_pager(sent, requests)]
        return mms.judge_pager(bench, out, answers, findings)


async def both_ways(bench, out, sent):
    async with bench.user(CLIENT) as client:
        for message in out:
            message.requests = ""
        began = time.monotonic()
        answers, _ = await asyncio.gather(mms.paged(client, out, 2), mms_in.all_brought(bench.mmsc, sent, 1))
        await mms_in.answers_of(bench.mmsc, sent)
        await asyncio.sleep(max(0.0, RUBBISH_S - (time.monotonic() - began)))
        return answers, client.agent.requests, client.agent.flaws


def strangers(setting):
    """Mails that are not for here, or for nobody: refused at RCPT, and nothing comes of them."""
    cases = {
        "another domain": ("+491555900001/TYPE=PLMN@elsewhere.example.net", {550, 551, 554}),
        "no number": (f"nobody@{GATEWAY_DOMAIN}", {550, 553, 501}),
        "no domain": ("+491555900001/TYPE=PLMN", {501, 550, 553}),
    }
    content = pictures.Multimedia.small(mms.TEXT, 200, 1)
    with MmsBench(setting) as bench:
        findings = []
        for name, (address, codes) in cases.items():
            octets = mm4.forward(content, "+1@x.example", [address], "m", "t", bench.mmsc.system, bench.mmsc.mail_id())
            said = bench.mmsc.bring(octets, mm4.phone("491710000001", DOMAIN), [address])
            got = said.rcpt.get(address, (0,))[0]
            findings += judge.holds(got in codes, f"{name}: RCPT got {got}, not {codes}")
        requests, flaws = bench.run(mms_in.all_paged(bench, []))
        findings += [*flaws, *judge.holds(not requests, f"{len(requests)} MESSAGEs came")]
        frames, malformed = bench.finish()
    judge.demand(findings, malformed)
    return f"{len(cases)} mails, {frames} frames"


def limits(setting):
    """A mail that is too large, announced or not; too many connections; one that says nothing (RFC 5321 4.5.3.2)."""
    more = "message_bytes_max = 20000\nsessions_max = 8\nidle_s = 2\n"
    mm = mms_in.Mms(1, mms_in.small(1))
    large = pictures.Multimedia.shown(mms.TEXT, 40_000, 1)
    with MmsBench(setting, mm4_more=more, more=mms_in.ROOMY) as bench:
        findings = list(crowd(bench.mm4))
        _, said = bench.mmsc.forward(large, mm.sender, mm.recipients)
        findings += judge.holds(said.mail[0] == 552, f"MAIL with SIZE got {said.mail}")
        findings += unannounced(bench, large)
        requests, flaws = bench.run(mms_in.all_paged(bench, [mm]))
        return mms_in.judged(bench, [mm], [*findings, *flaws], mms_in.arrived_in_pager([mm], requests))


def crowd(port):
    """Twelve at a time where eight may be; those that say nothing are hung up on."""
    held = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(12)]
    greetings = []
    for each in held:
        each.settimeout(5)
        greetings.append(each.recv(200)[:3])
    told = greetings.count(b"220"), greetings.count(b"421")
    yield from judge.holds(told == (8, 4), f"twelve at a time got 220 and 421 {told} times")
    for each in held:
        try:
            rest = each.recv(200)
            yield from judge.holds(rest[:3] in (b"", b"421"), f"a silent one got {rest[:60]!r}")
        except TimeoutError:
            yield "a silent one is still there after 5 s"
        except ConnectionError:
            pass
        each.close()


def unannounced(bench, content):
    """The same mail without SIZE: 552 after the data, and the session goes on."""
    with smtplib.SMTP("127.0.0.1", bench.mm4, local_hostname="x.example", timeout=10) as client:
        client.ehlo()
        client.mail(mm4.phone("491710000001", DOMAIN))
        client.rcpt(mm4.phone("491555900001", GATEWAY_DOMAIN))
        code, _ = client.data(content.body("base64"))
        yield from judge.holds(code == 552, f"a mail that is too large got {code}")
        yield from judge.holds(client.noop()[0] == 250, "the session is over after that")


SCENARIOS = {
    "mms.faults.down": down,
    "mms.faults.killed": killed,
    "mms.faults.failover": failover,
    "mms.faults.lost": lost,
    "mms.faults.slow": slow,
    "mms.faults.large_lost": large_lost,
    "mms.faults.drained": drained,
    "mms.faults.hostile": hostile,
    "mms.faults.strangers": strangers,
    "mms.faults.limits": limits,
    "mms.postfix.out": relayed_out,
    "mms.postfix.in": relayed_in,
    "mms.postfix.bounced": bounced,
    "mms.postfix.large_out": relayed_large,
    "mms.postfix.large_in": relayed_large_in,
}
