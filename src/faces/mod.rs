//! What a person or a script starts: the screen, the demo, the front end and the small commands.

pub mod accounts;
pub mod admin;
pub mod app;
pub mod categories;
mod cli;
pub mod demo;
pub mod doctor;
mod failure;
pub mod groups;
pub mod keeper;
pub mod link;
pub mod locate;
pub mod once;
pub mod paths;
pub mod pool;
pub mod probe;
pub mod prompt;
pub mod server;
pub mod signin;
pub mod trust;
pub mod tui;

use crate::frontend::Policy;
use crate::text::Text;
use cli::{AccountCommand, Cli, Command};
use failure::Failure;
use paths::Paths;
use std::io::Write;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Runs the program named by the command line. Exit codes are those of [`failure`], 0 when all is well, and 2 when the command
/// line is wrong.
pub fn main() -> ExitCode {
    let cli = cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            // It may quote what a server said.
            eprintln!("adsum: {}", Text::plain(&failure.text).as_str());
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let paths = Paths::new(cli.config.clone(), cli.data.clone())?;
    log_to(&cli)?;
    match cli.command {
        None => tui::start::configured(&paths, cli.account.as_deref(), cli.ascii)?,
        Some(Command::Demo { seed }) => tui::start::demo(cli.data.as_deref(), &paths, seed, cli.ascii)?,
        Some(Command::SignIn(options) | Command::Account { what: AccountCommand::Add(options) }) => {
            signin::run(&paths, *options)?;
        }
        Some(Command::Account { what: AccountCommand::List { json } }) => signin::list(&paths, json)?,
        Some(Command::Join(options)) => tui::guest::join(&paths, &options, cli.ascii)?,
        Some(Command::Serve { init: Some(address), .. }) => admin::init(&paths.server, address)?,
        Some(Command::Serve {
            init: None,
            listen,
            listen_tls,
            host,
            lists,
            category_subscriptions,
            prompted_subscribers,
            phone,
        }) => {
            let policy = Policy::new(category_subscriptions.into(), prompted_subscribers.into());
            admin::serve(&admin::Serve { data: paths.server, listen, listen_tls, host, lists, policy, phones: phone })?;
        }
        Some(Command::User { what }) => admin::user(&paths.server, what)?,
        Some(Command::Trust { what }) => trust::run(&paths.server, what)?,
        Some(Command::App(options)) => app::run(&paths, cli.account.as_deref(), options)?,
        Some(Command::Group { what }) => groups::run(&paths.server, what)?,
        Some(Command::History { what }) => once::history::run(&paths, cli.account.as_deref(), what)?,
        Some(Command::Once(command)) => once::run(&paths, cli.account.as_deref(), command)?,
        Some(Command::Category { what }) => categories::run(&paths.server, what)?,
        Some(Command::Doctor) => {
            let good = doctor::report(&doctor::examine(&paths, |name| std::env::var(name).ok()));
            return Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Some(Command::Man) => print(&man()?)?,
        Some(Command::Completions { shell }) => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut cli::command(), "adsum", &mut out);
            print(&out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The last section of the man page.
const EXIT_STATUS: &str = ".SH EXIT STATUS
.TP
0
All is well. A message of \\fBsend\\fR was delivered, or the server keeps it for somebody who is not signed in.
.TP
1
It failed; one sentence on standard error says why.
.TP
2
The command line is wrong.
.TP
3
A message of \\fBsend\\fR has left, and nothing says whether it arrived. Who tries again may send it twice.
";

fn man() -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    clap_mangen::Man::new(cli::command()).render(&mut out).map_err(|e| e.to_string())?;
    out.extend_from_slice(EXIT_STATUS.as_bytes());
    Ok(out)
}

/// Writes to standard output; a reader that has gone away is no error.
fn print(bytes: &[u8]) -> Result<(), String> {
    match std::io::stdout().write_all(bytes) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e.to_string()),
        _ => Ok(()),
    }
}

/// Where the log goes: to the named file; without one a front end logs to standard error, and the screen not at all.
fn log_to(cli: &Cli) -> Result<(), String> {
    let filter = EnvFilter::try_new(&cli.log).map_err(|e| format!("--log {}: {e}", cli.log))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    match &cli.log_file {
        Some(path) => {
            let file = crate::store::private_file(path).map_err(|e| e.to_string())?;
            builder.with_writer(std::sync::Mutex::new(file)).init();
        }
        None if matches!(cli.command, Some(Command::Serve { .. })) => builder.with_writer(std::io::stderr).init(),
        None => {}
    }
    Ok(())
}
