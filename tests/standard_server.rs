//! What a standard server may do to us over a real socket: the messages of RFC 4475, garbage, silence; afterwards everything
//! still works.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

use adsum::domain::{Address, Rng};
use adsum::endpoint::{Config, Dialect, EndpointState, Event, Operation, OperationId, Transport};
use adsum::faces::link::{Link, LinkEvent, Operations};
use adsum::net::Clock;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a message is given that may get no answer at all.
const SHORT: Duration = Duration::from_millis(300);

struct Client {
    operations: Operations,
    said: mpsc::UnboundedReceiver<Event>,
}

fn client(port: u16, transport: Transport) -> Client {
    let mut config = Config::new(Address::parse("alice@example.test").unwrap(), "secret");
    config.dialect = Dialect::Simple;
    (config.host, config.port, config.transport) = ("127.0.0.1".into(), port, transport);
    (config.publish, config.reconnect) = (false, true);
    let (operations, wanted) = mpsc::unbounded_channel();
    let (say, said) = mpsc::unbounded_channel();
    let link = Link::new(config, Rng::seeded(5), Clock::new(), None);
    tokio::spawn(link.run(wanted, move |event| {
        if let LinkEvent::Endpoint(event) = event {
            let _ = say.send(event);
        }
    }));
    operations.send((OperationId(1), Operation::SignIn)).unwrap();
    Client { operations, said }
}

impl Client {
    async fn established(&mut self) {
        let wait = async {
            while let Some(event) = self.said.recv().await {
                if matches!(event, Event::State { state: EndpointState::Established, .. }) {
                    return;
                }
            }
            panic!("the client has ended");
        };
        timeout(PATIENCE, wait).await.expect("the client does not sign in");
    }
}

fn field<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|l| l.strip_prefix(name)).unwrap_or("").trim_start_matches(": ").trim()
}

/// The answer to a request of the client.
fn answer(request: &str, status: &str) -> String {
    let copied: String =
        ["Via", "From", "Call-ID", "CSeq"].map(|n| format!("{n}: {}\r\n", field(request, &format!("{n}:")))).concat();
    format!("SIP/2.0 {status}\r\n{copied}To: {};tag=s\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n", field(request, "To:"))
}

fn ping(number: usize, transport: &str) -> String {
    format!(
        "OPTIONS sip:alice@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1;branch=z9hG4bKping{number}\r\n\
         From: <sip:pinger@example.test>;tag=p\r\nTo: <sip:alice@example.test>\r\nCall-ID: ping{number}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The 49 messages, by name.
fn torture() -> BTreeMap<String, Vec<u8>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rfc4475");
    let files = std::fs::read_dir(directory).unwrap().map(|f| f.unwrap().path());
    let messages = files.filter(|p| p.extension().is_some_and(|e| e == "dat"));
    messages.map(|p| (p.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read(p).unwrap())).collect()
}

/// The server's end of one connection.
struct Conversation {
    socket: TcpStream,
    heard: String,
}

impl Conversation {
    /// Takes what comes until something holds of it; answers requests to register on the way. False when the client has gone.
    async fn until(&mut self, holds: impl Fn(&str) -> bool) -> bool {
        let mut buffer = vec![0; 65536];
        loop {
            if holds(&self.heard) {
                return true;
            }
            let n = self.socket.read(&mut buffer).await.unwrap_or(0);
            if n == 0 {
                return false;
            }
            let came = String::from_utf8_lossy(&buffer[..n]).into_owned();
            for request in came.split("\r\n\r\n").filter(|m| m.starts_with("REGISTER ") || m.starts_with("SUBSCRIBE ")) {
                let reply = answer(request, "200 OK");
                if self.socket.write_all(reply.as_bytes()).await.is_err() {
                    return false;
                }
            }
            self.heard.push_str(&came);
        }
    }
}

async fn accepted(listener: &TcpListener, client: &mut Client) -> Conversation {
    let (socket, _) = timeout(PATIENCE, listener.accept()).await.expect("the client does not come back").unwrap();
    let mut conversation = Conversation { socket, heard: String::new() };
    assert!(timeout(PATIENCE, conversation.until(|h| h.contains("REGISTER "))).await.expect("no REGISTER"));
    client.established().await;
    conversation
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_torture_message_over_a_stream_leaves_a_client_that_works() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = client(listener.local_addr().unwrap().port(), Transport::Tcp);
    let mut now = accepted(&listener, &mut client).await;
    let all = torture();
    assert_eq!(all.len(), 49);
    let mut closed = Vec::new();
    for (i, (name, message)) in all.iter().enumerate() {
        now.heard.clear();
        let sent = async {
            now.socket.write_all(message).await?;
            now.socket.write_all(ping(i, "TCP").as_bytes()).await
        };
        let answered = sent.await.is_ok() && {
            let call = format!("Call-ID: ping{i}\r\n");
            timeout(SHORT, now.until(|h| h.contains(&call))).await == Ok(true)
        };
        if !answered {
            // Framing was lost, or the message wants more octets than there are: a new connection, and all is well.
            closed.push(name.as_str());
            drop(now);
            now = accepted(&listener, &mut client).await;
        }
    }
    // Without Content-Length, with an impossible one, or with one that promises more.
    assert!(closed.len() < 25, "{closed:?}");
    for name in ["clerr", "ncl", "mcl01"] {
        assert!(closed.contains(&name), "{name} left the stream as it was: {closed:?}");
    }
    now.socket.write_all(ping(999, "TCP").as_bytes()).await.unwrap();
    assert!(timeout(PATIENCE, now.until(|h| h.contains("Call-ID: ping999\r\n"))).await.unwrap());
    drop(client.operations);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_torture_message_as_a_datagram_leaves_a_client_that_works() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut client = client(server.local_addr().unwrap().port(), Transport::Udp);
    let mut buffer = vec![0; 65536];
    let (n, from) = timeout(PATIENCE, server.recv_from(&mut buffer)).await.unwrap().unwrap();
    let register = String::from_utf8_lossy(&buffer[..n]).into_owned();
    assert!(register.starts_with("REGISTER "));
    server.send_to(answer(&register, "200 OK").as_bytes(), from).await.unwrap();
    client.established().await;
    for (i, (name, message)) in torture().iter().enumerate() {
        server.send_to(message, from).await.unwrap();
        server.send_to(ping(i, "UDP").as_bytes(), from).await.unwrap();
        let call = format!("Call-ID: ping{i}\r\n");
        let answered = async {
            loop {
                let (n, _) = server.recv_from(&mut buffer).await.unwrap();
                let text = String::from_utf8_lossy(&buffer[..n]);
                if text.starts_with("SIP/2.0 200") && text.contains(&call) {
                    return;
                }
            }
        };
        assert!(timeout(PATIENCE, answered).await.is_ok(), "after {name} the client is silent");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_in_a_circle_and_a_challenge_without_end_are_given_up_with_a_sentence() {
    for (status, sentence) in [
        ("302 Moved\r\nContact: <sip:127.0.0.1:PORT;transport=tcp>", "circle"),
        ("401 Again\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"n\", stale=true", "again and again"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut client = client(port, Transport::Tcp);
        let status = status.replace("PORT", &port.to_string());
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut buffer = vec![0; 65536];
                while let Ok(n @ 1..) = socket.read(&mut buffer).await {
                    let reply = answer(&String::from_utf8_lossy(&buffer[..n]), &status);
                    let _ = socket.write_all(reply.as_bytes()).await;
                }
            }
        });
        let given_up = async {
            loop {
                if let Event::Completed { id: OperationId(1), result } = client.said.recv().await.unwrap() {
                    return result.unwrap_err().text;
                }
            }
        };
        let text = timeout(PATIENCE, given_up).await.expect("the client goes on for ever");
        assert!(text.contains(sentence), "{text}");
    }
}
