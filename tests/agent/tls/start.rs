//! What an agent does not start with.
use sha2::{Digest as _, Sha256};

use crate::support::certs::{Ca, Leaf};
use crate::support::{Http, Setup};

const EYES: &str = "[[certificate]]\nname = 'eyes'\nrole = 'viewer'\n";

#[test]
fn an_address_for_others_is_refused_without_tls_and_without_a_way_to_know_them() {
    let ca = Ca::new("authority");
    let server = ca.issue(&Leaf::server());
    let hash: String = Sha256::digest("t").iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("[[token]]\nname = 't'\nrole = 'viewer'\nsha256 = '{hash}'\n");
    let refused = |control: &str, config: &dyn Fn(&Setup) -> String| {
        let setup = Setup::new().echo("echo").arg("--control").arg(control);
        let config = config(&setup);
        setup.config(config).refuses().stderr
    };
    for (control, words) in
        [("tcp:0.0.0.0:0", "0.0.0.0"), ("tcp:[::]:0", "::"), ("tcp:192.0.2.1:0", "192.0.2.1")]
    {
        // A token alone would go over the wire for everyone to read.
        for config in ["", &token] {
            let said = refused(control, &|_| config.to_owned());
            for word in ["loopback", "tls:", "[tls]", "[[token]]", "connctl agent cert init", words] {
                assert!(said.contains(word), "{word}: {said}");
            }
        }
        let said = refused(control, &|setup| setup.tls_table(&server, Some(&ca)) + EYES);
        assert!(said.contains("loopback") && said.contains("tls:"), "{said}");
    }
    for control in ["tls:0.0.0.0:0", "tls:127.0.0.1:0"] {
        let said = refused(control, &|_| token.clone());
        assert!(said.contains("[tls]") && said.contains("certificate"), "{said}");
        let said = refused(control, &|setup| setup.tls_table(&server, Some(&ca)));
        assert!(said.contains("[[token]]") && said.contains("[[certificate]]"), "{said}");
    }
    let said = refused("tls:127.0.0.1:0", &|setup| setup.tls_table(&server, None) + EYES);
    assert!(said.contains("client_ca"), "{said}");
}

#[test]
fn with_both_it_serves_on_an_address_for_others() {
    let ca = Ca::new("authority");
    let setup = Setup::new().arg("--control").arg("tls:0.0.0.0:0").echo("echo");
    let config = setup.tls_table(&ca.issue(&Leaf::server()), Some(&ca)) + EYES;
    let agent = setup.config(config).start();
    let at = std::net::SocketAddr::from(([127, 0, 0, 1], agent.tls_addr().port()));
    Http::Tls(at, ca.trusting(Some(&ca.client("eyes")))).get("/v1/node").is(200);
    Http::Tls(at, ca.trusting(None)).get("/v1/node").is(401);
}

#[test]
fn a_file_that_does_not_serve_is_named_and_no_key_is_shown() {
    let ca = Ca::new("authority");
    let (server, other) = (ca.issue(&Leaf::server()), ca.issue(&Leaf::server()));
    let said = |name: &str, text: Option<&str>| {
        let setup = Setup::new().echo("echo").arg("--control").arg("tls:127.0.0.1:0");
        let config = setup.tls_table(&server, Some(&ca)) + EYES;
        match text {
            Some(text) => drop(setup.dir().write(name, text)),
            None => std::fs::remove_file(setup.dir().path().join(name)).unwrap(),
        }
        let said = setup.config(config).refuses().stderr;
        let secret = server.key.lines().nth(1).unwrap();
        assert!(!said.contains(secret) && !said.contains("c2VjcmV0"), "{said}");
        said
    };
    let broken = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    let long = "x".repeat(2 << 20);
    for (name, text, words) in [
        ("server.crt", None, ["certificate", "server.crt"]),
        ("server.key", None, ["key", "server.key"]),
        ("client_ca.crt", None, ["client_ca", "client_ca.crt"]),
        ("server.crt", Some(""), ["no certificate", "server.crt"]),
        ("server.key", Some(&*other.key), ["server.crt", "server.key"]),
        ("server.key", Some(broken), ["key", "server.key"]),
        ("server.key", Some(&*server.certificate), ["no private key", "server.key"]),
        ("client_ca.crt", Some(&*server.key), ["no certificate", "client_ca.crt"]),
        ("client_ca.crt", Some(&*long), ["client_ca", "more than"]),
    ] {
        let said = said(name, text);
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
    }
}

#[test]
fn an_unknown_key_of_the_table_names_the_nearest() {
    let run = Setup::new().echo("echo").config("[tls]\ncertificat = 'a'\nkey = 'b'\n").refuses();
    assert!(run.stderr.contains("\"certificate\""), "{}", run.stderr);
    let run = Setup::new().echo("echo").config("[tls]\ncertificate = 'a'\n").refuses();
    assert!(run.stderr.contains("key"), "{}", run.stderr);
}

#[test]
fn there_is_one_cryptography_and_no_foreign_code_of_another() {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    let Ok(lock) = std::fs::read_to_string(lock) else { return };
    assert!(lock.contains("name = \"ring\""));
    for other in ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls"] {
        assert!(!lock.contains(&format!("name = \"{other}\"")), "{other}");
    }
}
