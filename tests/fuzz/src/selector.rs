//! The selector language.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use connctl_agent::ops::select::View;
use connctl_agent::registry::conn::{Birth, Origin};
use connctl_agent::registry::{Conn, Registry};
use connctl_api::conn::Mode;
use connctl_api::id::{ConnId, NodeId};
use connctl_api::selector::{MAX_TEXT_BYTES, Selector};

/// A text is refused with a place within it, or it prints as text that means the same to any connection.
pub(crate) fn selector(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let selector = match Selector::parse(text) {
        Ok(selector) => selector,
        Err(error) => {
            let span = error.span();
            assert!(span.start <= span.end && span.end <= text.len().max(1), "{span:?}");
            assert!(!error.message().is_empty() && !error.render().is_empty());
            return;
        }
    };
    let printed = selector.to_string();
    let again = match Selector::parse(&printed) {
        Ok(again) => again,
        // What is printed is quoted and spaced, and so it may be too long.
        Err(error) => {
            assert!(printed.len() > MAX_TEXT_BYTES, "{printed:?}: {error}");
            return;
        }
    };
    assert_eq!(again.to_string(), printed);
    assert_eq!((again.needs_kernel(), again.named_ids()), (selector.needs_kernel(), selector.named_ids()));
    for conn in conns() {
        let view = View::new(conn, NodeId::new(1).expect("an id"), 5_000, None);
        assert_eq!(selector.matches(&view), again.matches(&view), "{printed}");
        assert!(Selector::all().matches(&view));
    }
}

/// One connection of which much is known, and one of which nothing is.
fn conns() -> &'static [Arc<Conn>] {
    static CONNS: OnceLock<Vec<Arc<Conn>>> = OnceLock::new();
    CONNS.get_or_init(|| {
        let registry = Registry::default();
        let origin = Arc::new(Origin::new("redis", Mode::Forward, 0));
        let conns = [1, 2].map(|id| {
            let conn = Arc::new(Conn::new(Birth {
                id: ConnId::new(id).expect("an id"),
                origin: Arc::clone(&origin),
                peer: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7)), 4711),
                local: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 6379),
                wall_ms: 1_795_262_400_123,
                now_ms: 5,
                thread: 0,
            }));
            registry.enter(&conn);
            conn
        });
        registry.assign(&conns[0], |labels| {
            labels.uid = Some("alice".into());
            labels.device = Some("web".into());
            let tags = [("team".to_owned(), "a b".to_owned())];
            labels.tags = Some(Box::new(tags.into()));
        });
        conns[0].add_to_client(4096, 100);
        conns.into()
    })
}
