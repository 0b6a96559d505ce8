"""isthmus load without a gateway: node-smpp and sipp take what it sends, and the texts are compared."""

import collections
import subprocess

import judge
import peers
import texts
from sipmsg import distinct

RUN_S_MAX = 300
# The same seed and mix make the same texts, whichever side sends them.
MIX = "--seed 7 --length 8-160:3,161-400:1 --alphabet gsm7:3,latin1:1,ucs2:1,emoji:1 --settle 20s --sleep --quiet".split()


def load(setting, *options):
    command = [setting.binary, "load", *options, *MIX, "--messages", setting.messages, "--output", setting.folder / "load"]
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=RUN_S_MAX)
    (setting.folder / "load.log").write_text(ran.stdout + ran.stderr)
    return judge.holds(ran.returncode == 0, f"isthmus load ended with {ran.returncode}: {ran.stdout[-300:]}{ran.stderr[-300:]}")


def submitted(setting, **behaviour):
    """What node-smpp got, put together and decoded by the suite."""
    (port,) = peers.free_ports(1)
    smsc = peers.Smsc(setting.folder, port, **behaviour)
    smsc.start()
    try:
        findings = load(
            setting, "--smpp", f"127.0.0.1:{port}", "--window", 20, "--reports", 0.5, "--concatenation", "udh16", "--echo"
        )
    finally:
        smsc.stop()
    return findings, texts_of(smsc.events("submit"))


def texts_of(submits):
    found, parts = collections.Counter(), collections.defaultdict(dict)
    for submit in submits:
        reference, total, number, octets = texts.segment_number(submit)
        key = (submit["source"], submit["dest"], reference if total > 1 else None)
        parts[key][number] = octets
        if len(parts[key]) == total:
            whole = parts.pop(key)
            found[texts.decode(submit["data_coding"], b"".join(whole[at] for at in sorted(whole)))] += 1
    return found


def smpp(setting):
    """node-smpp takes every text, reports on half of them, and sends every one back."""
    findings, found = submitted(setting, echo=True)
    judge.demand(findings, once(found, setting.messages, "node-smpp"))
    return f"{sum(found.values())} texts to node-smpp and back"


def sip(setting):
    """sipp takes every text, and they are those that node-smpp gets of the same seed."""
    udp, tcp, listen = peers.free_ports(3)
    core = peers.SippCore(setting.folder, udp, tcp)
    try:
        findings = load(setting, "--sip", f"sip:127.0.0.1:{udp}", "--sip-listen", f"127.0.0.1:{listen}", "--window", 20)
        taken = collections.Counter(request.content.decode() for request in distinct(core.requests()))
    finally:
        core.stop()
    others, submits = submitted(setting, echo=True)
    judge.demand(
        findings,
        others,
        once(taken, setting.messages, "sipp"),
        judge.holds(taken == submits, f"{len(taken - submits)} texts with sipp are not those with node-smpp"),
    )
    return f"{sum(taken.values())} texts to sipp, the same as to node-smpp"


def once(found, wanted, who):
    yield from judge.holds(len(found) == wanted, f"{who} got {len(found)} texts, of {wanted}")
    yield from judge.holds(max(found.values(), default=0) <= 1, f"{who} got a text twice")
