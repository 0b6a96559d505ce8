//! The floor: what the kernel takes for two datagrams, in batches.

use std::mem::{size_of, zeroed};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::threads;

const BATCH: usize = 64;
const BYTES: usize = 2048;
const WINDOW: usize = 256;

/// CPU time in microseconds that the echoing thread takes for each of `count` echoes of a datagram of a message's size.
pub fn cpu_us(count: usize) -> f64 {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let to = server.local_addr().unwrap();
    let end = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&end);
    let echo = thread::Builder::new().name("echo".into()).spawn(move || serve(&server, &over)).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(to).unwrap();
    let before = threads::cpu("echo");
    exchange(&client, count);
    let cpu = threads::cpu("echo") - before;
    end.store(true, Ordering::Relaxed);
    echo.join().unwrap();
    cpu.as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap())
}

fn exchange(client: &UdpSocket, count: usize) {
    client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let (datagram, mut buffer) = ([b'x'; 900], [0; BYTES]);
    let (mut sent, mut open, mut echoed) = (0, 0, 0);
    while echoed < count {
        while open < WINDOW && sent < count {
            client.send(&datagram).unwrap();
            (sent, open) = (sent + 1, open + 1);
        }
        match client.recv(&mut buffer) {
            Ok(_) => (open, echoed) = (open - 1, echoed + 1),
            // Lost in a full socket: it counts as echoed, which flatters the floor.
            Err(_) => (open, echoed) = (0, echoed + open),
        }
    }
}

fn serve(server: &UdpSocket, over: &AtomicBool) {
    let mut buffers = vec![[0_u8; BYTES]; BATCH];
    // SAFETY: these are plain structures of integers and pointers, for which all zeroes is a value.
    let (mut names, mut vectors, mut headers): (Vec<libc::sockaddr_in>, Vec<libc::iovec>, Vec<libc::mmsghdr>) =
        unsafe { (vec![zeroed(); BATCH], vec![zeroed(); BATCH], vec![zeroed(); BATCH]) };
    while !over.load(Ordering::Relaxed) {
        for at in 0..BATCH {
            vectors[at] = libc::iovec { iov_base: buffers[at].as_mut_ptr().cast(), iov_len: BYTES };
            headers[at].msg_hdr.msg_name = (&raw mut names[at]).cast();
            headers[at].msg_hdr.msg_namelen = u32::try_from(size_of::<libc::sockaddr_in>()).unwrap();
            headers[at].msg_hdr.msg_iov = &raw mut vectors[at];
            headers[at].msg_hdr.msg_iovlen = 1;
        }
        let batch = u32::try_from(BATCH).unwrap();
        // SAFETY: the headers name buffers, addresses and vectors that live as long as the call.
        let got = unsafe {
            libc::recvmmsg(server.as_raw_fd(), headers.as_mut_ptr(), batch, libc::MSG_WAITFORONE, std::ptr::null_mut())
        };
        let Ok(got @ 1..) = usize::try_from(got) else { continue };
        for at in 0..got {
            vectors[at].iov_len = usize::try_from(headers[at].msg_len).unwrap();
        }
        // SAFETY: as above; `got` headers were filled by the call before.
        unsafe { libc::sendmmsg(server.as_raw_fd(), headers.as_mut_ptr(), u32::try_from(got).unwrap(), 0) };
    }
}
