//! The committed description of the native API, held against the tables it describes.

/// `agent/openapi.json`
pub(super) const TEXT: &str = include_str!("../../../openapi.json");

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use connctl_api::audit::AuditResult;
    use connctl_api::conn::{Health, ListQuery, Mode, Side, State};
    use connctl_api::end::{Initiator, Reason, SideWire};
    use connctl_api::error::ErrorCode;
    use connctl_api::event::EventKind;
    use connctl_api::job::JobState;
    use connctl_api::limit::{LimitScope, LimitSource};
    use connctl_api::listener::{RejectMode, UpstreamState};
    use connctl_api::operation::{ItemStatus, OperationKind, SideChoice, Summary};
    use connctl_api::plan::PlanState;
    use connctl_api::reload::ReloadOutcome;
    use connctl_api::route;
    use connctl_api::stats::StatsBy;
    use serde_json::Value;

    use super::*;

    fn description() -> Value {
        serde_json::from_str(TEXT).unwrap()
    }

    fn keys(value: &Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn it_describes_exactly_the_routes_of_the_table() {
        let description = description();
        let described: BTreeSet<_> = description["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| keys(methods).into_iter().map(|m| (m.to_uppercase(), path.clone())))
            .collect();
        let routes: BTreeSet<_> =
            route::ALL.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
        assert_eq!(described, routes);
    }

    #[test]
    fn its_words_are_those_of_the_tables() {
        fn words<T: ToString>(all: &[T]) -> Vec<String> {
            all.iter().map(ToString::to_string).collect()
        }
        let tables = BTreeMap::from([
            ("Side", words(Side::ALL)),
            ("Mode", words(Mode::ALL)),
            ("State", words(State::ALL)),
            ("ConnectionHealth", words(Health::ALL)),
            ("Reason", words(Reason::ALL)),
            ("Initiator", words(Initiator::ALL)),
            ("AuditResult", words(AuditResult::ALL)),
            ("EventKind", words(EventKind::ALL)),
            ("OperationKind", words(OperationKind::ALL)),
            ("SideChoice", words(SideChoice::ALL)),
            ("ItemStatus", words(ItemStatus::ALL)),
            ("PlanState", words(PlanState::ALL)),
            ("JobState", words(JobState::ALL)),
            ("RejectMode", words(RejectMode::ALL)),
            ("UpstreamState", words(UpstreamState::ALL)),
            ("StatsBy", words(StatsBy::ALL)),
            ("ReloadOutcome", words(ReloadOutcome::ALL)),
            ("LimitScope", words(LimitScope::ALL)),
            ("LimitSource", words(LimitSource::ALL)),
            ("ErrorCode", ErrorCode::ALL.iter().map(|code| code.word().to_owned()).collect()),
        ]);
        let description = description();
        for (name, table) in tables {
            let schema: Vec<String> =
                serde_json::from_value(description["components"]["schemas"][name]["enum"].clone()).unwrap();
            assert_eq!(schema, table, "{name}");
        }
    }

    #[test]
    fn its_fields_are_those_of_the_types() {
        let description = description();
        let schema = |name: &str| keys(&description["components"]["schemas"][name]["properties"]);
        assert_eq!(schema("Summary"), keys(&serde_json::to_value(Summary::default()).unwrap()));
        assert_eq!(schema("SideWire"), keys(&serde_json::to_value(SideWire::default()).unwrap()));
        let full = ListQuery {
            selector: Some(String::new()),
            sort: Some(String::new()),
            limit: Some(1),
            cursor: Some(String::new()),
            stream: true,
            count: true,
            by: Some(String::new()),
            health: true,
        };
        let parameters: BTreeSet<_> = description["paths"][route::CONNECTIONS]["get"]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(parameters, keys(&serde_json::to_value(full).unwrap()));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let description = description();
        let mut open = vec![&description];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(reference)) = fields.get("$ref") {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(description.pointer(pointer).is_some(), "{reference}");
                    }
                    open.extend(fields.values());
                }
                Value::Array(values) => open.extend(values),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }
}
