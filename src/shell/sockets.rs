//! Sockets as a gateway wants them.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::options::{Listener, StartError};
use crate::engine::transport::Transport;
use crate::limits;

/// After this long without a word a peer is asked whether it is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// One core's socket of a listening address. Blocking: whoever wants another kind says so.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) transport: Transport,
    pub(super) socket: Socket,
}

/// Lifts the limit of open files as far as the host lets us; the usual one is for programs with few connections.
pub(super) fn allow_many() {
    let limit = getrlimit(Resource::Nofile);
    // It is lower than the highest allowed; to be refused leaves it where it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Opens every address for every core: the sockets by core, and the addresses as they are.
pub(super) fn listen(
    wanted: &[(Transport, SocketAddr)],
    cores: usize,
) -> Result<(Vec<Vec<Listening>>, Vec<Listener>), StartError> {
    let mut by_core: Vec<Vec<Listening>> = (0..cores).map(|_| Vec::with_capacity(wanted.len())).collect();
    let mut listeners = Vec::with_capacity(wanted.len());
    for (transport, address) in wanted.iter().copied() {
        let open = open_for_all(transport, address, &mut by_core);
        let local = open.map_err(|error| StartError::Listen { transport, address, error })?;
        listeners.push(Listener { transport, local });
    }
    Ok((by_core, listeners))
}

fn open_for_all(transport: Transport, address: SocketAddr, by_core: &mut [Vec<Listening>]) -> io::Result<SocketAddr> {
    require_free(transport, address)?;
    let mut local = address;
    for sockets in by_core {
        let socket = open(transport, local)?;
        local = socket.local_addr()?.as_socket().unwrap_or(local);
        sockets.push(Listening { transport, socket });
    }
    Ok(local)
}

/// What a socket bound to every address is called by a peer at `towards`: the address of the route there, and the port.
/// `None` if it is bound to one address, or the host has no route.
pub(super) fn seen_by(local: SocketAddr, towards: Option<SocketAddr>) -> Option<SocketAddr> {
    let towards = towards.filter(|peer| local.ip().is_unspecified() && peer.is_ipv4() == local.is_ipv4())?;
    // Connecting a datagram socket sends nothing: the host looks up the route.
    let socket = std::net::UdpSocket::bind(SocketAddr::new(local.ip(), 0)).ok()?;
    socket.connect(towards).ok()?;
    Some(SocketAddr::new(socket.local_addr().ok()?.ip(), local.port()))
}

/// Shared ports do not collide with those of another gateway: it would silently take half of our traffic. One that is
/// not shared does.
fn require_free(transport: Transport, address: SocketAddr) -> io::Result<()> {
    if address.port() == 0 {
        return Ok(());
    }
    let socket = plain(transport, address)?;
    socket.set_reuse_address(transport == Transport::Tcp)?;
    socket.bind(&address.into())
}

fn open(transport: Transport, address: SocketAddr) -> io::Result<Socket> {
    let socket = plain(transport, address)?;
    socket.set_reuse_port(true)?;
    socket.set_reuse_address(transport == Transport::Tcp)?;
    match transport {
        Transport::Udp => ask_for_buffers(&socket),
        Transport::Tcp => prepare_stream(&socket)?,
    }
    socket.bind(&address.into())?;
    if transport == Transport::Tcp {
        socket.listen(limits::ACCEPT_BACKLOG)?;
    }
    Ok(socket)
}

fn plain(transport: Transport, address: SocketAddr) -> io::Result<Socket> {
    let (kind, protocol) = match transport {
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
        Transport::Tcp => (Type::STREAM, Protocol::TCP),
    };
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

/// A host that grants less loses more datagrams in a burst; it does not stop us. Connections ask for nothing: the kernel
/// adjusts theirs by itself, and further than it would grant.
fn ask_for_buffers(socket: &Socket) {
    let _ = socket.set_recv_buffer_size(limits::SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(limits::SOCKET_BUFFER_BYTES);
}

/// Accepted connections inherit this from their listener.
fn prepare_stream(socket: &Socket) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    socket.set_keepalive(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_AFTER))
}

/// What the kernel takes is what it can send soon: what waits behind it can still be put in another order.
pub(super) fn keep_unsent_short(socket: &Socket) {
    // A host that refuses buffers more.
    let _ = socket.set_tcp_notsent_lowat(limits::WATCHED_UNSENT_BYTES_MAX);
}

/// A socket for a connection of ours, not connected.
pub(super) fn outgoing(peer: SocketAddr) -> io::Result<Socket> {
    let socket = plain(Transport::Tcp, peer)?;
    prepare_stream(&socket)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_every_address_is_called_by_the_one_on_the_way_to_the_peer() {
        let [any, one, peer] = ["0.0.0.0:5060", "192.0.2.1:5060", "127.0.0.9:5070"]
            .map(|address| address.parse::<SocketAddr>().expect("address"));
        assert_eq!(seen_by(any, Some(peer)), Some("127.0.0.1:5060".parse().expect("address")));
        assert_eq!((seen_by(one, Some(peer)), seen_by(any, None)), (None, None));
        assert_eq!(seen_by(any, Some("[::1]:5070".parse().expect("address"))), None);
    }

    #[test]
    fn cores_share_a_port_that_nobody_else_gets() {
        for transport in [Transport::Udp, Transport::Tcp] {
            let any = "127.0.0.1:0".parse().expect("address");
            let (sockets, listeners) = listen(&[(transport, any)], 3).expect("free port");
            assert!(sockets.iter().all(|core| core.len() == 1));
            let again = listen(&[(transport, listeners[0].local)], 1).expect_err("taken");
            assert!(again.to_string().contains(&listeners[0].local.to_string()), "{again}");
        }
    }
}
