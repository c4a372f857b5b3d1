//! `multipart/form-data` (RFC 7578, RFC 2046), as a machine without I/O: bytes go in as they arrive, parts come out.
//!
//! What is kept between two pieces of input is bounded: a part's head, or the beginning of a possible delimiter. The
//! bytes of a part's body are handed on as they came, without a copy, save where a delimiter might lie across two
//! pieces.

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;

/// The longest head of a part, in bytes.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// The longest boundary (RFC 2046 allows 70 characters; some clients do not count).
const BOUNDARY_BYTES_MAX: usize = 200;

/// Why a body is not `multipart/form-data`. Not to be retried as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// It ended before its closing delimiter.
    #[error("the multipart body ended before its closing delimiter")]
    Truncated,
    /// A part's head is longer than is taken, or no head at all.
    #[error("a part of the multipart body has a malformed head")]
    Head,
    /// What follows a delimiter is neither the end of its line nor the end of the body.
    #[error("a delimiter of the multipart body is malformed")]
    Delimiter,
}

/// What comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A part begins; its name in the form, if it has one.
    Part(Option<String>),
    /// Some of its bytes; never empty.
    Data(Bytes),
    /// It is complete.
    PartEnd,
    /// The form is complete. What may follow is ignored.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first delimiter.
    Preamble,
    /// Right after a delimiter.
    Delimiter,
    /// In a part's head.
    Head,
    /// At the line break that ends a part's head.
    BodyStart,
    /// In a part's body.
    Body,
    /// After the closing delimiter.
    Epilogue,
}

/// The machine.
pub struct Parser {
    /// CR LF, two hyphens and the boundary.
    delimiter: Finder<'static>,
    state: State,
    pending: Bytes,
    /// Whether [`Event::PartEnd`] is owed before going on.
    part_ended: bool,
}

/// The boundary that a `Content-Type` names, if it is `multipart/form-data` with a usable one.
#[must_use]
pub fn boundary(content_type: &str) -> Option<&str> {
    let (media_type, parameters) = content_type.split_once(';')?;
    if !media_type.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim())
    })?;
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    (!value.is_empty() && value.len() <= BOUNDARY_BYTES_MAX).then_some(value)
}

impl Parser {
    /// A machine for a body with that boundary.
    #[must_use]
    pub fn new(boundary: &str) -> Self {
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        // A line break is put before the body, so that its first delimiter looks like every other.
        let pending = Bytes::from_static(b"\r\n");
        Self { delimiter: Finder::new(&delimiter).into_owned(), state: State::Preamble, pending, part_ended: false }
    }

    /// Takes the next piece of the body.
    pub fn push(&mut self, piece: Bytes) {
        if self.pending.is_empty() {
            self.pending = piece;
        } else if !piece.is_empty() {
            let mut joined = BytesMut::with_capacity(self.pending.len() + piece.len());
            joined.extend_from_slice(&self.pending);
            joined.extend_from_slice(&piece);
            self.pending = joined.freeze();
        }
    }

    /// What comes out next; `None` when more of the body is needed. Call it until then after each [`Parser::push`].
    pub fn next_event(&mut self) -> Result<Option<Event>, MultipartError> {
        loop {
            if std::mem::take(&mut self.part_ended) {
                return Ok(Some(Event::PartEnd));
            }
            match self.state {
                State::Preamble => {
                    if !self.skip_preamble() {
                        return Ok(None);
                    }
                }
                State::Delimiter => match self.after_delimiter()? {
                    None => return Ok(None),
                    Some(State::Epilogue) => return Ok(Some(Event::End)),
                    Some(_) => {}
                },
                State::Head => return self.head(),
                State::BodyStart => {
                    if !self.start_body() {
                        return Ok(None);
                    }
                }
                State::Body => match self.body() {
                    Some(data) if data.is_empty() => {}
                    data => return Ok(data.map(Event::Data)),
                },
                State::Epilogue => {
                    self.pending.clear();
                    return Ok(None);
                }
            }
        }
    }

    /// Says that the body is at its end.
    pub fn finish(&self) -> Result<(), MultipartError> {
        if self.state == State::Epilogue { Ok(()) } else { Err(MultipartError::Truncated) }
    }

    fn skip_preamble(&mut self) -> bool {
        let found = self.delimiter.find(&self.pending);
        let skip = found.unwrap_or_else(|| self.pending.len() - self.beginning_of_delimiter());
        let _ = self.pending.split_to(skip);
        if found.is_some() {
            self.leave_delimiter();
        }
        found.is_some()
    }

    fn leave_delimiter(&mut self) {
        let _ = self.pending.split_to(self.delimiter.needle().len().min(self.pending.len()));
        self.state = State::Delimiter;
    }

    /// How many bytes at the end of what is pending may be the beginning of a delimiter.
    fn beginning_of_delimiter(&self) -> usize {
        let delimiter = self.delimiter.needle();
        let longest = self.pending.len().min(delimiter.len() - 1);
        (1..=longest).rev().find(|length| self.pending.ends_with(delimiter.get(..*length).unwrap_or(b"-"))).unwrap_or(0)
    }

    fn after_delimiter(&mut self) -> Result<Option<State>, MultipartError> {
        // RFC 2046 lets blanks stand between a boundary and the end of its line.
        let blanks = self.pending.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if blanks > HEAD_BYTES_MAX {
            return Err(MultipartError::Delimiter);
        }
        let (skip, state) = match self.pending.get(blanks..).unwrap_or(b"") {
            [b'-', b'-', ..] => (blanks + 2, State::Epilogue),
            [b'\r', b'\n', ..] => (blanks + 2, State::Head),
            [] | [b'-' | b'\r'] => return Ok(None),
            _ => return Err(MultipartError::Delimiter),
        };
        let _ = self.pending.split_to(skip);
        self.state = state;
        Ok(Some(state))
    }

    fn head(&mut self) -> Result<Option<Event>, MultipartError> {
        let end = if self.pending.starts_with(b"\r\n") {
            Some(0)
        } else {
            memchr::memmem::find(&self.pending, b"\r\n\r\n").map(|end| end + 2)
        };
        let Some(end) = end else {
            return if self.pending.len() > HEAD_BYTES_MAX { Err(MultipartError::Head) } else { Ok(None) };
        };
        if end > HEAD_BYTES_MAX {
            return Err(MultipartError::Head);
        }
        let head = self.pending.split_to(end);
        let head = std::str::from_utf8(&head).map_err(|_| MultipartError::Head)?;
        self.state = State::BodyStart;
        Ok(Some(Event::Part(field_name(head))))
    }

    /// The line break before a body may at the same time be the delimiter's own: then there is no body.
    fn start_body(&mut self) -> bool {
        let delimiter = self.delimiter.needle();
        if self.pending.starts_with(delimiter) {
            self.leave_delimiter();
            self.part_ended = true;
            return true;
        }
        let whole = !delimiter.starts_with(&self.pending);
        if whole {
            let _ = self.pending.split_to(2.min(self.pending.len()));
            self.state = State::Body;
        }
        whole
    }

    /// Some of the body, possibly nothing while it goes on to the next state; `None` when more is needed.
    fn body(&mut self) -> Option<Bytes> {
        if let Some(end) = self.delimiter.find(&self.pending) {
            let data = self.pending.split_to(end);
            self.leave_delimiter();
            self.part_ended = true;
            return Some(data);
        }
        let length = self.pending.len() - self.beginning_of_delimiter();
        let data = self.pending.split_to(length);
        if data.is_empty() { None } else { Some(data) }
    }
}

/// The `name` of a `Content-Disposition: form-data` in a part's head.
fn field_name(head: &str) -> Option<String> {
    let value = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let (kind, mut rest) = value.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = parameter_value(after.trim_start())?;
        if name.trim().eq_ignore_ascii_case("name") {
            return Some(value);
        }
        rest = after.trim_start().strip_prefix(';')?;
    }
}

/// A token or a quoted string, and what follows it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, after) = text.split_at_checked(end)?;
        return Some((value.trim_end().to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Event, MultipartError, Parser, boundary};
    use bytes::Bytes;
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    /// Parts as (name, body), from a body that arrives in pieces of `size`.
    fn parse(body: &[u8], boundary: &str, size: usize) -> Result<Vec<(Option<String>, Vec<u8>)>, MultipartError> {
        let mut parser = Parser::new(boundary);
        let mut parts: Vec<(Option<String>, Vec<u8>)> = Vec::new();
        for piece in body.chunks(size.max(1)) {
            parser.push(Bytes::copy_from_slice(piece));
            while let Some(event) = parser.next_event()? {
                match event {
                    Event::Part(name) => parts.push((name, Vec::new())),
                    Event::Data(data) => parts.last_mut().expect("in a part").1.extend_from_slice(&data),
                    Event::PartEnd | Event::End => {}
                }
            }
        }
        parser.finish()?;
        Ok(parts)
    }

    const FORM: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n{}\r\n--x\r\n\
        content-disposition:form-data;filename=\"a;name=\\\"b\\\"\"; name=file\r\nContent-Type: text/plain\r\n\r\n\
        one\r\n--y\r\n-\r\n--x--\r\nafter";

    #[test]
    fn a_form_is_read_however_it_arrives() {
        let wanted = vec![
            (Some("attributes".to_owned()), b"{}".to_vec()),
            (Some("file".to_owned()), b"one\r\n--y\r\n-".to_vec()),
        ];
        for size in 1..FORM.len() + 1 {
            assert_eq!(parse(FORM, "x", size), Ok(wanted.clone()), "in pieces of {size}");
        }
    }

    #[test]
    fn a_truncated_form_is_told_from_a_whole_one() {
        let end = FORM.len() - b"\r\nafter".len();
        for length in 0..end {
            assert_eq!(parse(&FORM[..length], "x", 7), Err(MultipartError::Truncated), "{length} bytes");
        }
        assert!(parse(&FORM[..end], "x", 7).is_ok());
    }

    #[test]
    fn empty_and_headless_parts() {
        let wanted = Ok(vec![(Some("a".to_owned()), Vec::new()), (None, b"z".to_vec())]);
        for form in [
            b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--x\r\n\r\nz\r\n--x--".as_slice(),
            b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n--x\r\n\r\nz\r\n--x--",
        ] {
            for size in 1..form.len() + 1 {
                assert_eq!(parse(form, "x", size), wanted, "in pieces of {size}");
            }
        }
        assert_eq!(parse(b"--x--", "x", 2), Ok(Vec::new()));
        assert_eq!(parse(b"", "x", 2), Err(MultipartError::Truncated));
    }

    #[test]
    fn heads_are_bounded() {
        let long = [b"--x\r\n".as_slice(), &[b'a'; 9_000], b"\r\n\r\n\r\n--x--"].concat();
        assert_eq!(parse(&long, "x", 1_000), Err(MultipartError::Head));
        assert_eq!(parse(&long, "x", 100_000), Err(MultipartError::Head));
        assert_eq!(parse(b"--xy\r\n", "x", 3), Err(MultipartError::Delimiter));
    }

    #[test]
    fn the_boundary_is_found() {
        assert_eq!(boundary("multipart/form-data; boundary=abc"), Some("abc"));
        assert_eq!(boundary("Multipart/Form-Data;charset=utf-8; Boundary=\"a c\""), Some("a c"));
        for bad in
            ["multipart/form-data", "multipart/mixed; boundary=a", "application/json", "multipart/form-data; boundary="]
        {
            assert_eq!(boundary(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_content_comes_back(content in prop::collection::vec(prop::sample::select(b"\r\n-xa".to_vec()), 0..200),
            size in 1_usize..50)
        {
            let delimiter = b"\r\n--xx";
            let framed = [b"\r\n", content.as_slice()].concat();
            if !framed.windows(delimiter.len()).any(|window| window == delimiter) {
                let body = [b"--xx\r\nContent-Disposition: form-data; name=file\r\n\r\n", content.as_slice(), b"\r\n--xx--"].concat();
                prop_assert_eq!(parse(&body, "xx", size), Ok(vec![(Some("file".to_owned()), content)]));
            }
        }

        #[test]
        fn no_body_is_too_odd(body in any::<Vec<u8>>(), text in any::<String>(), size in 1_usize..50) {
            let _ = parse(&body, "x", size);
            let _ = parse(&[b"--x\r\n".as_slice(), text.as_bytes(), b"\r\n\r\n--x--"].concat(), "x", size);
            let _ = boundary(&text);
        }
    }
}
