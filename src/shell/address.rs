//! Socket addresses as the kernel writes them.

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// ip(7), ipv6(7): ports and IPv4 addresses in network order, the rest in ours.
pub(super) fn read(name: &[u8]) -> Option<SocketAddr> {
    let family = u16::from_ne_bytes(*name.first_chunk()?);
    let port = u16::from_be_bytes(*name.get(2..)?.first_chunk()?);
    match i32::from(family) {
        libc::AF_INET => {
            let octets: [u8; 4] = *name.get(4..)?.first_chunk()?;
            Some(SocketAddrV4::new(Ipv4Addr::from(octets), port).into())
        }
        libc::AF_INET6 => {
            let octets: [u8; 16] = *name.get(8..)?.first_chunk()?;
            let flow = u32::from_ne_bytes(*name.get(4..)?.first_chunk()?);
            let scope = u32::from_ne_bytes(*name.get(24..)?.first_chunk()?);
            Some(SocketAddrV6::new(Ipv6Addr::from(octets), port, flow, scope).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use core::net::SocketAddr;

    use socket2::SockAddr;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in ["192.0.2.7:5060", "[2001:db8::9]:5080", "[fe80::1%3]:1"] {
            let address: SocketAddr = text.parse().expect("address");
            let written = SockAddr::from(address);
            // SAFETY: the address's own octets.
            let octets = unsafe { std::slice::from_raw_parts(written.as_ptr().cast::<u8>(), written.len() as usize) };
            assert_eq!(super::read(octets), Some(address));
            assert_eq!(super::read(&octets[..octets.len() - 9]), None);
        }
    }
}
