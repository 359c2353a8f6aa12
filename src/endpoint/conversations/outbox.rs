//! The messages of one conversation that have not arrived yet: order, splitting, and what became of each.
//!
//! A message leaves as one or more parts, each in a transaction of its own. It is Sent when its first part left, Delivered
//! when every part is confirmed, and Failed with the first part that cannot arrive. Nothing is ever sent twice by itself
//! unless the other side has said that it did not get it, or knows its name and drops what comes again.

use crate::domain::conversation::{Delivery, MessageId};
use crate::domain::{Address, Time};
use crate::endpoint::limits::{
    AGAIN_WITHIN, MAX_PART_BYTES, MAX_SPLITS, MAX_TOAST_BYTES, MAX_WAITING_MESSAGES, MESSAGE_WAIT, REPORT_WAIT,
};
use crate::endpoint::service::Token;
use std::collections::VecDeque;

/// What became of a message.
pub(super) type News = Vec<(MessageId, Delivery)>;

/// Why a message fails whose answer never came; it is never repeated, it could arrive twice.
pub(super) const UNKNOWN: &str = "no answer came; it is unknown whether it arrived";

/// One piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The words.
    pub text: String,
    /// Its name for the other side, the same when it is sent again.
    pub name: String,
    /// Content type without parameters (second try after 415).
    pub bare: bool,
    splits: u8,
}

#[derive(Debug)]
struct Flight {
    token: Token,
    part: Part,
    since: Time,
    /// Call-ID of the dialog it left on.
    on: String,
    /// May be sent again: who has it already will know its name.
    once: bool,
}

/// A part the IM MCU has and will report on.
#[derive(Debug)]
struct Awaited {
    /// `Message-Id`.
    id: String,
    since: Time,
    part: Part,
    once: bool,
    /// Whom the part was meant for.
    audience: Vec<Address>,
}

#[derive(Debug)]
struct Mail {
    id: MessageId,
    unsent: VecDeque<Part>,
    flying: Vec<Flight>,
    /// What the IM MCU will report on, by `Message-Id`.
    reports: Vec<Awaited>,
    told: Delivery,
}

impl Mail {
    fn is_done(&self) -> bool {
        self.unsent.is_empty() && self.flying.is_empty() && self.reports.is_empty()
    }
}

/// All of them, oldest first.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    mails: VecDeque<Mail>,
}

impl Outbox {
    /// Takes a message; the same one twice changes nothing. False when too many wait.
    pub fn push(&mut self, id: MessageId, text: &str) -> bool {
        if self.mails.iter().any(|m| m.id == id) {
            return true;
        }
        if self.mails.len() >= MAX_WAITING_MESSAGES {
            return false;
        }
        let name = |n: usize| format!("{}.{n}", id.0.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
        let part = |(n, t): (usize, &str)| Part { text: t.to_owned(), name: name(n), bare: false, splits: 0 };
        let unsent = split(text, MAX_PART_BYTES).into_iter().enumerate().map(part).collect();
        self.mails.push_back(Mail { id, unsent, flying: Vec::new(), reports: Vec::new(), told: Delivery::Queued });
        true
    }

    /// Whether a part waits to be sent.
    pub fn has_unsent(&self) -> bool {
        self.mails.iter().any(|m| !m.unsent.is_empty())
    }

    /// Whether nothing waits for anything.
    pub fn is_empty(&self) -> bool {
        self.mails.is_empty()
    }

    /// Whether something of this message still waits here.
    pub fn holds(&self, id: &MessageId) -> bool {
        self.mails.iter().any(|m| m.id == *id)
    }

    /// The beginning of the first waiting text, for the toast.
    pub fn first_text(&self) -> Option<&str> {
        self.mails.iter().find_map(|m| m.unsent.front()).map(|p| p.text.as_str())
    }

    /// Takes the next part to send; give it back with [`Outbox::sent`].
    pub fn next_part(&mut self) -> Option<(MessageId, Part)> {
        let mail = self.mails.iter_mut().find(|m| !m.unsent.is_empty())?;
        Some((mail.id.clone(), mail.unsent.pop_front()?))
    }

    /// A part left in this transaction, on the dialog with this Call-ID.
    /// `once`: it may be sent again after a broken link.
    pub fn sent(&mut self, now: Time, token: Token, on: &str, id: &MessageId, part: Part, once: bool) -> News {
        let Some(mail) = self.mails.iter_mut().find(|m| m.id == *id) else { return News::new() };
        mail.flying.push(Flight { token, part, since: now, on: on.to_owned(), once });
        tell(mail, Delivery::Sent)
    }

    /// Call-ID of the dialog this transaction's part left on, if it still matters.
    pub fn dialog_of(&self, token: Token) -> Option<&str> {
        self.mails.iter().flat_map(|m| &m.flying).find(|f| f.token == token).map(|f| f.on.as_str())
    }

    /// Whether this transaction's part may leave again: who has it already will know its name.
    pub fn may_repeat(&self, token: Token) -> bool {
        self.mails.iter().flat_map(|m| &m.flying).any(|f| f.token == token && f.once)
    }

    /// The other side has shown the text of the INVITE: the first waiting part need not be sent.
    pub fn take_embedded(&mut self) -> News {
        // Only a text that went whole into the header has been shown whole.
        if let Some(mail) = self.mails.iter_mut().find(|m| !m.unsent.is_empty())
            && mail.unsent.front().is_some_and(|p| p.text.len() <= MAX_TOAST_BYTES)
        {
            mail.unsent.pop_front();
        }
        self.finish()
    }

    /// The other side has the part.
    pub fn confirm(&mut self, token: Token) -> News {
        self.land(token);
        self.finish()
    }

    /// The IM MCU has the part and will report under this id what became of it at these people.
    pub fn accept(&mut self, now: Time, token: Token, report: &str, audience: Vec<Address>) -> News {
        if let Some(mail) = self.position(token).and_then(|at| self.mails.get_mut(at))
            && let Some(at) = mail.flying.iter().position(|f| f.token == token)
        {
            let f = mail.flying.remove(at);
            mail.reports.push(Awaited { id: report.to_owned(), since: now, part: f.part, once: f.once, audience });
        }
        self.finish()
    }

    /// Which message a report is about, and whom its part was meant for.
    pub fn audience(&self, report: &str) -> Option<(MessageId, Vec<Address>)> {
        let found = |m: &Mail| m.reports.iter().find(|r| r.id == report).map(|r| (m.id.clone(), r.audience.clone()));
        self.mails.iter().find_map(found)
    }

    /// The server keeps the part until the other side signs in: nothing more is waited for here.
    pub fn kept(&mut self, token: Token) -> Option<MessageId> {
        let at = self.land(token)?;
        let id = self.mails.get(at).map(|m| m.id.clone());
        self.mails.retain(|m| !m.is_done());
        id
    }

    /// The report of the IM MCU: everybody has it, or why not.
    pub fn report(&mut self, report: &str, failure: Option<String>) -> News {
        let Some(at) = self.mails.iter().position(|m| m.reports.iter().any(|r| r.id == report)) else { return News::new() };
        if let Some(reason) = failure {
            return self.drop_mail(at, reason);
        }
        if let Some(mail) = self.mails.get_mut(at) {
            mail.reports.retain(|r| r.id != report);
        }
        self.finish()
    }

    /// The part did not arrive, and will not.
    pub fn fail(&mut self, token: Token, reason: &str) -> News {
        match self.position(token) {
            Some(at) => self.drop_mail(at, reason.to_owned()),
            None => News::new(),
        }
    }

    /// The type was refused: sends the part once more as bare text. False when that was tried.
    pub fn retry_bare(&mut self, token: Token) -> bool {
        self.replace(token, |p| (!p.bare).then(|| vec![Part { bare: true, ..p.clone() }]))
    }

    /// The part was too long: sends it again in halves. False when that does not help any more.
    pub fn retry_split(&mut self, token: Token) -> bool {
        self.replace(token, |p| {
            let pieces = split(&p.text, (p.text.len() / 2).max(4));
            (p.splits < MAX_SPLITS && pieces.len() > 1).then(|| {
                let piece = |(n, t): (usize, &str)| Part {
                    text: t.to_owned(),
                    name: format!("{}.{n}", p.name),
                    bare: p.bare,
                    splits: p.splits + 1,
                };
                pieces.into_iter().enumerate().map(piece).collect()
            })
        })
    }

    /// The other side has said that it did not get this part: it waits again, before all others.
    pub fn requeue(&mut self, token: Token) -> News {
        let Some(mail) = self.position(token).and_then(|at| self.mails.get_mut(at)) else { return News::new() };
        let (back, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut mail.flying).into_iter().partition(|f| f.token == token);
        mail.flying = stay;
        for f in back {
            mail.unsent.push_front(f.part);
        }
        tell(mail, Delivery::Queued)
    }

    /// The link went. What was never sent waits on. What may be sent again waits again, before all else; everything else
    /// that has not been answered or reported on may have arrived or not, and has failed.
    pub fn link_lost(&mut self, now: Time) -> News {
        let mut news = News::new();
        for mail in &mut self.mails {
            let lost = |once: bool, since: Time| !once || since + AGAIN_WITHIN <= now;
            if mail.flying.iter().any(|f| lost(f.once, f.since)) || mail.reports.iter().any(|r| lost(r.once, r.since)) {
                continue;
            }
            let mut back: Vec<Part> = std::mem::take(&mut mail.reports).into_iter().map(|r| r.part).collect();
            back.extend(std::mem::take(&mut mail.flying).into_iter().map(|f| f.part));
            if back.is_empty() {
                continue;
            }
            for part in back.into_iter().rev() {
                mail.unsent.push_front(part);
            }
            news.extend(tell(mail, Delivery::Queued));
        }
        news.extend(self.fail_where(|m| !m.flying.is_empty() || !m.reports.is_empty(), UNKNOWN));
        self.mails.retain(|m| !m.is_done());
        news
    }

    /// The dialog with this Call-ID is dead: its unanswered messages did not arrive.
    pub fn fail_on(&mut self, dialog: &str, reason: &str) -> News {
        self.fail_where(|m| m.flying.iter().any(|f| f.on == dialog), reason)
    }

    /// Nothing can be delivered.
    pub fn fail_all(&mut self, reason: &str) -> News {
        self.fail_where(|m| !m.unsent.is_empty() || !m.flying.is_empty(), reason)
    }

    /// Gives up on what is overdue.
    pub fn expire(&mut self, now: Time) -> News {
        for mail in &mut self.mails {
            mail.reports.retain(|r| r.since + REPORT_WAIT > now);
        }
        let news = self.fail_where(|m| m.flying.iter().any(|f| f.since + MESSAGE_WAIT <= now), UNKNOWN);
        // A message whose report never came stays as it was told: Sent.
        self.mails.retain(|m| !m.is_done());
        news
    }

    /// When to call [`Outbox::expire`].
    pub fn deadline(&self) -> Option<Time> {
        let flights = self.mails.iter().flat_map(|m| &m.flying).map(|f| f.since + MESSAGE_WAIT);
        flights.chain(self.mails.iter().flat_map(|m| &m.reports).map(|r| r.since + REPORT_WAIT)).min()
    }

    fn position(&self, token: Token) -> Option<usize> {
        self.mails.iter().position(|m| m.flying.iter().any(|f| f.token == token))
    }

    fn land(&mut self, token: Token) -> Option<usize> {
        let at = self.position(token)?;
        self.mails.get_mut(at)?.flying.retain(|f| f.token != token);
        Some(at)
    }

    fn replace(&mut self, token: Token, by: impl FnOnce(&Part) -> Option<Vec<Part>>) -> bool {
        let Some(mail) = self.position(token).and_then(|at| self.mails.get_mut(at)) else { return false };
        let Some(parts) = mail.flying.iter().find(|f| f.token == token).and_then(|f| by(&f.part)) else { return false };
        mail.flying.retain(|f| f.token != token);
        for part in parts.into_iter().rev() {
            mail.unsent.push_front(part);
        }
        true
    }

    fn finish(&mut self) -> News {
        let done: Vec<_> = self.mails.iter().filter(|m| m.is_done()).map(|m| (m.id.clone(), Delivery::Delivered)).collect();
        self.mails.retain(|m| !m.is_done());
        done
    }

    fn drop_mail(&mut self, at: usize, reason: String) -> News {
        self.mails.remove(at).map(|m| (m.id, Delivery::Failed(reason))).into_iter().collect()
    }

    fn fail_where(&mut self, is_lost: impl Fn(&Mail) -> bool, reason: &str) -> News {
        let lost =
            self.mails.iter().filter(|m| is_lost(m)).map(|m| (m.id.clone(), Delivery::Failed(reason.to_owned()))).collect();
        self.mails.retain(|m| !is_lost(m));
        lost
    }
}

fn tell(mail: &mut Mail, state: Delivery) -> News {
    if mail.told == state {
        return News::new();
    }
    mail.told = state.clone();
    vec![(mail.id.clone(), state)]
}

/// Pieces of at most `limit` octets, cut between characters, after a blank where there is one in the last quarter.
pub(super) fn split(text: &str, limit: usize) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while rest.len() > limit {
        let mut cut = limit;
        while cut > 0 && !rest.is_char_boundary(cut) {
            cut -= 1;
        }
        let head = rest.get(..cut).unwrap_or(rest);
        let blank = head.rfind([' ', '\n']).map(|b| b + 1).filter(|b| *b > limit / 4 * 3);
        let cut = blank.unwrap_or(cut).max(rest.chars().next().map_or(1, char::len_utf8));
        let (piece, after) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        out.push(piece);
        rest = after;
    }
    if !rest.is_empty() || out.is_empty() {
        out.push(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> MessageId {
        MessageId(n.to_string())
    }

    fn failed(n: u32, reason: &str) -> (MessageId, Delivery) {
        (id(n), Delivery::Failed(reason.into()))
    }

    /// Sends everything; the tokens count from `first`.
    fn send_all(o: &mut Outbox, first: u64) -> News {
        let mut news = News::new();
        let mut n = first;
        while let Some((id, part)) = o.next_part() {
            news.extend(o.sent(Time(0), Token(n), "d", &id, part, false));
            n += 1;
        }
        news
    }

    #[test]
    fn a_message_goes_queued_sent_delivered() {
        let mut o = Outbox::default();
        assert!(o.push(id(1), "hi") && o.push(id(1), "hi"));
        assert_eq!(send_all(&mut o, 1), [(id(1), Delivery::Sent)]);
        assert_eq!(o.confirm(Token(1)), [(id(1), Delivery::Delivered)]);
        assert!(o.is_empty() && o.confirm(Token(1)).is_empty());
    }

    #[test]
    fn a_long_text_is_delivered_when_all_parts_are() {
        let mut o = Outbox::default();
        o.push(id(1), &"ä".repeat(5000));
        assert_eq!(send_all(&mut o, 1), [(id(1), Delivery::Sent)]);
        assert_eq!(o.confirm(Token(1)), []);
        assert_eq!(o.confirm(Token(2)), [(id(1), Delivery::Delivered)]);
    }

    #[test]
    fn unanswered_messages_fail_at_link_loss_and_unsent_ones_wait() {
        let mut o = Outbox::default();
        o.push(id(1), "a");
        send_all(&mut o, 1);
        o.push(id(2), "b");
        assert!(Delivery::Failed(UNKNOWN.into()).is_uncertain());
        assert_eq!(o.link_lost(Time(0)), [failed(1, UNKNOWN)]);
        assert_eq!(send_all(&mut o, 2), [(id(2), Delivery::Sent)]);
        assert_eq!(o.confirm(Token(1)), []);
    }

    #[test]
    fn what_the_mcu_knows_by_name_waits_again_when_the_link_is_lost_before_the_report() {
        let mut o = Outbox::default();
        o.push(id(1), "a");
        let (i, part) = o.next_part().unwrap();
        let name = part.name.clone();
        o.sent(Time(0), Token(1), "d", &i, part, true);
        o.accept(Time(0), Token(1), "14", Vec::new());
        assert_eq!(o.link_lost(Time(5)), [(id(1), Delivery::Queued)]);
        let (i, part) = o.next_part().unwrap();
        assert_eq!((i, part.name.as_str()), (id(1), name.as_str()));
    }

    #[test]
    fn without_a_name_nobody_sends_again_and_the_missing_report_is_a_failure() {
        let mut o = Outbox::default();
        o.push(id(1), "a");
        send_all(&mut o, 1);
        o.accept(Time(0), Token(1), "14", Vec::new());
        assert_eq!(o.link_lost(Time(5)), [failed(1, UNKNOWN)]);
    }

    #[test]
    fn requeued_messages_keep_their_order() {
        let mut o = Outbox::default();
        for n in 1..=3 {
            o.push(id(n), "x");
        }
        send_all(&mut o, 1);
        for n in [3, 1, 2] {
            assert_eq!(o.requeue(Token(n)), [(id(n as u32), Delivery::Queued)]);
        }
        assert_eq!(o.next_part().map(|p| p.0), Some(id(1)));
    }

    #[test]
    fn a_refused_type_is_tried_bare_once() {
        let mut o = Outbox::default();
        o.push(id(1), "a");
        send_all(&mut o, 1);
        assert!(o.retry_bare(Token(1)));
        let (i, part) = o.next_part().unwrap();
        assert!(part.bare);
        o.sent(Time(0), Token(2), "d", &i, part, false);
        assert!(!o.retry_bare(Token(2)));
        assert_eq!(o.fail(Token(2), "no"), [failed(1, "no")]);
    }

    #[test]
    fn a_text_that_is_too_long_for_the_server_is_halved() {
        let mut o = Outbox::default();
        o.push(id(1), "abcdefgh");
        send_all(&mut o, 1);
        assert!(o.retry_split(Token(1)));
        assert_eq!(o.next_part().map(|p| p.1.text), Some("abcd".into()));
    }

    #[test]
    fn a_report_decides_in_conferences() {
        let mut o = Outbox::default();
        o.push(id(1), "a");
        o.push(id(2), "b");
        send_all(&mut o, 1);
        assert_eq!(o.accept(Time(0), Token(1), "14", Vec::new()), []);
        assert_eq!(o.accept(Time(0), Token(2), "15", Vec::new()), []);
        assert_eq!(o.report("14", None), [(id(1), Delivery::Delivered)]);
        assert_eq!(o.report("15", Some("carol".into())), [failed(2, "carol")]);
        assert_eq!(o.report("16", None), []);
    }

    #[test]
    fn no_answer_within_60_s_fails() {
        let mut o = Outbox::default();
        o.push(id(1), "a");
        send_all(&mut o, 1);
        assert_eq!(o.expire(Time(59_999)), []);
        assert_eq!(o.expire(o.deadline().unwrap()), [failed(1, UNKNOWN)]);
    }

    #[test]
    fn the_number_of_waiting_messages_is_bounded() {
        let mut o = Outbox::default();
        let taken = (0..10_000).filter(|n| o.push(id(*n), "x")).count();
        assert_eq!(taken, MAX_WAITING_MESSAGES);
    }

    #[test]
    fn splitting_keeps_every_octet_and_prefers_blanks() {
        let text = "word ".repeat(4000) + &"😀".repeat(3000);
        for limit in [4, 7, 100, 8000] {
            let parts = split(&text, limit);
            assert!(parts.iter().all(|p| p.len() <= limit) && parts.concat() == text);
        }
        assert_eq!(split("aaaa bbbb", 5), ["aaaa ", "bbbb"]);
        assert_eq!(split("", 5), [""]);
    }
}
