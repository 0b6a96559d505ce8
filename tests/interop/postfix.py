"""Postfix as a relay between two MMS Relay/Servers, with its own configuration and queue, on a high port. Its daemons take
off root's rights by themselves (setgroups), so it has to be started as root: through sudo if the suite runs as a user."""

import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

from peers import Process, wait

START_S_MAX = 20
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}/log
myhostname = relay.example.net
mydestination =
local_recipient_maps =
local_transport = error:nobody lives here
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_forbid_bare_newline = yes
disable_dns_lookups = yes
smtp_dns_support_level = disabled
transport_maps = inline:{{ {routes} }}
message_size_limit = 4000000
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
smtp_connect_timeout = 5s
smtp_connection_cache_on_demand = {cached}
smtp_tls_security_level = none
smtpd_tls_security_level = none
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


def missing():
    """Why it cannot be had here; None if it can."""
    if not pathlib.Path("/usr/lib/postfix/sbin/master").exists():
        return "Postfix is not installed"
    if os.getuid() and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode:
        return "Postfix has to be started as root"
    return None


class Postfix:
    """Takes mails at `port`; `routes` is domain -> the port of the next host."""

    def __init__(self, folder, port, routes, cached="yes"):
        # Its own users must reach it, which they cannot in a folder of the suite below somebody's home.
        self.folder, self.port, self.kept = pathlib.Path(tempfile.mkdtemp(prefix="isthmus-postfix-")), port, folder
        self.folder.chmod(0o755)
        for name in ("etc", "queue", "log", "data"):
            (self.folder / name).mkdir()
        self.log = self.folder / "log/mail.log"
        listed = ", ".join(f"{{ {domain} = smtp:[127.0.0.1]:{hop} }}" for domain, hop in routes.items())
        main = MAIN.format(folder=self.folder, routes=listed, cached=cached)
        (self.folder / "etc/main.cf").write_text(main)
        (self.folder / "etc/master.cf").write_text(MASTER.format(port=port))
        self.own("data")
        self.child = Process(as_root("postfix", "-c", self.folder / "etc", "start-fg"), folder / "postfix.out")
        wait(self.listens, START_S_MAX, f"Postfix to listen: {self.text()[-400:]}")

    def own(self, name):
        if os.getuid():
            subprocess.run(["sudo", "-n", "chown", "postfix", self.folder / name], check=True)
        else:
            os.chown(self.folder / name, pwd.getpwnam("postfix").pw_uid, -1)

    def listens(self):
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def statuses(self):
        """(recipient, status) of every attempt, as ("+49…/TYPE=PLMN@…", "sent")."""
        return re.findall(r"to=<([^>]*)>.*? status=(\w+)", self.text())

    def flaws(self):
        """What it complained of, but for what a scenario brought about."""
        lines = [line for line in self.text().splitlines() if re.search(r" (?:warning|error|fatal|panic): ", line)]
        return [f"Postfix: {line[:200]}" for line in lines if "hostname" not in line]

    def stop(self):
        subprocess.run(as_root("postfix", "-c", self.folder / "etc", "stop"), capture_output=True)
        self.child.stop()
        if self.log.exists():
            shutil.copy(self.log, self.kept / "postfix.log")
        subprocess.run(as_root("rm", "-rf", self.folder))


def as_root(*command):
    return command if os.getuid() == 0 else ("sudo", "-n", *command)
