//! What a selector of three comparisons costs to read and to ask.
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use connctl_api::selector::{Field, Selector, Subject, Value};
use divan::{Bencher, black_box};

const TEXT: &str = "idle > 10m and not ip in 10.0.0.0/8 and listener = \"pg\"";
const TIME: Duration = Duration::from_secs(1);

fn main() {
    divan::main();
}

/// A connection that every comparison is asked about.
struct Matching;

impl Subject for Matching {
    fn value(&self, field: Field) -> Value<'_> {
        match field {
            Field::Idle => Value::Duration(900_000_000),
            Field::Ip => Value::Ip(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))),
            Field::Listener => Value::Text("pg"),
            _ => Value::Missing,
        }
    }

    fn tag(&self, _: &str) -> Option<&str> {
        None
    }
}

#[divan::bench(max_time = TIME)]
fn parse() -> bool {
    Selector::parse(black_box(TEXT)).is_ok()
}

#[divan::bench(max_time = TIME)]
fn evaluate(bencher: Bencher<'_, '_>) {
    let selector = Selector::parse(TEXT);
    assert!(selector.as_ref().is_ok_and(|selector| selector.matches(&Matching)), "{selector:?}");
    bencher.bench_local(|| selector.as_ref().is_ok_and(|selector| selector.matches(black_box(&Matching))));
}

#[divan::bench(max_time = TIME)]
fn print(bencher: Bencher<'_, '_>) {
    let selector = Selector::parse(TEXT);
    bencher.bench_local(|| selector.as_ref().map(ToString::to_string).ok());
}
