use super::*;
use crate::sip::{Method, Uri};

fn request(method: Method, uri: &str) -> Request {
    Request::new(method, Uri::parse(uri).unwrap())
}

#[test]
fn vectors() {
    let ha1 = Ha1::new(Algorithm::Md5, "alice", "example.com", "s3cr3t");
    assert_eq!(ha1.as_hex(), "0cde55526e8e63e9c4a3843815a6473f");
    let none = Terms { algorithm: Algorithm::Md5, nonce: "Zk1xQ2f0", quality: None, cnonce: "" };
    assert_eq!(response(&ha1, "REGISTER", "sip:example.com", &none), "9232c99e3f2f1e0a5001921e9d3f7cef");
    let auth = Terms { quality: Some(("00000001", "0a4f113b", "auth")), ..none };
    assert_eq!(response(&ha1, "REGISTER", "sip:example.com", &auth), "12bc091ac0045c8c284b13dbe3f19031");
    for (algorithm, expected) in [
        (Algorithm::Sha256, "5a4e31d93eabb3e0b467c634e30cda34f649ea165a47fba50210f14ad1484724"),
        (Algorithm::Sha512_256, "1a76fa8ccfb85cfbb3717894b2b24a28593bab5ef43a8d36fd6bf1dd20452ad1"),
    ] {
        let ha1 = Ha1::new(algorithm, "alice", "example.com", "s3cr3t");
        let terms = Terms { algorithm, quality: Some(("00000001", "0a4f113b", "auth")), nonce: "Zk1xQ2f0", cnonce: "" };
        assert_eq!(response(&ha1, "REGISTER", "sip:example.com", &terms), expected);
    }
}

#[test]
fn of_three_algorithms_the_topmost_is_answered_and_unknown_ones_are_passed_over() {
    let answered = |order: &[&str]| {
        let mut refusal = Response::new(401);
        for name in order {
            let c = format!("Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm={name}");
            refusal.headers.push(Name::WwwAuthenticate, c);
        }
        let mut client = DigestClient::new("alice", "p");
        client.challenged(&refusal).unwrap();
        let mut r = request(Method::Register, "sip:r");
        client.authorize(&mut r, &mut Rng::seeded(1));
        let header = AuthHeader::parse(r.headers.get(&Name::Authorization).unwrap()).unwrap();
        (header.get("algorithm").unwrap().to_owned(), header.get("response").unwrap().len())
    };
    assert_eq!(answered(&["SHA-512-256", "SHA-256", "MD5"]), ("SHA-512-256".into(), 64));
    assert_eq!(answered(&["sha-512-256-SESS", "MD5"]), ("SHA-512-256-sess".into(), 64));
    assert_eq!(answered(&["SHA3-512", "SHA-256", "MD5"]), ("SHA-256".into(), 64));
    assert_eq!(answered(&["MD5", "SHA-512-256"]), ("MD5".into(), 32));
}

#[test]
fn vector_of_rfc_7616() {
    let quality = Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth"));
    let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    for (algorithm, expected) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let ha1 = Ha1::new(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
        let terms = Terms { algorithm, nonce, quality, cnonce: "" };
        assert_eq!(response(&ha1, "GET", "/dir/index.html", &terms), expected);
    }
}

struct Scene {
    rng: Rng,
    server: DigestServer,
    client: DigestClient,
}

fn scene(password: &str) -> Scene {
    let mut rng = Rng::seeded(1);
    let server = DigestServer::new("contoso.com", &mut rng);
    Scene { rng, server, client: DigestClient::new("alice", password) }
}

impl Scene {
    fn challenge(&mut self, now: Time, stale: bool) -> Result<(), AuthError> {
        let mut response = Response::new(401);
        for c in self.server.challenges(now, stale, &mut self.rng) {
            response.headers.push(Name::WwwAuthenticate, c);
        }
        self.client.challenged(&response)
    }

    fn send(&mut self) -> String {
        let mut r = request(Method::Register, "sip:contoso.com");
        self.client.authorize(&mut r, &mut self.rng);
        r.headers.get(&Name::Authorization).unwrap().to_owned()
    }

    fn judge(&mut self, now: Time, header: &str) -> Result<String, DigestError> {
        let header = AuthHeader::parse(header).unwrap();
        self.server.verify(now, "REGISTER", &header, |user, algorithm| {
            (user == "alice").then(|| Ha1::new(algorithm, user, "contoso.com", "right"))
        })
    }
}

#[test]
fn one_challenge_serves_many_requests_but_each_once() {
    let mut s = scene("right");
    s.challenge(Time(1000), false).unwrap();
    let first = s.send();
    assert!(first.contains("algorithm=SHA-256") && first.contains("nc=00000001") && first.contains("qop=auth,"));
    assert_eq!(s.judge(Time(1001), &first), Ok("alice".into()));
    assert_eq!(s.judge(Time(1001), &first), Err(DigestError::Replayed));
    let second = s.send();
    assert_eq!(s.judge(Time(2000), &second), Ok("alice".into()));
}

#[test]
fn old_nonces_are_stale_and_that_is_no_wrong_password() {
    let mut s = scene("right");
    s.challenge(Time(1000), false).unwrap();
    let header = s.send();
    let late = Time(1000) + DIGEST_NONCE_LIFE + std::time::Duration::from_secs(1);
    assert_eq!(s.judge(late, &header), Err(DigestError::Stale));
    assert_eq!(s.challenge(late, true), Ok(()));
    let header = s.send();
    assert_eq!(s.judge(late, &header), Ok("alice".into()));
    s.client.accepted();
    assert_eq!(s.challenge(late, false), Ok(()));
}

#[test]
fn what_the_registrar_asked_for_goes_to_it_alone_until_another_request_is_asked() {
    let mut client = DigestClient::new("alice", "s3cr3t");
    let mut rng = Rng::seeded(1);
    let challenge = |method: &str, nonce: &str, status: u16| {
        let name = if status == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
        Response::new(status).with("CSeq", format!("1 {method}")).with(name, format!("Digest realm=\"a\", nonce=\"{nonce}\""))
    };
    let mut carried = |client: &mut DigestClient, method: Method| {
        let mut r = request(method, "sip:bob@example.com");
        client.authorize(&mut r, &mut rng);
        (r.headers.get(&Name::Authorization).is_some(), r.headers.get(&Name::ProxyAuthorization).is_some(), r)
    };
    client.challenged(&challenge("REGISTER", "1", 401)).unwrap();
    assert!(carried(&mut client, Method::Register).0);
    client.accepted();
    let (own, proxy, message) = carried(&mut client, Method::Message);
    assert_eq!((own, proxy), (false, false), "it goes on to bob, who could guess at the password");
    client.challenged_for(&message, &challenge("MESSAGE", "2", 407)).unwrap();
    let (own, proxy, message) = carried(&mut client, Method::Message);
    assert_eq!((own, proxy), (false, true));
    // This server wants it with other requests, too.
    client.challenged_for(&message, &challenge("MESSAGE", "3", 401)).unwrap();
    assert!(carried(&mut client, Method::Message).0);
    client.challenged(&challenge("REGISTER", "4", 401)).unwrap();
    assert!(carried(&mut client, Method::Message).0, "a new nonce changes nothing of that");
}

#[test]
fn wrong_password_stops_after_the_second_refusal() {
    let mut s = scene("wrong");
    s.challenge(Time(1000), false).unwrap();
    let header = s.send();
    assert_eq!(s.judge(Time(1000), &header), Err(DigestError::WrongPassword));
    assert_eq!(s.challenge(Time(1000), false), Err(AuthError::WrongPassword));
}

#[test]
fn forged_nonces_and_broken_credentials() {
    let mut s = scene("right");
    s.challenge(Time(1000), false).unwrap();
    let header = s.send();
    let forged = header.replace("nonce=\"0", "nonce=\"1");
    assert_eq!(s.judge(Time(1000), &forged), Err(DigestError::Stale));
    for broken in ["Digest", "Digest username=\"alice\"", "Digest nonce=\"ééééééééééééééé\", username=a, uri=b, response=c"]
    {
        assert_eq!(s.judge(Time(1000), broken), Err(DigestError::Malformed));
    }
    let other = header.replace("alice", "nobody");
    assert_eq!(s.judge(Time(1000), &other), Err(DigestError::UnknownUser));
}

#[test]
fn memory_for_nonces_is_bounded() {
    let mut s = scene("right");
    let mut first = String::new();
    for i in 0..DIGEST_MAX_NONCES as u64 + 10 {
        s.client = DigestClient::new("alice", "right");
        s.challenge(Time(1000 + i), false).unwrap();
        let header = s.send();
        if i == 0 {
            first = header.clone();
        }
        assert!(s.judge(Time(1000 + i), &header).is_ok());
    }
    assert!(s.server.used.len() <= DIGEST_MAX_NONCES + 1);
    assert_eq!(s.judge(Time(30_000), &first), Err(DigestError::Stale));
}

#[test]
fn servers_without_quality_and_session_algorithms() {
    let mut client = DigestClient::new("alice", "s3cr3t");
    let mut rng = Rng::seeded(2);
    let mut response = Response::new(407);
    response.headers.push(Name::ProxyAuthenticate, "Digest realm=\"x\", nonce=\"n\", algorithm=SHA3-256");
    assert_eq!(client.challenged(&response), Err(AuthError::Unsupported));
    response.headers.push(Name::ProxyAuthenticate, "Digest realm=\"example.com\", nonce=\"Zk1xQ2f0\", opaque=\"o\"");
    client.challenged(&response).unwrap();
    let mut r = request(Method::Register, "sip:example.com");
    client.authorize(&mut r, &mut rng);
    assert_eq!(
        r.headers.get(&Name::ProxyAuthorization),
        Some(
            "Digest username=\"alice\", realm=\"example.com\", nonce=\"Zk1xQ2f0\", uri=\"sip:example.com\", response=\"9232c99e3f2f1e0a5001921e9d3f7cef\", opaque=\"o\""
        )
    );
    assert!(!format!("{client:?}").contains("s3cr3t"));
}
