//! The process that reads an image and writes a picture of it. It is told what to make by its arguments, gets the
//! watermark's text and the content on standard input, and writes the picture to standard output.

use crate::confine::confine;
use crate::kind::{SIDE_MAX, image_format};
use crate::{Format, SOURCE_BYTES_MAX, Wish, watermark};
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage};
use std::io::{Cursor, Read, Write};
use std::process::ExitCode;

/// Nothing could be made of the content.
pub const NO_PICTURE: u8 = 1;
/// The process could not limit itself, was told nonsense, or could not read or write.
pub const BROKEN: u8 = 2;
/// The system does not let the process be shut in.
pub const NO_SANDBOX: u8 = 3;

/// The longest side of what is read, in pixels.
const SOURCE_SIDE_MAX: u32 = 16_384;
/// The most pixels of what is read.
const PIXELS_MAX: u64 = 64 * 1024 * 1024;
/// What reading may allocate, in bytes: that many pixels with eight bytes each.
const ALLOCATED_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Of 100.
const JPEG_QUALITY: u8 = 85;

/// What the process is told, as [`run`] takes it.
pub(crate) fn arguments(wish: &Wish) -> Vec<String> {
    let watermark = wish.watermark.as_deref().map_or(0, str::len);
    vec![wish.format.name().to_owned(), wish.side_max.to_string(), watermark.to_string()]
}

/// Makes one picture and says how it went: 0, [`NO_PICTURE`] or [`BROKEN`]. The watermark's text, of that many bytes, comes
/// before the content. Call it before anything else is begun, while there is one thread: it limits the whole process
/// first, and for good.
#[must_use]
pub fn run(format: &str, side_max: u16, watermark_bytes: u16) -> ExitCode {
    let Some(format) = Format::parse(format) else { return ExitCode::from(BROKEN) };
    if side_max == 0 || side_max > SIDE_MAX || confine().is_err() {
        return ExitCode::from(BROKEN);
    }
    let mut watermark = vec![0; usize::from(watermark_bytes)];
    if std::io::stdin().lock().read_exact(&mut watermark).is_err() {
        return ExitCode::from(BROKEN);
    }
    let Ok(watermark) = String::from_utf8(watermark) else { return ExitCode::from(BROKEN) };
    let watermark = Some(watermark).filter(|text| !text.is_empty()).map(Into::into);
    let mut source = Vec::new();
    if std::io::stdin().lock().take(SOURCE_BYTES_MAX + 1).read_to_end(&mut source).is_err() {
        return ExitCode::from(BROKEN);
    }
    let wish = Wish { watermark, ..Wish::new(format, side_max) };
    let Some(picture) = picture(&source, &wish) else { return ExitCode::from(NO_PICTURE) };
    let mut out = std::io::stdout().lock();
    if out.write_all(&picture).and_then(|()| out.flush()).is_err() {
        return ExitCode::from(BROKEN);
    }
    ExitCode::SUCCESS
}

/// A picture of an image. `None` when it is damaged, too large, or no image.
fn picture(source: &[u8], wish: &Wish) -> Option<Vec<u8>> {
    if u64::try_from(source.len()).ok()? > SOURCE_BYTES_MAX {
        return None;
    }
    let mut reader = ImageReader::with_format(Cursor::new(source), image_format(source)?);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SOURCE_SIDE_MAX);
    limits.max_image_height = Some(SOURCE_SIDE_MAX);
    limits.max_alloc = Some(ALLOCATED_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    // What is announced, before anything is set aside for it.
    if u64::from(width) * u64::from(height) > PIXELS_MAX || decoder.total_bytes() > ALLOCATED_BYTES_MAX {
        return None;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).ok()?;
    let side = u32::from(wish.side_max);
    let mut small = if width > side || height > side { image.thumbnail(side, side) } else { image };
    small.apply_orientation(orientation);
    if let Some(text) = &wish.watermark {
        // No picture rather than one without.
        small = watermark::drawn(small, text)?;
    }
    encode(&small, wish.format)
}

fn encode(image: &DynamicImage, format: Format) -> Option<Vec<u8>> {
    let mut written = Cursor::new(Vec::new());
    match format {
        Format::Png if image.color().has_alpha() => {
            DynamicImage::from(image.to_rgba8()).write_to(&mut written, ImageFormat::Png).ok()?;
        }
        Format::Png => DynamicImage::from(image.to_rgb8()).write_to(&mut written, ImageFormat::Png).ok()?,
        Format::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(&mut written, JPEG_QUALITY);
            DynamicImage::from(on_white(image)).write_with_encoder(encoder).ok()?;
        }
    }
    Some(written.into_inner())
}

/// JPEG knows no transparency.
fn on_white(image: &DynamicImage) -> RgbImage {
    let image = image.to_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [red, green, blue, alpha] = image.get_pixel(x, y).0;
        Rgb([red, green, blue].map(|part| {
            let mixed = u16::from(part) * u16::from(alpha) + 255 * (255 - u16::from(alpha));
            u8::try_from(mixed / 255).unwrap_or(u8::MAX)
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::picture;
    use crate::{Format, Wish};
    use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
    use std::io::Cursor;

    const PNG: Wish = Wish::new(Format::Png, 64);

    fn written(image: RgbaImage, format: ImageFormat) -> Vec<u8> {
        let image = DynamicImage::from(image);
        let image = if format == ImageFormat::Jpeg { DynamicImage::from(image.to_rgb8()) } else { image };
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_format_becomes_both() {
        let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Bmp];
        for from in formats {
            let source = written(RgbaImage::from_pixel(200, 100, Rgba([200, 0, 0, 255])), from);
            for (format, expected) in [(Format::Png, ImageFormat::Png), (Format::Jpeg, ImageFormat::Jpeg)] {
                let made = picture(&source, &Wish::new(format, 64)).unwrap_or_else(|| panic!("{from:?}"));
                assert_eq!(image::guess_format(&made).unwrap(), expected);
                let made = image::load_from_memory(&made).unwrap().to_rgb8();
                assert_eq!(made.dimensions(), (64, 32), "{from:?}");
                assert!(made.get_pixel(10, 10).0[0] > 180, "{from:?}");
            }
        }
    }

    #[test]
    fn what_is_small_stays_so_and_what_lets_through_is_on_white() {
        let source = written(RgbaImage::from_pixel(20, 10, Rgba([0, 0, 0, 0])), ImageFormat::Png);
        let made = picture(&source, &Wish::new(Format::Jpeg, 320)).unwrap();
        let made = image::load_from_memory(&made).unwrap().to_rgb8();
        assert_eq!((made.dimensions(), made.get_pixel(5, 5).0), ((20, 10), [255, 255, 255]));
    }

    #[test]
    fn what_is_torn_or_nothing_makes_no_picture() {
        let source = written(RgbaImage::from_pixel(200, 100, Rgba([200, 0, 0, 255])), ImageFormat::Png);
        for length in [0, 8, 20, source.len() / 2] {
            assert_eq!(picture(&source[..length], &PNG), None, "{length}");
        }
        assert_eq!(picture(b"a letter", &PNG), None);
    }

    #[test]
    fn a_watermark_is_all_over_it_and_leaves_the_rest() {
        let source = written(RgbaImage::from_pixel(600, 400, Rgba([255, 255, 255, 255])), ImageFormat::Png);
        let drawn = |text: &str, side| {
            let wish = Wish { watermark: Some(text.into()), ..Wish::new(Format::Png, side) };
            image::load_from_memory(&picture(&source, &wish).unwrap()).unwrap().to_rgb8()
        };
        for side in [32, 160, 600] {
            let made = drawn("anna@example.com", side);
            let marked = |x: u32, y: u32| u32::from(made.get_pixel(x, y).0[0] < 240);
            // Every quarter of it.
            let (width, height) = (made.width() / 2, made.height() / 2);
            for (left, top) in [(0, 0), (width, 0), (0, height), (width, height)] {
                let count: u32 = (0..width).flat_map(|x| (0..height).map(move |y| marked(left + x, top + y))).sum();
                let share = f64::from(count) / f64::from(width * height);
                assert!((0.01..0.4).contains(&share), "{share} of {side}");
            }
        }
        assert_ne!(drawn("anna@example.com", 320), drawn("otto@example.com", 320));
        // What the font does not have is still something.
        assert_ne!(drawn("\u{10ffff}", 320), drawn(" ", 320));
        let black = written(RgbaImage::from_pixel(300, 200, Rgba([0, 0, 0, 255])), ImageFormat::Png);
        let wish = Wish { watermark: Some("anna".into()), ..PNG };
        let made = image::load_from_memory(&picture(&black, &wish).unwrap()).unwrap().to_rgb8();
        assert!(made.pixels().any(|pixel| pixel.0[0] > 60), "it shows on black as well");
    }
}
