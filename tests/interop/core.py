"""A SIP/IP core behind the gateway, UDP and TCP on one port: answers every request with 200, as often as it comes, and
appends it to a file once.

Arguments: UDP port, TCP port, file. One line per request: its octets in hexadecimal.
"""

import asyncio
import re
import sys

LOG = open(sys.argv[3], "a", buffering=1)
COPIED = re.compile(rb"^(?:via|v|from|f|to|t|call-id|i|cseq)\s*:", re.I)
TRANSACTION = re.compile(rb"^(?:call-id|i|cseq)\s*:.*$", re.I | re.M)
LENGTH = re.compile(rb"^(?:content-length|l)\s*:\s*(\d+)", re.I | re.M)
SEEN = set()


def answer_to(request):
    """200 with what RFC 3261 8.2.6.2 says to copy, or nothing for a response."""
    if request.startswith(b"SIP/2.0"):
        return b""
    head = request.split(b"\r\n\r\n")[0]
    if (transaction := tuple(TRANSACTION.findall(head))) not in SEEN:
        SEEN.add(transaction)
        LOG.write(request.hex() + "\n")
    lines = head.split(b"\r\n")[1:]
    copied = [tagged(line) for line in lines if COPIED.match(line)]
    return b"\r\n".join([b"SIP/2.0 200 OK", *copied, b"Content-Length: 0", b"", b""])


def tagged(line):
    is_to = line[:3].lower() == b"to:" or line[:2].lower() == b"t:"
    return line + b";tag=core" if is_to and b";tag=" not in line else line


class Datagrams(asyncio.DatagramProtocol):
    """UDP; the answer goes back where the request came from (rport)."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        self.transport.sendto(answer_to(data), peer)


async def stream(reader, writer):
    """TCP; frames by Content-Length."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            writer.write(answer_to(head.lstrip(b"\r\n") + body))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    udp, tcp = int(sys.argv[1]), int(sys.argv[2])
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", udp))
    await asyncio.start_server(stream, "127.0.0.1", tcp, limit=1 << 20)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
