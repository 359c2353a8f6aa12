//! What became of a message at each participant of a conference (`lync-conversations.md` 4.6).

use super::desk::Desk;
use super::docs::Report;
use super::failure;
use super::ring::called;
use super::talk::Talk;
use crate::domain::Address;
use crate::domain::conversation::{MessageId, Recipient};
use crate::endpoint::Event;

/// People named in the sentence about a failure; the whole list can be looked up.
const NAMED: usize = 10;

impl Talk {
    /// Who gets what is sent now through the IM MCU.
    pub fn audience(&self, me: &Address) -> Vec<Address> {
        self.session.as_ref().map(|s| s.audience(me)).unwrap_or_default()
    }

    /// The one report of the IM MCU on a message.
    pub fn on_report(&mut self, desk: &mut Desk<'_, '_>, report: &Report) {
        if let Some((message, audience)) = self.outbox.audience(&report.message_id) {
            let failure_of =
                |who: &Address| report.failed.iter().find(|f| f.0 == *who).map(|f| failure::recipient(f.1).to_owned());
            let known = audience.iter().map(|who| Recipient { uri: who.clone(), failure: failure_of(who) });
            let others = report.failed.iter().filter(|f| !audience.contains(&f.0));
            let others = others.map(|f| Recipient { uri: f.0.clone(), failure: Some(failure::recipient(f.1).to_owned()) });
            let recipients = known.chain(others).collect();
            self.tell_recipients(desk, message, recipients);
        }
        let failure = (!report.failed.is_empty()).then(|| {
            let names: Vec<&str> = report.failed.iter().take(NAMED).map(|f| called(&f.0)).collect();
            format!("it did not reach {}", names.join(", "))
        });
        let news = self.outbox.report(&report.message_id, failure);
        self.tell(desk, news);
    }

    fn tell_recipients(&self, desk: &mut Desk<'_, '_>, message: MessageId, recipients: Vec<Recipient>) {
        if !recipients.is_empty() {
            desk.ctx.emit(Event::Recipients { conversation: self.id.clone(), message, recipients });
        }
    }
}
