//! Files from person to person (RFC 5547; `simple.md` 3.6): one session for each, its content in pieces from outside, and a
//! receipt only when the whole has been compared with what was announced.

use super::talks::{End, Purpose, TalkId, Talks};
use crate::domain::conversation::ConversationId;
use crate::domain::file::{Transfer, TransferId, TransferState, safe_name, size_words};
use crate::domain::{Address, Time};
use crate::endpoint::beside::{FileAsk, FileNews};
use crate::endpoint::limits::{MAX_OFFERS, MAX_TRANSFERS};
use crate::endpoint::service::Ctx;
use crate::endpoint::{Error, ErrorKind, Event, OperationId, Outcome};
use crate::msrp::{self, sdp};
use std::collections::BTreeMap;

/// Progress is told in so many steps at most.
const STEPS: u64 = 100;
/// Octets of a name that are shown.
const NAME_SHOWN: usize = 255;

#[derive(Debug)]
struct Job {
    info: Transfer,
    talk: Option<TalkId>,
    /// Who waits for the offer to leave.
    asked: Option<OperationId>,
    sha1: Option<[u8; 20]>,
    /// Its name on the wire.
    message: String,
    /// The last part has come.
    ended: bool,
    /// Octets told last.
    told: u64,
}

/// All transfers of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Files {
    jobs: BTreeMap<TransferId, Job>,
}

fn gone() -> Error {
    Error::new(ErrorKind::InvalidOperation, "this transfer is over")
}

impl Files {
    /// Begins to offer a file: it is looked at first.
    pub fn send(
        &mut self,
        ctx: &mut Ctx<'_>,
        op: OperationId,
        with: Address,
        conversation: &ConversationId,
        transfer: &TransferId,
        path: &str,
    ) {
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let mut job = Job::new(transfer.clone(), conversation.clone(), with, name, true, ctx.now);
        job.asked = Some(op);
        self.keep(transfer.clone(), job);
        ctx.file(transfer, FileAsk::Look { path: path.to_owned() });
    }

    /// Somebody offers a file.
    pub fn offered(
        &mut self,
        ctx: &mut Ctx<'_>,
        talks: &mut Talks,
        talk: TalkId,
        with: Address,
        conversation: ConversationId,
        file: sdp::File,
    ) {
        let waiting = |j: &&Job| !j.info.outgoing && j.info.with == with && j.info.state == TransferState::Offered;
        if self.jobs.values().filter(waiting).count() >= MAX_OFFERS {
            return talks.refuse(ctx, talk, 486, "too many files wait for an answer");
        }
        let id = TransferId(ctx.rng.hex(32));
        let name = file.name.unwrap_or_else(|| "file".into()).chars().take(NAME_SHOWN).collect();
        let mut job = Job::new(id.clone(), conversation, with, name, false, ctx.now);
        (job.talk, job.sha1) = (Some(talk), file.sha1);
        (job.info.size, job.info.media) = (file.size.unwrap_or(0), file.media.unwrap_or_default());
        job.tell(ctx);
        self.keep(id, job);
    }

    fn keep(&mut self, id: TransferId, job: Job) {
        if self.jobs.len() >= MAX_TRANSFERS {
            let over = self.jobs.iter().filter(|j| j.1.info.state.is_over()).min_by_key(|j| j.1.info.at).map(|j| j.0.clone());
            over.map(|id| self.jobs.remove(&id));
        }
        self.jobs.insert(id, job);
    }

    /// An offered file is wanted: room is made for it first.
    pub fn accept(&mut self, ctx: &mut Ctx<'_>, id: &TransferId) -> Result<Outcome, Error> {
        let job =
            self.jobs.get_mut(id).filter(|j| !j.info.outgoing && j.info.state == TransferState::Offered).ok_or_else(gone)?;
        ctx.file(id, FileAsk::Receive { name: safe_name(&job.info.name), size: job.info.size });
        job.change(ctx, TransferState::Starting);
        Ok(Outcome::Done)
    }

    /// The person does not want it, or not any more.
    pub fn end(&mut self, ctx: &mut Ctx<'_>, talks: &mut Talks, id: &TransferId) -> Result<Outcome, Error> {
        let job = self.jobs.get_mut(id).filter(|j| !j.info.state.is_over()).ok_or_else(gone)?;
        let offered = !job.info.outgoing && job.info.state == TransferState::Offered;
        let state = if offered { TransferState::Declined } else { TransferState::Cancelled { here: true } };
        job.finish(ctx, talks, state);
        Ok(Outcome::Done)
    }

    fn of(&mut self, talk: TalkId) -> Option<&mut Job> {
        self.jobs.values_mut().find(|j| j.talk == Some(talk))
    }

    /// A session stands; false when it is none of these.
    pub fn up(&mut self, ctx: &mut Ctx<'_>, talks: &mut Talks, talk: TalkId) -> bool {
        let Some(job) = self.of(talk) else { return false };
        if job.info.outgoing
            && let Some(session) = talks.session(talk)
        {
            let media = if job.info.media.is_empty() { "application/octet-stream" } else { &job.info.media };
            session.send_long(ctx.now, &job.message, media, job.info.size);
        }
        job.change(ctx, TransferState::Running { octets: 0 });
        true
    }

    /// Something happened in a session; gives back what is none of these.
    pub fn said(&mut self, ctx: &mut Ctx<'_>, talks: &mut Talks, talk: TalkId, event: msrp::Event) -> Option<msrp::Event> {
        use msrp::Event as E;
        let Some(job) = self.of(talk) else { return Some(event) };
        if job.info.state.is_over() {
            return None;
        }
        let id = job.info.id.clone();
        match event {
            E::Wants { offset, octets, .. } => ctx.file(&id, FileAsk::Read { offset, octets }),
            E::Progress { octets, .. } => {
                talks.used(ctx.now, talk);
                job.progress(ctx, octets);
            }
            E::Delivered { .. } => job.finish(ctx, talks, TransferState::Done { path: None }),
            E::Failed { code, .. } => {
                let why = refused(code, job.info.with.bare());
                job.finish(ctx, talks, TransferState::Failed(why));
            }
            E::Part { id: message, data, last, .. } => {
                job.message = message;
                job.ended |= last;
                ctx.file(&id, FileAsk::Write(data));
            }
            E::Broken { why, .. } => job.finish(ctx, talks, TransferState::Failed(format!("{why}; nothing was kept"))),
            E::Message { .. } | E::Sent { .. } | E::Answered { .. } => {}
        }
        None
    }

    /// A session is over; false when it is none of these.
    pub fn over(&mut self, ctx: &mut Ctx<'_>, talk: TalkId, end: &End) -> bool {
        let Some(job) = self.of(talk) else { return false };
        job.talk = None;
        if !job.info.state.is_over() {
            let state = job.ending(end);
            ctx.file(&job.info.id.clone(), FileAsk::Drop);
            job.change(ctx, state);
        }
        true
    }

    /// Something is heard of a file.
    pub fn on_file(&mut self, ctx: &mut Ctx<'_>, talks: &mut Talks, id: &TransferId, news: FileNews) {
        let Some(job) = self.jobs.get_mut(id).filter(|j| !j.info.state.is_over()) else { return };
        match news {
            FileNews::Looked { name, size, sha1 } => job.offer(ctx, talks, name, size, sha1),
            FileNews::Read(data) => {
                if let Some(session) = job.talk.and_then(|t| talks.session(t)) {
                    session.feed(&job.message, &data);
                }
            }
            FileNews::Ready => {
                if let Some(talk) = job.talk {
                    talks.accept(ctx, talk);
                }
            }
            FileNews::Written(octets) => {
                job.progress(ctx, octets);
                if job.ended && octets >= job.info.size {
                    ctx.file(id, FileAsk::Keep { sha1: job.sha1 });
                } else if let Some(session) = job.talk.and_then(|t| talks.session(t)) {
                    session.settled(&job.message, octets);
                }
            }
            FileNews::Kept { path } => {
                // The sender hears only now that all is well, and ends the session.
                if let Some(session) = job.talk.and_then(|t| talks.session(t)) {
                    session.settled(&job.message, job.info.size);
                }
                if let Some(talk) = job.talk {
                    talks.linger(ctx.now, talk);
                }
                ctx.file(id, FileAsk::Drop);
                job.change(ctx, TransferState::Done { path: Some(path) });
            }
            FileNews::Failed(why) => job.fail(ctx, talks, why),
        }
    }
}

impl Job {
    fn new(id: TransferId, conversation: ConversationId, with: Address, name: String, outgoing: bool, at: Time) -> Job {
        let info =
            Transfer { id, conversation, with, outgoing, name, size: 0, media: String::new(), at, state: TransferState::Offered };
        Job { info, talk: None, asked: None, sha1: None, message: String::new(), ended: false, told: 0 }
    }

    fn tell(&self, ctx: &mut Ctx<'_>) {
        ctx.emit(Event::Transfer(Box::new(self.info.clone())));
    }

    fn change(&mut self, ctx: &mut Ctx<'_>, state: TransferState) {
        if self.info.state != state {
            self.info.state = state;
            self.tell(ctx);
        }
    }

    fn progress(&mut self, ctx: &mut Ctx<'_>, octets: u64) {
        let step = (self.info.size / STEPS).max(1);
        if octets >= self.info.size || octets >= self.told + step {
            self.told = octets;
            self.change(ctx, TransferState::Running { octets });
        }
    }

    /// The file was looked at: now it is offered.
    fn offer(&mut self, ctx: &mut Ctx<'_>, talks: &mut Talks, name: String, size: u64, sha1: [u8; 20]) {
        (self.info.size, self.message, self.sha1) = (size, ctx.rng.hex(16), Some(sha1));
        self.info.media = media_of(&name).into();
        self.info.name = name;
        let file = sdp::File {
            name: Some(self.info.name.clone()),
            media: Some(self.info.media.clone()),
            size: Some(size),
            sha1: Some(sha1),
            transfer: Some(ctx.rng.hex(20)),
            range: None,
        };
        self.talk = talks.begin(ctx, &self.info.with.clone(), Purpose::Send(file));
        if self.talk.is_none() {
            return self.fail(ctx, talks, "too many sessions are open; end one first".into());
        }
        if let Some(op) = self.asked.take() {
            ctx.complete(op, Ok(Outcome::Done));
        }
        self.tell(ctx);
    }

    fn fail(&mut self, ctx: &mut Ctx<'_>, talks: &mut Talks, why: String) {
        if let Some(op) = self.asked.take() {
            // Nobody was told of this transfer yet.
            self.info.state = TransferState::Failed(why.clone());
            ctx.file(&self.info.id, FileAsk::Drop);
            return ctx.complete(op, Err(Error::new(ErrorKind::InvalidArgument, why)));
        }
        self.finish(ctx, talks, TransferState::Failed(why));
    }

    /// It is over, and both file and session are let go.
    fn finish(&mut self, ctx: &mut Ctx<'_>, talks: &mut Talks, state: TransferState) {
        ctx.file(&self.info.id, FileAsk::Drop);
        if let Some(op) = self.asked.take() {
            ctx.complete(op, Err(gone()));
        }
        self.change(ctx, state);
        if let Some(talk) = self.talk.take() {
            talks.end(ctx, talk);
        }
    }

    fn ending(&self, end: &End) -> TransferState {
        let who = self.info.with.bare();
        let failed = |why: String| TransferState::Failed(why);
        match (end, &self.info.state) {
            (End::Refused(603), _) => TransferState::Declined,
            (End::Refused(status), _) => failed(refused(*status, who)),
            (End::NoWay(why), _) => failed(format!("there is no way for files between you and {who}: {why}")),
            (End::Theirs, _) => TransferState::Cancelled { here: false },
            (End::Ours, _) => TransferState::Cancelled { here: true },
            (End::Lost(why), TransferState::Running { octets }) => {
                failed(format!("it broke off after {} of {}: {why}", size_words(*octets), size_words(self.info.size)))
            }
            (End::Lost(why), _) => failed(why.clone()),
        }
    }
}

/// Why a file was not taken.
fn refused(status: u16, who: &str) -> String {
    match status {
        403 | 433 => format!("{who} or the server refuses it"),
        404 | 410 | 604 => format!("the server knows no {who}"),
        408 | 487 => format!("{who} did not answer; offer it again when they are there"),
        413 => format!("{who}'s program stopped it"),
        415 | 488 | 501 | 405 | 606 => format!("{who}'s program takes no files in this way"),
        480 => format!("{who} is not there; offer it again when they are"),
        486 | 600 => format!("{who} has too much to do just now"),
        481 | 506 => "the session with them is over".into(),
        status => format!("the other side answered {status}"),
    }
}

/// The type of a file by its ending; what is not known is octets.
fn media_of(name: &str) -> &'static str {
    const TYPES: [(&str, &str); 14] = [
        ("txt", "text/plain"),
        ("md", "text/markdown"),
        ("csv", "text/csv"),
        ("html", "text/html"),
        ("pdf", "application/pdf"),
        ("json", "application/json"),
        ("zip", "application/zip"),
        ("gz", "application/gzip"),
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("gif", "image/gif"),
        ("mp3", "audio/mpeg"),
        ("mp4", "video/mp4"),
    ];
    let ending = name.rsplit_once('.').map_or(String::new(), |n| n.1.to_ascii_lowercase());
    TYPES.iter().find(|t| t.0 == ending).map_or("application/octet-stream", |t| t.1)
}
