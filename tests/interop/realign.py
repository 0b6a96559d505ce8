"""MSRP in a capture, cut into one packet per frame, since Wireshark 4.0 judges MSRP only where a frame is a TCP segment.

Bodies of application/octet-stream and of chunks are masked, and cut if they are too large for a packet: its dissector looks
for structure in them as if they were whole, and finds a lone ";" malformed.
"""

import collections
import re
import struct

import msrp

PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 101)  # LINKTYPE_RAW
OPAQUE = b"Content-Type: application/octet-stream"
BODY_BYTES_MAX = 60_000  # what goes into an IP packet
HOST = bytes((127, 0, 0, 1))


def streams(rows):
    """(source port, destination port) of each direction of each connection -> its octets; of rows with the stream's
    number, the ports, the sequence number and the payload in hexadecimal."""
    pieces = collections.defaultdict(dict)
    for stream, source, target, sequence, payload in rows:
        pieces[stream, int(source), int(target)][int(sequence)] = bytes.fromhex(payload)
    for (_, source, target), found in pieces.items():
        yield source, target, in_order(found)


def in_order(found):
    octets, at = bytearray(), min(found)
    for sequence in sorted(found):
        octets += found[sequence][max(0, at - sequence) :]
        at = max(at, sequence + len(found[sequence]))
    return bytes(octets)


def frames_of(octets):
    """The frames as they are on the wire, and what is left."""
    found, at = [], 0
    while start := msrp.START.match(octets, at):
        end = re.compile(rb"\r\n-------" + re.escape(start[1]) + rb"[$+#]\r\n").search(octets, start.end() - 2)
        if not end:
            break
        found.append(octets[at : end.end()])
        at = end.end()
    return found, octets[at:]


def masked(frame):
    head, blank, rest = frame.partition(b"\r\n\r\n")
    body, end, last = rest.rpartition(b"\r\n-------")
    judged = is_whole(head, last) and OPAQUE not in head
    return head + blank + (body if judged else b"x" * min(len(body), BODY_BYTES_MAX)) + end + last


def is_whole(head, last):
    return last.endswith(b"$\r\n") and (b"Byte-Range: 1-" in head or b"Byte-Range" not in head)


def packet(source, target, sequence, octets):
    tcp = struct.pack(">HHIIBBHHH", source, target, sequence & 0xFFFFFFFF, 1, 0x50, 0x18, 0xFFFF, 0, 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(octets), 0, 0, 64, 6, 0, HOST, HOST)
    return struct.pack("<IIII", 0, 0, 40 + len(octets), 40 + len(octets)) + ip + tcp + octets


def write(file, rows):
    """(the number of frames written, findings)."""
    count, findings = 0, []
    with file.open("wb") as out:
        out.write(PCAP)
        for source, target, octets in streams(rows):
            frames, rest = frames_of(octets)
            findings += [f"no MSRP frame from port {source}: {rest[:60]!r}"] if rest else []
            sequence = 1
            for frame in frames:
                out.write(packet(source, target, sequence, masked(frame)))
                sequence += len(frame)
            count += len(frames)
    return count, findings
