//! The configuration file: accounts, the look of the screen, keys. Every mistake is told with file and line.

use super::hours;
use super::keymap::{Keymap, Sections, bindings_in, line_of};
use crate::domain::Address;
use crate::domain::calendar::WorkingPeriod;
use crate::domain::presence::{CustomStatus, LCID_EN_US, UserStatus};
use crate::endpoint::{RelayPlace, Transport, WebPlace};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A file with every setting and its meaning.
pub const SAMPLE: &str = include_str!("../../assets/config.toml");

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How the screen looks and behaves.
    #[serde(default)]
    pub ui: Ui,
    /// How messages are written.
    #[serde(default)]
    pub composer: Composer,
    /// Statuses of the own making.
    #[serde(default)]
    pub custom_status: Vec<Custom>,
    /// When I work; none: it is not published.
    #[serde(default)]
    pub working_hours: Option<Hours>,
    /// Accounts; the first is used unless another is named.
    #[serde(default)]
    pub account: Vec<Account>,
    /// Keys that differ from the defaults: place, keys, command.
    #[serde(default)]
    keys: Sections,
    #[serde(skip, default = "Keymap::defaults")]
    keymap: Keymap,
}

/// Look and behaviour.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ui {
    /// `default` (the terminal's 16 colours), `dark` or `light`.
    pub theme: String,
    /// Signs and lines of ASCII only.
    pub ascii: bool,
    /// Listen to the mouse (the terminal then selects with Shift).
    pub mouse: bool,
    /// Ring the bell for messages that are not in sight.
    pub bell: bool,
    /// Notify outside the screen.
    pub notify: bool,
    /// Show the beginning of messages in notifications.
    pub notify_text: bool,
    /// Put the unread count into the window title.
    pub title: bool,
    /// Tell others that I am typing.
    pub typing: bool,
    /// Words besides the own name that count as a mention.
    pub mention: Vec<String>,
    /// The group whose people get through do-not-disturb.
    pub pinned_group: String,
    /// Language of the texts I write and prefer, such as `de-DE`.
    pub locale: String,
    /// Minutes before a meeting at which a card reminds of it; empty: never.
    pub remind: Vec<u32>,
    /// Zone of shown times (IANA name); empty: the system's.
    pub time_zone: String,
    /// Command that opens links; the link is its last argument. Empty: `xdg-open` or `open`.
    pub opener: String,
    /// Folder in which files are saved that others send; empty: `~/Downloads`.
    pub downloads: String,
}

impl Default for Ui {
    fn default() -> Ui {
        Ui {
            theme: "default".into(),
            ascii: false,
            mouse: false,
            bell: true,
            notify: true,
            notify_text: true,
            title: true,
            typing: true,
            mention: Vec::new(),
            pinned_group: "Pinned".into(),
            locale: "en-US".into(),
            remind: vec![15, 5],
            time_zone: String::new(),
            opener: String::new(),
            downloads: String::new(),
        }
    }
}

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Composer {
    /// `emacs` or `vi`.
    pub keys: ComposerKeys,
}

/// Keys of the composer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum ComposerKeys {
    #[default]
    Emacs,
    Vi,
}

/// A status of the own making.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    /// Its name, for `/status` and scripts.
    pub id: String,
    /// online, busy or do-not-disturb.
    pub availability: CustomAvailability,
    /// The words by language.
    pub texts: BTreeMap<String, String>,
}

/// The availabilities a custom status may have (`domain.md` 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum CustomAvailability {
    Online,
    Busy,
    DoNotDisturb,
}

/// When I work.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Weekdays: mon, tue, …
    pub days: Vec<String>,
    /// First minute, such as 09:00.
    pub start: String,
    /// Last minute, such as 17:30.
    pub end: String,
}

/// Whose account it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum AccountKind {
    #[default]
    User,
    Application,
    /// Without an account; only `adsum join` makes one.
    #[serde(skip)]
    Guest,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Name for `--account`; empty: the address.
    #[serde(default)]
    pub name: String,
    /// Own address.
    pub address: Address,
    /// Name that others see; empty: the server's.
    #[serde(default)]
    pub display_name: String,
    /// Host or host:port; empty: the domain of the address.
    #[serde(default)]
    pub server: String,
    /// What the server speaks.
    #[serde(default)]
    pub dialect: Dialect,
    /// Where a standard server keeps lists and rules (XCAP): the address of its root; empty: nowhere.
    #[serde(default)]
    pub xcap: String,
    /// Where a standard server makes conferences: a SIP address; empty: nowhere.
    #[serde(default)]
    pub conference_factory: String,
    /// URI of the room in which meetings are held on a standard server; empty: at the own address.
    #[serde(default)]
    pub meeting_place: String,
    /// Relay for long texts and files: `msrps://host:port`, `none`; empty: the server itself is asked.
    #[serde(default)]
    pub msrp_relay: String,
    /// `user`, or `application` for a service that is trusted by its certificate.
    #[serde(default)]
    pub kind: AccountKind,
    /// Further front ends of the same pool as host or host:port, tried when the server does not answer.
    #[serde(default)]
    pub others: Vec<String>,
    /// PEM file with the certificate and key of an application.
    #[serde(default)]
    pub certificate: String,
    /// TLS, or TCP without it.
    #[serde(default = "yes")]
    pub tls: bool,
    /// Datagrams, in the place of both; standard servers only.
    #[serde(default)]
    pub udp: bool,
    /// Fingerprint (`sha256:…`) of the one certificate that the server may show; empty: any that is signed as it should.
    #[serde(default)]
    pub pin: String,
    /// Name server to ask for this account's servers; empty: the system's.
    #[serde(default)]
    pub name_server: String,
    /// PEM file with the authority that signed the server's certificate; empty: the system's authorities.
    #[serde(default)]
    pub ca_file: String,
    /// `DOMAIN\user` or `user@domain`; empty: the address.
    #[serde(default)]
    pub login: String,
    /// Shell command that prints the password.
    #[serde(default)]
    pub password_command: String,
    /// iCalendar file, or folder of such files, that speaks for me; empty: none.
    #[serde(default)]
    pub calendar: String,
    /// What the server is told we are; empty: adsum and its version.
    #[serde(default)]
    pub user_agent: String,
}

/// What a server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Lync, Skype for Business, and `adsum serve`.
    #[default]
    Lync,
    /// Standard SIP/SIMPLE: Kamailio and its kin.
    Sip,
}

fn yes() -> bool {
    true
}

/// What is wrong in a configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {text}")]
pub struct ConfigError {
    /// The file as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub text: String,
}

impl Config {
    /// Reads the text of a file called `file`.
    ///
    /// # Errors
    /// The first mistake with its line: bad TOML, unknown settings, wrong values, unknown keys and commands, conflicts.
    pub fn parse(text: &str, file: &str) -> Result<Config, ConfigError> {
        let wrong = |line: usize, text: String| ConfigError { file: file.to_owned(), line, text };
        let mut config: Config = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |s| line_of(text, s.start));
            wrong(line, mistake(e.message(), text, line).replace('\n', " "))
        })?;
        let bindings = bindings_in(text, &config.keys);
        config.keymap = Keymap::with_overrides(&bindings).map_err(|e| wrong(e.line, e.text))?;
        config.check(text).map_err(|(line, text)| wrong(line, text))?;
        Ok(config)
    }

    /// The keys with the file's overrides.
    pub fn keymap(&self) -> Keymap {
        self.keymap.clone()
    }

    /// The account called `name`, or the first.
    pub fn account(&self, name: Option<&str>) -> Option<&Account> {
        match name {
            Some(name) => self.account.iter().find(|a| a.name == name || a.address.bare() == name),
            None => self.account.first(),
        }
    }

    fn check(&self, text: &str) -> Result<(), (usize, String)> {
        let line_with = |word: &str| text.lines().position(|l| l.trim_start().starts_with(word)).map_or(1, |i| i + 1);
        if !["default", "dark", "light"].contains(&self.ui.theme.as_str()) {
            return Err((line_with("theme"), format!("there is no theme “{}”; themes are default, dark, light", self.ui.theme)));
        }
        if !self.ui.time_zone.is_empty() && jiff::tz::TimeZone::get(&self.ui.time_zone).is_err() {
            let text = format!("there is no time zone “{}”; write it like Europe/Berlin", self.ui.time_zone);
            return Err((line_with("time_zone"), text));
        }
        if hours::lcid(&self.ui.locale).is_none() {
            let text = format!("there is no language “{}”; write it like de-DE, or as a Windows locale id", self.ui.locale);
            return Err((line_with("locale"), text));
        }
        self.check_custom(text)?;
        if let Some(Err(e)) = self.working_hours.as_ref().map(Hours::period) {
            return Err((line_with("[working_hours]"), e));
        }
        for account in &self.account {
            account.server().map_err(|e| (line_with("server"), e))?;
            account.other_servers().map_err(|e| (line_with("others"), e))?;
            account.xcap_root().map_err(|e| (line_with("xcap"), e))?;
            account.factory().map_err(|e| (line_with("conference_factory"), e))?;
            account.meeting_place().map_err(|e| (line_with("meeting_place"), e))?;
            account.relay().map_err(|e| (line_with("msrp_relay"), e))?;
            if account.udp && account.dialect == Dialect::Lync {
                return Err((line_with("udp"), "only standard servers (dialect = \"sip\") take datagrams".into()));
            }
            if account.kind == AccountKind::Application && (account.certificate.is_empty() || !account.tls) {
                let text = "an application needs its certificate (adsum trust add makes one) and TLS";
                return Err((line_with("kind"), text.into()));
            }
        }
        Ok(())
    }
}

/// What the reader of the file complains of, in words that name the setting and what it wants.
fn mistake(message: &str, text: &str, line: usize) -> String {
    let parts = message.strip_prefix("invalid type: ").and_then(|m| m.split_once(", expected "));
    let Some((found, wanted)) = parts else { return message.to_owned() };
    // A list may go over several lines; the name stands in its first.
    let above = text.lines().take(line).collect::<Vec<_>>();
    let name = above.iter().rev().find_map(|l| l.split_once('=')).map_or("this setting", |(name, _)| name.trim());
    let wanted = match wanted {
        "a sequence" => "a list, such as [\"one\", \"two\"] or [1, 2]",
        "a boolean" => "true or false",
        "a string" => "text in quotes",
        w if w.starts_with(['u', 'i']) && w.get(1..).is_some_and(|n| n.parse::<u8>().is_ok()) => "a whole number",
        w if w == "a map" || w.starts_with("struct ") => "a section with settings of its own",
        other => other,
    };
    let found = match found.split_once(' ') {
        Some(("string", value)) => format!("the text {value}"),
        Some(("integer", value)) => format!("the number {}", value.trim_matches('`')),
        Some(("boolean", value)) => value.trim_matches('`').to_owned(),
        _ if found == "sequence" => "a list".to_owned(),
        _ if found == "map" => "a section".to_owned(),
        _ => found.to_owned(),
    };
    format!("{name} wants {wanted}, not {found}")
}

impl Config {
    fn check_custom(&self, text: &str) -> Result<(), (usize, String)> {
        let lines: Vec<usize> =
            text.lines().enumerate().filter(|l| l.1.trim_start().starts_with("[[custom_status]]")).map(|l| l.0 + 1).collect();
        for (at, custom) in self.custom_status.iter().enumerate() {
            let wrong = |text: String| Err((lines.get(at).copied().unwrap_or(1), text));
            if custom.id.is_empty() || custom.id.contains(char::is_whitespace) {
                return wrong("the id of a custom status is one word".into());
            }
            if self.custom_status.iter().take(at).any(|c| c.id == custom.id) {
                return wrong(format!("the custom status “{}” occurs twice", custom.id));
            }
            if custom.texts.is_empty() {
                return wrong(format!("the custom status “{}” needs texts = {{ \"en-US\" = \"…\" }}", custom.id));
            }
            if let Some(name) = custom.texts.keys().find(|n| hours::lcid(n).is_none()) {
                return wrong(format!("there is no language “{name}”; write it like de-DE, or as a Windows locale id"));
            }
        }
        Ok(())
    }

    /// The custom statuses; the texts of the own language first.
    pub fn custom_statuses(&self) -> Vec<CustomStatus> {
        let own = self.lcid();
        let status = |c: &Custom| {
            let mut texts: Vec<(u32, String)> = c.texts.iter().filter_map(|(n, t)| Some((hours::lcid(n)?, t.clone()))).collect();
            texts.sort_by_key(|t| (t.0 != own, t.0));
            let status = match c.availability {
                CustomAvailability::Online => UserStatus::Available,
                CustomAvailability::Busy => UserStatus::Busy,
                CustomAvailability::DoNotDisturb => UserStatus::DoNotDisturb,
            };
            CustomStatus { id: c.id.clone(), status, texts }
        };
        self.custom_status.iter().map(status).collect()
    }

    /// Windows locale id of the own language.
    pub fn lcid(&self) -> u32 {
        hours::lcid(&self.ui.locale).unwrap_or(LCID_EN_US)
    }
}

impl Hours {
    /// Days and minutes.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn period(&self) -> Result<WorkingPeriod, String> {
        let day =
            |d: &String| hours::weekday(d).ok_or_else(|| format!("“{d}” is no weekday; write mon, tue, wed, thu, fri, sat, sun"));
        let clock = |c: &str| hours::minutes(c).ok_or_else(|| format!("“{c}” is no time of day; write it like 09:00"));
        let days = self.days.iter().map(day).collect::<Result<Vec<u8>, _>>()?;
        let (start, end) = (clock(&self.start)?, clock(&self.end)?);
        if end <= start {
            return Err("working hours end before they begin".into());
        }
        Ok(WorkingPeriod { days, start, end })
    }
}

impl Account {
    /// Host and port of the server: as configured, else the domain of the address and the port of the transport.
    ///
    /// # Errors
    /// When the port is no number from 1 to 65535.
    pub fn server(&self) -> Result<(String, u16), String> {
        self.place(if self.server.is_empty() { self.address.host() } else { &self.server })
    }

    /// How its servers are spoken to.
    pub fn transport(&self) -> Transport {
        match (self.udp, self.tls) {
            (true, _) => Transport::Udp,
            (false, true) => Transport::Tls,
            (false, false) => Transport::Tcp,
        }
    }

    /// Hosts and ports of the further front ends.
    ///
    /// # Errors
    /// When a port is no number from 1 to 65535.
    pub fn other_servers(&self) -> Result<Vec<(String, u16)>, String> {
        self.others.iter().map(|text| self.place(text)).collect()
    }

    /// The room in which meetings are held on a standard server, if there is one.
    ///
    /// # Errors
    /// When that is no SIP address.
    pub fn meeting_place(&self) -> Result<Option<String>, String> {
        let text = self.meeting_place.trim();
        let is_room = |t: &str| (t.starts_with("sip:") || t.starts_with("sips:")) && Address::parse(t).is_ok();
        match text {
            "" => Ok(None),
            room if is_room(room) => Ok(Some(room.to_owned())),
            _ => Err(format!("“{text}” is no room; write its address, such as sip:team@conference.example.org")),
        }
    }

    /// Where a standard server keeps lists and rules, if it does.
    ///
    /// # Errors
    /// When that is no address.
    pub fn xcap_root(&self) -> Result<Option<WebPlace>, String> {
        (!self.xcap.is_empty()).then(|| WebPlace::parse(&self.xcap)).transpose()
    }

    /// Where a standard server makes conferences, if it does.
    ///
    /// # Errors
    /// When that is no SIP address.
    pub fn factory(&self) -> Result<Option<String>, String> {
        let wrong = || {
            format!(
                "“{}” is no address that makes conferences; write it like sip:factory@conference.example.org",
                self.conference_factory
            )
        };
        let named = !self.conference_factory.is_empty();
        named.then(|| crate::endpoint::parse_conference(&self.conference_factory).ok_or_else(wrong)).transpose()
    }

    /// Where the relay for long texts and files is.
    ///
    /// # Errors
    /// When that is no relay.
    pub fn relay(&self) -> Result<RelayPlace, String> {
        RelayPlace::parse(&self.msrp_relay)
    }

    /// Host and port of `host` or `host:port`.
    fn place(&self, text: &str) -> Result<(String, u16), String> {
        let default = self.transport().port();
        // More than one colon without brackets is an IPv6 address without port.
        let (host, port) = match text.rsplit_once(':') {
            Some((h, p)) if !h.contains(':') || h.ends_with(']') => (h, Some(p)),
            _ => (text, None),
        };
        let port = match port {
            Some(p) => {
                p.parse::<u16>().ok().filter(|p| *p > 0).ok_or_else(|| format!("“{p}” in server is no port; write host:5061"))?
            }
            None => default,
        };
        Ok((host.trim_start_matches('[').trim_end_matches(']').to_owned(), port))
    }

    /// The section of a file for this account.
    pub fn to_toml(&self) -> String {
        let quoted = |s: &str| toml::Value::String(s.to_owned()).to_string();
        let mut out = format!("[[account]]\naddress = {}\n", quoted(self.address.bare()));
        for (name, value) in [
            ("name", &self.name),
            ("display_name", &self.display_name),
            ("server", &self.server),
            ("xcap", &self.xcap),
            ("conference_factory", &self.conference_factory),
            ("meeting_place", &self.meeting_place),
            ("msrp_relay", &self.msrp_relay),
            ("ca_file", &self.ca_file),
            ("pin", &self.pin),
            ("name_server", &self.name_server),
            ("login", &self.login),
            ("password_command", &self.password_command),
            ("calendar", &self.calendar),
            ("user_agent", &self.user_agent),
        ] {
            if !value.is_empty() {
                out.push_str(&format!("{name} = {}\n", quoted(value)));
            }
        }
        if self.dialect == Dialect::Sip {
            out.push_str("dialect = \"sip\"\n");
        }
        if self.kind == AccountKind::Application {
            out.push_str(&format!("kind = \"application\"\ncertificate = {}\n", quoted(&self.certificate)));
        }
        if !self.others.is_empty() {
            let all: Vec<String> = self.others.iter().map(|o| quoted(o)).collect();
            out.push_str(&format!("others = [{}]\n", all.join(", ")));
        }
        if self.udp {
            out.push_str("udp = true\n");
        } else if !self.tls {
            out.push_str("tls = false\n");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Config::parse(text, "config.toml").unwrap_err().to_string()
    }

    #[test]
    fn the_sample_says_every_default() {
        let sample = Config::parse(SAMPLE, "sample").unwrap();
        assert_eq!(sample.ui, Ui::default());
        assert!(sample.account.is_empty());
        assert_eq!(Config::parse("", "none").unwrap().keymap(), Keymap::defaults());
    }

    #[test]
    fn mistakes_are_told_with_file_and_line() {
        assert!(error("[ui]\n\ncolour = 1\n").starts_with("config.toml:3: unknown field `colour`"));
        for (line, sentence) in [
            ("mention = \"x\"", "mention wants a list, such as [\"one\", \"two\"] or [1, 2], not the text \"x\""),
            ("bell = \"yes\"", "bell wants true or false, not the text \"yes\""),
            ("theme = 5", "theme wants text in quotes, not the number 5"),
            ("remind = [true]", "remind wants a whole number, not true"),
            ("mention = [\"a\",\n  3]", "mention wants text in quotes, not the number 3"),
        ] {
            assert!(error(&format!("[ui]\n{line}\n")).ends_with(sentence), "{}", error(&format!("[ui]\n{line}\n")));
        }
        assert!(error("ui = 3\n").contains("ui wants a section"));
        assert!(error("[ui]\nbell = maybe\n").starts_with("config.toml:2: "));
        assert!(error("[[account]]\naddress = \"alice\"\n").starts_with("config.toml:2: “alice” is not an address"));
        assert!(error("[ui]\nascii = true\ntheme = \"pink\"\n").starts_with("config.toml:3: there is no theme “pink”"));
        assert!(
            error("\n[keys.people]\n\"j\" = \"dwon\"\n")
                .starts_with("config.toml:3: there is no command “dwon”; did you mean “down”?")
        );
        assert!(
            error("[[account]]\naddress = \"a@b.c\"\nserver = \"x:99999\"\n")
                .starts_with("config.toml:3: “99999” in server is no port")
        );
    }

    #[test]
    fn the_server_defaults_to_the_domain_and_the_port_of_the_transport() {
        let parse = |t: &str| Config::parse(t, "c").unwrap().account[0].server().unwrap();
        assert_eq!(parse("[[account]]\naddress = 'a@b.example'"), ("b.example".into(), 5061));
        assert_eq!(parse("[[account]]\naddress = 'a@b.example'\ntls = false"), ("b.example".into(), 5060));
        assert_eq!(parse("[[account]]\naddress = 'a@b.example'\nserver = '[::1]:9'"), ("::1".into(), 9));
        assert_eq!(parse("[[account]]\naddress = 'a@b.example'\nserver = '::1'"), ("::1".into(), 5061));
    }

    #[test]
    fn custom_statuses_and_working_hours_are_read_and_checked() {
        let text = "[ui]\nlocale = 'de'\n[[custom_status]]\nid = 'lab'\navailability = 'busy'\ntexts = { 'en-US' = 'In the lab', 'de-DE' = 'Im Labor' }\n[working_hours]\ndays = ['mon', 'Friday']\nstart = '09:00'\nend = '17:30'\n";
        let config = Config::parse(text, "c").unwrap();
        let lab = &config.custom_statuses()[0];
        assert_eq!(
            (lab.status, lab.text(1031), lab.text(1033), lab.text(9)),
            (UserStatus::Busy, "Im Labor", "In the lab", "Im Labor")
        );
        let hours = config.working_hours.unwrap().period().unwrap();
        assert_eq!(hours, WorkingPeriod { days: vec![1, 5], start: 540, end: 1050 });
        let lab = "[[custom_status]]\nid = 'lab'\navailability = 'busy'\n";
        assert!(error(&format!("{lab}texts = {{}}\n")).starts_with("config.toml:1: the custom status “lab” needs texts"));
        assert!(error(&format!("{lab}texts = {{ xx = 'x' }}\n")).contains("there is no language “xx”"));
        assert!(error(&format!("{0}texts = {{ en = 'x' }}\n{0}texts = {{ en = 'x' }}\n", lab)).starts_with("config.toml:5: "));
        assert!(
            error("[[custom_status]]\nid = 'x'\navailability = 'away'\ntexts = {}\n")
                .starts_with("config.toml:3: unknown variant")
        );
        let hours = "[working_hours]\ndays = ['mon']\nstart = '9'\nend = '10:00'\n";
        assert!(error(hours).starts_with("config.toml:1: “9” is no time of day"));
    }

    #[test]
    fn a_written_account_reads_back() {
        let text = "[[account]]\naddress = 'a@b.example'\nserver = 'h:1'\ntls = false\npassword_command = 'pass \"x\"'\n";
        let account = Config::parse(text, "c").unwrap().account[0].clone();
        assert_eq!(Config::parse(&account.to_toml(), "c").unwrap().account[0], account);
    }
}
