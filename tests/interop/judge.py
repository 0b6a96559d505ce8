"""What must hold after a run. Each check returns findings: lines that say which message is wrong and how."""

import collections
import re

import texts
from sipmsg import Notification, distinct

OK = 202
TRY_AGAIN = 0x64  # ESME_RX_T_APPN
SERVER = re.compile(r"\S+/\S+")
HEADER_LENGTHS = {"udh8": 6, "udh16": 7}


class Failed(Exception):
    """The run is over and these are its findings."""

    def __init__(self, findings):
        super().__init__(findings)
        self.findings = findings


def demand(*checks):
    findings = [finding for check in checks for finding in check]
    if findings:
        raise Failed(findings)


def answered(messages, answers, allowed=()):
    """Every message has an answer, 202 or one of those allowed, and the answer names the server."""
    for message in messages:
        code, server = answers.get(message.id, (0, ""))
        if code == 0:
            yield f"{message.id}: no final response"
        elif code != OK and code not in allowed:
            yield f"{message.id}: {code} ({len(message.text)} characters, requests {message.requests!r})"
        elif code == OK and not SERVER.match(server):
            yield f"{message.id}: 202 with Server {server!r}"


def accepted(messages, answers):
    return [message for message in messages if answers.get(message.id, (0,))[0] == OK]


def arrived(messages, answers, submits):
    """What was accepted is with the SM-SC once and whole; of what was refused nothing is there twice."""
    by_recipient = collections.defaultdict(list)
    for submit in submits:
        by_recipient[submit["dest"]].append(submit)
    for message in messages:
        segments = by_recipient.pop(message.recipient, [])
        whole = answers.get(message.id, (0,))[0] == OK
        yield from (f"{message.id}: {flaw}" for flaw in segment_flaws(message, segments, whole))
    yield from (
        f"{len(segments)} segments to {recipient}, who was not addressed"
        for recipient, segments in by_recipient.items()
    )


def segment_flaws(message, segments, whole):
    numbered = [texts.segment_number(segment) for segment in segments]
    counts = collections.Counter((reference, number) for reference, _, number, _ in numbered)
    yield from (f"segment {number} came {times} times" for (_, number), times in counts.items() if times > 1)
    for segment in segments:
        yield from size_flaws(segment)
    if not whole:
        return
    totals = {total for _, total, _, _ in numbered}
    if len(totals) != 1 or {number for _, _, number, _ in numbered} != set(range(1, max(totals) + 1)):
        yield f"accepted, but segments {sorted(number for _, _, number, _ in numbered)} of {sorted(totals)}"
        return
    yield from text_flaws(message, segments, [octets for _, _, _, octets in sorted(numbered, key=lambda each: each[2])])


def size_flaws(segment):
    """A short message is 140 octets on the air; of several with sar_* parameters 6 are left for the SM-SC's header."""
    octets = bytes.fromhex(segment.get("octets") or (segment.get("payload") if mark_of(segment) != "payload" else ""))
    room, header = (134, 0) if segment.get("sar") else (140, 0)
    if segment["esm_class"] & 0x40:
        header = octets[0] + 1
    bits = 7 if segment["data_coding"] == 0 else 8
    if (len(octets) - header) * bits > (room - header) * 8:
        yield f"a segment of {len(octets) - header} characters of {bits} bits with a header of {header} octets"


def text_flaws(message, segments, pieces):
    coding = segments[0]["data_coding"]
    try:
        text = texts.decode(coding, b"".join(pieces))
        each = "".join(texts.decode(coding, piece) for piece in pieces)
    except (ValueError, KeyError) as error:
        yield f"octets do not decode as data_coding {coding}: {error}"
        return
    if text != message.text:
        yield f"text differs: {difference(message.text, text)}"
    if each != text:
        yield "a segment ends within a character"
    if segments[0]["source"] != message.sender:
        yield f"source_addr {segments[0]['source']} for {message.sender}"


def difference(sent, got):
    at = next((i for i, (a, b) in enumerate(zip(sent, got)) if a != b), min(len(sent), len(got)))
    return f"at {at} of {len(sent)}: sent {sent[at : at + 8]!r}, got {got[at : at + 8]!r} of {len(got)}"


def concatenated_by(method, submits):
    """Every segment of several is marked as the configuration says, and there was one at all."""
    marks = [mark_of(submit) for submit in submits]
    several = [mark for mark in marks if mark]
    yield from (f"a segment marked {mark}, wanted {method}" for mark in set(several) - {method})
    if not several:
        yield f"no message was long enough to show {method}"


def mark_of(submit):
    if submit.get("sar"):
        return "sar"
    if submit["esm_class"] & 0x40:
        octets = submit.get("octets") or submit["payload"]
        known = (name for name, length in HEADER_LENGTHS.items() if octets.startswith(f"{length - 1:02x}"))
        return next(known, "another header")
    return "payload" if submit.get("payload") and submit["command"] == "submit_sm" else None


def reported(messages, requests):
    """Exactly the reports that were asked for, each once, valid, and about the right message."""
    wanted = collections.Counter((message.id, *state) for message in messages for state in message.reports())
    got, by_id = collections.Counter(), {message.id: message for message in messages}
    for request in distinct(requests):
        found, flaws = read_report(request, by_id)
        got.update(found)
        yield from flaws
    yield from (f"{' '.join(report)}: missing" for report in wanted - got)
    yield from (f"{' '.join(report)}: not asked for, or twice" for report in got - wanted)


def read_report(request, by_id):
    try:
        document = Notification(request.content)
    except (ValueError, SyntaxError, IndexError) as error:
        return [], [f"a report that cannot be read ({error}): {request.body[:300]!r}"]
    message = by_id.get(document.message_id)
    if message is None:
        return [], [f"a report about {document.message_id!r}, which was not accepted"]
    flaws = [*request.flaws(), *document.flaws(), *address_flaws(request, message)]
    return [(message.id, *state) for state in document.states], [f"report on {message.id}: {flaw}" for flaw in flaws]


def address_flaws(request, message):
    """IWF V3.0 Table 3."""
    if message.sender not in request.uri or message.sender not in request.headers["To"]:
        yield f"is for {request.uri} / {request.headers['To']}, not {message.sender}"
    if message.recipient not in request.headers["From"]:
        yield f"is from {request.headers['From']}, not {message.recipient}"
    pair = request.headers["Conversation-ID"], request.headers["Contribution-ID"]
    if pair != (f"c-{message.id}", f"d-{message.id}"):
        yield f"has Conversation-ID and Contribution-ID {pair}"
    if request.mime["Content-Type"] != "message/imdn+xml":
        yield f"has Content-Type {request.mime['Content-Type']}"
    if "notification" not in (request.mime["Content-Disposition"] or request.cpim["Content-Disposition"] or ""):
        yield "has no Content-Disposition: notification"
    if request.cpim["imdn.Disposition-Notification"]:
        yield "asks for a report itself"


def delivered(sent, requests, dests):
    """Every short message came once, with its text, from its sender and to its recipient."""
    got = collections.defaultdict(list)
    for request in distinct(requests):
        got[sender_of(request)].append(request)
        yield from (f"MESSAGE from {sender_of(request)}: {flaw}" for flaw in request.flaws())
    for sender, text in sent.items():
        found = got.pop(sender, [])
        if len(found) != 1:
            yield f"from {sender}: came {len(found)} times ({len(text)} characters)"
        yield from (
            f"from {sender}: {flaw}" for request in found for flaw in delivery_flaws(request, text, dests[sender])
        )
    yield from (f"a MESSAGE from {sender}, who sent nothing" for sender in got)


def sender_of(request):
    digits = re.search(r"\+(\d+)", request.headers["P-Asserted-Identity"] or "")
    return digits[1] if digits else "nobody"


def delivery_flaws(request, text, dest):
    charset = request.mime.get_param("charset") or "utf-8"
    got = request.content.decode(charset, "replace")
    if got != text:
        yield f"text differs: {difference(text, got)}"
    if f"+{dest}" not in request.uri:
        yield f"Request-URI {request.uri} for {dest}"


def all_rok(parts, responses, put_off=False):
    """Each part has a deliver_sm_resp with ESME_ROK. The older of two copies in flight may have been put off, and with
    `put_off` any other."""
    copies = collections.Counter((part["key"], part["part"]) for part in parts)
    taken = {(response["key"], response["part"]) for response in responses if response["status"] == 0}
    yield from (f"part {number} from {sender}: not taken" for sender, number in copies if (sender, number) not in taken)
    for response in responses:
        key, status = (response["key"], response["part"]), response["status"]
        if status not in (0, TRY_AGAIN) or (status == TRY_AGAIN and copies[key] == 1 and not put_off):
            yield f"part {key[1]} from {key[0]}: command_status 0x{status:x}"


def holds(condition, otherwise):
    if not condition:
        yield otherwise
