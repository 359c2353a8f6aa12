//! Taking the terminal over and giving it back: the only path, also after a panic, a signal, a suspend.

use ratatui::layout::Size;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is ours now.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Alternate screen, title kept aside, bracketed paste, focus reports.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[22;2t\x1b[?2004h\x1b[?1004h";
/// Buttons and wheel, with large coordinates.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// Everything back, whatever was on.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[m\x1b[?25h\x1b[23;2t\x1b[?1049l";

/// What to switch on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Report mouse buttons and wheel.
    pub mouse: bool,
}

/// Raw mode and the full screen. Doing it twice is harmless.
pub fn enter(out: &mut impl Write, options: Options) -> io::Result<()> {
    crossterm::terminal::enable_raw_mode()?;
    ENTERED.store(true, Ordering::SeqCst);
    out.write_all(ENTER)?;
    if options.mouse {
        out.write_all(MOUSE)?;
    }
    out.flush()
}

/// Gives the terminal back as it was found. Doing it twice is harmless.
pub fn leave(out: &mut impl Write) -> io::Result<()> {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let written = out.write_all(LEAVE).and_then(|()| out.flush());
    crossterm::terminal::disable_raw_mode()?;
    written
}

/// Standard output without a buffer: a frame is one `write`, which a line-buffered one would cut at every line feed.
pub fn output() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

/// Whether the terminal is ours now.
pub fn is_entered() -> bool {
    ENTERED.load(Ordering::SeqCst)
}

/// Gives the terminal back before a panic is reported, so that the report can be read.
pub fn install_panic_hook() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let _ = leave(&mut io::stdout());
        report(info);
    }));
}

/// Columns and rows as the system knows them; 80×24 if it does not.
pub fn screen_size() -> Size {
    match crossterm::terminal::size() {
        Ok((w, h)) if w > 0 && h > 0 => Size::new(w, h),
        _ => Size::new(80, 24),
    }
}
