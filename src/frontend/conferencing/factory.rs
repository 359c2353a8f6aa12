//! The focus factory: scheduling by its organizer (lync-conversations.md 3, validation by `domain.md` 2.5).

use super::live::Conf;
use super::{Conferencing, Key, keep, key_of};
use crate::domain::admission::{PasscodeFault, check_passcode};
use crate::domain::conference::{AccessLevel, Capabilities, Conference, ConferenceId, ConferenceSettings};
use crate::domain::{Address, Rng, Time};
use crate::frontend::limits as L;
use crate::frontend::state::network_of;
use crate::frontend::{Ctx, Incoming, StoreOp};
use crate::lync::cccp::{self, Answer, C3pRequest, C3pResponse, Command, ConferenceRecord, FailureReason};
use crate::lync::identity;
use std::collections::BTreeSet;

/// MCU types of this front end.
const MCUS: [&str; 1] = ["chat"];

impl Conferencing {
    /// SERVICE to a factory. Only its organizer may use it.
    pub(super) fn factory(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, owner: Address) {
        let request = match C3pRequest::parse(&incoming.request.body) {
            Ok(r) => r,
            Err(e) => return ctx.refuse(&incoming, 400, 3006, &format!("The request cannot be read: {e}")),
        };
        if owner != incoming.caller {
            return ctx.refuse(&incoming, 403, 3014, "Only the organizer may use a focus factory");
        }
        if Address::parse(&request.from).is_ok_and(|a| a != incoming.caller) {
            return ctx.refuse(&incoming, 403, 3000, "The request comes from somebody else than its sender");
        }
        if !request.to.is_empty() && !identity::same_uri(&request.to, incoming.request.uri.as_str()) {
            return ctx.refuse(&incoming, 403, 3001, "The request is for another factory");
        }
        self.forget_expired(ctx, &owner);
        let result = self.schedule(ctx, &owner, &request.command);
        let answer = response(&request, result);
        let ok = ctx.response(&incoming.request, 200).with_body(cccp::CONTENT_TYPE, answer.to_bytes());
        ctx.respond(incoming.tx, ok);
    }

    fn schedule(&mut self, ctx: &mut Ctx<'_>, owner: &Address, command: &Command) -> Result<Option<Answer>, FailureReason> {
        let mcus = || MCUS.map(str::to_owned).to_vec();
        match command {
            Command::GetConferencingCapabilities => {
                Ok(Some(Answer::Capabilities(Capabilities { mcus: mcus(), anonymous: true, phones: ctx.config.phones.clone() })))
            }
            Command::GetAvailableMcuTypes => Ok(Some(Answer::McuTypes(mcus()))),
            Command::AddConference(record) => self.add(ctx, owner, record),
            Command::ModifyConference(record) => self.modify(ctx, owner, record),
            Command::GetConferences => {
                let all = self.keys_of(owner).into_iter().filter_map(|k| self.confs.get(&k)).map(summary).collect();
                Ok(Some(Answer::Conferences(all)))
            }
            Command::GetConference(id) => {
                let conf = self.confs.get(&key_of(owner, &id.0)).ok_or(FailureReason::ConferenceDoesNotExist)?;
                Ok(Some(Answer::Conference(Box::new(record(conf)))))
            }
            Command::FindConference(number) => self.find(number),
            Command::VerifyPasscode { conference, passcode } => self.verify(ctx, owner, conference, passcode.as_deref()),
            Command::CancelConference(id) => self.cancel(ctx, owner, id),
            Command::EndConference { conference } => {
                let (_, id) = identity::parse_focus(conference).ok_or(FailureReason::InvalidConferenceId)?;
                self.cancel(ctx, owner, &id)
            }
            _ => Err(FailureReason::NotSupported),
        }
    }

    fn add(&mut self, ctx: &mut Ctx<'_>, owner: &Address, asked: &ConferenceRecord) -> Result<Option<Answer>, FailureReason> {
        if self.keys_of(owner).len() >= L::CONFERENCES_PER_ORGANIZER {
            return Err(FailureReason::MaximumConferencesExceeded);
        }
        let settings = checked(ctx.now, owner, asked.settings.clone())?;
        let id = match &asked.id {
            Some(id) => identity::conference_id(&id.0).ok_or(FailureReason::InvalidConferenceId)?,
            None => self.free_id(ctx.rng, owner),
        };
        let key = key_of(owner, &id.0);
        if self.confs.contains_key(&key) {
            return Err(FailureReason::ConferenceExists);
        }
        let conference = Conference {
            uri: identity::focus(owner, &id),
            join_url: join_url(&ctx.config.join_base, owner, &id),
            id,
            organizer: owner.clone(),
            version: 1,
            last_update: Some(ctx.now),
            is_active: false,
            phone_id: if settings.phone_access { self.free_number(ctx.rng) } else { String::new() },
            answers: Default::default(),
            settings,
        };
        let mut conf = Conf::new(conference);
        conf.extra.clone_from(&asked.extra);
        keep(ctx, &conf);
        let answer = record(&conf);
        self.confs.insert(key, conf);
        Ok(Some(Answer::Conference(Box::new(answer))))
    }

    /// Replaces the whole document; only on top of the version the organizer has seen.
    fn modify(&mut self, ctx: &mut Ctx<'_>, owner: &Address, asked: &ConferenceRecord) -> Result<Option<Answer>, FailureReason> {
        let named = identity::parse_focus(&asked.uri).filter(|(o, _)| o == owner).map(|(_, id)| id);
        let id = named.or_else(|| asked.id.clone()).ok_or(FailureReason::InvalidConferenceId)?;
        let key = key_of(owner, &id.0);
        let known = self.confs.get(&key).ok_or(FailureReason::ConferenceDoesNotExist)?;
        if asked.version != known.scheduled.version {
            return Err(FailureReason::InvalidVersion);
        }
        let settings = checked(ctx.now, owner, asked.settings.clone())?;
        let number = match known.scheduled.phone_id.as_str() {
            _ if !settings.phone_access => String::new(),
            "" => self.free_number(ctx.rng),
            kept => kept.to_owned(),
        };
        let conf = self.confs.get_mut(&key).ok_or(FailureReason::ConferenceDoesNotExist)?;
        conf.scheduled.phone_id = number;
        let old = std::mem::replace(&mut conf.scheduled.settings, settings).access;
        conf.scheduled.version = conf.scheduled.version.saturating_add(1);
        conf.scheduled.last_update = Some(ctx.now);
        conf.extra.clone_from(&asked.extra);
        if let Some(live) = &mut conf.live {
            // Its organizer's word counts for the running conference, too.
            live.follow(old, &conf.scheduled.settings);
        }
        keep(ctx, conf);
        conf.keep_running(ctx);
        let answer = record(conf);
        self.notify_all(ctx, &key);
        Ok(Some(Answer::Conference(Box::new(answer))))
    }

    fn cancel(&mut self, ctx: &mut Ctx<'_>, owner: &Address, id: &ConferenceId) -> Result<Option<Answer>, FailureReason> {
        let key = key_of(owner, &id.0);
        if !self.confs.contains_key(&key) {
            return Err(FailureReason::ConferenceDoesNotExist);
        }
        self.end(ctx, &key, "The organizer cancelled the conference");
        if let Some(conf) = self.confs.remove(&key) {
            ctx.store(StoreOp::DeleteConference { organizer: owner.clone(), id: conf.scheduled.id });
        }
        Ok(None)
    }

    /// Conferences whose time is over go when their organizer next asks for something.
    fn forget_expired(&mut self, ctx: &mut Ctx<'_>, owner: &Address) {
        let now = ctx.now;
        let over = |c: &Conf| c.live.is_none() && ends(&c.scheduled) < now;
        let keys: Vec<Key> = self.keys_of(owner).into_iter().filter(|k| self.confs.get(k).is_some_and(over)).collect();
        for key in keys {
            if let Some(conf) = self.confs.remove(&key) {
                ctx.store(StoreOp::DeleteConference { organizer: key.0, id: conf.scheduled.id });
            }
        }
    }

    /// What somebody may know who has a conference's number: where it is, and whether a passcode is wanted of everybody.
    fn find(&self, number: &str) -> Result<Option<Answer>, FailureReason> {
        let conf = self.confs.values().find(|c| !number.is_empty() && c.scheduled.phone_id == number);
        let c = conf.ok_or(FailureReason::ConferenceDoesNotExist)?.conference();
        let settings = ConferenceSettings {
            subject: c.settings.subject.clone(),
            access: c.settings.access,
            phone_access: true,
            passcode_optional: c.settings.passcode_optional,
            ..ConferenceSettings::default()
        };
        Ok(Some(Answer::Conference(Box::new(ConferenceRecord::from_conference(&Conference { settings, ..c })))))
    }

    /// Whether somebody has the passcode that a join would ask of them.
    fn verify(
        &self,
        ctx: &Ctx<'_>,
        who: &Address,
        conference: &str,
        passcode: Option<&str>,
    ) -> Result<Option<Answer>, FailureReason> {
        let (organizer, id) = identity::parse_focus(conference).ok_or(FailureReason::InvalidConferenceId)?;
        let conf = self.confs.get(&key_of(&organizer, &id.0)).ok_or(FailureReason::ConferenceDoesNotExist)?;
        let joiner = conf.joiner(who, network_of(ctx.config, who));
        match check_passcode(joiner, &conf.scheduled.settings, passcode) {
            Ok(()) => Ok(None),
            Err(PasscodeFault::Missing) => Err(FailureReason::PasscodeMissing),
            Err(PasscodeFault::Wrong) => Err(FailureReason::InvalidPasscode),
        }
    }

    /// A number for callers that no other conference has; longer ones when the short are rare.
    fn free_number(&self, rng: &mut Rng) -> String {
        let taken: BTreeSet<&str> = self.confs.values().map(|c| c.scheduled.phone_id.as_str()).collect();
        let mut try_number = 0;
        loop {
            try_number += 1;
            let digits = L::PHONE_ID_DIGITS + try_number / L::PHONE_ID_TRIES;
            let least = 10u64.pow(digits - 1);
            let number = (least + rng.below(9 * least)).to_string();
            if !taken.contains(number.as_str()) {
                return number;
            }
        }
    }

    fn free_id(&self, rng: &mut Rng, owner: &Address) -> ConferenceId {
        loop {
            let id = rng.hex(12).to_uppercase();
            if !self.confs.contains_key(&key_of(owner, &id)) {
                return ConferenceId(id);
            }
        }
    }
}

fn response(request: &C3pRequest, result: Result<Option<Answer>, FailureReason>) -> C3pResponse {
    match result {
        Ok(Some(answer)) => request.answer(answer),
        Ok(None) => request.done(),
        Err(reason) => request.fail(reason),
    }
}

fn record(conf: &Conf) -> ConferenceRecord {
    ConferenceRecord { extra: conf.extra.clone(), ..ConferenceRecord::from_conference(&conf.conference()) }
}

/// What a list shows of a conference; the rest is fetched one by one.
fn summary(conf: &Conf) -> ConferenceRecord {
    let c = conf.conference();
    let settings = ConferenceSettings {
        subject: c.settings.subject.clone(),
        access: c.settings.access,
        start: c.settings.start,
        end: c.settings.end,
        time_zone: c.settings.time_zone.clone(),
        expiry: c.settings.expiry,
        series: c.settings.series.clone(),
        ..ConferenceSettings::default()
    };
    ConferenceRecord::from_conference(&Conference { settings, ..c })
}

fn join_url(base: &str, owner: &Address, id: &ConferenceId) -> String {
    if base.is_empty() { String::new() } else { format!("{}/{}/{}", base.trim_end_matches('/'), owner.user(), id.0) }
}

/// When a conference may be deleted.
pub(super) fn ends(c: &Conference) -> Time {
    let s = &c.settings;
    let planned = s.end.or(s.start).map(|t| t + L::CONFERENCE_AFTER_END);
    let latest = s.expiry.or(planned).or(c.last_update.map(|t| t + L::CONFERENCE_AD_HOC));
    latest.unwrap_or(Time(u64::MAX))
}

/// The settings as they can be kept, or why they cannot.
fn checked(now: Time, owner: &Address, mut s: ConferenceSettings) -> Result<ConferenceSettings, FailureReason> {
    if s.expiry.is_some_and(|t| t < now - L::CONFERENCE_EXPIRY_PAST || t > now + L::CONFERENCE_EXPIRY_AHEAD) {
        return Err(FailureReason::InvalidExpiryTime);
    }
    if s.start.zip(s.end).is_some_and(|(start, end)| end < start) {
        return Err(FailureReason::InvalidExpiryTime);
    }
    let texts = s.description.len().max(s.notification_data.len());
    if s.subject.chars().count() > L::CONFERENCE_SUBJECT || texts > L::CONFERENCE_DESCRIPTION {
        return Err(FailureReason::NotificationDataTooLarge);
    }
    if s.participants.len() > L::CONFERENCE_INVITEES {
        return Err(FailureReason::MaximumMeetingSizeExceeded);
    }
    let people: BTreeSet<&Address> = s.participants.iter().map(|p| &p.uri).collect();
    if people.len() != s.participants.len() {
        return Err(FailureReason::InvalidUserEntity);
    }
    // The organizer is a leader whatever the list says.
    s.participants.retain(|p| p.uri != *owner);
    s.mcus.iter_mut().for_each(|m| m.make_ascii_lowercase());
    if s.mcus.iter().any(|m| !MCUS.contains(&m.as_str())) {
        return Err(FailureReason::McuTypeNotAvailable);
    }
    if s.mcus.is_empty() {
        // Clients that were not told what there is ask for nothing and mean messages.
        s.mcus = MCUS.map(str::to_owned).to_vec();
    }
    let code = s.passcode.as_deref().unwrap_or("");
    if code.len() > L::CONFERENCE_PASSCODE || code.chars().any(char::is_control) {
        return Err(FailureReason::InvalidPasscode);
    }
    // Every Lync client asks for a phone number; one is promised only where the rules allow it.
    s.phone_access &= s.access == AccessLevel::Everyone && !code.is_empty();
    Ok(s)
}
