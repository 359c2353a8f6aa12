//! `adsum trust`: the applications a front end trusts, by the certificates they show.

use super::admin::{apply, open};
use super::cli::TrustCommand;
use crate::domain::{Address, Time};
use crate::frontend::{StoreOp, TrustedApplication};
use crate::net::{certificates, tls};
use crate::store::server::FrontendStore;
use std::path::{Path, PathBuf};

/// Carries out `adsum trust …`.
///
/// # Errors
/// One sentence that says what failed.
pub fn run(data: &Path, what: TrustCommand) -> Result<(), String> {
    match what {
        TrustCommand::Add { address, name, certificate, out } => add(data, &parse(&address)?, &name, certificate, out),
        TrustCommand::Remove { address } => remove(data, &parse(&address)?),
        TrustCommand::List { json } => list(data, json),
    }
}

fn parse(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|e| e.to_string())
}

fn known(store: &FrontendStore) -> Result<Vec<TrustedApplication>, String> {
    store.applications().map_err(|e| e.to_string())
}

fn add(data: &Path, address: &Address, name: &str, pinned: Option<PathBuf>, out: Option<PathBuf>) -> Result<(), String> {
    let mut store = open(data)?;
    let users = store.users().map_err(|e| e.to_string())?;
    let Some(first) = users.first() else {
        return Err("this front end has no users yet; begin with: adsum serve --init alice@example.org".into());
    };
    if users.iter().any(|u| u.address == *address) {
        return Err(format!("{} is a person here; give the application an address of its own", address.bare()));
    }
    if first.address.host() != address.host() {
        return Err(format!("this front end serves {}; the application's address must end in it", first.address.host()));
    }
    let name = if name.trim().is_empty() { address.user() } else { name.trim() }.to_owned();
    let (fingerprint, until, file) = match pinned {
        Some(file) => (certificates::of_file(&file)?, None, None),
        None => {
            let issued = certificates::issue(data, address.bare())?;
            let file = out.unwrap_or_else(|| data.join(format!("{}.pem", address.bare())));
            tls::write(&file, tls::SECRET, &issued.pem)?;
            (issued.fingerprint, Some(Time(issued.until)), Some(file))
        }
    };
    let clash = known(&store)?.into_iter().find(|a| a.address != *address && a.fingerprints.contains(&fingerprint));
    if let Some(other) = clash {
        return Err(format!(
            "this certificate is that of {} already; each application needs one of its own",
            other.address.bare()
        ));
    }
    let application = TrustedApplication { address: address.clone(), display_name: name, fingerprints: vec![fingerprint], until };
    apply(data, &mut store, StoreOp::PutApplication(application))?;
    match file {
        Some(file) => println!(
            "{} is trusted. Its certificate and key: {}\nStart it with: adsum app --address {0} --front-end HOST:5061 --certificate {1} --ca {2}",
            address.bare(),
            file.display(),
            data.join(tls::CA_FILE).display()
        ),
        None => println!("{} is trusted with the certificate that was named.", address.bare()),
    }
    Ok(())
}

fn remove(data: &Path, address: &Address) -> Result<(), String> {
    let mut store = open(data)?;
    if !known(&store)?.iter().any(|a| a.address == *address) {
        return Err(format!("{} is not trusted; adsum trust list shows all", address.bare()));
    }
    apply(data, &mut store, StoreOp::RemoveApplication(address.clone()))?;
    println!("{} is not trusted any more.", address.bare());
    Ok(())
}

fn list(data: &Path, json: bool) -> Result<(), String> {
    for a in known(&open(data)?)? {
        if json {
            println!(
                "{}",
                serde_json::json!({ "address": a.address.bare(), "name": a.display_name, "fingerprints": a.fingerprints })
            );
        } else {
            println!("{:<40} {:<24} {}", a.address.bare(), a.display_name, a.fingerprints.join(" "));
        }
    }
    Ok(())
}
