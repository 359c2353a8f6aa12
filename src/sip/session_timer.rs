//! Session timers (RFC 4028): a session that nobody refreshes ends, so that one side that died is noticed.
//!
//! The side that calls keeps an [`Offer`] and puts it on every INVITE; a 422 goes through [`Offer::refused`], the 2xx makes
//! the [`SessionTimer`]. The side that is called makes it with [`SessionTimer::accept`] and puts it on its 2xx. From then on
//! both do the same: at [`SessionTimer::poll_timeout`] ask [`SessionTimer::due`] what to send; a refresh is UPDATE or
//! re-INVITE with [`SessionTimer::put_on_request`], its answer goes through [`SessionTimer::refreshed`], one of the peer
//! through [`SessionTimer::peer_refreshes`]. A session without a timer is [`SessionTimer::none`] and never due.

use super::limits::{
    SESSION_END_BEFORE, SESSION_EXPIRES, SESSION_MIN, SESSION_REFRESH_ANSWER, SESSION_RETRY_LEAST, SESSION_TOO_SHORT_MOST,
};
use super::{Headers, Method, Name, Params, Request, Response};
use crate::domain::Time;
use std::time::Duration;

/// Option tag.
pub const TIMER: &str = "timer";

/// What our INVITE asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    seconds: u32,
    least: u32,
    refusals: u32,
}

impl Default for Offer {
    fn default() -> Offer {
        Offer { seconds: SESSION_EXPIRES, least: SESSION_MIN, refusals: 0 }
    }
}

impl Offer {
    /// Puts Supported, Session-Expires and Min-SE on an INVITE, in place of those of an earlier try.
    pub fn put(&self, headers: &mut Headers) {
        support(headers);
        headers.set(Name::SessionExpires, self.seconds.to_string());
        headers.set(Name::MinSe, self.least.to_string());
    }

    /// A response came: whether the INVITE is to be sent again (CSeq and branch new) with [`Offer::put`], because it is a
    /// 422 that names a longer time. A peer that goes on raising is given up.
    pub fn refused(&mut self, response: &Response) -> bool {
        let Some(least) = too_short(response).filter(|l| *l > self.seconds) else { return false };
        self.refusals += 1;
        self.least = self.least.max(least);
        self.seconds = self.seconds.max(least);
        self.refusals <= SESSION_TOO_SHORT_MOST
    }

    /// The 2xx to our INVITE: what was agreed.
    pub fn settled(&self, now: Time, response: &Response) -> SessionTimer {
        let mut timer = SessionTimer { least: self.least, ..SessionTimer::none() };
        timer.peer_allows(&response.headers);
        timer.agreed(now, &response.headers, Side::Caller);
        timer
    }
}

/// Who refreshes, as headers say it: seen from the request they stand in or answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// `uac`.
    Caller,
    /// `uas`.
    Called,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Running {
    seconds: u32,
    ours: bool,
    refresh_at: Time,
    end_at: Time,
}

/// What is to be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A refresh: UPDATE without a body, or INVITE with the description of last time, as [`SessionTimer::method`] says.
    Refresh,
    /// BYE: nobody refreshed it in time. It is said once.
    End,
}

/// What the answer to a refresh means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// Go on.
    Alive,
    /// Send the refresh again at once: it named too short a time.
    Again,
    /// BYE: the peer knows the session no more, or does not answer.
    End,
}

/// The timer of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    running: Option<Running>,
    /// Shortest time either side takes, in seconds.
    least: u32,
    update: bool,
    peer_supports: bool,
}

impl SessionTimer {
    /// A session that does not expire.
    pub fn none() -> SessionTimer {
        SessionTimer { running: None, least: SESSION_MIN, update: false, peer_supports: false }
    }

    /// The peer's INVITE: what we agree to. `Err`: 422 with [`Name::MinSe`] set to these seconds.
    pub fn accept(now: Time, request: &Request) -> Result<SessionTimer, u32> {
        let mut timer = SessionTimer::none();
        timer.peer_refreshes(now, request)?;
        Ok(timer)
    }

    /// A re-INVITE or UPDATE of the peer, or its first INVITE; after it [`SessionTimer::put_on_response`]. `Err`: 422 with
    /// [`Name::MinSe`] set to these seconds, and the timer stays as it was.
    pub fn peer_refreshes(&mut self, now: Time, request: &Request) -> Result<(), u32> {
        let supports = request.headers.has_token(&Name::Supported, TIMER) || request.headers.has_token(&Name::Require, TIMER);
        let asked = session_expires(&request.headers);
        if supports && asked.is_some_and(|(seconds, _)| seconds < SESSION_MIN) {
            return Err(SESSION_MIN);
        }
        self.peer_allows(&request.headers);
        self.peer_supports = supports;
        self.running = match asked {
            // A proxy asked for it and the caller does not know it: it is ours, unless it would have us send without pause.
            Some((seconds, _)) if !supports => (seconds >= SESSION_MIN).then(|| Running::new(now, seconds, true)),
            Some((seconds, side)) => Some(Running::new(now, seconds, side == Some(Side::Called))),
            None => None,
        };
        Ok(())
    }

    /// Puts what was agreed on our 2xx to an INVITE or UPDATE.
    pub fn put_on_response(&self, headers: &mut Headers) {
        support(headers);
        let Some(running) = self.running else { return };
        let side = if running.ours { "uas" } else { "uac" };
        headers.set(Name::SessionExpires, format!("{};refresher={side}", running.seconds));
        if self.peer_supports && !headers.has_token(&Name::Require, TIMER) {
            headers.push(Name::Require, TIMER);
        }
    }

    /// Puts the timer on an INVITE or UPDATE of ours in the session; who refreshes stays as it was.
    pub fn put_on_request(&self, headers: &mut Headers) {
        support(headers);
        let Some(running) = self.running else { return };
        let side = if running.ours { "uac" } else { "uas" };
        headers.set(Name::SessionExpires, format!("{};refresher={side}", running.seconds));
        headers.set(Name::MinSe, self.least.to_string());
    }

    /// With what a refresh of ours is sent: UPDATE where the peer allows it.
    pub fn method(&self) -> Method {
        if self.update { Method::Update } else { Method::Invite }
    }

    /// Whether there is a timer, and its seconds.
    pub fn seconds(&self) -> Option<u32> {
        self.running.map(|r| r.seconds)
    }

    /// When [`SessionTimer::due`] has something to say.
    pub fn poll_timeout(&self) -> Option<Time> {
        let running = self.running?;
        Some(if running.ours { running.refresh_at.min(running.end_at) } else { running.end_at })
    }

    /// What is to be sent now. A refresh is not said again until its answer can no longer come.
    pub fn due(&mut self, now: Time) -> Option<Due> {
        let running = self.running.as_mut()?;
        if running.end_at <= now {
            self.running = None;
            return Some(Due::End);
        }
        if !running.ours || running.refresh_at > now {
            return None;
        }
        running.refresh_at = now + SESSION_REFRESH_ANSWER;
        Some(Due::Refresh)
    }

    /// The final answer to an INVITE or UPDATE of ours in the session; `None`: no answer came in time.
    pub fn refreshed(&mut self, now: Time, response: Option<&Response>) -> Refreshed {
        let Some(response) = response else { return self.over() };
        match response.status {
            200..=299 => {
                self.peer_allows(&response.headers);
                self.agreed(now, &response.headers, Side::Caller);
                Refreshed::Alive
            }
            408 | 481 => self.over(),
            _ => self.not_refreshed(now, response),
        }
    }

    fn not_refreshed(&mut self, now: Time, response: &Response) -> Refreshed {
        let known = self.running.map_or(0, |r| r.seconds);
        if let Some(least) = too_short(response).filter(|l| *l > known) {
            self.least = self.least.max(least);
            if let Some(running) = &mut self.running {
                running.seconds = least;
            }
            return Refreshed::Again;
        }
        if matches!(response.status, 405 | 501) {
            self.update = false;
        }
        // Both at once (491), a server that is busy: there is time for another try, and then for a shorter wait.
        if let Some(running) = &mut self.running {
            running.refresh_at = now + (running.end_at.since(now) / 2).max(SESSION_RETRY_LEAST);
        }
        Refreshed::Alive
    }

    fn over(&mut self) -> Refreshed {
        self.running = None;
        Refreshed::End
    }

    fn peer_allows(&mut self, headers: &Headers) {
        if headers.get(&Name::Allow).is_some() {
            self.update = headers.has_token(&Name::Allow, Method::Update.as_str());
        }
    }

    /// The peer's 2xx decides; without a word of it there is no timer. A time shorter than we take would have us send without
    /// pause.
    fn agreed(&mut self, now: Time, headers: &Headers, we: Side) {
        self.running = session_expires(headers)
            .map(|(seconds, side)| Running::new(now, seconds.max(SESSION_MIN), side.unwrap_or(Side::Caller) == we));
    }
}

impl Running {
    fn new(now: Time, seconds: u32, ours: bool) -> Running {
        let all = Duration::from_secs(u64::from(seconds));
        Running { seconds, ours, refresh_at: now + all / 2, end_at: now + (all - SESSION_END_BEFORE.min(all / 3)) }
    }
}

fn support(headers: &mut Headers) {
    if !headers.has_token(&Name::Supported, TIMER) {
        headers.push(Name::Supported, TIMER);
    }
}

/// Seconds and who refreshes, where that is named.
fn session_expires(headers: &Headers) -> Option<(u32, Option<Side>)> {
    let value = headers.get(&Name::SessionExpires)?;
    let seconds = digits(value.split(';').next()?)?;
    let side = match Params::parse(value).get("refresher") {
        Some(s) if s.eq_ignore_ascii_case("uac") => Some(Side::Caller),
        Some(s) if s.eq_ignore_ascii_case("uas") => Some(Side::Called),
        _ => None,
    };
    Some((seconds, side))
}

/// The time a 422 wants at least.
fn too_short(response: &Response) -> Option<u32> {
    let least = response.headers.get(&Name::MinSe).filter(|_| response.status == 422)?;
    digits(least.split(';').next()?)
}

/// A number of seconds; one beyond 32 bits counts as the largest.
fn digits(text: &str) -> Option<u32> {
    let text = text.trim();
    let numeric = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    numeric.then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
#[path = "session_timer_tests.rs"]
mod tests;
