//! NATS: `CONNECT {json}` is the first line a client sends, in answer to the server's `INFO`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::bytes::Bytes;
use super::{Decoded, Found, Miss};

/// What is read of it. A token, a signature and a password are not.
#[derive(serde::Deserialize)]
struct Connect {
    user: Option<String>,
    nkey: Option<String>,
    jwt: Option<String>,
    name: Option<String>,
}

/// What is read of a user's JWT: the user's public nkey, and what its issuer calls it.
#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
    name: Option<String>,
}

pub(super) fn decode(bytes: &[u8]) -> Decoded {
    const VERB: &[u8] = b"CONNECT";
    let start = &bytes[..bytes.len().min(VERB.len())];
    if !start.eq_ignore_ascii_case(&VERB[..start.len()]) {
        return Err(Miss::No);
    }
    let mut bytes = Bytes::new(bytes);
    bytes.take(VERB.len())?;
    if !matches!(bytes.rest().first(), None | Some(b' ' | b'\t')) {
        return Err(Miss::No);
    }
    let connect: Connect = serde_json::from_slice(bytes.line()?).map_err(|_| Miss::No)?;
    let mut who = [&connect.user, &connect.nkey].into_iter().flatten();
    let found = match who.find(|text| !text.is_empty()) {
        Some(who) => Found::user(who.as_bytes())?,
        None => of_jwt(&connect.jwt.unwrap_or_default())?,
    };
    Ok(match connect.name {
        Some(name) => found.tag("name", name.as_bytes()),
        None => found,
    })
}

/// Whom a JWT is about. Whether it is true is the server's to judge, as a password is.
fn of_jwt(jwt: &str) -> Decoded {
    let payload = jwt.split('.').nth(1).ok_or(Miss::No)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Miss::No)?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| Miss::No)?;
    let found = Found::user(claims.sub.as_bytes())?;
    Ok(match claims.name {
        Some(name) => found.tag("jwt_name", name.as_bytes()),
        None => found,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{is_steady, like, no, user};
    use super::*;

    const BY_USER: &[u8] = b"CONNECT {\"verbose\":false,\"user\":\"alice\",\"pass\":\"s3cret\",\"name\":\"billing\"}\r\nPING\r\n";

    #[test]
    fn the_user_is_found() {
        let found = decode(BY_USER).unwrap();
        assert_eq!(found, Found::user(b"alice").unwrap().tag("name", b"billing"));
        user(decode(b"connect\t{\"user\":\"\\u0061lice\"}\n"), "alice");
    }

    #[test]
    fn an_nkey_stands_for_its_user() {
        let nkey = "UCK5N7N66OBOINFXAYC2ACJQYFSOD4VYNU6APEJTAVFZB2SVHLKGEW7L";
        let line = format!("CONNECT {{\"nkey\":\"{nkey}\",\"sig\":\"xyz\",\"user\":\"\"}}\r\n");
        user(decode(line.as_bytes()), nkey);
    }

    #[test]
    fn a_jwt_names_the_nkey_it_was_issued_for() {
        let jwt =
            |claims: &str| format!("{}.{}.sig", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims));
        let line = |jwt: &str| format!("CONNECT {{\"jwt\":\"{jwt}\",\"sig\":\"xyz\",\"nkey\":\"\"}}\r\n");
        let decoded = |claims: &str| decode(line(&jwt(claims)).as_bytes());
        let found = Found::user(b"UABC").unwrap().tag("jwt_name", b"till");
        assert_eq!(decoded("{\"jti\":\"x\",\"sub\":\"UABC\",\"name\":\"till\",\"nats\":{}}"), Ok(found));
        user(decoded("{\"sub\":\"UABC\"}"), "UABC");
        no(decoded("{\"name\":\"till\"}"));
        no(decoded("7"));
        no(decode(line("a.b").as_bytes()));
        no(decode(line("a.?.c").as_bytes()));
        no(decode(line("").as_bytes()));
    }

    #[test]
    fn a_token_is_a_secret_and_no_user() {
        no(decode(b"CONNECT {\"auth_token\":\"s3cret\"}\r\n"));
        no(decode(b"CONNECTED {}\r\n"));
        no(decode(b"CONNECT {\"user\":7}\r\n"));
        no(decode(b"PING\r\n"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in like(BY_USER)) {
            is_steady(decode, &bytes);
        }
    }
}
