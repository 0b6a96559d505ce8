"""The messages of a run, and what must become of their reports."""

import dataclasses
import json
import random

import texts

# What a client asks for, as the value of imdn.Disposition-Notification.
REQUESTS = (
    "positive-delivery, negative-delivery",
    "positive-delivery",
    "negative-delivery",
    "interworking",
    "",
    "positive-delivery, negative-delivery, interworking",
    "display",
    "negative-delivery, interworking",
    "positive-delivery, display",
)

# The SM-SC's outcome by the first digits of the recipient: see receipt_of in smsc.js.
DELIVERED, UNDELIVERED, FIRST_UNDELIVERED = "49171", "49172", "49173"
OUTCOMES = (DELIVERED, DELIVERED, UNDELIVERED, DELIVERED, DELIVERED, DELIVERED, FIRST_UNDELIVERED)


@dataclasses.dataclass
class Message:
    """A CPM message. The recipient is its own, so the SM-SC's log says which message a segment belongs to."""

    id: str
    sender: str
    recipient: str
    text: str
    requests: str

    def script(self):
        return texts.SCRIPTS[int(self.id.split("-")[1]) % len(texts.SCRIPTS)]

    def line(self):
        """sipp's fields; a line without a request holds another header instead, since an empty one would end them."""
        wish = f"imdn.Disposition-Notification: {self.requests}" if self.requests else "Subject: greetings"
        text = self.text.replace("\r\n", ";")
        return f"{self.recipient};{self.sender};{self.id};{wish};{text}\n"

    def lines(self):
        return self.text.count("\r\n") + 1

    def reports(self):
        """The (element, status) that IWF V3.0 Table 3 gives for the requests and the outcome."""
        delivered = self.recipient.startswith(DELIVERED)
        wishes = self.requests.split(", ")
        found = set()
        if "positive-delivery" in wishes and delivered:
            found.add(("delivery-notification", "delivered"))
        if "negative-delivery" in wishes and not delivered:
            found.add(("delivery-notification", "failed"))
        if "interworking" in wishes:
            found.add(("interworking-notification", "legacy-sms" if delivered else "error"))
        return found


def messages(count, seed, first=0):
    return [message(first + index, seed) for index in range(count)]


def in_lines(sent):
    """The same messages with a line end in the middle of each text."""
    return [dataclasses.replace(message, text=broken(message.text)) for message in sent]


def broken(text):
    half = max(1, len(text) // 2 - 1)
    return f"{text[:half]}\r\n{text[half + 2 :] or 'x'}"


def message(index, seed):
    outcome = OUTCOMES[index % len(OUTCOMES)]
    return Message(
        id=f"m{seed}-{index}",
        sender=f"4915550{index % 97:05}",
        recipient=f"{outcome}{index:07}",
        text=texts.text_of(index, seed),
        requests=REQUESTS[(index // len(texts.SCRIPTS)) % len(REQUESTS)],
    )


METHODS = ("sar", "udh8", "udh16", "payload")


def short_messages(count, seed):
    """(sender -> text, the deliver_sm parts of all of them): cut anywhere, mixed up, some of them twice."""
    chance = random.Random(seed)
    sent, parts = {}, []
    for index in range(count):
        sender = f"49160{index:07}"
        sent[sender] = texts.text_of(index, seed + 1)
        parts += parts_of(sender, sent[sender], METHODS[index // 5 % len(METHODS)], chance)
    return sent, mixed(parts, chance)


def parts_of(sender, text, method, chance):
    """The parts in any order, some of them twice, but nothing behind the one that makes the message whole."""
    reference = chance.randrange(1, 256 if method == "udh8" else 65536)
    to = {"key": sender, "source": sender, "dest": f"4915551{chance.randrange(97):05}"}
    parts = [{**part, **to} for part in texts.cut(text, method, reference)]
    chance.shuffle(parts)
    again = [part for part in parts[:-1] if chance.random() < 0.02]
    return parts[:-1] + again + parts[-1:]


def mixed(parts, chance, span=40):
    """Parts of neighbouring messages between each other; those of one message keep their order."""
    places = {}
    for at, part in enumerate(parts):
        places.setdefault(part["key"], []).append(at + chance.randrange(span))
    turns = {key: iter(sorted(found)) for key, found in places.items()}
    placed = [(next(turns[part["key"]]), at) for at, part in enumerate(parts)]
    return [parts[at] for _, at in sorted(placed)]


def write_parts(file, parts):
    file.write_text("".join(json.dumps(part) + "\n" for part in parts))
