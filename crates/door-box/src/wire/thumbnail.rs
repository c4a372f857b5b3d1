//! Which thumbnail a request wants.

use super::query::Query;

/// The sizes of thumbnails that are PNG, in pixels a side.
pub const PNG_SIDES: [u16; 4] = [32, 64, 128, 256];
/// Those of thumbnails that are JPEG.
pub const JPEG_SIDES: [u16; 3] = [32, 160, 320];

/// The bounds that may be asked for, in pixels.
const BOUNDS: std::ops::RangeInclusive<u16> = 32..=320;

/// A request for a thumbnail that there cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThumbnailError {
    /// A bound that is no number.
    #[error("'{0}' must be a number")]
    Number(&'static str),
    /// Bounds that no size keeps.
    #[error("There is no thumbnail of the requested dimensions")]
    Unavailable,
}

/// The side of the square that the thumbnail fits in. Where an upper bound is given, or none at all, the largest that keeps the
/// bounds; else the smallest.
pub fn side(query: Query<'_>, sides: &[u16]) -> Result<u16, ThumbnailError> {
    let bound = |name: &'static str| match query.value(name).filter(|value| !value.is_empty()) {
        None => Ok(None),
        Some(value) => {
            let value: i64 = value.parse().map_err(|_| ThumbnailError::Number(name))?;
            let value = u16::try_from(value).ok().filter(|value| BOUNDS.contains(value));
            value.map(Some).ok_or(ThumbnailError::Unavailable)
        }
    };
    let least = bound("min_width")?.max(bound("min_height")?);
    let (width, height) = (bound("max_width")?, bound("max_height")?);
    let most = [width, height].into_iter().flatten().min();
    let keeps = |side: &u16| least.is_none_or(|least| *side >= least) && most.is_none_or(|most| *side <= most);
    let mut kept = sides.iter().copied().filter(keeps);
    let side = if least.is_some() && most.is_none() { kept.min() } else { kept.by_ref().max() };
    side.ok_or(ThumbnailError::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::{JPEG_SIDES, PNG_SIDES, Query, ThumbnailError, side};

    #[test]
    fn the_bounds_choose() {
        let png = |query| side(Query(query), &PNG_SIDES);
        let jpeg = |query| side(Query(query), &JPEG_SIDES);
        assert_eq!((png(""), jpeg("min_width=")), (Ok(256), Ok(320)));
        assert_eq!((png("min_width=100"), jpeg("min_width=100")), (Ok(128), Ok(160)));
        assert_eq!((png("max_width=100&max_height=320"), jpeg("max_height=100")), (Ok(64), Ok(32)));
        assert_eq!(png("min_width=32&max_width=128&min_height=64&max_height=300"), Ok(128));
        assert_eq!(png("min_height=320"), Err(ThumbnailError::Unavailable));
        assert_eq!(png("min_height=128&max_width=64"), Err(ThumbnailError::Unavailable));
        assert_eq!(png("min_height=129&max_width=200"), Err(ThumbnailError::Unavailable));
        for beyond in ["max_width=31", "max_width=321", "max_height=-64", "min_width=99999999"] {
            assert_eq!(png(beyond), Err(ThumbnailError::Unavailable), "{beyond}");
        }
        assert_eq!(png("min_width=wide"), Err(ThumbnailError::Number("min_width")));
    }
}
