//! A text all over a picture, slanted, in rows that are set off against each other: no part is without it.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use image::{DynamicImage, GrayImage, Rgba};

/// How many characters of a text are drawn.
const CHARACTERS_MAX: usize = 128;
/// How tall the letters are, as a share of the picture's longer side; and at least.
const HEIGHT_SHARE: f32 = 1.0 / 24.0;
const HEIGHT_LEAST: f32 = 9.0;
/// From a text to the next in its row, and from row to row, in heights.
const SPACED: (f32, f32) = (1.5, 2.5);
/// The same on what is so small that a gap would be a large part of it: that many pixels.
const TIGHT: (f32, f32) = (0.5, 1.4);
const TIGHT_BELOW: f32 = 128.0;
/// Cosine and sine of the slant, 30 degrees.
const SLANT: (f32, f32) = (0.866, 0.5);
/// How much of the picture the letters cover.
const OPACITY: f32 = 0.35;
/// Bounds the memory of a row, in pixels.
const ROW_WIDTH_MAX: f32 = 32_768.0;

/// The picture with the text on it. `None` should not happen.
pub(crate) fn drawn(picture: DynamicImage, text: &str) -> Option<DynamicImage> {
    let mut picture = picture.into_rgba8();
    let longer = picture.width().max(picture.height()) as f32;
    let height = (longer * HEIGHT_SHARE).max(HEIGHT_LEAST);
    let (gap, apart) = if longer < TIGHT_BELOW { TIGHT } else { SPACED };
    let row = row(text, height, gap * height)?;
    let (step_x, step_y) = (row.width() as f32, height * apart);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let (x, y) = (x as f32, y as f32);
        // Where that is on a sheet which is not slanted.
        let (along, across) = (x * SLANT.0 - y * SLANT.1, x * SLANT.1 + y * SLANT.0);
        let number = (across / step_y).floor();
        let (column, line) = ((along + number * step_x / 2.0).rem_euclid(step_x), across - number * step_y);
        let Some(covered) = row.get_pixel_checked(column as u32, line as u32) else { continue };
        shade(pixel, f32::from(covered.0[0]) / 255.0 * OPACITY);
    }
    Some(picture.into())
}

/// Mixes grey in: dark where the picture is light, and light where it is dark.
fn shade(pixel: &mut Rgba<u8>, share: f32) {
    let [red, green, blue, alpha] = pixel.0.map(f32::from);
    // What lets something through is likely to be shown on white.
    let light = alpha < 128.0 || (red + green + blue) / 3.0 > 110.0;
    let grey = if light { 96.0 } else { 224.0 };
    let mixed = |part: f32, to: f32| (part + (to - part) * share).round().clamp(0.0, 255.0) as u8;
    pixel.0 = [mixed(red, grey), mixed(green, grey), mixed(blue, grey), mixed(alpha, 255.0)];
}

/// The text once, in letters of that height, with the gap that follows it: how much each pixel is covered.
fn row(text: &str, height: f32, gap: f32) -> Option<GrayImage> {
    let font = FontRef::try_from_slice(dejavu::sans::regular()).ok()?;
    let font = font.as_scaled(PxScale::from(height));
    let (mut at, mut glyphs) = (0.0, Vec::new());
    for letter in text.chars().filter(|letter| !letter.is_control()).take(CHARACTERS_MAX) {
        let mut glyph = font.scaled_glyph(letter);
        glyph.position = point(at, font.ascent());
        at += font.h_advance(glyph.id);
        glyphs.push(glyph);
    }
    let width = (at + gap).clamp(height, ROW_WIDTH_MAX).ceil();
    let mut row = GrayImage::new(width as u32, (font.height()).ceil() as u32 + 1);
    for outlined in glyphs.into_iter().filter_map(|glyph| font.outline_glyph(glyph)) {
        let bounds = outlined.px_bounds();
        outlined.draw(|x, y, covered| {
            let (x, y) = (bounds.min.x + x as f32, bounds.min.y + y as f32);
            if x < 0.0 || y < 0.0 {
                return;
            }
            if let Some(pixel) = row.get_pixel_mut_checked(x as u32, y as u32) {
                pixel.0[0] = pixel.0[0].max((covered * 255.0) as u8);
            }
        });
    }
    Some(row)
}
