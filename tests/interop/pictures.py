"""What multimedia messages are made of: JPEG pictures of a given size, SMIL, and multipart/related around them."""

import dataclasses
import email.parser
import email.policy
import random

# One pixel: a whole JFIF file without its SOI and its EOI.
PIXEL = bytes.fromhex(
    "ffe000104a46494600010100000100010000"
    "ffdb0043000302020302020303030304030304050805050404050a070706080c0a0c0c0b0a0b0b0d0e12100d0e110e0b0b1016101113141515"
    "150c0f171816141812141514"
    "ffc0000b080001000101011100"
    "ffc40014000100000000000000000000000000000009"
    "ffc40014100100000000000000000000000000000000"
    "ffda0008010100003f0054df"
)
SOI, EOI, COMMENT_BYTES_MAX = b"\xff\xd8", b"\xff\xd9", 65_533
# What has gone wrong on the way from SMTP to MSRP: ends of lines of every kind, dots, boundaries, ends of frames, NUL.
TRAPS = (
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r.\r",
    b"\r\n..x\r\n",
    b"\r\n--related",
    b"\r\n-------a786hjs2$\r\n",
    b"\0",
    b"\r\nFrom ",
)


def jpeg(octets, seed):
    """A picture of exactly so many octets: one pixel and comments that hold everything a gateway could stumble over."""
    chance = random.Random(f"jpeg/{seed}/{octets}")
    left, comments = octets - len(SOI + PIXEL + EOI), []
    while left > 0:
        take = min(left, COMMENT_BYTES_MAX + 2) if left != COMMENT_BYTES_MAX + 5 else left // 2
        comments.append(b"\xff\xfe" + (take - 2).to_bytes(2, "big") + filling(take - 4, chance))
        left -= take
    return SOI + b"".join(comments) + PIXEL + EOI


def filling(octets, chance):
    found = bytearray(chance.randbytes(octets))
    for at in range(0, octets - 32, 1024):
        trap = chance.choice(TRAPS)
        found[at : at + len(trap)] = trap
    return bytes(found)


def smil(text, picture):
    return (
        '<smil><head><layout><root-layout width="160" height="140"/><region id="Image" top="0" left="0"/>'
        '<region id="Text" top="70" left="0"/></layout></head><body><par dur="5s">'
        f'<img src="{picture}" region="Image"/><text src="{text}" region="Text"/></par></body></smil>'
    ).encode()


@dataclasses.dataclass
class Part:
    """One leaf. `octets` are as they are after decoding."""

    content_type: str
    octets: bytes
    cid: str = ""
    location: str = ""

    def carried(self):
        """(Content-Type, Content-Transfer-Encoding, body) of a mail that is this part."""
        return self.content_type, *encoded(self.octets, "base64")

    def named(self):
        """What must be the same on both sides."""
        return self.content_type.replace(" ", "").replace('"', "").lower(), self.cid, self.location, self.octets


class Multimedia:
    """A multipart body in one of its encodings: `binary` as CPM has it, `base64` as MMS has it."""

    def __init__(self, parts, subtype="related", boundary="related-7fKq.1"):
        self.parts, self.subtype, self.boundary = parts, subtype, boundary

    @classmethod
    def shown(cls, text, picture_octets, seed, **more):
        """SMIL, a text and a picture."""
        parts = [
            Part("application/smil; charset=utf-8", smil("text.txt", "cid:picture@example.net"), "smil", "smil.xml"),
            Part("text/plain; charset=utf-8", text.encode(), "text", "text.txt"),
            Part("image/jpeg; name=picture.jpg", jpeg(picture_octets, seed), "picture@example.net", "picture.jpg"),
        ]
        return cls(parts, **more)

    @classmethod
    def small(cls, text, picture_octets, seed, **more):
        """A text and a picture, without SMIL."""
        return cls(cls.shown(text, picture_octets, seed).parts[1:], **more)

    def content_type(self):
        first = self.parts[0]
        kind = first.content_type.split(";")[0]
        related = f'; type="{kind}"; start="<{first.cid}>"' if self.subtype == "related" else ""
        return f'multipart/{self.subtype}; boundary="{self.boundary}"{related}'

    def body(self, encoding="binary"):
        return b"".join(self.written(part, encoding) for part in self.parts) + f"--{self.boundary}--\r\n".encode()

    def written(self, part, encoding):
        head = [f"--{self.boundary}", f"Content-Type: {part.content_type}"]
        head += [f"Content-ID: <{part.cid}>"] if part.cid else []
        head += [f"Content-Location: {part.location}"] if part.location else []
        name, octets = encoded(part.octets, encoding)
        head += [f"Content-Transfer-Encoding: {name}"]
        return "\r\n".join([*head, "", ""]).encode() + octets + b"\r\n"

    def carried(self):
        return self.content_type(), "", self.body("base64")

    def types(self):
        return [part.content_type.split(";")[0] for part in self.parts]


def encoded(octets, encoding):
    """(the encoding's name, the octets in it): text of short lines stays as it is but for `base64!`."""
    plain = octets.isascii() and b"\0" not in octets and all(len(line) < 998 for line in octets.split(b"\r\n"))
    if plain and encoding != "base64!":
        return "7bit", octets
    if encoding == "binary":
        return "binary", octets
    text = email.message.Message()
    text.set_payload(octets)
    email.encoders.encode_base64(text)
    return "base64", text.get_payload().replace("\n", "\r\n").rstrip().encode()


def parsed(content_type, body):
    """The message of a Content-Type and a body, by Python's email package."""
    head = f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n".encode()
    return email.parser.BytesParser(policy=email.policy.SMTP).parsebytes(head + body)


def leaves(message):
    """The Parts of a message, in order."""
    return [part_of(leaf) for leaf in message.walk() if not leaf.is_multipart()]


def part_of(leaf):
    raw = leaf.get_payload(decode=True) or b""
    cid, location = (leaf["Content-ID"] or "").strip("<> "), leaf["Content-Location"] or ""
    return Part(str(leaf["Content-Type"] or "text/plain"), raw, cid, location)


def binary_leaves(content_type, body):
    """The Parts of a multipart body with binary leaves, which the email package would take apart at line ends: cut at the
    boundary."""
    boundary = parsed(content_type, b"").get_boundary().encode()
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    return [leaf_of(piece.removeprefix(b"\r\n")) for piece in pieces[1:] if not piece.startswith(b"--")]


def leaf_of(piece):
    head, _, octets = piece.partition(b"\r\n\r\n")
    message = email.parser.BytesHeaderParser(policy=email.policy.SMTP).parsebytes(head + b"\r\n\r\n")
    if (message["Content-Transfer-Encoding"] or "").lower() in ("base64", "quoted-printable"):
        message.set_payload(octets.decode("ascii"))
        return part_of(message)
    found = part_of(message)
    found.octets = octets
    return found


def compared(wanted, got):
    """What differs between two lists of Parts."""
    if [part.content_type.split(";")[0] for part in wanted] != [part.content_type.split(";")[0] for part in got]:
        yield f"parts {[part.content_type for part in got]} for {[part.content_type for part in wanted]}"
        return
    for one, other in zip(wanted, got):
        if one.octets != other.octets:
            yield f"{one.content_type}: {len(other.octets)} octets came of {len(one.octets)}, or they differ"
        elif one.named() != other.named():
            yield f"{one.named()[:3]} became {other.named()[:3]}"
