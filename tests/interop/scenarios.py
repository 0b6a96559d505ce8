"""What is run. Each scenario returns what it saw, in words, or raises `judge.Failed`."""

import dataclasses
import pathlib
import time

import agreements
import chat
import judge
import large
import loads
import messages
import mms
import mms_faults
import mms_in
import mms_large
import mms_peers
import mms_self
import peers
import self_test
import steps
from bench import QUIET_S, Bench
from gateway import RECEIVER
from sipmsg import distinct

RUN_S_MAX = 600
PAUSES = "throttle_min_s = 0.05\nthrottle_max_s = 0.1"


@dataclasses.dataclass
class Setting:
    """What every scenario gets."""

    folder: pathlib.Path
    binary: pathlib.Path
    messages: int
    seed: int
    capture: bool

    def share(self, parts, at_least=40):
        """The messages of a scenario that is one of `parts`."""
        return max(at_least, self.messages // parts)


def judge_to_sms(bench, sent, answers, allowed=(), more=()):
    """The checks that every run from CPM to SMS must pass, and what to say when it did."""
    accepted = judge.accepted(sent, answers)
    bench.wait_reports(accepted)
    reports, submits = bench.core.requests(), bench.submits()
    more = list(more)
    frames, findings = bench.finish()
    judge.demand(
        judge.answered(sent, answers, allowed),
        judge.arrived(sent, answers, submits),
        judge.reported(accepted, reports),
        more,
        findings,
    )
    refused = f" ({len(sent) - len(accepted)} refused)" if len(accepted) < len(sent) else ""
    count = sum(len(message.reports()) for message in accepted)
    return f"{len(sent)} messages{refused}, {len(submits)} segments, {count} reports{seen(frames)}"


def seen(frames):
    return f", {frames} frames" if frames else ""


def cpm_to_sms(setting, transport, method):
    sent = messages.messages(setting.share(8), setting.seed, first=8_000 * (messages.METHODS.index(method)))
    sent = messages.in_lines(sent) if method == "udh16" else sent
    hop = ";transport=tcp" if transport == "tcp" else ""
    ids = "hex-submit-decimal-receipt" if method == "udh8" else "opaque"
    with Bench(
        setting, smsc={"hex_ids": ids != "opaque"}, concatenation=method, message_id=ids, next_hop_transport=hop
    ) as bench:
        client = bench.client_for(sent, transport, form="tel" if transport == "udp" else "sip")
        client.wait(RUN_S_MAX)
        marks = judge.concatenated_by(method, bench.smsc.events("submit"))
        return judge_to_sms(bench, sent, client.answers(), more=marks)


def data_sm(setting):
    """IWF V3.0 6.2.2: data_sm in place of submit_sm."""
    sent = messages.messages(setting.share(20), setting.seed, first=32_000)
    with Bench(setting, smsc_more="data_sm = true") as bench:
        client = bench.client_for(sent)
        client.wait(RUN_S_MAX)
        others = {submit["command"] for submit in bench.smsc.events("submit")} - {"data_sm"}
        return judge_to_sms(bench, sent, client.answers(), more=judge.holds(not others, f"the SM-SC got {others}"))


def pair(setting):
    """A transmitter and a receiver of one account: every report comes on the other link."""
    sent = messages.messages(setting.share(20), setting.seed, first=36_000)
    with Bench(setting, bind="transmitter", more=RECEIVER, cores=[0, 1]) as bench:
        client = bench.client_for(sent)
        client.wait(RUN_S_MAX)
        return judge_to_sms(bench, sent, client.answers())


def sms_to_cpm(
    setting, transport="udp", parts_of=2, during=lambda bench, parts: None, core="sipp", put_off=False, **bench
):
    sent, parts = messages.short_messages(setting.share(parts_of), setting.seed)
    hop = ";transport=tcp" if transport == "tcp" else ""
    with Bench(setting, core=core, next_hop_transport=hop, **bench) as bench:
        messages.write_parts(bench.folder / "parts.jsonl", parts)
        deliver(bench)
        during(bench, parts)
        peers.settle(bench.smsc.taken, len(parts), QUIET_S)
        requests, responses = bench.core.requests(), bench.smsc.events("deliver_resp")
        frames, findings = bench.finish()
    dests = {part["key"]: part["dest"] for part in parts}
    judge.demand(judge.delivered(sent, requests, dests), judge.all_rok(parts, responses, put_off), findings)
    return f"{len(sent)} messages, {len(parts)} parts{seen(frames)}"


def deliver(bench):
    bench.smsc.order(deliver=str(bench.folder / "parts.jsonl"), window=64)


def killed_halfway(bench, parts):
    """The SM-SC dies with answers owed to it, comes back, and sends what it has no answer for again."""
    peers.wait(lambda: bench.smsc.responses() > len(parts) // 2, RUN_S_MAX, "half of the parts to be answered")
    bench.smsc.kill()
    bench.smsc.start()
    peers.wait(lambda: len(bench.smsc.events("bind")) > 1, RUN_S_MAX, "the gateway to bind again")
    deliver(bench)


def core_killed(bench, parts):
    """The core dies and comes back: what it did not take is put off, and the SM-SC sends it again."""
    peers.wait(lambda: bench.smsc.responses() > len(parts) // 2, RUN_S_MAX, "half of the parts to be answered")
    bench.core.kill()
    time.sleep(2.0)
    bench.core.start()


def smsc_killed(setting):
    """The SM-SC stops answering, dies with answers owed, and comes back."""
    sent = messages.messages(setting.share(10, at_least=200), setting.seed, first=40_000)
    with Bench(setting, smsc={"hold_after": len(sent)}) as bench:
        client = bench.client_for(sent, rate=max(20, len(sent) // 12))
        peers.wait(lambda: bench.smsc.events("holding"), RUN_S_MAX, "the SM-SC to owe answers")
        time.sleep(0.3)
        before = len(client.answers())
        bench.smsc.kill()
        time.sleep(1.0)
        bench.smsc.start(hold_after=0)
        client.wait(RUN_S_MAX)
        answers = client.answers()
        return judge_to_sms(bench, sent, answers, allowed=(480, 503), more=doubt(bench, answers, before))


def gateway_killed(setting):
    """The gateway dies after its answers and before the reports: each report finds its message all the same."""
    sent = messages.messages(setting.share(10, at_least=200), setting.seed, first=47_000)
    with Bench(setting, cores=[0, 1], binds=2, smsc={"receipt_delay_ms": 8000}) as bench:
        client = bench.client_for(sent, rate=200)
        client.wait(RUN_S_MAX)
        early = judge.holds(bench.core.count() == 0, "a report came before the gateway was killed")
        bench.restart_gateway()
        return judge_to_sms(bench, sent, client.answers(), more=early)


def gateway_killed_delivering(setting):
    """The gateway dies after it has answered all parts of messages but the last ones."""
    sent, parts = messages.short_messages(setting.share(10), setting.seed)
    last = {part["key"]: part["part"] for part in parts}
    halves = [[part for part in parts if (part["part"] == last[part["key"]]) == is_last] for is_last in (False, True)]
    with Bench(setting, cores=[0, 1], binds=2) as bench:
        for number, half in enumerate(halves):
            if number:
                bench.restart_gateway()
            messages.write_parts(bench.folder / "parts.jsonl", half)
            before = bench.smsc.taken()
            deliver(bench)
            peers.settle(lambda: bench.smsc.taken() - before, len(half), QUIET_S)
        requests, responses = bench.core.requests(), bench.smsc.events("deliver_resp")
        frames, findings = bench.finish()
    dests = {part["key"]: part["dest"] for part in parts}
    judge.demand(judge.delivered(sent, requests, dests), judge.all_rok(parts, responses), findings)
    return f"{len(sent)} messages, {len(parts)} parts{seen(frames)}"


def failover(setting):
    """The first of two SM-SCs dies with answers owed: the second takes over, but for what the first may have taken."""
    sent = messages.messages(setting.share(10, at_least=200), setting.seed, first=45_000)
    with Bench(setting, smsc={"hold_after": len(sent)}, second=True) as bench:
        client = bench.client_for(sent, rate=max(20, len(sent) // 12))
        peers.wait(lambda: bench.smsc.events("holding"), RUN_S_MAX, "the SM-SC to owe answers")
        time.sleep(0.3)
        before = len(client.answers())
        bench.smsc.kill()
        client.wait(RUN_S_MAX)
        bench.smsc.start(hold_after=0)
        took_over = judge.holds(bench.second.events("submit"), "the second SM-SC got nothing")
        torn = sum(code == 503 for code, _ in client.answers().values())  # a part in doubt, the rest never sent
        few = judge.holds(torn <= len(sent) // 50, f"{torn} answers with 503 although there was a second SM-SC")
        more = [*doubt(bench, client.answers(), before), *took_over, *few]
        return judge_to_sms(bench, sent, client.answers(), allowed=(480, 503), more=more)


def doubt(bench, answers, before):
    """Each 480 is a message whose outcome nobody knows, and the metric counts it."""
    refused = sum(code == 480 for code, _ in answers.values())
    counted = bench.gateway.metric("submit_outcome_unknown")
    yield from judge.holds(counted == refused, f"submit_outcome_unknown is {counted} for {refused} answers with 480")
    yield from judge.holds(refused > 0, "no answer was owed when the SM-SC was killed")
    late = list(answers.values())[before:]
    yield from judge.holds(any(code == 202 for code, _ in late), "nothing was accepted after the SM-SC came back")


def receipts_first(setting):
    """The status report comes before the submit response."""
    sent = messages.messages(setting.share(10), setting.seed, first=50_000)
    with Bench(setting, smsc={"receipts": "before"}) as bench:
        client = bench.client_for(sent)
        client.wait(RUN_S_MAX)
        early = bench.gateway.metric("reports_early")
        return judge_to_sms(bench, sent, client.answers(), more=judge.holds(early != 0, "no report was early"))


def throttling(setting):
    """ESME_RTHROTTLED to every 150th submit: what it hits comes again or is refused, the rest waits out the pause."""
    sent = messages.messages(setting.share(10), setting.seed, first=60_000)
    with Bench(setting, smsc={"throttle_every": 150}, smsc_more=PAUSES) as bench:
        client = bench.client_for(sent, rate=100)
        client.wait(RUN_S_MAX)
        return judge_to_sms(
            bench, sent, client.answers(), allowed=(503,), more=throttled(bench, sent, client.answers())
        )


def throttled(bench, sent, answers):
    hit = {event["dest"] for event in bench.smsc.events("throttled")}
    refused = {message.recipient for message in sent if answers.get(message.id, (0,))[0] == 503}
    yield from judge.holds(hit, "nothing was throttled")
    yield from judge.holds(refused <= hit, f"503 without ESME_RTHROTTLED: {sorted(refused - hit)[:5]}")


def overload(setting):
    """Many times what the SM-SC takes: what is not taken gets 503 with Retry-After, and the rest is not touched."""
    sent = messages.messages(setting.share(4, at_least=1000), setting.seed, first=55_000)
    with Bench(setting, cores=[0, 1], binds=2, smsc_more="pending = 200") as bench:
        client = bench.client_for(sent, rate=4000, at_once=len(sent))
        client.wait(RUN_S_MAX)
        answers = client.answers()
        refused = [retry for code, retry in answers.values() if code == 503]
        more = [
            *judge.holds(refused, "nothing was refused"),
            *judge.holds(all(retry[:1].isdigit() for retry in refused), "503 without Retry-After"),
        ]
        return judge_to_sms(bench, sent, answers, allowed=(503,), more=more)


def drained(setting):
    """SIGTERM under load: what was accepted is finished."""
    sent = messages.messages(setting.share(10, at_least=200), setting.seed, first=65_000)
    with Bench(setting) as bench:
        client = bench.client_for(sent, rate=max(20, len(sent) // 8))
        peers.wait(lambda: len(client.answers()) > len(sent) // 2, RUN_S_MAX, "half of the answers")
        frames, findings = bench.finish()
        client.stop()
        answers, submits = client.answers(), bench.submits()
    codes = {code for code, _ in answers.values()}
    judge.demand(judge.arrived(sent, answers, submits), findings, judge.holds(codes <= {202, 503}, f"answers {codes}"))
    return f"{len(judge.accepted(sent, answers))} messages accepted, {len(submits)} segments{seen(frames)}"


def hostile(setting):
    """A peer sends rubbish to the SIP port: others do not notice."""
    sent = messages.messages(setting.share(10), setting.seed, first=75_000)
    with Bench(setting, captured=False) as bench:
        enemy = peers.Hostile(bench.folder, bench.sip, setting.seed)
        bench.stack.callback(enemy.stop)
        client = bench.client_for(sent, rate=100)
        client.wait(RUN_S_MAX)
        enemy.stop()
        return judge_to_sms(bench, sent, client.answers())


def lossy(setting):
    """Both SIP sides lose, double and reorder datagrams."""
    sent = messages.messages(setting.share(10), setting.seed, first=70_000)
    with Bench(setting, relayed=True) as bench:
        client = bench.client_for(sent, rate=100)
        client.wait(RUN_S_MAX)
        answers = client.answers()
        told = judge_to_sms(bench, sent, answers)
        lost = sum(relay.counts()["lost"] for relay in bench.relays)
        judge.demand(judge.holds(lost > 0, "the relays lost nothing"))
        return f"{told}, {lost} datagrams lost"


def epoll(setting):
    """The other back end."""
    sent = messages.messages(setting.share(10), setting.seed, first=90_000)
    with Bench(setting, backend="epoll") as bench:
        client = bench.client_for(sent, "tcp")
        client.wait(RUN_S_MAX)
        return judge_to_sms(bench, sent, client.answers())


def two_cores(setting):
    """Half of the Call-IDs belong to the core whose socket does not receive them."""
    sent = messages.messages(setting.share(5), setting.seed, first=80_000)
    with Bench(setting, cores=[0, 1], binds=2) as bench:
        client = bench.client_for(sent)
        client.wait(RUN_S_MAX)
        crossed = bench.gateway.metric("datagrams_handed_over") or 0
        share = judge.holds(crossed > len(sent) // 4, f"{crossed} datagrams were handed over, of {len(sent)}")
        return f"{judge_to_sms(bench, sent, client.answers(), more=share)}, {crossed:.0f} handed over"


def peers_alone(setting):
    """The peers against each other without a gateway: what this finds wrong is the suite's own fault."""
    whole = ("greek", "cyrillic", "arabic")  # `cut` is unkind to the others, and the judge would say so
    sent = [message for message in messages.messages(setting.share(50), setting.seed) if message.script() in whole]
    with Bench(setting, relayed=True, gatewayless=True) as bench:
        client = peers.SippClient(bench.folder, sent, bench.client, bench.hop, "udp", "tel", 200)
        parts = [
            {**part, "source": message.sender, "dest": message.recipient}
            for message in sent
            for part in messages.texts.cut(message.text, "udh8", 7)
        ]
        messages.write_parts(bench.folder / "parts.jsonl", parts)
        told = peers.Esme(bench.folder, bench.smpp, bench.folder / "parts.jsonl").told(RUN_S_MAX)
        client.wait(RUN_S_MAX)
        taken, submits = distinct(bench.core.requests()), bench.smsc.events("submit")
        frames, findings = bench.finish()
    texts_differ = {m.text for m in sent} != {request.content.decode() for request in taken}
    everything = {message.id: (judge.OK, "") for message in sent}
    judge.demand(
        judge.holds(len(client.answers()) == len(sent) == len(taken), "sipp and the core disagree"),
        judge.holds(not texts_differ, "a text changed between sipp and the core"),
        judge.holds(told == {"answered": len(parts), "receipts": len(parts)}, f"the ESME saw {told}"),
        judge.arrived(sent, everything, submits),
        findings,
    )
    return f"{len(sent)} messages, {len(parts)} segments{seen(frames)}"


SCENARIOS = {
    "peers.pager": peers_alone,
    "peers.mmsc": mms_self.alone,
    "peers.postfix": mms_self.relayed,
    "peers.msrp": self_test.bytes_of_all_sizes,
    "peers.sessions.udp": lambda setting: self_test.dialogs(setting, "udp"),
    "peers.sessions.tcp": lambda setting: self_test.dialogs(setting, "tcp"),
    **{
        f"msrp_engine.{side}.{through or 'direct'}": (lambda setting, s=side, t=through: self_test.engine(setting, s, t))
        for side in ("passive", "active")
        for through in (None, "kamailio")
    },
    **{
        f"cpm_to_sms.{transport}.{method}": (lambda setting, t=transport, m=method: cpm_to_sms(setting, t, m))
        for transport in ("udp", "tcp")
        for method in messages.METHODS
    },
    "cpm_to_sms.data_sm": data_sm,
    "cpm_to_sms.pair": pair,
    "sms_to_cpm.udp": lambda setting: sms_to_cpm(setting, "udp"),
    "sms_to_cpm.tcp": lambda setting: sms_to_cpm(setting, "tcp"),
    "faults.smsc_killed": smsc_killed,
    "faults.gateway_killed": gateway_killed,
    "faults.gateway_killed_delivering": gateway_killed_delivering,
    "faults.failover": failover,
    "faults.overload": overload,
    "faults.drained": drained,
    "faults.hostile": hostile,
    "faults.receipts_first": receipts_first,
    "faults.throttling": throttling,
    "faults.lossy": lossy,
    "faults.smsc_killed_delivering": lambda setting: sms_to_cpm(setting, parts_of=10, during=killed_halfway),
    "faults.core_killed": lambda setting: sms_to_cpm(
        setting, parts_of=10, during=core_killed, core="python", put_off=True
    ),
    "faults.lossy_delivering": lambda setting: sms_to_cpm(setting, parts_of=10, relayed=True),
    "two_cores.cpm_to_sms": two_cores,
    "two_cores.sms_to_cpm": lambda setting: sms_to_cpm(setting, parts_of=5, cores=[0, 1], binds=2),
    "epoll.cpm_to_sms": epoll,
    "epoll.sms_to_cpm": lambda setting: sms_to_cpm(setting, parts_of=10, backend="epoll", cores=[0, 1], binds=2),
}
SCENARIOS |= {
    "large.to_sms.udp": lambda setting: large.to_sms(setting),
    "large.to_sms.tcp": lambda setting: large.to_sms(setting, transport="tcp", next_hop_transport=";transport=tcp"),
    "large.to_sms.kamailio": lambda setting: large.to_sms(setting, through="kamailio"),
    "large.to_sms.lossy": lambda setting: large.to_sms(setting, relayed=True),
    "large.to_sms.two_cores": lambda setting: large.to_sms(setting, cores=[0, 1], binds=2),
    "large.to_sms.epoll": lambda setting: large.to_sms(setting, backend="epoll", transport="tcp"),
    "large.to_sms.smsc_killed": large.smsc_killed,
    "large.to_sms.steps": steps.to_sms,
    "large.to_cpm.udp": lambda setting: large.to_cpm(setting),
    "large.to_cpm.tcp": lambda setting: large.to_cpm(setting, transport="tcp", next_hop_transport=";transport=tcp"),
    "large.to_cpm.active": lambda setting: large.to_cpm(setting, setup="active"),
    "large.to_cpm.kamailio": lambda setting: large.to_cpm(setting, through="kamailio"),
    "large.to_cpm.lossy": lambda setting: large.to_cpm(setting, relayed=True),
    "large.to_cpm.two_cores": lambda setting: large.to_cpm(setting, cores=[0, 1], binds=2),
    "large.to_cpm.smsc_killed": lambda setting: large.to_cpm(setting, during=large.killed_delivering),
    "large.to_cpm.steps": steps.to_cpm,
    "chat.client_ends": lambda setting: chat.chat(setting),
    "chat.sms_user_ends": lambda setting: chat.chat(setting, ends="sms", refresh="INVITE"),
    "chat.numbered": lambda setting: chat.chat(setting, more=chat.POOL),
    "chat.kamailio": lambda setting: chat.chat(setting, through="kamailio"),
    "chat.lossy": lambda setting: chat.chat(setting, relayed=True, ends="sms"),
    "chat.timers": agreements.timers,
    "chat.asked": agreements.asked,
    "faults.media_strangers": agreements.strangers,
    "chat.two_cores": lambda setting: chat.chat(setting, cores=[0, 1], binds=2),
}
SCENARIOS |= {"load.smpp": loads.smpp, "load.sip": loads.sip}
SCENARIOS |= mms.SCENARIOS | mms_in.SCENARIOS | mms_peers.SCENARIOS | mms_large.SCENARIOS | mms_faults.SCENARIOS
NAMES = list(SCENARIOS)


def run(name, setting):
    return SCENARIOS[name](setting)
