//! NATS keys, made and used by `openssl`: what a server checks of them is not known to the agent.
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::LIMIT;
use crate::support::dir::Dir;
use crate::support::process::Running;

/// What a key is for, as the first five bits of its text.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    Account = 0,
    Operator = 14,
    User = 20,
}

/// A pair of keys.
pub(crate) struct Nkey {
    dir: Dir,
    public: String,
}

impl Nkey {
    pub(crate) fn new(role: Role) -> Self {
        let dir = Dir::new();
        let key = dir.path().join("key.pem");
        openssl(&["genpkey", "-algorithm", "ed25519", "-out", key.to_str().unwrap()]);
        let out = dir.path().join("key.der");
        let words = ["pkey", "-pubout", "-outform", "DER", "-in", key.to_str().unwrap(), "-out"];
        openssl(&[&words[..], &[out.to_str().unwrap()]].concat());
        let der = std::fs::read(out).unwrap();
        // The key is the end of what says that it is one.
        let mut bytes = vec![(role as u8) << 3];
        bytes.extend(&der[der.len() - 32..]);
        bytes.extend(crc16(&bytes).to_le_bytes());
        Self { dir, public: base32(&bytes) }
    }

    /// The public key, as NATS writes it.
    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    /// A signature, as NATS writes it.
    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        let path = |name: &str| self.dir.path().join(name).to_str().unwrap().to_owned();
        let (key, input, output) = (path("key.pem"), path("input"), path("output"));
        std::fs::write(&input, bytes).unwrap();
        openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", &key, "-in", &input, "-out", &output]);
        URL_SAFE_NO_PAD.encode(std::fs::read(output).unwrap())
    }

    /// What this key says of another one.
    pub(crate) fn jwt(&self, subject: &str, name: &str, nats: Value) -> String {
        let header = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
        let claims = json!({
            "jti": "x", "iat": 1_600_000_000, "iss": self.public, "name": name, "sub": subject, "nats": nats,
        });
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = self.sign(text.as_bytes());
        format!("{text}.{signature}")
    }
}

fn openssl(args: &[&str]) {
    let mut command = Command::new("openssl");
    let mut run = Running::start(command.args(args).stdin(Stdio::null()).stderr(Stdio::null()));
    assert!(run.wait(LIMIT).success(), "openssl {args:?}");
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte) << 8, |sum, _| (sum << 1) ^ (0x1021 * (sum >> 15)))
    })
}

fn base32(bytes: &[u8]) -> String {
    let digit = |place: usize| {
        let bit = |place: usize| bytes.get(place / 8).is_some_and(|byte| byte << (place % 8) & 0x80 != 0);
        let value = (0..5).fold(0, |value, step| value << 1 | usize::from(bit(place * 5 + step)));
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value])
    };
    (0..(bytes.len() * 8).div_ceil(5)).map(digit).collect()
}
