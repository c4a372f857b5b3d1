//! What is read of single headers and bodies, apart from any request.
#![no_main]
use entente_door_box::wire::{
    content_range, date, digest, event, fields::Fields, id, metadata, name, query::Query, representation, request,
    shared_link, strict, taxonomy, thumbnail,
};
use entente_door_dav::wire::{bodies, checksum, date as dav_date, headers, if_header::IfHeader, path::DavPath, xml};
use entente_door_kit::multipart::{Parser, boundary};
use entente_door_kit::range;
use entente_model::ItemId;
use http::HeaderValue;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = (xml::parse(bytes), bodies::parse_find(bytes), bodies::parse_patch(bytes), bodies::parse_lock(bytes));
    let _ = strict::parse(bytes);
    let _ = request::parse::<request::Change>(bytes);
    if let Ok(header) = HeaderValue::from_bytes(bytes) {
        let _ = range::resolve(Some(&header), 1_000);
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let (kind, body) = bytes.split_at(at);
        if let Some(limit) = std::str::from_utf8(kind).ok().and_then(boundary) {
            let mut parser = Parser::new(limit);
            for piece in body.chunks(7) {
                parser.push(bytes::Bytes::copy_from_slice(piece));
                while let Ok(Some(_)) = parser.next_event() {}
            }
            let _ = parser.finish();
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (id::parse::<ItemId>(text), date::parse(text), digest::parse(text), digest::parse_content_md5(text));
    let _ = (content_range::parse(text), Fields::parse(text), name::parse(text), taxonomy::parse_marker(text));
    let _ = (shared_link::Shown::parse(text), event::StreamPosition::parse(Some(text)));
    for shape in representation::wanted(Some(text), |_| true).unwrap_or_default() {
        assert_eq!(representation::Shape::named(&shape.name()), Some(shape));
        let _ = shape.page(text);
    }
    let _ = thumbnail::side(Query(text), &thumbnail::PNG_SIDES);
    let _ = (metadata::Scope::parse(text), metadata::InstanceUuid::parse(text));
    let _ = (headers::parse_overwrite(text), headers::parse_timeout(text), headers::parse_lock_token(text));
    let _ = (IfHeader::parse(text), checksum::parse(text), DavPath::parse(text, "/dav"));
    let _ = (DavPath::parse_destination(text, "/dav"), dav_date::parse_http(text), dav_date::parse_seconds(text));
});
