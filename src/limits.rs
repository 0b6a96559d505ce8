//! Every bound of the gateway in one place, unit last. Relations between bounds are checked when the crate compiles.
//!
//! A bound is what we promise to hold however a peer behaves; what happens when it is reached is said beside it.

/// Cores a gateway can run on, and so shards it can have.
pub const SHARDS_MAX: usize = 64;

// SIP

/// Octets of a SIP message, header and body. RFC 3428 8 wants pager messages small; a larger one gets 513 on a datagram
/// and loses its connection on a stream.
pub const SIP_MESSAGE_BYTES_MAX: usize = 65_535;
/// Octets of a SIP header section.
pub const SIP_HEADER_SECTION_BYTES_MAX: usize = 32_768;
/// Header fields of a SIP message; more is answered 400.
pub const SIP_HEADERS_MAX: usize = 128;
/// Octets of a request that may leave as a datagram (RFC 3261 18.1.1).
pub const SIP_DATAGRAM_REQUEST_BYTES_MAX: usize = 1_300;
/// Server transactions of one shard. Beyond, those end early whose client must have its response; if there is none, the
/// request gets 503.
pub const SIP_SERVER_TRANSACTIONS_MAX: usize = 1_000_000;
/// Client transactions of one shard without final response; beyond, what would have been sent is refused for now. As many
/// more that have it are remembered.
pub const SIP_CLIENT_TRANSACTIONS_MAX: usize = 200_000;
/// INVITE server transactions of one shard; one more INVITE gets 503.
pub const SIP_INVITE_SERVER_TRANSACTIONS_MAX: usize = 200_000;
/// INVITE client transactions of one shard, those included that only acknowledge; beyond, an INVITE fails at once.
pub const SIP_INVITE_CLIENT_TRANSACTIONS_MAX: usize = 200_000;
/// Branches of one INVITE whose 2xx are acknowledged; those beyond end by their own timers.
pub const SIP_FORKS_MAX: usize = 8;
/// Requests of one shard that wait for a connection to one peer; one more fails.
pub const SIP_CONNECT_QUEUE_MAX: usize = 4_096;
/// Targets that one request is tried at (RFC 3263 4.3).
pub const SIP_TARGETS_MAX: usize = 8;
/// Failed targets that wait to be noted; of more than these the pause is forgone.
pub const SIP_FAULTS_MAX: usize = 64;
/// Services of a domain (NAPTR records) that are looked at (RFC 3263 4.1); the least preferred are passed over.
pub const SIP_SERVICES_MAX: usize = 4;
/// SRV records of a service among which servers are drawn; the least preferred are passed over.
pub const SIP_SRV_RECORDS_MAX: usize = 64;
/// Seconds for which a Retry-After can turn us away from a server.
pub const SIP_TARGET_PAUSE_S_MAX: u64 = 3_600;
/// Octets that our Via may add to a request.
pub const SIP_VIA_BYTES_MAX: usize = 120;
/// Buffers that a shard's engine keeps for reuse.
pub const SPARE_BUFFERS_MAX: usize = 4_096;
/// Octets of one that may come to hold a message or a response, for as long as a transaction or a report takes.
pub const SPARE_BUFFER_BYTES_MAX: usize = 4_096;
/// Buffers for PDUs of many messages at once that a shard keeps for reuse.
pub const SPARE_BATCHES_MAX: usize = 256;
/// Octets of one.
pub const SPARE_BATCH_BYTES_MAX: usize = 256 << 10;

// SMPP

/// Octets of an SMPP PDU: a message_payload of 64 KiB and everything else a PDU may hold.
pub const SMPP_PDU_BYTES_MAX: usize = 70_000;
/// Octets of a message_id without its NUL (SMPP 3.4 5.2.23).
pub const SMPP_MESSAGE_ID_BYTES_MAX: usize = 64;
/// PDUs that wait for a window slot of one bind.
pub const SMPP_PENDING_MAX: usize = 4_096;
/// Requests of one bind in flight; `window` may not be larger.
pub const SMPP_WINDOW_MAX: usize = 4_096;
/// Segments of one message (SMPP 3.4 5.3.2.23, 3GPP TS 23.040 9.2.3.24.1).
pub const SEGMENTS_MAX: usize = 255;

// Interworking

/// Log events of one shard that wait for the shell; more are counted and dropped.
pub const EVENTS_MAX: usize = 4_096;
/// Sessions of one shard; one more INVITE gets 503, and one of ours is not sent.
pub const SESSIONS_MAX: usize = 250_000;
/// CPM messages of one shard whose response or reports are awaited.
pub const PAGER_MESSAGES_MAX: usize = 1_000_000;
/// Of these, how many may wait for nothing but reports; of a message beyond, the reports are not passed on.
pub const AWAITED_MESSAGES_MAX: usize = 900_000;
/// Seconds for which a report is waited for, whatever Expires says: the longest validity that GSM knows, 63 weeks
/// (3GPP TS 23.040 9.2.3.12.1).
pub const REPORT_WAIT_S_MAX: u32 = 63 * 7 * 24 * 3_600;
/// message_ids of one shard that await a status report.
pub const OPEN_REPORTS_MAX: usize = 2_000_000;
/// message_ids of one shard whose report was passed on, remembered in case it comes again.
pub const CLOSED_REPORTS_MAX: usize = 65_536;
/// Status reports of one shard that wait for the message they belong to.
pub const HELD_REPORTS_MAX: usize = 1_024;
/// Concatenated short messages of one shard with missing parts.
pub const JOINING_MAX: usize = 50_000;
/// Octets of the parts held by one shard.
pub const JOINING_BYTES_MAX: usize = 64 << 20;
/// Messages of one shard whose parts were acknowledged and that the CPM side does not take for now; a part beyond gets
/// ESME_RX_T_APPN.
pub const UNDELIVERED_MAX: usize = 10_000;
/// Deliveries towards CPM of one shard in flight; a short message beyond gets ESME_RX_T_APPN.
pub const DELIVERIES_MAX: usize = 100_000;

const _: () = assert!(SIP_HEADER_SECTION_BYTES_MAX < SIP_MESSAGE_BYTES_MAX);
const _: () = assert!(SMPP_MESSAGE_ID_BYTES_MAX <= 255);
const _: () = assert!(AWAITED_MESSAGES_MAX < PAGER_MESSAGES_MAX);

// Text: CPIM, IMDN, short messages

/// Characters of a Subject that are kept of an invitation, and shown to an SMS user: about half a short message.
pub const SUBJECT_CHARACTERS_MAX: usize = 80;

/// Headers of a CPIM message; one with more is malformed.
pub const CPIM_HEADERS_MAX: usize = 64;

/// Multipart bodies inside one another, a CPIM wrapper counted as one; deeper content is no text.
pub const MIME_DEPTH_MAX: usize = 4;

/// An IMDN document; a larger one is malformed.
pub const IMDN_OCTETS_MAX: usize = 16 * 1024;

/// Elements inside one another in an IMDN document; `imdn`, notification, status and its value are four.
pub const IMDN_DEPTH_MAX: usize = 8;

/// Notifications read from one IMDN document; the schema has one and one extension, the rest is passed over.
pub const IMDN_NOTIFICATIONS_MAX: usize = 4;

/// What message_payload holds (SMPP 3.4 5.3.2.32: its length has 16 bits).
pub const MESSAGE_PAYLOAD_OCTETS_MAX: usize = 65_535;

// Mail

/// Octets of a mail's header section; one with more is malformed.
pub const MAIL_HEADER_SECTION_BYTES_MAX: usize = 65_536;
/// Octets of a line that we write, without its end (RFC 5322 2.1.1).
pub const MAIL_LINE_BYTES_MAX: usize = 998;

// Session descriptions

/// Octets of a session description; it arrives as the body of a SIP message.
pub const SDP_BYTES_MAX: usize = SIP_MESSAGE_BYTES_MAX;
/// Lines of one that are not blank; one with more is malformed.
pub const SDP_LINES_MAX: usize = 1_024;
/// Media descriptions of one, each of which an answer must repeat; one with more is malformed.
pub const SDP_MEDIA_MAX: usize = 32;
/// Octets of an MSRP path (RFC 4975 8.1), which a session keeps and every request repeats; a longer one is refused.
pub const MSRP_PATH_BYTES_MAX: usize = 2_048;
/// Octets of the media types that a peer accepts; of more, the ones beyond count as not accepted.
pub const SDP_TYPES_BYTES_MAX: usize = 4_096;

// Shell: sockets, buffers and turns of one core

/// Receive buffers for datagrams. While all are in use, datagrams wait in the socket, and are lost when that is full.
pub const UDP_BUFFERS: u16 = 1_024;
/// Of these, how many lie ready at a time: as many as a turn takes, so that connections do not wait behind more of them,
/// and few enough to stay in the processor's cache.
pub const UDP_BUFFERS_READY: u16 = 128;
/// Octets of one: the largest datagram (RFC 3261 18.1.1), what the kernel writes before it, and a step that keeps the
/// first lines of two buffers out of the same cache set. Only pages that were written to occupy memory.
pub const UDP_BUFFER_BYTES: usize = 65_600;
/// Receive buffers for connections. While all are in use, senders are held back by their TCP windows. Half of them may
/// hold octets of messages that are not whole, some 67 MB; what comes beyond is copied.
pub const TCP_BUFFERS: u16 = 4_096;
/// Of these, how many lie ready at a time: ordinary traffic takes turns with them, so that the others stay untouched.
pub const TCP_BUFFERS_READY: u16 = 512;
/// As many are ready at first; when a turn has used up all, twice as many: a megabyte of them stays in the processor's cache.
pub const TCP_BUFFERS_READY_FIRST: u16 = 32;
/// Octets of one: so many that few chunks of a large message are cut, and so few that reads fill most of them. The step, and the
/// memory, as above.
pub const TCP_BUFFER_BYTES: usize = 32_832;
/// A read of fewer octets is small: it leaves most of its buffer empty.
pub const TCP_SMALL_READ_BYTES: usize = 4_096;
/// Buffers with small reads that may be held; beyond, small reads are copied, so that a sender of single octets does not
/// hold a buffer for each.
pub const TCP_SMALL_READS_HELD_MAX: usize = 512;
/// Octets that a socket for datagrams may hold in each direction, if the host grants them.
pub const SOCKET_BUFFER_BYTES: usize = 4 << 20;
/// Connections that wait to be accepted, of each listener.
pub const ACCEPT_BACKLOG: i32 = 1_024;
/// Connections of one core; one accepted beyond is closed at once, one ordered beyond fails.
pub const LINKS_MAX: usize = 16_384;
/// Octets that wait to be sent on one connection; a peer that reads more slowly loses it.
pub const LINK_SEND_QUEUE_BYTES_MAX: usize = 24 << 20;
/// Of a peer that has called us and is owed more, nothing is read until it has read. What lies received by then is still
/// answered: all buffers that were ready at most.
pub const LINK_UNREAD_BYTES_MAX: usize = 1 << 20;
/// Octets of a connection whose sender waits for room that the kernel holds without having sent them, about.
pub const WATCHED_UNSENT_BYTES_MAX: u32 = 128 << 10;
/// Octets received on one connection in a turn; what follows waits for the next one.
pub const LINK_TURN_BYTES_MAX: usize = 256 << 10;
/// Datagrams whose sending has not ended; one more is dropped, as the network might have done.
pub const DATAGRAMS_SENDING_MAX: usize = 4_096;
/// Arrivals of each kind that a turn takes up before timers, sends and other tasks have theirs.
pub const TURN_ARRIVALS_MAX: usize = 256;
/// Microseconds that a turn may take before the log names the part of it that held the core up. As many arrivals as a turn
/// takes up cost a few milliseconds; five times that is noticed by those who wait, and seen by a clock that the kernel brings up
/// to date 250 times a second.
pub const TURN_BUDGET_US: u64 = 20_000;
/// Answers that leave in one turn and are timed; of more than these the last stage is not.
pub const REPLIES_TIMED_MAX: usize = 4_096;
/// Of the arrivals of a turn, datagrams: what comes on connections always has room beside them, however many there are. Responses of an
/// SM-SC that waited behind datagrams would keep its window full, and then the messages that make up the load are refused.
pub const TURN_DATAGRAMS_MAX: usize = 128;
/// Values under way from one core to one other.
pub const HANDOFFS_MAX: usize = 4_096;
/// Values of one core that found a full queue; beyond, it takes nothing in from its sockets until there is room.
pub const HANDOFF_BACKLOG_MAX: usize = 16_384;
/// DNS questions of one core without an answer; one more is answered with nothing.
pub const DNS_QUERIES_MAX: usize = 256;

const _: () = assert!(UDP_BUFFER_BYTES >= 65_507 + 64 && UDP_BUFFER_BYTES.is_multiple_of(64));
const _: () = assert!(TCP_BUFFER_BYTES.is_multiple_of(64));
// Half of the buffers may be held outside of the shell, and a turn finds the others.
const _: () =
    assert!(TURN_ARRIVALS_MAX <= UDP_BUFFERS as usize / 2 && TURN_ARRIVALS_MAX <= TCP_BUFFERS_READY as usize / 2);
const _: () = assert!(UDP_BUFFERS_READY as usize <= TURN_DATAGRAMS_MAX && TURN_DATAGRAMS_MAX <= TURN_ARRIVALS_MAX / 2);
const _: () = assert!(UDP_BUFFERS.is_power_of_two() && TCP_BUFFERS.is_power_of_two());
const _: () = assert!(TCP_BUFFERS_READY < TCP_BUFFERS / 2 && TCP_SMALL_READS_HELD_MAX < TCP_BUFFERS as usize / 2);
const _: () =
    assert!(LINK_UNREAD_BYTES_MAX + TCP_BUFFERS_READY as usize * TCP_BUFFER_BYTES * 5 / 4 < LINK_SEND_QUEUE_BYTES_MAX);
const _: () = assert!(TURN_ARRIVALS_MAX <= TCP_SMALL_READS_HELD_MAX && TCP_SMALL_READ_BYTES <= TCP_BUFFER_BYTES / 4);

// Operation

/// Log lines a second of one core about what peers can cause; more are counted and left out.
pub const LOG_LINES_PER_SECOND_MAX: u64 = 200;

// Store: records on disk

/// Octets of orders that one transaction carries out, and so how long the next ones wait for it; the others go into the
/// transaction after it. A larger order has one for itself.
pub const STORE_GROUP_BYTES_MAX: usize = 1 << 20;
/// Records beyond their time that one transaction removes; the others wait for the next one.
pub const STORE_EXPIRED_PER_GROUP_MAX: usize = 256;
/// Octets of a buffer for orders that is kept for reuse; a larger one, of the time when the disk did not write, is given
/// back.
pub const STORE_BUFFER_BYTES_MAX: usize = 4 << 20;
/// Octets of the file that are held in memory.
pub const STORE_CACHE_BYTES: usize = 64 << 20;
/// Seconds after which a disk that does not answer counts as one that fails.
pub const STORE_SILENCE_S_MAX: u64 = 10;
/// Times that a transaction is tried when the store is being closed; what it would have written is lost then.
pub const STORE_CLOSING_TRIES_MAX: u32 = 3;

const _: () = assert!(STORE_GROUP_BYTES_MAX <= STORE_BUFFER_BYTES_MAX);

// MSRP

/// Octets of an MSRP header section; a connection whose peer sends more has lost its framing.
pub const MSRP_HEADER_SECTION_BYTES_MAX: usize = 8_192;
/// Headers of an MSRP request or response; more are as bad.
pub const MSRP_HEADERS_MAX: usize = 64;
/// URIs of a path: every relay adds one. More is answered 400.
pub const MSRP_PATH_URIS_MAX: usize = 16;
/// Octets of a Message-ID. RFC 4975 9 allows 32; longer ones are in use. Beyond this, 400.
pub const MSRP_MESSAGE_ID_BYTES_MAX: usize = 64;
/// Octets of a head that is kept to compare the next one with; larger ones are read each time.
pub const MSRP_REPEATED_HEAD_BYTES_MAX: usize = 1_024;
/// Octets of content in a chunk that may not be interrupted; of a larger one the range has no end (RFC 4975 7.1.1).
pub const MSRP_UNINTERRUPTIBLE_BYTES_MAX: usize = 2_048;
/// Octets of content in a chunk of ours; `chunk` may not be larger. It leaves in one piece.
pub const MSRP_CHUNK_BYTES_MAX: usize = 64 << 10;
/// Messages of a session that are remembered after their end; more of one forgotten is a new message.
pub const MSRP_REMEMBERED_MAX: usize = 32;
/// Repetitions of a message's chunks that wait for its answer; those beyond get none.
pub const MSRP_REPEATS_MAX: usize = 16;
/// Holes in a message that is not whole; one with more gets 413.
pub const MSRP_HOLES_MAX: usize = 1_024;
/// Requests of a session without a response; chunks beyond wait.
pub const MSRP_TRANSACTIONS_MAX: usize = 256;

// SIP sessions

/// Sessions of one shard; one more INVITE is answered 503, and one of ours is not sent.
pub const SIP_CALLS_MAX: usize = 500_000;
/// Octets of what a dialog keeps of its messages: addresses, routes, session description. An INVITE with more is answered
/// 513, a 2xx with more is acknowledged and ended.
pub const SIP_DIALOG_BYTES_MAX: usize = 16_384;
/// How often one request of ours is sent again because of its refusal: 422 with a larger Min-SE, 491.
pub const SIP_REQUEST_REPEATS_MAX: u8 = 8;

const _: () = assert!(MSRP_REPEATED_HEAD_BYTES_MAX < MSRP_HEADER_SECTION_BYTES_MAX);
const _: () = assert!(SIP_DIALOG_BYTES_MAX < SIP_MESSAGE_BYTES_MAX);

// MMS: what is open at a time on one core

/// Connections of MMS Relay/Servers that bring mail; one more is closed.
pub const SMTP_SESSIONS_MAX: usize = 256;
/// CPM messages for MMS that have no answer yet or whose reports are awaited; one more gets 503.
pub const MMS_MESSAGES_MAX: usize = 100_000;
/// Octets of the largest content of an MM of ours. Encoded it leaves in one write.
pub const MM_BYTES_MAX: usize = 2 << 20;
/// Octets of the content of all of these that have not left yet; a message that would exceed it gets 503.
pub const MMS_MEMORY_BYTES_MAX: usize = 256 << 20;
/// MMs that are on their way to the CPM side, counted by recipients; a mail with more is told to come again.
pub const MMS_DELIVERIES_MAX: usize = 10_000;
/// Octets of all of these, each counted as often as it has recipients; a mail that would exceed it is told to come again.
pub const MMS_DELIVERIES_BYTES_MAX: usize = 256 << 20;
/// MMs whose notifications the CPM side may still send; one more takes the place of the oldest.
pub const MMS_ORIGINALS_MAX: usize = 200_000;
const _: () = assert!(MM_BYTES_MAX * 3 / 2 + MAIL_HEADER_SECTION_BYTES_MAX < LINK_SEND_QUEUE_BYTES_MAX);
/// Relays that a mail has passed, or times that an MM was forwarded; one with as many is refused.
pub const MAIL_HOPS_MAX: usize = 100;
/// MMs that came and are known should they come again; one more takes the place of the oldest.
pub const MMS_REPEATS_MAX: usize = 65_536;
/// Seconds for which reports of an MM are waited for, however long it is valid.
pub const MMS_REPORT_WAIT_S_MAX: u32 = 7 * 24 * 3_600;
/// Octets of a list of recipients (RFC 5365); a longer one is not read.
pub const RESOURCE_LIST_BYTES_MAX: usize = 65_536;
/// Recipients of an MM that a CPM user is told of; of one with more he is told none.
pub const MMS_LISTED_RECIPIENTS_MAX: usize = 200;

// SMTP

/// Octets of a path, its angle brackets included (RFC 5321 4.5.3.1.3); a longer one is refused.
pub const SMTP_PATH_BYTES_MAX: usize = 256;
/// Octets of what stands before the `@` (RFC 5321 4.5.3.1.1).
pub const SMTP_LOCAL_PART_BYTES_MAX: usize = 64;
/// Octets of a domain (RFC 5321 4.5.3.1.2).
pub const SMTP_DOMAIN_BYTES_MAX: usize = 255;
/// Octets of a command line. RFC 5321 4.5.3.1.4 wants 512, and more for extensions; a longer one gets 500.
pub const SMTP_COMMAND_LINE_BYTES_MAX: usize = 2_048;
/// Octets of a command line that is too long whose end is waited for; beyond, the connection is closed.
pub const SMTP_SKIPPED_BYTES_MAX: usize = 64 << 10;
/// Octets of commands that wait for the answer to a mail; beyond, the connection is closed.
pub const SMTP_WAITING_BYTES_MAX: usize = 64 << 10;
/// Octets of a line of mail data. RFC 5321 4.5.3.1.6 allows 1,000; longer ones are met. A mail with one beyond is refused.
pub const SMTP_DATA_LINE_BYTES_MAX: usize = 32 << 10;
/// Octets of a reply with all its lines; a server that sends more has lost its framing.
pub const SMTP_REPLY_BYTES_MAX: usize = 16 << 10;
/// Octets that are kept of what a reply says to people.
pub const SMTP_REPLY_TEXT_BYTES_MAX: usize = 96;
/// Recipients of a mail (RFC 5321 4.5.3.1.8 wants 100 at least); `recipients_max` may not be larger.
pub const SMTP_RECIPIENTS_MAX: usize = 1_000;
/// Mails that wait for one connection.
pub const SMTP_QUEUE_MAX: usize = 4_096;

const _: () = assert!(SMTP_PATH_BYTES_MAX < SMTP_COMMAND_LINE_BYTES_MAX);
const _: () = assert!(SMTP_COMMAND_LINE_BYTES_MAX < SMTP_WAITING_BYTES_MAX);

// Load generator

/// Microseconds of the longest latency that is told apart; a longer one counts as this.
pub const LOAD_LATENCY_US_MAX: u64 = 600_000_000;
/// Seconds of a run that are told apart; later ones count to the last of these.
pub const LOAD_SECONDS_MAX: usize = 86_400;
/// Microseconds after which a message was sent late by the generator itself.
pub const LOAD_BEHIND_US: u64 = 1_000;
/// Messages of one load: their numbers have six digits of five bits.
pub const LOAD_MESSAGES_MAX: u32 = 1 << 30;
/// Characters of the shortest text: its number and a check.
pub const LOAD_TEXT_CHARACTERS_MIN: u32 = 8;
/// Characters of the longest text, which is then cut into fewer than 255 short messages in every alphabet.
pub const LOAD_TEXT_CHARACTERS_MAX: u32 = 8_000;
/// Places of a long text at which the text of a message may begin.
pub const LOAD_TEXT_STARTS: u32 = 4_096;
/// Messages whose end is not known; one more makes the oldest a lost one. A power of two.
pub const LOAD_OPEN_MAX: usize = 1 << 22;
/// Telephone numbers of each kind.
pub const LOAD_NUMBERS: u32 = 100_000;
/// Peers of the CPM side.
pub const LOAD_PEERS_MAX: usize = 4_096;
/// Texts whose segments are not all there; one more makes an old one incomplete for ever. A power of two.
pub const LOAD_JOINING_MAX: usize = 1 << 16;
/// Branches, and segments, that are remembered so that one that comes again is known. A power of two.
pub const LOAD_REMEMBERED_MAX: usize = 1 << 17;
/// Short messages under way to one peer, and so the largest window. A power of two.
pub const LOAD_WINDOW_MAX: usize = 1 << 16;
/// Messages handed to the kernel in a turn before answers are taken in.
pub const LOAD_TURN_MESSAGES_MAX: u32 = 64;
/// Octets that wait to leave by a connection of the load; what is due then waits, and is late.
pub const LOAD_UNWRITTEN_BYTES_MAX: usize = 256 << 10;
