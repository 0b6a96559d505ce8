//! The names by which pure code and the shell speak of sockets.

use core::net::{IpAddr, SocketAddr};

use bytes::Bytes;

/// A transport protocol of SIP (RFC 3261 18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams; not reliable.
    Udp,
    /// A stream; reliable.
    Tcp,
}

/// A shard, and the core it lives on: its number in configuration order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(pub u16);

/// A listening address: its number in configuration order, the same on every core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(pub u16);

/// A connection of one core. The generation tells a new connection from an old one in the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkId {
    /// Place in the core's table.
    pub index: u32,
    /// How often the place was used.
    pub generation: u32,
}

/// An order to connect; minted by the shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectId(pub u64);

/// A record of durable storage; minted by the shard. In the order of their deadlines, which is the order they go in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// When it may be forgotten unasked: seconds since 1970-01-01T00:00:00Z.
    pub expires_s: u32,
    /// Which run of the process minted it.
    pub run: u32,
    /// Which shard of that run.
    pub shard: ShardId,
    /// Which order of that shard it was.
    pub number: u64,
}

/// A question to the DNS; minted by the shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueryId(pub u64);

/// What a shard orders the shell to do.
#[derive(Debug)]
pub enum Transmit {
    /// Send one datagram from the socket of `listener`.
    Datagram {
        /// From which socket.
        listener: ListenerId,
        /// To whom.
        peer: SocketAddr,
        /// The payload.
        bytes: Vec<u8>,
    },
    /// Append to a connection's stream. Unknown links are ignored: their closing was or will be told.
    Stream {
        /// Which connection.
        link: LinkId,
        /// The octets.
        bytes: Vec<u8>,
    },
    /// Open a connection; answered by `on_connected` or `on_connect_failed`.
    Connect {
        /// The name of this order.
        order: ConnectId,
        /// To whom.
        peer: SocketAddr,
    },
    /// Close a connection after what was ordered before has been sent.
    Close {
        /// Which connection.
        link: LinkId,
    },
    /// Tell how much of what is sent on a connection leaves: `on_written`, from now on. What the kernel holds unsent is
    /// kept short on such a connection.
    Watch {
        /// Which connection.
        link: LinkId,
    },
    /// Write to durable storage. What is to be written and what to be forgotten is done in the order it is told, and how
    /// much of it is done is told by `on_recorded`. Only where promises are durable.
    Record {
        /// The name of this record.
        record: RecordId,
        /// What to remember.
        octets: Vec<u8>,
    },
    /// Remove a record from durable storage.
    Forget {
        /// The name of the record, perhaps of an earlier run.
        record: RecordId,
    },
    /// Ask the DNS; answered by `on_resolved`.
    Resolve {
        /// The name of this question.
        query: QueryId,
        /// The domain name.
        name: String,
        /// Which records.
        kind: RecordKind,
    },
}

/// Record types that RFC 3263 needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// RFC 3403.
    Naptr,
    /// RFC 2782.
    Srv,
    /// IPv4 and IPv6 addresses.
    Address,
}

/// A record of the DNS, without its name and time to live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// RFC 3403 4.1. One with a regular expression has the replacement ".".
    Naptr {
        /// Low ones first; once one fits, higher ones do not count.
        order: u16,
        /// Low ones first among the same order.
        preference: u16,
        /// "s" leads to SRV records.
        flags: String,
        /// `SIP+D2U` and others.
        service: String,
        /// Where it leads.
        replacement: String,
    },
    /// RFC 2782.
    Srv {
        /// Low ones first.
        priority: u16,
        /// Share among the same priority.
        weight: u16,
        /// Port of the service.
        port: u16,
        /// Host; "." if there is decidedly no such service.
        target: String,
    },
    /// A or AAAA.
    Address(IpAddr),
}

/// What happened on a core's sockets.
#[derive(Debug)]
pub enum Incoming {
    /// A connection was accepted on `listener`.
    Accepted(LinkId, ListenerId, SocketAddr),
    /// An ordered connection is open.
    Connected(LinkId, ConnectId),
    /// An ordered connection could not be opened.
    ConnectFailed(ConnectId),
    /// Octets arrived.
    Stream(LinkId, Bytes),
    /// A connection is gone.
    Closed(LinkId),
}

/// A connection of any core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkRef {
    /// The core that holds it.
    pub shard: ShardId,
    /// Its name there.
    pub link: LinkId,
}

/// Where a SIP message came from, and so where its response goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The peer's address as the socket saw it.
    pub peer: SocketAddr,
    /// The road it took.
    pub road: Road,
}

/// The road a SIP message took into the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    /// A datagram on the listener of this number; every core has a socket for it.
    Datagram(ListenerId),
    /// A connection that one core holds.
    Stream(LinkRef),
}
