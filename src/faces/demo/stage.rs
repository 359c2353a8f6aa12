//! The stage behind the screen: a front end on loopback and the cast, each on a thread of its own.

use super::actor::Actor;
use super::script::{Person, Script};
use crate::domain::conference::PhoneNumber;
use crate::domain::contact::{Contact, Group, GroupId};
use crate::domain::{Address, Rng, Time};
use crate::endpoint::user::Config as EndpointConfig;
use crate::endpoint::{Event, Operation, OperationId};
use crate::faces::accounts;
use crate::faces::link::{Link, LinkEvent, sleep};
use crate::faces::server::{Host, Sockets};
use crate::frontend::{Config, Data, StoreOp};
use crate::net::{Clock, tcp};
use crate::sip::Transport;
use crate::store::server::{FrontendStore, FrontendWriter};
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

/// A running stage; dropping it lets the curtain fall.
pub struct Stage {
    /// Where the front end listens on loopback.
    pub port: u16,
    /// Who sits at the screen.
    pub me: Address,
    /// Name of that person.
    pub name: String,
    /// Password of everybody, made for this run.
    pub password: String,
    _stop: oneshot::Sender<()>,
}

/// Raises the curtain: the front end listens when this returns, the cast comes in by and by.
///
/// # Errors
/// One sentence that says what failed.
pub fn raise(script: &Script, data: Option<&Path>, rng: &mut Rng, clock: Clock) -> Result<Stage, String> {
    let me = address(script, &script.me.id)?;
    let password = rng.hex(24);
    let (kept, store) = kept(script, &me, &password, data)?;
    let (stop, stopped) = oneshot::channel();
    let port = serve(script, kept, store, rng.fork(), clock, stopped)?;
    cast(script, &me, &password, port, rng, clock)?;
    Ok(Stage { port, me, name: script.me.name.clone(), password, _stop: stop })
}

fn address(script: &Script, id: &str) -> Result<Address, String> {
    Address::parse(&format!("{id}@{}", script.domain)).map_err(|e| e.to_string())
}

/// What the front end starts with: what an earlier run kept, and everybody of the play with this run's password.
fn kept(script: &Script, me: &Address, password: &str, data: Option<&Path>) -> Result<(Data, FrontendStore), String> {
    let open = || match data {
        Some(dir) => FrontendStore::open(&dir.join(accounts::SERVER_DATABASE)),
        None => FrontendStore::memory(),
    };
    let mut store = open().map_err(|e| e.to_string())?;
    let fresh = store.users().map_err(|e| e.to_string())?.is_empty();
    let mut ops = vec![StoreOp::PutUser(accounts::record(me.clone(), &script.me.name, &script.me.title, "", password))];
    for p in &script.person {
        ops.push(StoreOp::PutUser(accounts::record(address(script, &p.id)?, &p.name, &p.title, &p.phone, password)));
    }
    if fresh {
        ops.push(StoreOp::PutContacts { owner: me.clone(), list: contacts(script)? });
    }
    store.apply(&ops).map_err(|e| e.to_string())?;
    let kept = store.load().map_err(|e| e.to_string())?;
    Ok((kept, store))
}

fn contacts(script: &Script) -> Result<crate::frontend::ContactList, String> {
    let mut list = crate::frontend::ContactList::default();
    for group in &script.group {
        let id = GroupId(list.next_group);
        list.next_group += 1;
        list.groups.push(Group::new(id, group.name.clone()));
        for member in &group.members {
            let uri = address(script, member)?;
            match list.contacts.iter_mut().find(|c| c.uri == uri) {
                Some(contact) => contact.groups.push(id),
                None => list.contacts.push(Contact { groups: vec![id], ..Contact::new(uri) }),
            }
        }
    }
    Ok(list)
}

fn serve(
    script: &Script,
    data: Data,
    store: FrontendStore,
    rng: Rng,
    clock: Clock,
    stop: oneshot::Receiver<()>,
) -> Result<u16, String> {
    let writer = FrontendWriter::start(store, |e| tracing::error!("{e}")).map_err(|e| e.to_string())?;
    let domain = script.domain.clone();
    let (told, port) = std::sync::mpsc::channel();
    let work = async move {
        let listener = match tcp::listen("127.0.0.1:0").await {
            Ok(l) => l,
            Err(e) => return drop(told.send(Err(e))),
        };
        let port = listener.local_addr().map_or(0, |a| a.port());
        // A number nobody has, so that the form shows what a front end with a gateway offers.
        let phones = vec![PhoneNumber { region: "Demo".into(), number: "+1 555 0100".into() }];
        let config = Config { phones, ..Config::new("localhost", port, &domain) };
        let host = Host::new(config, data, rng, clock, move |op| writer.apply(op));
        // The other end waits for this word; when it is gone there is no screen to serve.
        let _ = told.send(Ok(port));
        host.run(Sockets { tcp: Some(listener), ..Sockets::default() }, stop).await;
    };
    thread("front end", work)?;
    port.recv().map_err(|_| "the front end did not start".to_owned())?
}

fn cast(script: &Script, star: &Address, password: &str, port: u16, rng: &mut Rng, clock: Clock) -> Result<(), String> {
    let start = clock.now();
    let mut troupe = Vec::new();
    for person in &script.person {
        let config = EndpointConfig {
            host: "127.0.0.1".into(),
            port,
            transport: Transport::Tcp,
            epid: rng.hex(10),
            display_name: person.name.clone(),
            reconnect: true,
            ..EndpointConfig::new(address(script, &person.id)?, password)
        };
        let actor = actor(person, script, star, start, rng);
        troupe.push(perform(actor, Link::new(config, rng.fork(), clock, None), clock));
    }
    thread("cast", async move {
        let tasks: Vec<_> = troupe.into_iter().map(tokio::spawn).collect();
        for task in tasks {
            // An actor that fails leaves the others playing.
            let _ = task.await;
        }
    })
}

fn actor(person: &Person, script: &Script, star: &Address, start: Time, rng: &mut Rng) -> Actor {
    Actor::new(person, script, star.clone(), start, rng.fork())
}

/// Plays one of the cast until the stage is gone.
async fn perform(mut actor: Actor, link: Link, clock: Clock) {
    let (operations, wanted) = mpsc::unbounded_channel();
    let (say, mut said) = mpsc::unbounded_channel::<Event>();
    tokio::spawn(link.run(wanted, move |event| {
        if let LinkEvent::Endpoint(event) = event {
            // The actor is gone only when the play is over.
            let _ = say.send(event);
        }
    }));
    let mut next = vec![Operation::SignIn];
    let mut number = 0;
    loop {
        for operation in next {
            number += 1;
            if operations.send((OperationId(number), operation)).is_err() {
                return;
            }
        }
        let due = actor.poll_timeout().map(|t| clock.instant(t));
        next = tokio::select! {
            event = said.recv() => match event {
                Some(event) => actor.on_event(clock.now(), &event),
                None => return,
            },
            () = sleep(due) => actor.on_timeout(clock.now()),
        };
    }
}

/// Runs `work` on a thread with a small runtime of its own.
fn thread(name: &str, work: impl Future<Output = ()> + Send + 'static) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let body = move || runtime.block_on(work);
    std::thread::Builder::new().name(name.into()).spawn(body).map(drop).map_err(|e| e.to_string())
}
