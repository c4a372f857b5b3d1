use entente_model::Timestamp;

/// When a certificate expires, read from its DER form (RFC 5280 section 4.1). `None` for what is no certificate.
pub(super) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (_, signed, _) = element(certificate)?;
    let (_, fields, _) = element(signed)?;
    // The version comes first, but only if it is not 1; then serial number, algorithm and issuer.
    let (tag, _, after) = element(fields)?;
    let fields = if tag == VERSION { after } else { fields };
    let (_, _, fields) = element(fields)?;
    let (_, _, fields) = element(fields)?;
    let (_, _, fields) = element(fields)?;
    let (_, validity, _) = element(fields)?;
    let (_, _, validity) = element(validity)?;
    let (tag, moment, _) = element(validity)?;
    let digits = std::str::from_utf8(moment).ok()?.strip_suffix('Z')?;
    let (year_digits, rest) = digits.split_at_checked(if tag == UTC_TIME { 2 } else { 4 })?;
    let year = match year_digits.parse::<i64>().ok()? {
        year if tag != UTC_TIME => year,
        year if year < 50 => 2000 + year,
        year => 1900 + year,
    };
    let part = |index: usize| rest.get(2 * index..2 * index + 2)?.parse::<i64>().ok();
    let days = days_since_1970(year, part(0)?, part(1)?);
    let seconds = ((days * 24 + part(2)?) * 60 + part(3)?) * 60 + part(4)?;
    Some(Timestamp::from_millis(seconds * 1000))
}

const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;

/// The tag and content of the first element, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years are counted from March, so that the leap day is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn the_end_is_found() {
        for (year, month, day, days) in
            [(1970, 1, 1, 0), (2026, 11, 22, 20_779), (2000, 2, 29, 11_016), (2051, 3, 1, 29_644)]
        {
            let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.not_before = date_time_ymd(1960, 1, 1);
            params.not_after = date_time_ymd(year, month, day) + std::time::Duration::from_secs(3661);
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let end = not_after(certificate.der()).unwrap();
            assert_eq!(end.millis(), (days * 86_400 + 3661) * 1000, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let certificate = CertificateParams::new(vec![]).unwrap().self_signed(&KeyPair::generate().unwrap()).unwrap();
        for length in 0..certificate.der().len().min(120) {
            assert!(not_after(&certificate.der()[..length]).is_none());
        }
        assert!(not_after(b"\x30\x84\xff\xff\xff\xff").is_none());
    }
}
