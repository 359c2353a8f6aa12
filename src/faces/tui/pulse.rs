//! The round-trip time to the server, from requests that the server itself answers.

use crate::app::state::WireRecord;
use crate::domain::Time;

/// Methods that the server answers by itself, without asking another person's device.
const ANSWERED_BY_SERVER: [&str; 3] = ["REGISTER", "SERVICE", "SUBSCRIBE"];

/// Requests that are remembered while they wait; more are not measured.
const WAITING: usize = 16;

/// Pairs requests with their answers.
#[derive(Debug, Default)]
pub struct Pulse {
    waiting: Vec<(String, Time)>,
}

impl Pulse {
    /// Sees a message go by; the time in milliseconds when it answers a request.
    pub fn see(&mut self, record: &WireRecord) -> Option<u32> {
        let request = record.title == record.method;
        if record.sent && request && ANSWERED_BY_SERVER.contains(&record.method.as_str()) && self.waiting.len() < WAITING {
            self.waiting.push((record.call.clone(), record.at));
            return None;
        }
        if record.sent || request {
            return None;
        }
        let at = self.waiting.iter().position(|w| w.0 == record.call)?;
        let (_, sent) = self.waiting.swap_remove(at);
        u32::try_from(record.at.since(sent).as_millis()).ok()
    }

    /// Forgets what was under way on a lost link.
    pub fn lost(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at: u64, sent: bool, first: &str, cseq: &str) -> WireRecord {
        WireRecord::new(Time(at), sent, &format!("{first}\nCall-ID: c1\nCSeq: 1 {cseq}\n"))
    }

    #[test]
    fn the_servers_own_answers_give_the_time() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.see(&record(100, true, "SERVICE sip:a@b SIP/2.0", "SERVICE")), None);
        assert_eq!(pulse.see(&record(112, false, "SIP/2.0 200 OK", "SERVICE")), Some(12));
        assert_eq!(pulse.see(&record(113, false, "SIP/2.0 200 OK", "SERVICE")), None);
    }

    #[test]
    fn what_people_answer_is_no_measure_of_the_link() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.see(&record(100, true, "INVITE sip:a@b SIP/2.0", "INVITE")), None);
        assert_eq!(pulse.see(&record(9_000, false, "SIP/2.0 200 OK", "INVITE")), None);
    }
}
