//! MMs for CPM users under loss, doubled and late datagrams, and Relay/Servers that hang up and come again on another core:
//! whoever was told 250 has his message at the CPM side, and the CPM side has it once.

use std::collections::VecDeque;
use std::time::Duration;

use isthmus::engine::Random;

use crate::mmsc::Bringing;
use crate::multimedia::{Mm, Sides};
use crate::sip::{Cpim, requests};
use crate::world::{Weather, settings_with_mms};

const MESSAGES: usize = 60;
const CORES: u16 = 3;

/// A mail that was brought and waits for its answer.
struct Open {
    number: usize,
    bringing: Bringing,
}

fn text(number: usize) -> String {
    format!("message {number}.")
}

/// Brings one on any core; at times its connection breaks at once.
fn bring(sides: &mut Sides, number: usize, random: &mut Random) -> Option<Open> {
    let core = usize::try_from(random.below(u64::from(CORES))).unwrap();
    let mut bringing = Bringing::connect(&mut sides.world, core);
    let mm = Mm::text(&format!("mm-{number}"), &text(number));
    bringing.bring(&mut sides.world, &if number.is_multiple_of(2) { mm } else { mm.acknowledged() }.mail());
    if random.below(3) == 0 {
        bringing.hang_up(&mut sides.world);
        return None;
    }
    Some(Open { number, bringing })
}

fn storm(seed: u8) {
    let mut sides = Sides::seeded(seed, CORES, &settings_with_mms(0));
    let mut random = Random::from_seed([seed; 32]);
    sides.world.weather = Weather { lose_percent: 15, double_percent: 10, jitter: Duration::from_millis(80) };
    // Here and there the CPM side is out of reach for a while.
    sides.world.cpm.respond = [200, 200, 480, 200, 504, 200, 480, 200].into();
    let mut waiting: VecDeque<usize> = (0..MESSAGES).collect();
    let (mut open, mut taken) = (Vec::new(), 0);
    while taken < MESSAGES {
        if let Some(number) = waiting.pop_front() {
            match bring(&mut sides, number, &mut random) {
                Some(brought) => open.push(brought),
                None => waiting.push_back(number),
            }
        }
        sides.world.run_for(Duration::from_millis(random.below(400)));
        sides.listen();
        for Open { number, mut bringing } in std::mem::take(&mut open) {
            match bringing.replies(&sides.world).get(..3) {
                Some("250") => taken += 1,
                Some("451") => waiting.push_back(number),
                None => open.push(Open { number, bringing }),
                Some(other) => panic!("{seed}: {other}"),
            }
        }
        assert!(sides.world.now.moment.0 < 3_600_000_000, "{seed}: it comes to an end");
    }
    sides.pass(60);
    let accepted = sides.world.cpm.received.iter().filter(|received| received.code == 200);
    let bodies: Vec<String> = accepted.map(|received| String::from_utf8(received.bytes.clone()).unwrap()).collect();
    for number in 0..MESSAGES {
        let times = bodies.iter().filter(|body| body.contains(&text(number))).count();
        let refused = requests(&sides.world).iter().filter(|request| says(&request.body, number)).count() - times;
        // One whose response was asked for has had its failure told there, and is over.
        assert!(times == 1 || times == 0 && !number.is_multiple_of(2) && refused > 0, "{seed}: {number} {times} times");
    }
    sides.nothing_stays();
}

fn says(body: &str, number: usize) -> bool {
    Cpim::read(body).content == text(number)
}

#[test]
fn each_mm_arrives_once() {
    (0..6).for_each(storm);
}
