//! Files of transfers: each has a thread of its own that reads and writes in pieces. What comes is written under a hidden
//! name and gets its real one only when it is complete; nothing that is there is ever replaced.

use crate::domain::Rng;
use crate::domain::file::{TransferId, numbered, safe_name, size_words};
use crate::endpoint::limits::MAX_FILE;
use crate::endpoint::{FileAsk, FileNews};
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc as threads;
use tokio::sync::mpsc;

/// Octets that may wait to be written; more are not read from the network.
const WRITE_AHEAD: usize = 1024 * 1024;
/// Octets read at once for the hash.
const BLOCK: usize = 64 * 1024;
/// Names that are tried where others are taken.
const NAMES_TRIED: u32 = 1000;
/// What waits in hiding: `.adsum-….part`.
const HIDDEN: (&str, &str) = (".adsum-", ".part");

type Heard = (TransferId, FileNews);

/// All of an endpoint.
pub(super) struct Files {
    folder: PathBuf,
    rng: Rng,
    workers: BTreeMap<TransferId, threads::Sender<FileAsk>>,
    waiting: Arc<AtomicUsize>,
    news: (mpsc::UnboundedSender<Heard>, mpsc::UnboundedReceiver<Heard>),
}

impl Files {
    pub fn new(folder: PathBuf, rng: Rng) -> Files {
        Files { folder, rng, workers: BTreeMap::new(), waiting: Arc::default(), news: mpsc::unbounded_channel() }
    }

    /// Where files are kept that come.
    pub fn keep_in(&mut self, folder: PathBuf) {
        self.folder = folder;
    }

    /// Does what is wanted.
    pub fn ask(&mut self, transfer: TransferId, ask: FileAsk) {
        if ask == FileAsk::Drop {
            self.workers.remove(&transfer);
            return;
        }
        if let FileAsk::Write(data) = &ask {
            self.waiting.fetch_add(data.len(), Ordering::Relaxed);
        }
        let worker = self.workers.entry(transfer.clone()).or_insert_with(|| {
            let (asks, wanted) = threads::channel();
            let (news, waiting) = (self.news.0.clone(), self.waiting.clone());
            let mut work = Work::new(self.folder.clone(), self.rng.hex(16));
            std::thread::spawn(move || {
                while let Ok(ask) = wanted.recv() {
                    let octets = if let FileAsk::Write(data) = &ask { data.len() } else { 0 };
                    let told = work.carry_out(ask);
                    waiting.fetch_sub(octets, Ordering::Relaxed);
                    // Nobody waits any more when the link is gone.
                    let _ = news.send((transfer.clone(), told));
                }
            });
            asks
        });
        // A worker ends only when it is dropped.
        let _ = worker.send(ask);
    }

    /// So much waits to be written that no more should be read.
    pub fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > WRITE_AHEAD
    }

    /// The next thing heard.
    pub async fn next(&mut self) -> (TransferId, FileNews) {
        loop {
            match self.news.1.recv().await {
                Some((transfer, news)) if self.workers.contains_key(&transfer) => return (transfer, news),
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }
}

/// Where files are kept that come, unless the configuration says otherwise.
pub fn default_folder() -> PathBuf {
    etcetera::home_dir().map_or_else(|_| PathBuf::from("Downloads"), |home| home.join("Downloads"))
}

/// A path as a person writes it.
pub fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), etcetera::home_dir()) {
        (Some(rest), Ok(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// One file at work.
struct Work {
    folder: PathBuf,
    hidden: PathBuf,
    file: Option<File>,
    name: String,
    size: u64,
    written: u64,
    hash: Sha1,
    coming: bool,
}

impl Drop for Work {
    fn drop(&mut self) {
        if self.coming {
            // It is only half of a file; that it is gone already harms nobody.
            let _ = std::fs::remove_file(&self.hidden);
        }
    }
}

impl Work {
    fn new(folder: PathBuf, secret: String) -> Work {
        let hidden = folder.join(format!("{}{secret}{}", HIDDEN.0, HIDDEN.1));
        Work { folder, hidden, file: None, name: String::new(), size: 0, written: 0, hash: Sha1::new(), coming: false }
    }

    fn carry_out(&mut self, ask: FileAsk) -> FileNews {
        let done = match ask {
            FileAsk::Look { path } => self.look(&path),
            FileAsk::Read { offset, octets } => self.read(offset, octets),
            FileAsk::Receive { name, size } => self.receive(&name, size),
            FileAsk::Write(data) => self.write(&data),
            FileAsk::Keep { sha1 } => self.keep(sha1),
            FileAsk::Drop => Ok(FileNews::Ready),
        };
        done.unwrap_or_else(FileNews::Failed)
    }

    fn look(&mut self, written: &str) -> Result<FileNews, String> {
        let path = expanded(written);
        let shown = path.display();
        let about = std::fs::metadata(&path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => format!("there is no file {shown}"),
            ErrorKind::PermissionDenied => format!("{shown} may not be read"),
            _ => format!("{shown} cannot be read: {e}"),
        })?;
        if about.is_dir() {
            return Err(format!("{shown} is a folder; pack it into one file first"));
        }
        if !about.is_file() {
            return Err(format!("{shown} is no ordinary file"));
        }
        if about.len() > MAX_FILE {
            return Err(format!("{shown} is larger than {}, the most that is sent", size_words(MAX_FILE)));
        }
        let mut file = File::open(&path).map_err(|e| format!("{shown} cannot be read: {e}"))?;
        let (mut hash, mut block, mut size) = (Sha1::new(), vec![0; BLOCK], 0);
        loop {
            match file.read(&mut block).map_err(|e| format!("{shown} cannot be read: {e}"))? {
                0 => break,
                n => {
                    hash.update(&block[..n]);
                    size += n as u64;
                }
            }
        }
        let name = path.file_name().map_or_else(|| "file".into(), |n| n.to_string_lossy().into_owned());
        (self.file, self.size, self.name) = (Some(file), size, name.clone());
        Ok(FileNews::Looked { name, size, sha1: hash.finalize().into() })
    }

    fn read(&mut self, offset: u64, octets: usize) -> Result<FileNews, String> {
        let name = self.name.clone();
        let file = self.file.as_mut().ok_or("the file is not open")?;
        let mut data = vec![0; octets];
        file.seek(SeekFrom::Start(offset)).map_err(|e| format!("{name} cannot be read: {e}"))?;
        file.read_exact(&mut data).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => format!("{name} has become shorter while it was sent; send it again"),
            _ => format!("{name} cannot be read: {e}"),
        })?;
        Ok(FileNews::Read(data))
    }

    fn receive(&mut self, name: &str, size: u64) -> Result<FileNews, String> {
        let folder = self.folder.display().to_string();
        std::fs::create_dir_all(&self.folder)
            .map_err(|e| format!("{folder} cannot be made ({e}); name another with downloads in the configuration"))?;
        let mut options = OpenOptions::new();
        let file = options.write(true).read(true).create_new(true).mode(0o600).open(&self.hidden);
        let file = file
            .map_err(|e| format!("nothing can be saved in {folder} ({e}); name another with downloads in the configuration"))?;
        (self.file, self.size, self.name, self.coming) = (Some(file), size, safe_name(name), true);
        Ok(FileNews::Ready)
    }

    fn write(&mut self, data: &[u8]) -> Result<FileNews, String> {
        let folder = self.folder.display().to_string();
        let file = self.file.as_mut().ok_or("the file is not open")?;
        file.write_all(data).map_err(|e| unwritten(&folder, &e))?;
        self.hash.update(data);
        self.written += data.len() as u64;
        if self.written > self.size {
            return Err("more came than was announced; nothing was kept".into());
        }
        Ok(FileNews::Written(self.written))
    }

    fn keep(&mut self, sha1: Option<[u8; 20]>) -> Result<FileNews, String> {
        let folder = self.folder.display().to_string();
        let file = self.file.take().ok_or("the file is not open")?;
        file.sync_all().map_err(|e| unwritten(&folder, &e))?;
        if self.written != self.size {
            return Err("less came than was announced; nothing was kept".into());
        }
        let came: [u8; 20] = std::mem::take(&mut self.hash).finalize().into();
        if sha1.is_some_and(|s| s != came) {
            return Err("what came is not what was sent (the hash differs); nothing was kept".into());
        }
        let path = self.place().map_err(|e| unwritten(&folder, &e))?;
        self.coming = false;
        Ok(FileNews::Kept { path: path.display().to_string() })
    }

    /// Gives it the first name that is free.
    fn place(&self) -> std::io::Result<PathBuf> {
        for n in 1..=NAMES_TRIED {
            let path = self.folder.join(numbered(&self.name, n));
            match move_to(&self.hidden, &path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                other => return other.map(|()| path),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

/// Moves a file to a name that must be free.
fn move_to(from: &Path, to: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(e),
        // Some file systems know no second name: an empty file holds the place.
        Err(_) => {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
            std::fs::rename(from, to)
        }
    }
}

fn unwritten(folder: &str, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("the disk with {folder} is full; make room, then let the file be sent again")
        }
        _ => format!("the file cannot be written in {folder}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(folder: &Path) -> Work {
        Work::new(folder.to_owned(), "secret".into())
    }

    fn came(folder: &Path, name: &str, data: &[u8], sha1: Option<[u8; 20]>) -> FileNews {
        let mut w = work(folder);
        assert_eq!(w.carry_out(FileAsk::Receive { name: name.into(), size: 5 }), FileNews::Ready);
        w.carry_out(FileAsk::Write(data.to_vec()));
        w.carry_out(FileAsk::Keep { sha1 })
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut all: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        all.sort();
        all
    }

    #[test]
    fn what_came_gets_its_name_at_the_end_and_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let hash: [u8; 20] = Sha1::digest(b"hello").into();
        for (n, name) in ["a.txt", "a (2).txt", "a (3).txt"].into_iter().enumerate() {
            let FileNews::Kept { path } = came(dir.path(), "../a.txt", b"hello", Some(hash)) else { panic!() };
            assert_eq!(Path::new(&path), dir.path().join(name));
            assert_eq!(names(dir.path()).len(), n + 1);
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(dir.path().join("a.txt")).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn half_and_wrong_files_leave_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        for (data, sha1, word) in [(&b"hell"[..], None, "less"), (b"hello!", None, "more"), (b"hello", Some([0; 20]), "hash")] {
            let mut w = work(dir.path());
            w.carry_out(FileAsk::Receive { name: "a".into(), size: 5 });
            let written = w.carry_out(FileAsk::Write(data.to_vec()));
            let kept = if matches!(written, FileNews::Failed(_)) { written } else { w.carry_out(FileAsk::Keep { sha1 }) };
            assert!(matches!(&kept, FileNews::Failed(why) if why.contains(word)), "{kept:?}");
            drop(w);
            assert!(names(dir.path()).is_empty());
        }
        let mut cut = work(dir.path());
        cut.carry_out(FileAsk::Receive { name: "a".into(), size: 5 });
        assert!(names(dir.path())[0].starts_with(".adsum-"));
        drop(cut);
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn what_cannot_be_sent_is_told_in_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let look = |path: &str| work(dir.path()).carry_out(FileAsk::Look { path: path.into() });
        for (path, word) in
            [("/no/such/file", "there is no file"), (dir.path().to_str().unwrap(), "folder"), ("/dev/null", "no ordinary")]
        {
            assert!(matches!(look(path), FileNews::Failed(why) if why.contains(word)), "{path}");
        }
        let file = dir.path().join("x.bin");
        std::fs::write(&file, b"hello").unwrap();
        let mut w = work(dir.path());
        let sha1 = Sha1::digest(b"hello").into();
        assert_eq!(
            w.carry_out(FileAsk::Look { path: file.display().to_string() }),
            FileNews::Looked { name: "x.bin".into(), size: 5, sha1 }
        );
        assert_eq!(w.carry_out(FileAsk::Read { offset: 1, octets: 3 }), FileNews::Read(b"ell".to_vec()));
        std::fs::write(&file, b"he").unwrap();
        assert!(matches!(w.carry_out(FileAsk::Read { offset: 1, octets: 4 }), FileNews::Failed(why) if why.contains("shorter")));
        let unwritable = work(Path::new("/proc/nowhere")).carry_out(FileAsk::Receive { name: "a".into(), size: 1 });
        assert!(matches!(unwritable, FileNews::Failed(why) if why.contains("downloads")));
    }

    #[test]
    fn a_full_disk_is_named() {
        let full = std::io::Error::from(ErrorKind::StorageFull);
        assert!(unwritten("/home/a/Downloads", &full).contains("make room"));
    }
}
