"""A peer that sends rubbish to a SIP port until it is terminated: over UDP, and over TCP on a few connections.

Arguments: port, seed.
"""

import random
import socket
import sys
import time

PER_S = 300
CONNECTIONS_MAX = 40
VIA = b"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\n"
HEAD = b"MESSAGE sip:a@b SIP/2.0\r\n" + VIA + b"From: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\n"
RUBBISH = (
    b"",
    b"\r\n\r\n",
    b"\0" * 1200,
    b"GET / HTTP/1.1\r\n\r\n",
    b"MESSAGE",
    b"SIP/2.0 200 OK\r\n\r\n",
    HEAD,
    HEAD + b"\r\n",
    HEAD + b"Call-ID: x\r\nCSeq: 1 MESSAGE\r\nContent-Length: 99999999999\r\n\r\n",
    HEAD + b"Call-ID: x\r\nCSeq: 1 MESSAGE\r\nContent-Length: 50000\r\n\r\nshort",
    HEAD + b"Call-ID: y\r\nCSeq: 1 MESSAGE\r\nContent-Type: message/cpim\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd",
    HEAD + b"X: " + b"y" * 60_000 + b"\r\n",
    HEAD + b"".join(b"X%d: y\r\n" % n for n in range(3_000)),
)


def rubbish(chance):
    """One of the above, as it is or with octets changed, or nothing that was ever meant."""
    octets = bytearray(chance.choice(RUBBISH))
    if chance.random() < 0.2:
        return chance.randbytes(chance.randrange(1, 1500))
    for _ in range(chance.randrange(4) if octets else 0):
        octets[chance.randrange(len(octets))] = chance.randrange(256)
    return bytes(octets)


def stream(port, chance, held):
    """Another connection with rubbish on it; the oldest of too many is left."""
    if len(held) == CONNECTIONS_MAX:
        held.pop(0).close()
    connection = socket.create_connection(("127.0.0.1", port), 1)
    connection.setblocking(False)
    held.append(connection)
    connection.send(rubbish(chance))


def main():
    port, chance, held = int(sys.argv[1]), random.Random(sys.argv[2]), []
    udp = socket.socket(type=socket.SOCK_DGRAM)
    print("ready", flush=True)
    while True:
        try:
            udp.sendto(rubbish(chance), ("127.0.0.1", port))
            if chance.random() < 0.1:
                stream(port, chance, held)
        except OSError:
            pass  # refused, or full: what a hostile peer must expect
        time.sleep(1 / PER_S)


main()
