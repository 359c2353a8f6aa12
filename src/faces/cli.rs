//! The command line: what can be started, with which options. Help, man page and completions come from here.

use crate::app::config::Dialect;
use crate::sip::Transport;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::path::PathBuf;

/// Heading of the options that go with every command.
const GLOBAL: &str = "Global options";

/// Commands that act as one of the configured accounts.
const AS_ACCOUNT: [&str; 18] = [
    "app",
    "contacts",
    "groups",
    "presence",
    "status",
    "note",
    "location",
    "level",
    "block",
    "unblock",
    "watchers",
    "containers",
    "publications",
    "publish",
    "unpublish",
    "send",
    "history",
    "meet",
];

/// Commands that open the screen.
const SCREENS: [&str; 2] = ["demo", "join"];

/// Full-screen terminal messenger for SIP unified communications.
///
/// Without a command it opens the screen with the configured account. With none configured it offers the demo or asks how to
/// sign in.
#[derive(Debug, Parser)]
#[command(name = "adsum", version, about, long_about, max_term_width = 100)]
pub struct Cli {
    /// Configuration file [default: adsum/config.toml in the configuration directory]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory for history, drafts and caches; for serve and user: the server's data [default: adsum in the data directory]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Which of the configured accounts [default: the first]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "NAME")]
    pub account: Option<String>,
    /// Draw with ASCII only
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub ascii: bool,
    /// Write a log of this level (error, warn, info, debug) to FILE of --log-file
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// Where the log goes [default: no log for the screen, standard error for serve]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The command line with the help of every command: options that mean nothing to a command are not in its help.
pub fn command() -> clap::Command {
    let whole = Cli::command();
    let hidden = |id: &str| whole.get_arguments().find(|a| a.get_id() == id).map(|a| a.clone().hide(true));
    let (account, ascii) = (hidden("account"), hidden("ascii"));
    whole.mut_subcommands(|c| {
        let (named, screen) = (AS_ACCOUNT.contains(&c.get_name()), SCREENS.contains(&c.get_name()));
        let superfluous = [account.clone().filter(|_| !named), ascii.clone().filter(|_| !screen)];
        superfluous.into_iter().flatten().fold(c, clap::Command::arg)
    })
}

/// The words this program was started with; a mistake in them ends it with exit code 2.
pub fn parse() -> Cli {
    Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|e| e.exit())
}

/// What can be done besides opening the screen.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A front end, a cast of people and the screen, with nothing to set up
    Demo {
        /// Makes the play repeatable
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
    },
    /// Sign in and remember how: the same as account add
    SignIn(Box<AddOptions>),
    /// The accounts of the configuration
    Account {
        /// What to do
        #[command(subcommand)]
        what: AccountCommand,
    },
    /// Go into a meeting without an account, by its link
    Join(JoinOptions),
    /// Run a front end for a team on this host
    Serve {
        /// Make the data directory and the first user, such as alice@example.org, then end
        #[arg(long, value_name = "ADDRESS", num_args = 0..=1)]
        init: Option<Option<String>>,
        /// Address for TCP
        #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5060")]
        listen: String,
        /// Address for TLS
        #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5061")]
        listen_tls: String,
        /// Name that clients know this host by, for certificate and answers
        #[arg(long, value_name = "NAME", default_value = "localhost")]
        host: String,
        /// How long contact lists may get
        #[command(flatten)]
        lists: Lists,
        /// Watched categories of one person: divided by the categories of a watcher (usually 5), so many may watch
        #[arg(long, value_name = "0..3000", default_value = "1000", value_parser = clap::value_parser!(u16).range(0..=3000))]
        category_subscriptions: u16,
        /// A number by which meetings can be called through a gateway, with its region; may be given again
        #[arg(long, value_name = "REGION=NUMBER", value_parser = crate::frontend::read_phone)]
        phone: Vec<crate::domain::conference::PhoneNumber>,
        /// New watchers of one person that may wait for an answer; more come unannounced
        #[arg(long, value_name = "0..500", default_value = "200", value_parser = clap::value_parser!(u16).range(0..=500))]
        prompted_subscribers: u16,
    },
    /// Manage the people of a front end
    User {
        /// What to do
        #[command(subcommand)]
        what: UserCommand,
    },
    /// Manage the applications a front end trusts by their certificates
    Trust {
        /// What to do
        #[command(subcommand)]
        what: TrustCommand,
    },
    /// Drive an application endpoint by JSON lines on standard input and output (docs/app.md)
    App(AppOptions),
    /// Manage the distribution groups of a front end
    Group {
        /// What to do
        #[command(subcommand)]
        what: GroupCommand,
    },
    /// What was written, as this machine keeps it: search and export, without signing in
    History {
        /// What to do
        #[command(subcommand)]
        what: super::once::words::History,
    },
    /// One thing without the screen
    #[command(flatten)]
    Once(super::once::cli::Once),
    /// Manage the category names that may be published on a front end
    Category {
        /// What to do
        #[command(subcommand)]
        what: CategoryCommand,
    },
    /// Say what this terminal, keyring and configuration can do
    Doctor,
    /// Print the man page (roff)
    Man,
    /// Print completions for a shell
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Find the server of an address, sign in once and write the account into the configuration
    Add(Box<AddOptions>),
    /// List the configured accounts
    List {
        /// As JSON lines
        #[arg(long)]
        json: bool,
    },
}

/// What is known of a new account; the rest is found out or asked for.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct AddOptions {
    /// Your address, such as alice@example.org
    pub address: Option<String>,
    /// Server as HOST or HOST:PORT [default: as the DNS names it]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub server: Option<String>,
    /// The server speaks standard SIP, as Kamailio does [default: as it answers]
    #[arg(long, conflicts_with = "lync")]
    pub sip: bool,
    /// The server speaks the language of Lync and Skype for Business [default: as it answers]
    #[arg(long)]
    pub lync: bool,
    /// TLS only
    #[arg(long, conflicts_with_all = ["tcp", "udp"])]
    pub tls: bool,
    /// TCP without TLS (only for servers on this host or in a trusted network)
    #[arg(long, conflicts_with = "udp")]
    pub tcp: bool,
    /// Datagrams without TLS (likewise; standard SIP only)
    #[arg(long, conflicts_with = "lync")]
    pub udp: bool,
    /// Certificate of the authority that signed the server's certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Trust exactly the certificate with this fingerprint
    #[arg(long, value_name = "sha256:…")]
    pub pin: Option<String>,
    /// Sign-in name, DOMAIN\user or user@domain [default: the address]
    #[arg(long, value_name = "NAME")]
    pub login: Option<String>,
    /// Where the server keeps lists and rules (standard SIP), such as https://xcap.example.org/xcap-root
    #[arg(long, value_name = "URL")]
    pub xcap: Option<String>,
    /// Where the server makes conferences (standard SIP), such as sip:factory@conference.example.org
    #[arg(long, value_name = "ADDRESS")]
    pub conference_factory: Option<String>,
    /// Shell command that prints the password [default: ask, and keep it in the keyring]
    #[arg(long, value_name = "COMMAND")]
    pub password_command: Option<String>,
    /// Name server to ask [default: the system's]
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    pub name_server: Option<String>,
}

impl AddOptions {
    /// The transport that was asked for.
    pub fn transport(&self) -> Option<Transport> {
        match (self.tls, self.tcp, self.udp) {
            (true, ..) => Some(Transport::Tls),
            (_, true, _) => Some(Transport::Tcp),
            (.., true) => Some(Transport::Udp),
            _ => None,
        }
    }

    /// The dialect that was asked for.
    pub fn dialect(&self) -> Option<Dialect> {
        match (self.sip || self.udp, self.lync) {
            (true, _) => Some(Dialect::Sip),
            (_, true) => Some(Dialect::Lync),
            _ => None,
        }
    }
}

/// Which meeting a guest goes into, and how.
#[derive(Debug, clap::Args)]
pub struct JoinOptions {
    /// The link: https://HOST/ORGANIZER/ID, conf:… or sip:…;gruu;opaque=app:conf:focus:id:…
    pub link: String,
    /// Your name, as the others shall see it [default: asked for]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Server as HOST or HOST:PORT [default: the domain of the organizer]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub server: Option<String>,
    /// TCP without TLS (only for servers on this host or in a trusted network)
    #[arg(long)]
    pub tcp: bool,
    /// Certificate of the authority that signed the server's certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// Who an application is and where its front ends are.
#[derive(Debug, clap::Args)]
pub struct AppOptions {
    /// Address of the application [default: that of the configured account]
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// A front end of the pool; may be given several times
    #[arg(long, value_name = "HOST:PORT")]
    pub front_end: Vec<String>,
    /// Certificate and key of the application (PEM), as adsum trust add made it
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Certificate of the authority that signed the front end's certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Name that others see
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Seconds that running conversations have to end after the end of input or SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub drain: u64,
}

/// What can be done with trusted applications.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Trust an application; makes its certificate unless one is named
    Add {
        /// Address, such as echo@example.org
        address: String,
        /// Display name
        #[arg(long, default_value = "")]
        name: String,
        /// Trust exactly this certificate (PEM) instead of making one
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// Where the certificate that is made goes, with its key [default: ADDRESS.pem in the data directory]
        #[arg(long, value_name = "FILE", conflicts_with = "certificate")]
        out: Option<PathBuf>,
    },
    /// Trust an application no longer
    Remove {
        /// Address
        address: String,
    },
    /// List all
    List {
        /// As JSON lines
        #[arg(long)]
        json: bool,
    },
}

/// What can be done with people. Passwords are asked for, or read from standard input when it is no terminal.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add somebody
    Add {
        /// Address, such as bob@example.org
        address: String,
        /// Display name
        #[arg(long, default_value = "")]
        name: String,
        /// Title
        #[arg(long, default_value = "")]
        title: String,
    },
    /// Remove somebody and everything they stored
    Remove {
        /// Address
        address: String,
    },
    /// Set a new password
    Passwd {
        /// Address
        address: String,
    },
    /// List everybody
    List {
        /// As JSON lines
        #[arg(long)]
        json: bool,
    },
}

/// What can be done with category names.
#[derive(Debug, Subcommand)]
pub enum CategoryCommand {
    /// Register a name; a running front end takes it at once
    Add {
        /// Name, such as mood: letters, digits, dots, hyphens, underscores
        name: String,
    },
    /// Register a name no longer; what is published under it stays until it ends
    Remove {
        /// Name
        name: String,
    },
    /// List the registered names
    List {
        /// As JSON lines
        #[arg(long)]
        json: bool,
    },
}

/// How long one person's contact list may get.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Lists {
    /// Contacts of one person
    #[arg(long, value_name = "N", default_value_t = 250)]
    pub max_contacts: usize,
    /// Groups of one person
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub max_groups: usize,
    /// Distribution groups on one person's list
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub max_distribution_groups: usize,
}

/// What can be done with distribution groups.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Add a distribution group
    Add {
        /// Mail address, such as team@example.org
        address: String,
        /// Name in the directory [default: the part before the @]
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Remove a distribution group; its members stay
    Remove {
        /// Mail address
        address: String,
    },
    /// List all distribution groups with their members
    List {
        /// As JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Put people or groups into a distribution group, or take them out
    Member {
        /// Mail address of the group
        group: String,
        /// Who comes in
        #[arg(long, value_name = "ADDRESS")]
        add: Vec<String>,
        /// Who goes out
        #[arg(long, value_name = "ADDRESS")]
        remove: Vec<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    fn help(name: &str) -> String {
        let mut whole = command();
        whole.build();
        whole.find_subcommand_mut(name).unwrap().render_long_help().to_string()
    }

    #[test]
    fn help_has_the_options_of_a_command_first_and_only_those_it_heeds() {
        let send = help("send");
        assert!(send.find("--json").unwrap() < send.find("Global options:").unwrap(), "{send}");
        assert!(send.find("Global options:").unwrap() < send.find("--account").unwrap(), "{send}");
        let serve = help("serve");
        assert!(!serve.contains("--account") && !serve.contains("--ascii") && serve.contains("--data"), "{serve}");
        assert_eq!(serve.matches("[default: localhost]").count(), 1, "{serve}");
        assert!(help("account").contains("--config") && help("demo").contains("--ascii"));
        assert!(!help("sign-in").contains("\\\\"));
    }

    #[test]
    fn an_account_is_named_before_or_behind_the_command() {
        for line in [["adsum", "--account", "work", "contacts", "list"], ["adsum", "contacts", "list", "--account", "work"]] {
            let cli = Cli::from_arg_matches(&command().try_get_matches_from(line).unwrap()).unwrap();
            assert_eq!(cli.account.as_deref(), Some("work"), "{line:?}");
        }
    }
}
