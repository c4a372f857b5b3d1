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
    /// In a part's head.
    Head,
    /// At the line break that ends a part's head.
    BodyStart,
    /// In a part's body.
    Body,
    /// Right after the closing delimiter.
    End,
    /// After it.
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
    /// What the part's client calls the file that it comes from.
    file_name: Option<String>,
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
        Self {
            delimiter: Finder::new(&delimiter).into_owned(),
            state: State::Preamble,
            pending,
            part_ended: false,
            file_name: None,
        }
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
                State::Preamble => match self.look() {
                    Found::Delimiter(delimiter) => self.pass(delimiter),
                    Found::Nothing { sure } => {
                        let _ = self.pending.split_to(sure);
                        return Ok(None);
                    }
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
                State::End => {
                    self.state = State::Epilogue;
                    return Ok(Some(Event::End));
                }
                State::Epilogue => {
                    self.pending.clear();
                    return Ok(None);
                }
            }
        }
    }

    /// The `filename` of the part that began last, if it has one.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// Says that the body is at its end.
    pub fn finish(&self) -> Result<(), MultipartError> {
        match self.state {
            State::End | State::Epilogue => Ok(()),
            State::Preamble | State::Head | State::BodyStart | State::Body => Err(MultipartError::Truncated),
        }
    }

    /// Looks for a delimiter in what is pending.
    fn look(&self) -> Found {
        let length = self.delimiter.needle().len();
        for at in self.delimiter.find_iter(&self.pending) {
            match self.pending.get(at + length..).map_or(After::More, after) {
                After::Delimiter { rest, last } => {
                    return Found::Delimiter(Delimiter { at, end: at + length + rest, last });
                }
                After::More => return Found::Nothing { sure: at },
                // Not a delimiter after all, only text that begins like one.
                After::Text => {}
            }
        }
        Found::Nothing { sure: self.pending.len() - self.beginning_of_delimiter() }
    }

    /// Goes on behind a delimiter. What is before it, and has not been taken, is dropped.
    fn pass(&mut self, delimiter: Delimiter) {
        let _ = self.pending.split_to(delimiter.end.min(self.pending.len()));
        self.state = if delimiter.last { State::End } else { State::Head };
    }

    /// How many bytes at the end of what is pending may be the beginning of a delimiter.
    fn beginning_of_delimiter(&self) -> usize {
        let delimiter = self.delimiter.needle();
        let longest = self.pending.len().min(delimiter.len() - 1);
        (1..=longest).rev().find(|length| self.pending.ends_with(delimiter.get(..*length).unwrap_or(b"-"))).unwrap_or(0)
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
        self.file_name = parameter(head, "filename");
        Ok(Some(Event::Part(parameter(head, "name"))))
    }

    /// The line break before a body may at the same time be the delimiter's own: then there is no body.
    fn start_body(&mut self) -> bool {
        match self.look() {
            Found::Delimiter(delimiter) if delimiter.at == 0 => {
                self.pass(delimiter);
                self.part_ended = true;
            }
            Found::Nothing { sure: 0 } => return false,
            Found::Delimiter(_) | Found::Nothing { .. } => {
                let _ = self.pending.split_to(2.min(self.pending.len()));
                self.state = State::Body;
            }
        }
        true
    }

    /// Some of the body, possibly nothing while it goes on to the next state; `None` when more is needed.
    fn body(&mut self) -> Option<Bytes> {
        match self.look() {
            Found::Delimiter(delimiter) => {
                let data = self.pending.split_to(delimiter.at);
                self.pass(Delimiter { end: delimiter.end - delimiter.at, ..delimiter });
                self.part_ended = true;
                Some(data)
            }
            Found::Nothing { sure: 0 } => None,
            Found::Nothing { sure } => Some(self.pending.split_to(sure)),
        }
    }
}

/// A delimiter in what is pending.
#[derive(Clone, Copy)]
struct Delimiter {
    at: usize,
    /// Behind the end of its line, or behind the hyphens that make it the last.
    end: usize,
    last: bool,
}

enum Found {
    Delimiter(Delimiter),
    /// No delimiter begins in the first `sure` bytes.
    Nothing {
        sure: usize,
    },
}

/// What stands behind a boundary.
enum After {
    /// The rest of a delimiter, of so many bytes.
    Delimiter { rest: usize, last: bool },
    /// Too little to tell.
    More,
    /// What cannot stand behind one.
    Text,
}

fn after(text: &[u8]) -> After {
    // RFC 2046 lets blanks stand between a boundary and the end of its line.
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match text.get(blanks..).unwrap_or(b"") {
        _ if blanks > HEAD_BYTES_MAX => After::Text,
        [b'-', b'-', ..] => After::Delimiter { rest: blanks + 2, last: true },
        [b'\r', b'\n', ..] => After::Delimiter { rest: blanks + 2, last: false },
        [] | [b'-' | b'\r'] => After::More,
        _ => After::Text,
    }
}

/// A parameter of the `Content-Disposition: form-data` in a part's head.
fn parameter(head: &str, wanted: &str) -> Option<String> {
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
        if name.trim().eq_ignore_ascii_case(wanted) {
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

    /// Name and body.
    type Part = (Option<String>, Vec<u8>);

    /// The parts of a body that arrives in pieces of `size`.
    fn parse(body: &[u8], boundary: &str, size: usize) -> Result<Vec<Part>, MultipartError> {
        let mut parser = Parser::new(boundary);
        let mut parts: Vec<Part> = Vec::new();
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
        let blanks = [b"--x".as_slice(), &[b' '; 9_000], b"--"].concat();
        assert_eq!(parse(&blanks, "x", 1_000), Err(MultipartError::Truncated));
    }

    #[test]
    fn text_that_begins_like_a_delimiter_is_text() {
        let text = b"\r\n--xy\r\n--x-\r\n--x\t\r\r\n--".to_vec();
        let form =
            [b"--x \t\r\nContent-Disposition: form-data; name=a\r\n\r\n", text.as_slice(), b"\r\n--x--"].concat();
        for size in 1..form.len() + 1 {
            assert_eq!(parse(&form, "x", size), Ok(vec![(Some("a".to_owned()), text.clone())]), "in pieces of {size}");
        }
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
