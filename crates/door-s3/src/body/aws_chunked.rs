//! The coding `aws-chunked`: sizes in hexadecimal digits, perhaps signatures, perhaps trailers
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>). No I/O: bytes go in, data comes out,
//! as long as a chunk may be.

use super::BodyProblem;
use crate::sign::ChunkSigning;
use bytes::Bytes;
use memchr::memchr;

/// A line of the coding: a size with a signature, or a trailer.
const LINE_BYTES_MAX: usize = 2 << 10;
/// Trailers of a body.
const TRAILERS_MAX: usize = 16;
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// Takes one body out of its coding.
pub(crate) struct Decoder {
    state: State,
    /// What there is of the line that is being read.
    line: Vec<u8>,
    signing: Option<ChunkSigning>,
    /// The signature of the chunk that is arriving.
    signature: String,
    trailers: Vec<(String, String)>,
}

enum State {
    /// A line with a size.
    Size,
    /// That many bytes of a chunk are missing.
    Data(u64),
    /// The end of line after a chunk.
    After,
    /// Lines of trailers.
    Trailers,
    /// All has been read.
    Done,
}

impl Decoder {
    /// Of a body that is signed chunk by chunk, or not.
    pub(crate) fn new(signing: Option<ChunkSigning>) -> Self {
        Self { state: State::Size, line: Vec::new(), signing, signature: String::new(), trailers: Vec::new() }
    }

    /// The next data within `input`, which is taken away as far as it was read. `None`: more input is needed.
    pub(crate) fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, BodyProblem> {
        while !input.is_empty() {
            match self.state {
                State::Data(0) => self.state = State::After,
                State::Data(missing) => {
                    let length = usize::try_from(missing).unwrap_or(usize::MAX).min(input.len());
                    let data = input.split_to(length);
                    self.state = State::Data(missing - length as u64);
                    if let Some(signing) = &mut self.signing {
                        signing.update(&data);
                    }
                    return Ok(Some(data));
                }
                State::Done => return Err(BodyProblem::TooLong),
                State::Size | State::After | State::Trailers => {
                    let Some(line) = self.line(input)? else { return Ok(None) };
                    self.read(&line)?;
                }
            }
        }
        Ok(None)
    }

    /// The trailers, once the input has ended.
    pub(crate) fn finish(&mut self) -> Result<&[(String, String)], BodyProblem> {
        match self.state {
            State::Done => {}
            // Some clients leave out the last, empty line.
            State::Trailers if self.line.is_empty() => self.end_trailers()?,
            State::Size | State::Data(_) | State::After | State::Trailers => return Err(BodyProblem::TooShort),
        }
        Ok(&self.trailers)
    }

    /// A whole line without its end, once there is one.
    fn line(&mut self, input: &mut Bytes) -> Result<Option<Vec<u8>>, BodyProblem> {
        let end = memchr(b'\n', input);
        let piece = input.split_to(end.map_or(input.len(), |end| end + 1));
        if self.line.len() + piece.len() > LINE_BYTES_MAX {
            return Err(BodyProblem::Chunks);
        }
        self.line.extend_from_slice(&piece);
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }

    fn read(&mut self, line: &[u8]) -> Result<(), BodyProblem> {
        let text = std::str::from_utf8(line).map_err(|_| BodyProblem::Chunks)?;
        match self.state {
            State::Size => self.begin_chunk(text),
            State::After if text.is_empty() => self.end_chunk(),
            State::Trailers if text.is_empty() => self.end_trailers(),
            State::Trailers => self.take_trailer(text),
            State::After | State::Data(_) | State::Done => Err(BodyProblem::Chunks),
        }
    }

    fn begin_chunk(&mut self, text: &str) -> Result<(), BodyProblem> {
        let (size, extension) = text.split_once(';').unwrap_or((text, ""));
        let is_size = !size.is_empty() && size.len() <= 15 && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = u64::from_str_radix(size, 16).ok().filter(|_| is_size).ok_or(BodyProblem::Chunks)?;
        self.signature = match (extension.strip_prefix("chunk-signature="), &self.signing) {
            (Some(signature), Some(_)) => signature.to_owned(),
            (None, Some(_)) => return Err(BodyProblem::ChunkSignature),
            (_, None) => String::new(),
        };
        if size == 0 {
            self.verify_chunk()?;
            self.state = State::Trailers;
        } else {
            self.state = State::Data(size);
        }
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<(), BodyProblem> {
        self.verify_chunk()?;
        self.state = State::Size;
        Ok(())
    }

    fn verify_chunk(&mut self) -> Result<(), BodyProblem> {
        let is_good = self.signing.as_mut().is_none_or(|signing| signing.verifies_chunk(&self.signature));
        if is_good { Ok(()) } else { Err(BodyProblem::ChunkSignature) }
    }

    fn take_trailer(&mut self, text: &str) -> Result<(), BodyProblem> {
        let (name, value) = text.split_once(':').ok_or(BodyProblem::Trailer)?;
        if self.trailers.len() >= TRAILERS_MAX {
            return Err(BodyProblem::Trailer);
        }
        self.trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        Ok(())
    }

    fn end_trailers(&mut self) -> Result<(), BodyProblem> {
        self.state = State::Done;
        let Some(signing) = &mut self.signing else { return Ok(()) };
        let signature = self.trailers.iter().position(|(name, _)| name == TRAILER_SIGNATURE);
        let signature = signature.map(|index| self.trailers.remove(index).1);
        if self.trailers.is_empty() && signature.is_none() {
            return Ok(());
        }
        self.trailers.sort();
        let lines: String = self.trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let signature = signature.ok_or(BodyProblem::ChunkSignature)?;
        if signing.verifies_trailers(&lines, &signature) { Ok(()) } else { Err(BodyProblem::ChunkSignature) }
    }
}

#[cfg(test)]
mod tests {
    use super::{BodyProblem, Decoder};
    use bytes::Bytes;
    use proptest::collection::vec;
    use proptest::prelude::any;
    use proptest::{prop_assert, prop_assert_eq, proptest};

    type Decoded = Result<(Vec<u8>, Vec<(String, String)>), BodyProblem>;

    fn decode(pieces: &[&[u8]]) -> Decoded {
        let mut decoder = Decoder::new(None);
        let mut data = Vec::new();
        for piece in pieces {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(found) = decoder.next(&mut piece)? {
                data.extend_from_slice(&found);
            }
            assert!(piece.is_empty());
        }
        Ok((data, decoder.finish()?.to_vec()))
    }

    fn coded(chunks: &[Vec<u8>], trailer: &str) -> Vec<u8> {
        let mut coded = Vec::new();
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            coded.extend_from_slice(chunk);
            coded.extend_from_slice(b"\r\n");
        }
        coded.extend_from_slice(format!("0\r\n{trailer}\r\n").as_bytes());
        coded
    }

    #[test]
    fn trailers_come_last() {
        let body = coded(&[b"abc".to_vec(), b"de".to_vec()], "X-Amz-Checksum-Crc32: AAAA\r\n");
        let (data, trailers) = decode(&[&body]).unwrap();
        assert_eq!(data, b"abcde");
        assert_eq!(trailers, [("x-amz-checksum-crc32".to_owned(), "AAAA".to_owned())]);
        assert_eq!(decode(&[b"0\r\n"]).unwrap(), (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_is_malformed_fails() {
        for (body, problem) in [
            (b"".as_slice(), BodyProblem::TooShort),
            (b"3\r\nab", BodyProblem::TooShort),
            (b"3\r\nabc", BodyProblem::TooShort),
            (b"3\r\nabcd\r\n", BodyProblem::Chunks),
            (b"x\r\n", BodyProblem::Chunks),
            (b"-1\r\n", BodyProblem::Chunks),
            (b"+1\r\n", BodyProblem::Chunks),
            (b"ffffffffffffffff\r\n", BodyProblem::Chunks),
            (b"\r\n", BodyProblem::Chunks),
            (b"0\r\nnonsense\r\n\r\n", BodyProblem::Trailer),
            (b"0\r\n\r\nmore", BodyProblem::TooLong),
        ] {
            assert_eq!(decode(&[body]).unwrap_err(), problem, "{:?}", String::from_utf8_lossy(body));
        }
        let long = [b"0;".to_vec(), vec![b'a'; 4_000]].concat();
        assert_eq!(decode(&[&long]).unwrap_err(), BodyProblem::Chunks);
        let many = format!("0\r\n{}\r\n", "a:b\r\n".repeat(20));
        assert_eq!(decode(&[many.as_bytes()]).unwrap_err(), BodyProblem::Trailer);
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(chunks in vec(vec(any::<u8>(), 0..40), 0..5), cuts in vec(0..200_usize, 0..5)) {
            let body = coded(&chunks, "a:b\r\n");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&body[from..cut]);
                from = cut;
            }
            pieces.push(&body[from..]);
            let (data, trailers) = decode(&pieces).unwrap();
            prop_assert_eq!(data, chunks.concat());
            prop_assert_eq!(trailers.len(), 1);
        }

        #[test]
        fn nonsense_never_panics(body in vec(any::<u8>(), 0..200)) {
            let decoded = decode(&[&body]);
            prop_assert!(decoded.is_ok() || decoded.is_err());
        }
    }
}
