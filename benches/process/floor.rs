//! The floor: what the kernel takes for one datagram in and one out, in batches, with the sizes of the flow beside it.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::flows::WINDOW;
use crate::mmsg::Batch;
use crate::threads;

/// Octets of what comes in and of what goes out.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub received: usize,
    pub sent: usize,
}

/// CPU time in microseconds that the echoing thread takes for each of `count` exchanges. Like a core of the gateway it
/// has a processor of its own, and like the gateway's peers, the sender never sleeps.
pub fn cpu_us(sizes: Sizes, count: usize) -> f64 {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(server.local_addr().unwrap()).unwrap();
    // As the gateway and its peers ask for: a whole window fits.
    for socket in [&server, &client] {
        socket2::SockRef::from(socket).set_recv_buffer_size(4 << 20).unwrap();
    }
    let end = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&end);
    threads::pin(0);
    let echo = thread::Builder::new().name("echo".into());
    let echo = echo.spawn(move || serve(&server, sizes.sent, &over)).unwrap();
    threads::pin(1);
    exchange(&client, sizes.received, count / 10);
    let before = threads::cpu("echo");
    exchange(&client, sizes.received, count);
    let cpu = threads::cpu("echo") - before;
    end.store(true, Ordering::Relaxed);
    echo.join().unwrap();
    cpu.as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap())
}

fn exchange(client: &UdpSocket, bytes: usize, count: usize) {
    let (mut out, mut back, datagram) = (Batch::new(), Batch::new(), vec![b'x'; bytes]);
    let (mut sent, mut echoed) = (0, 0);
    while echoed < count {
        while sent - echoed < WINDOW && sent < count {
            out.put(client, &datagram);
            sent += 1;
        }
        out.flush(client);
        echoed += back.receive(client, libc::MSG_DONTWAIT, false);
    }
}

fn serve(server: &UdpSocket, bytes: usize, over: &AtomicBool) {
    let mut batch = Batch::new();
    while !over.load(Ordering::Relaxed) {
        let got = batch.receive(server, libc::MSG_WAITFORONE, true);
        batch.answer(server, got, bytes);
    }
}
