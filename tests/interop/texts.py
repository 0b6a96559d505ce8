"""The texts of the suite, and the way from octets to text that the gateway's authors did not write."""

import random

import gsm0338

GSM = gsm0338.Codec()
CHARACTERS_MAX = 1000

LATIN = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 @£$¥èéùìòÇØøÅåÆæßÉ!\"#¤%&'()*+,-./:<=>?¡ÄÖÑÜ§¿äöñüà"
)
EXTENSION = "^{}\\[~]|€"
GREEK = "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ .,!"
CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯіїєґђњћџ .,!"
ARABIC = "ا ب ت ث ج ح خ د ذ ر ز س ش ص ض ط ظ ع غ ف ق ك ل م ن ه و ي ة ء بِ تُ مَّ ، ؟ ٣ پ گ".split() + [" "]
HAN = "漢 字 短 信 網 關 你 好 世 界 中 文 測 試 。 ， 𠮷 😀 👍🏽 🇬🇷 👨‍👩‍👧 ❤️ 🎉 １".split()
SCRIPTS = ("latin", "greek", "cyrillic", "arabic", "han")

# Lengths at which the number of segments changes in some coding.
EDGES = "1 2 66 67 68 69 70 71 132 134 135 152 153 154 159 160 161 201 202 304 306 307 459 460 999 1000".split()


def length_of(index):
    """From 1 to 1000; every length comes once in a thousand, the edges more often."""
    if index % 5 == 0:
        return int(EDGES[(index // 5) % len(EDGES)])
    return 1 + (index * 617) % CHARACTERS_MAX


def text_of(index, seed):
    """The text of message `index`, without characters that a field of sipp's cannot hold."""
    chance = random.Random(f"{seed}/{index}")
    alphabet = {"latin": LATIN, "greek": GREEK, "cyrillic": CYRILLIC, "arabic": ARABIC, "han": HAN}
    script = SCRIPTS[index % len(SCRIPTS)]
    length, text = length_of(index), ""
    while len(text) < length:
        extended = script == "latin" and chance.random() < 0.06
        text += chance.choice(EXTENSION if extended else alphabet[script])
    return fill(text[:length])


def fill(text):
    """A cut may leave a joiner or a space at an end; both are legal but make failures hard to read."""
    body = text.strip(" ")
    return body + "x" * (len(text) - len(body))


def is_gsm(text):
    """Whether the text has a code for every character in GSM 03.38."""
    try:
        GSM.encode(text)
        return True
    except UnicodeEncodeError:
        return False


def encode(text):
    """data_coding and octets: unpacked GSM-7 as 0 if it loses nothing, else UCS-2 as 8."""
    return (0, GSM.encode(text)[0]) if is_gsm(text) else (8, text.encode("utf-16-be"))


def decode(data_coding, octets):
    """The text of joined octets (SMPP 3.4 5.2.19; 0 is the SM-SC's default alphabet, here GSM 03.38)."""
    if data_coding == 0:
        return GSM.decode(octets)[0]
    return octets.decode({1: "ascii", 3: "latin-1", 8: "utf-16-be"}[data_coding])


def cut(text, method, reference):
    """The deliver_sm parts of a text as an unkind SM-SC cuts them: anywhere, inside escape and surrogate pairs too."""
    data_coding, octets = encode(text)
    whole = 160 if data_coding == 0 else 140
    size = {"sar": (153, 134), "udh8": (153, 134), "udh16": (152, 132)}.get(method, (whole, whole))[data_coding != 0]
    if method == "payload" and len(octets) > whole:
        return [part_of(data_coding, octets, in_payload=True)]
    if len(octets) <= whole:
        return [part_of(data_coding, octets)]
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    return [segment_of(data_coding, piece, method, reference, len(pieces), at) for at, piece in enumerate(pieces, 1)]


def part_of(data_coding, octets, **more):
    return {"data_coding": data_coding, "esm_class": 0, "octets": octets.hex(), "part": 1, **more}


def segment_of(data_coding, octets, method, reference, total, number):
    if method == "sar":
        return part_of(data_coding, octets, sar=[reference, total, number], part=number)
    header = (
        bytes([5, 0, 3, reference & 255, total, number])
        if method == "udh8"
        else bytes([6, 8, 4, reference >> 8, reference & 255, total, number])
    )
    return {**part_of(data_coding, header + octets, part=number), "esm_class": 0x40}


def segment_number(record):
    """(reference, total, number, octets without header) of a recorded submit_sm."""
    octets = bytes.fromhex(record.get("payload") or record.get("octets") or "")
    if record["esm_class"] & 0x40:
        length = octets[0] + 1
        header, octets = octets[:length], octets[length:]
        if header[1] == 0:
            return header[3], header[4], header[5], octets
        if header[1] == 8:
            return header[3] << 8 | header[4], header[5], header[6], octets
    if record.get("sar"):
        return (*record["sar"], octets)
    return 0, 1, 1, octets
