//! Peculiarities of particular programs, one function each. What merely is the usual form of a document is where the document
//! is (`docs/decisions/simple.md`).

/// Kamailio's sample configuration throws requests of such programs away without an answer.
const SHUNNED: [&str; 6] = ["friendly", "scanner", "sipcli", "sipvicious", "VaxSIPUserAgent", "pplsip"];

/// The word in a `User-Agent` that makes Kamailio servers silent.
pub fn shunned_by_kamailio(user_agent: &str) -> Option<&'static str> {
    SHUNNED.into_iter().find(|word| user_agent.contains(word))
}

/// The text without what Kamailio's store (msilo) puts before it: `[Offline message - Tue Mar  3 09:15:04 2026] `.
pub fn without_store_prefix(text: &str) -> &str {
    for start in ["[Offline message - ", "[Reminder message - "] {
        let rest = text.strip_prefix(start).and_then(|r| r.get(24..)).and_then(|r| r.strip_prefix("] "));
        if let Some(rest) = rest {
            return rest;
        }
    }
    text
}

/// FreeSWITCH answers a PUBLISH with 404 as long as nobody watches; it takes the next one.
pub fn forgets_what_nobody_watches(product: &str) -> bool {
    product.to_ascii_lowercase().contains("freeswitch")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_store_writes_is_taken_away() {
        assert_eq!(without_store_prefix("[Offline message - Tue Mar  3 09:15:04 2026] hello"), "hello");
        for whole in ["[Offline message - soon] hello", "[Offline message - ", "[x] hello", ""] {
            assert_eq!(without_store_prefix(whole), whole);
        }
    }

    #[test]
    fn names_that_kamailio_shuns_are_known() {
        assert_eq!(shunned_by_kamailio("my-sipcli/1"), Some("sipcli"));
        assert_eq!(shunned_by_kamailio(concat!("adsum/", env!("CARGO_PKG_VERSION"))), None);
    }
}
