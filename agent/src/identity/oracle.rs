//! MQTT as another codec writes it, with everything that may stand before the user.

use bytes::{Bytes, BytesMut};
use mqttbytes::{QoS, v4, v5};
use proptest::prelude::*;

use super::testing::is_steady;
use super::{Found, mqtt};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9/-]{1,20}", "\\PC{1,20}"]
}

fn qos() -> impl Strategy<Value = QoS> {
    prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)]
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((text(), text()), 0..4)
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

fn properties() -> impl Strategy<Value = v5::ConnectProperties> {
    let numbers = (any::<Option<u32>>(), any::<Option<u16>>(), any::<Option<u32>>(), any::<Option<u16>>());
    let flags = (prop::option::of(0..2_u8), prop::option::of(0..2_u8));
    let texts = (pairs(), prop::option::of(text()), prop::option::of(data()));
    (numbers, flags, texts).prop_map(|(numbers, flags, (user_properties, method, data))| {
        v5::ConnectProperties {
            session_expiry_interval: numbers.0,
            receive_maximum: numbers.1,
            max_packet_size: numbers.2,
            topic_alias_max: numbers.3,
            request_response_info: flags.0,
            request_problem_info: flags.1,
            user_properties,
            authentication_method: method,
            authentication_data: data.map(Bytes::from),
        }
    })
}

fn will_properties() -> impl Strategy<Value = v5::WillProperties> {
    let numbers = (any::<Option<u32>>(), any::<Option<u32>>(), prop::option::of(0..2_u8));
    let texts = (prop::option::of(text()), prop::option::of(text()), prop::option::of(data()), pairs());
    (numbers, texts).prop_map(|(numbers, (content_type, response_topic, data, user_properties))| {
        v5::WillProperties {
            delay_interval: numbers.0,
            payload_format_indicator: numbers.2,
            message_expiry_interval: numbers.1,
            content_type,
            response_topic,
            correlation_data: data.map(Bytes::from),
            user_properties,
        }
    })
}

/// What must be found of a client with this id and this login.
fn expected(client: &str, login: Option<&(String, String)>) -> Result<Found, super::Miss> {
    let user = login.map_or(client, |(user, _)| user);
    Ok(Found::user(user.as_bytes())?.device(client.as_bytes()))
}

fn login() -> impl Strategy<Value = Option<(String, String)>> {
    prop::option::of((text(), text()))
}

proptest! {
    #[test]
    fn version_3_1_1_names_the_same_user_to_both(
        (client, login, clean) in (text(), login(), any::<bool>()),
        will in prop::option::of((text(), data(), qos(), any::<bool>())),
    ) {
        let mut connect = v4::Connect::new(client.clone());
        connect.clean_session = clean;
        connect.login = login.clone().map(|(username, password)| v4::Login { username, password });
        connect.last_will = will.map(|(topic, message, qos, retain)| v4::LastWill::new(topic, message, qos, retain));
        let mut bytes = BytesMut::new();
        connect.write(&mut bytes).unwrap();
        prop_assert_eq!(mqtt::decode(&bytes), expected(&client, login.as_ref()));
        is_steady(mqtt::decode, &bytes);
    }

    #[test]
    fn version_5_names_the_same_user_to_both(
        (client, login) in (text(), login()),
        properties in prop::option::of(properties()),
        will in prop::option::of((text(), data(), qos(), any::<bool>(), prop::option::of(will_properties()))),
    ) {
        let mut connect = v5::Connect::new(client.clone());
        connect.properties = properties;
        connect.login = login.clone().map(|(username, password)| v5::Login { username, password });
        connect.last_will = will.map(|(topic, message, qos, retain, properties)| {
            let mut will = v5::LastWill::new(topic, message, qos, retain);
            will.properties = properties;
            will
        });
        let mut bytes = BytesMut::new();
        connect.write(&mut bytes).unwrap();
        prop_assert_eq!(mqtt::decode(&bytes), expected(&client, login.as_ref()));
        is_steady(mqtt::decode, &bytes);
    }
}
