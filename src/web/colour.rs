//! From one colour of an insurer to all that the pages need, readable in light and in dark.

/// A colour of sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// Background of a page and of the boxes on it; `style.css` has the same values.
const PAPER: Colour = Colour([0xff, 0xff, 0xff]);
const LIGHT_GROUND: Colour = Colour([0xf3, 0xf5, 0xf6]);
const DARK_PAPER: Colour = Colour([0x1b, 0x21, 0x25]);
const INK: Colour = Colour([0x11, 0x16, 0x19]);
const BLACK: Colour = Colour([0, 0, 0]);

/// WCAG 2.2, success criterion 1.4.3: text needs 4.5:1. A little more absorbs rounding.
const READABLE: f64 = 4.6;

impl Colour {
    /// The colour of the service, where no insurer is known.
    pub const SERVICE: Self = Self([0x0a, 0x6b, 0x5d]);

    /// From six hexadecimal digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        if hex.len() != 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(hex, 16).ok()?.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// Six hexadecimal digits, lower case.
    pub fn hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("{red:02x}{green:02x}{blue:02x}")
    }

    /// The custom properties that `style.css` takes its colours from.
    ///
    /// `--brand` is the insurer's own colour, for the head of a page. `--accent` is the same hue, made
    /// dark (or, at night, light) enough for links and buttons. `--soft` is a tint for quiet boxes.
    pub fn stylesheet(self) -> String {
        let day = self.day();
        let night = self.toward(PAPER, |colour| {
            colour.contrast(DARK_PAPER) >= READABLE
                && colour.contrast(self.mixed(DARK_PAPER, 0.86)) >= READABLE
                && colour.contrast(INK) >= READABLE
        });
        format!(
            ":root{{--brand:#{};--on-brand:#{};--accent:#{};--on-accent:#{};--soft:#{}}}\n\
             @media (prefers-color-scheme:dark){{:root{{--accent:#{};--on-accent:#{};--soft:#{}}}}}\n",
            self.hex(),
            self.ink().hex(),
            day.hex(),
            PAPER.hex(),
            self.mixed(PAPER, 0.92).hex(),
            night.hex(),
            INK.hex(),
            self.mixed(DARK_PAPER, 0.86).hex(),
        )
    }

    /// What buttons and links have by day in place of this colour, if it cannot be read on white.
    pub fn adapted(self) -> Option<Self> {
        Some(self.day()).filter(|day| *day != self)
    }

    /// The same hue, dark enough for links and buttons by day.
    fn day(self) -> Self {
        self.toward(BLACK, |colour| {
            colour.contrast(PAPER) >= READABLE
                && colour.contrast(LIGHT_GROUND) >= READABLE
                && colour.contrast(self.mixed(PAPER, 0.92)) >= READABLE
        })
    }

    /// White or black, whichever is read better on this colour: always at least 4.58:1, as the product of
    /// the two contrasts is 21. White wins wherever it suffices, as on most brands.
    fn ink(self) -> Self {
        if self.contrast(PAPER) >= 4.5 { PAPER } else { BLACK }
    }

    /// The first mixture with `target` that is `good`, in steps of 2 %.
    fn toward(self, target: Self, good: impl Fn(Self) -> bool) -> Self {
        (0..50).map(|step| self.mixed(target, f64::from(step) / 50.0)).find(|c| good(*c)).unwrap_or(target)
    }

    /// This colour with `share` (0 to 1) of another.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "stays between 0 and 255")]
    fn mixed(self, other: Self, share: f64) -> Self {
        let mut mixture = self.0;
        for (channel, target) in mixture.iter_mut().zip(other.0) {
            *channel = f64::from(*channel).mul_add(1.0 - share, f64::from(target) * share).round() as u8;
        }
        Self(mixture)
    }

    /// Contrast ratio, 1 to 21 (WCAG 2.2, definition of contrast ratio).
    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
        a.max(b) / a.min(b)
    }

    /// Relative luminance, 0 to 1 (WCAG 2.2, definition of relative luminance).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The value of a custom property, by day (0) or by night (1).
    fn property(css: &str, name: &str, night: usize) -> Colour {
        let found: Vec<_> = css.match_indices(&format!("--{name}:#")).collect();
        let (at, key) = found[night];
        Colour::from_hex(&css[at + key.len()..at + key.len() + 6]).unwrap()
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((PAPER.contrast(BLACK) - 21.0).abs() < 1e-9);
        assert!((Colour([0x77, 0x77, 0x77]).contrast(PAPER) - 4.478).abs() < 0.001);
    }

    #[test]
    fn a_readable_brand_keeps_its_colour() {
        let css = Colour::SERVICE.stylesheet();
        assert_eq!(property(&css, "brand", 0), Colour::SERVICE);
        assert_eq!(property(&css, "accent", 0), Colour::SERVICE);
        assert_eq!(Colour::SERVICE.adapted(), None);
        let pale = Colour([0xf5, 0xc4, 0x00]);
        assert_eq!(Some(property(&pale.stylesheet(), "accent", 0)), pale.adapted());
    }

    proptest! {
        #[test]
        fn every_brand_can_be_read(rgb in any::<[u8; 3]>()) {
            let css = Colour(rgb).stylesheet();
            let ratio = |a: &str, b: &str, night| property(&css, a, night).contrast(property(&css, b, night));
            prop_assert!(ratio("on-brand", "brand", 0) >= 4.5);
            for night in [0, 1] {
                prop_assert!(ratio("on-accent", "accent", night) >= 4.5);
                prop_assert!(ratio("soft", "accent", night) >= 4.5);
            }
            prop_assert!(property(&css, "accent", 0).contrast(LIGHT_GROUND) >= 4.5);
            prop_assert!(property(&css, "accent", 1).contrast(DARK_PAPER) >= 4.5);
        }

        #[test]
        fn hex_is_read_back(rgb in any::<[u8; 3]>(), junk in "\\PC{0,8}") {
            prop_assert_eq!(Colour::from_hex(&Colour(rgb).hex()), Some(Colour(rgb)));
            prop_assert_eq!(Colour::from_hex(&junk).is_some(), junk.len() == 6 && junk.bytes().all(|b| b.is_ascii_hexdigit()));
        }
    }
}
