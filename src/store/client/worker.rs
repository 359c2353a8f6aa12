//! A [`Store`] on a thread of its own: requests go in by a queue, answers and troubles come out by a callback.
//!
//! Writes that wait together become one transaction. While the disk is full or the file is held, writes are kept in order and
//! tried again; the callback hears of the trouble once and of its end once.

use super::{AccountId, Answer, Query, Store, Write};
use crate::store::Error;
use crate::store::limits::{MAX_BATCH, MAX_RETAINED, RETRY_AFTER};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the worker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerReply {
    /// The answer to [`Worker::query`] with this number.
    Answer(u64, Result<Answer, Error>),
    /// Saving fails; the sentence says why. Temporary troubles are retried, others drop the writes concerned.
    Trouble(Error),
    /// Everything kept back is saved now.
    Recovered,
}

enum Job {
    Write(AccountId, Write),
    Query(u64, AccountId, Query),
    Stop,
}

/// The queue's near end. Dropping it saves what waits and ends the thread.
#[derive(Debug)]
pub struct Worker {
    jobs: Sender<Job>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread. `on_reply` is called on it and must not block.
    pub fn start(store: Box<dyn Store>, on_reply: impl FnMut(WorkerReply) + Send + 'static) -> std::io::Result<Worker> {
        let (jobs, queue) = channel();
        let state = State { store, on_reply: Box::new(on_reply), waiting: VecDeque::new(), troubled: false };
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || state.run(&queue))?;
        Ok(Worker { jobs, thread: Some(thread) })
    }

    /// Saves; never waits.
    pub fn write(&self, account: &AccountId, write: Write) {
        // A worker whose thread is gone has said so by its trouble already.
        let _ = self.jobs.send(Job::Write(account.clone(), write));
    }

    /// Asks; the answer carries `id`. Writes sent before are seen by the answer.
    pub fn query(&self, id: u64, account: &AccountId, query: Query) {
        let _ = self.jobs.send(Job::Query(id, account.clone(), query));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.jobs.send(Job::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct State {
    store: Box<dyn Store>,
    on_reply: Box<dyn FnMut(WorkerReply) + Send>,
    waiting: VecDeque<(AccountId, Write)>,
    troubled: bool,
}

impl State {
    fn run(mut self, queue: &Receiver<Job>) {
        loop {
            let patience = if self.waiting.is_empty() { None } else { Some(RETRY_AFTER) };
            let Some(first) = next(queue, patience) else {
                self.flush();
                continue;
            };
            let mut job = Some(first);
            let mut taken = 0;
            while let Some(now) = job {
                match now {
                    Job::Write(account, write) => self.keep(account, write),
                    Job::Query(id, account, query) => {
                        self.flush();
                        let answer = self.store.query(&account, &query);
                        (self.on_reply)(WorkerReply::Answer(id, answer));
                    }
                    Job::Stop => return self.flush(),
                }
                taken += 1;
                job = if taken < MAX_BATCH { queue.try_recv().ok() } else { None };
            }
            self.flush();
        }
    }

    fn keep(&mut self, account: AccountId, write: Write) {
        if self.waiting.len() < MAX_RETAINED {
            self.waiting.push_back((account, write));
        }
    }

    fn flush(&mut self) {
        while !self.waiting.is_empty() {
            let count = self.waiting.len().min(MAX_BATCH);
            let batch: Vec<_> = self.waiting.drain(..count).collect();
            match self.store.write(&batch) {
                Ok(()) => {}
                Err(e) if e.is_temporary() => {
                    batch.into_iter().rev().for_each(|w| self.waiting.push_front(w));
                    return self.trouble(e);
                }
                // One bad write must not take its neighbours along.
                Err(_) => batch.into_iter().for_each(|w| {
                    if let Err(e) = self.store.write(std::slice::from_ref(&w)) {
                        self.trouble(e);
                    }
                }),
            }
        }
        if std::mem::take(&mut self.troubled) {
            (self.on_reply)(WorkerReply::Recovered);
        }
    }

    fn trouble(&mut self, e: Error) {
        if e.is_temporary() {
            if self.troubled {
                return;
            }
            self.troubled = true;
        }
        (self.on_reply)(WorkerReply::Trouble(e));
    }
}

/// The next job, or `None` when `patience` ran out. A queue without a sender stops.
fn next(queue: &Receiver<Job>, patience: Option<Duration>) -> Option<Job> {
    match patience {
        None => Some(queue.recv().unwrap_or(Job::Stop)),
        Some(d) => match queue.recv_timeout(d) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Job::Stop),
        },
    }
}
