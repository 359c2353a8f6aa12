//! HTTP/1.1 as a client that asks one thing on one connection: what XCAP needs, and no more.

use super::stream::Stream;
use super::tcp;
use super::tls::{self, Trust};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long one exchange may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest head of an answer, with all informational ones before it.
const HEAD_MAX: usize = 64 * 1024;
/// Longest body of an answer.
const BODY_MAX: usize = 4 * 1024 * 1024;
/// Most headers of an answer.
const HEADERS_MAX: usize = 256;

/// What is asked, of whom.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// With TLS.
    pub tls: bool,
    /// Method.
    pub method: String,
    /// Path with query, as it goes on the wire.
    pub path: String,
    /// Headers besides those this room adds.
    pub headers: Vec<(String, String)>,
    /// Body; may be empty.
    pub body: Vec<u8>,
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// Asks and waits for the whole answer.
///
/// # Errors
/// One sentence that says what failed.
pub async fn exchange(ask: &Ask, trust: Option<&Trust>) -> Result<Answer, String> {
    let work = async {
        match (ask.tls, trust) {
            (false, _) => {
                let (stream, _) = tcp::connect(&ask.host, ask.port).await.map_err(|e| e.to_string())?;
                over(stream, ask).await
            }
            (true, Some(trust)) => {
                let (stream, _) = tls::connect(&ask.host, ask.port, std::slice::from_ref(&ask.host), &trust.without_pin())
                    .await
                    .map_err(|e| e.to_string())?;
                over(stream, ask).await
            }
            (true, None) => Err("no certificate authority is known for TLS".into()),
        }
    };
    let late = || format!("{}:{} does not answer over HTTP", ask.host, ask.port);
    tokio::time::timeout(PATIENCE, work).await.map_err(|_| late())?
}

async fn over(mut stream: impl Stream, ask: &Ask) -> Result<Answer, String> {
    let broke = |e: std::io::Error| format!("the connection to {}:{} broke: {e}", ask.host, ask.port);
    stream.write_all(&request(ask)?).await.map_err(broke)?;
    stream.flush().await.map_err(broke)?;
    let mut octets = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let n = match stream.read(&mut buffer).await {
            // TLS peers that end without saying so are common; a whole answer stands for itself.
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => 0,
            other => other.map_err(broke)?,
        };
        octets.extend_from_slice(&buffer[..n]);
        if let Some(answer) = read(&octets, n == 0)? {
            return Ok(answer);
        }
        if n == 0 {
            return Err(format!("{}:{} closed the connection before it had answered", ask.host, ask.port));
        }
    }
}

/// The request as octets.
fn request(ask: &Ask) -> Result<Vec<u8>, String> {
    let all = ask.headers.iter().flat_map(|(n, v)| [n, v]).chain([&ask.path, &ask.host, &ask.method]);
    if all.into_iter().any(|t| t.chars().any(char::is_control)) || ask.path.contains(' ') {
        return Err("the request holds characters that HTTP cannot carry".into());
    }
    let host = if ask.host.contains(':') { format!("[{}]", ask.host) } else { ask.host.clone() };
    let mut out = format!("{} {} HTTP/1.1\r\nHost: {host}:{}\r\nConnection: close\r\n", ask.method, ask.path, ask.port);
    for (name, value) in &ask.headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    if ask.method == "PUT" || ask.method == "POST" || !ask.body.is_empty() {
        out.push_str(&format!("Content-Length: {}\r\n", ask.body.len()));
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(&ask.body);
    Ok(out)
}

/// The answer, when it is all there; `end`: nothing more comes.
fn read(octets: &[u8], end: bool) -> Result<Option<Answer>, String> {
    let mut rest = octets;
    loop {
        let Some(at) = memchr::memmem::find(rest, b"\r\n\r\n") else {
            let too_long = rest.len() > HEAD_MAX;
            return if too_long { Err("the head of the answer is too long".into()) } else { Ok(None) };
        };
        if octets.len() - rest.len() + at > HEAD_MAX {
            return Err("the head of the answer is too long".into());
        }
        let answer = head(&rest[..at])?;
        rest = &rest[at + 4..];
        // Informational answers come before the real one.
        if !(100..200).contains(&answer.status) {
            return body(answer, rest, end);
        }
    }
}

fn head(octets: &[u8]) -> Result<Answer, String> {
    let text = String::from_utf8_lossy(octets);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or("");
    let mut words = first.splitn(3, ' ');
    let version = words.next().unwrap_or("");
    let status = words.next().and_then(|s| s.parse().ok()).filter(|s| (100..1000).contains(s));
    let (true, Some(status)) = (version.starts_with("HTTP/1."), status) else {
        return Err("what came back is no HTTP answer".into());
    };
    let header = |l: &str| l.split_once(':').map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned()));
    Ok(Answer { status, headers: lines.take(HEADERS_MAX).filter_map(header).collect(), body: Vec::new() })
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|h| h.0.eq_ignore_ascii_case(name)).map(|h| h.1.as_str())
    }
}

fn body(mut answer: Answer, rest: &[u8], end: bool) -> Result<Option<Answer>, String> {
    if rest.len() > BODY_MAX * 2 {
        return Err("the answer is too long".into());
    }
    if matches!(answer.status, 204 | 304) {
        return Ok(Some(answer));
    }
    if answer.header("Transfer-Encoding").is_some_and(|t| t.to_ascii_lowercase().contains("chunked")) {
        return Ok(chunks(rest)?.map(|body| Answer { body, ..answer }));
    }
    let length = match answer.header("Content-Length") {
        Some(text) => Some(text.parse::<usize>().map_err(|_| "the answer's length is no number".to_owned())?),
        None => None,
    };
    match length {
        Some(n) if n > BODY_MAX => Err("the answer is too long".into()),
        Some(n) if rest.len() >= n => {
            answer.body = rest[..n].to_vec();
            Ok(Some(answer))
        }
        Some(_) => Ok(None),
        None if rest.len() > BODY_MAX => Err("the answer is too long".into()),
        None if end => {
            answer.body = rest.to_vec();
            Ok(Some(answer))
        }
        None => Ok(None),
    }
}

/// A chunked body, when it is all there.
fn chunks(mut rest: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let broken = || "the answer's chunks are broken".to_owned();
    let mut body = Vec::new();
    loop {
        let Some(at) = memchr::memmem::find(rest, b"\r\n") else { return Ok(None) };
        let line = std::str::from_utf8(&rest[..at]).map_err(|_| broken())?;
        let size = line.split(';').next().unwrap_or("").trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| broken())?;
        if size > BODY_MAX || body.len() + size > BODY_MAX {
            return Err("the answer is too long".into());
        }
        rest = &rest[at + 2..];
        if size == 0 {
            return Ok(Some(body));
        }
        if rest.len() < size + 2 {
            return Ok(None);
        }
        body.extend_from_slice(&rest[..size]);
        rest = rest[size..].strip_prefix(b"\r\n").ok_or_else(broken)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    fn put(body: &str) -> Ask {
        Ask {
            host: "xcap.example.com".into(),
            port: 80,
            tls: false,
            method: "PUT".into(),
            path: "/root/a".into(),
            headers: vec![("If-Match".into(), "\"1\"".into())],
            body: body.into(),
        }
    }

    /// The answer to `ask` of a server that says this and closes.
    async fn asked(ask: &Ask, says: &str) -> (Result<Answer, String>, String) {
        let (ours, mut theirs) = duplex(64 * 1024);
        theirs.write_all(says.as_bytes()).await.unwrap();
        theirs.shutdown().await.unwrap();
        let answer = over(ours, ask).await;
        let mut sent = String::new();
        theirs.read_to_string(&mut sent).await.unwrap();
        (answer, sent)
    }

    #[tokio::test]
    async fn a_request_goes_out_whole_and_its_answer_comes_back() {
        let (answer, sent) = asked(&put("<a/>"), "HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 2\r\n\r\nhi").await;
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.header("etag"), answer.body.as_slice()), (200, Some("\"2\""), b"hi".as_slice()));
        assert!(sent.starts_with("PUT /root/a HTTP/1.1\r\nHost: xcap.example.com:80\r\n"), "{sent}");
        assert!(sent.contains("If-Match: \"1\"\r\n") && sent.ends_with("Content-Length: 4\r\n\r\n<a/>"), "{sent}");
    }

    #[tokio::test]
    async fn bodies_end_by_length_by_chunks_or_with_the_connection() {
        for says in [
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=1\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello",
        ] {
            assert_eq!(asked(&put(""), says).await.0.unwrap().body, b"hello", "{says}");
        }
    }

    #[tokio::test]
    async fn broken_answers_are_told_in_a_sentence() {
        for (says, word) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "before it had answered"),
            ("SIP/2.0 200 OK\r\n\r\n", "no HTTP answer"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n", "no number"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", "too long"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broken"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhell", "broken"),
            ("", "before it had answered"),
        ] {
            let error = asked(&put(""), says).await.0.unwrap_err();
            assert!(error.contains(word), "{error} for {says}");
        }
    }

    #[tokio::test]
    async fn line_ends_do_not_leave_in_a_request() {
        let smuggled = Ask { path: "/a\r\nX: y".into(), ..put("") };
        assert!(asked(&smuggled, "").await.0.unwrap_err().contains("cannot carry"));
    }
}
