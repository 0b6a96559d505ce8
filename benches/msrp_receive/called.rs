//! The gateway on one core, and a call to it: INVITE for a session, 200, ACK (RFC 3261 13, RFC 4975 8).

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use isthmus::engine::transport::{ListenerId, Transport};
use isthmus::shard::settings::{MsrpSettings, Network, Settings, SipSettings, SmscSettings};
use isthmus::shell::{Backend, Gateway, Options};

use crate::peer::PEER_PATH;

const PATIENCE: Duration = Duration::from_secs(10);
const FEATURE: &str = "+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session\"";

/// A gateway in a session.
pub struct Called {
    gateway: Gateway,
    /// The CPM network.
    network: UdpSocket,
    /// Where the gateway takes media.
    pub media: SocketAddr,
    /// The session there.
    pub path: String,
}

impl Called {
    pub fn new() -> Called {
        let network = UdpSocket::bind("127.0.0.1:0").unwrap();
        network.set_read_timeout(Some(PATIENCE)).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listen = vec![(Transport::Udp, any), (Transport::Tcp, any)];
        let (backend, drain) = (Backend::IoUring, Duration::from_millis(1));
        let options = Options { cores: vec![0], backend, listen, drain, profile: false, storage: None };
        let gateway = Gateway::start(&options, settings(network.local_addr().unwrap()), Arc::new(|_, _| {})).unwrap();
        let [sip, media] = [0, 1].map(|at: usize| gateway.listeners()[at].local);
        let mut called = Called { gateway, network, media, path: String::new() };
        called.path = called.call(sip);
        called
    }

    /// Stops the gateway; what is open is given up.
    pub fn end(self) {
        let _ = self.gateway.join();
    }

    /// The path that the gateway takes the session at.
    fn call(&self, sip: SocketAddr) -> String {
        let offer = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=message 9 TCP/MSRP *\r\n\
             a=accept-types:message/cpim\r\na=accept-wrapped-types:*\r\na=setup:active\r\na=path:{PEER_PATH}\r\n"
        );
        let own = self.network.local_addr().unwrap();
        let headers = format!(
            "Contact: <sip:{own}>;{FEATURE}\r\nP-Asserted-Identity: <tel:+491700000002>\r\n\
             Accept-Contact: *;{FEATURE};require;explicit\r\nConversation-ID: c1\r\nContribution-ID: c2\r\n\
             Content-Type: application/sdp\r\n"
        );
        self.send(sip, "INVITE", "", &headers, &offer);
        let accepted = self.final_response();
        assert!(accepted.starts_with("SIP/2.0 200 "), "{accepted}");
        let (_, tag) = line(&accepted, "To: ").rsplit_once(";tag=").unwrap();
        self.send(sip, "ACK", &format!(";tag={tag}"), "", "");
        line(&accepted, "a=path:").to_owned()
    }

    fn send(&self, sip: SocketAddr, method: &str, tag: &str, headers: &str, body: &str) {
        let (own, len) = (self.network.local_addr().unwrap(), body.len());
        let request = format!(
            "{method} tel:+491710000001 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{method};rport\r\n\
             Max-Forwards: 70\r\nFrom: <tel:+491700000002>;tag=8ae3c1\r\nTo: <tel:+491710000001>{tag}\r\n\
             Call-ID: large@127.0.0.1\r\nCSeq: 1 {method}\r\n{headers}Content-Length: {len}\r\n\r\n{body}"
        );
        self.network.send_to(request.as_bytes(), sip).unwrap();
    }

    fn final_response(&self) -> String {
        let mut buffer = [0; 4_096];
        loop {
            let len = self.network.recv(&mut buffer).unwrap();
            let response = String::from_utf8_lossy(&buffer[..len]);
            if !response.starts_with("SIP/2.0 1") {
                return response.into_owned();
            }
        }
    }
}

fn line<'m>(message: &'m str, begin: &str) -> &'m str {
    message.split("\r\n").find_map(|line| line.strip_prefix(begin)).unwrap()
}

fn settings(network: SocketAddr) -> Settings {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    Settings {
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: format!("sip:{network}"),
            trusted: vec![Network { address: [127, 0, 0, 0].into(), prefix_bits: 8 }],
            ..SipSettings::default()
        },
        msrp: MsrpSettings {
            listeners: vec![(ListenerId(1), nobody)],
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..MsrpSettings::default()
        },
        smscs: vec![SmscSettings { name: "smsc".into(), address: nobody, ..SmscSettings::default() }],
        ..Settings::default()
    }
}
