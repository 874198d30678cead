//! Whether what is written can be read: contrast by WCAG 2.2, of every colour of text on every background.

use std::collections::HashMap;

const STYLE: &str = include_str!("../../assets/style.css");

#[test]
fn every_text_has_enough_contrast_in_light_and_dark() {
    let mut blocks = STYLE
        .match_indices(":root{")
        .map(|(at, _)| variables(&STYLE[at..at + STYLE[at..].find('}').unwrap()]));
    let (light, dark) = (blocks.next().unwrap(), blocks.next().unwrap());
    for (name, colours) in [("light", light), ("dark", dark)] {
        for text in ["ink", "grey", "ok", "warn", "bad"] {
            for background in ["page", "card"] {
                let contrast = contrast(colours[text], colours[background]);
                assert!(contrast >= 4.5, "{name}: {text} on {background} has {contrast:.2}");
            }
        }
        // Borders of fields and boxes are read as shapes.
        assert!(contrast(colours["firm"], colours["page"]) >= 2.0, "{name}: lines");
    }
}

fn variables(block: &str) -> HashMap<&str, [f64; 3]> {
    let declarations = block.split_once('{').unwrap().1.split(';');
    declarations
        .filter_map(|declaration| {
            let (name, value) = declaration.trim().strip_prefix("--")?.split_once(':')?;
            let digits = value.strip_prefix('#')?;
            let channel = |at: usize| {
                let wide = if digits.len() == 3 {
                    digits[at..=at].repeat(2)
                } else {
                    digits[2 * at..2 * at + 2].to_owned()
                };
                f64::from(u8::from_str_radix(&wide, 16).unwrap()) / 255.0
            };
            Some((name, [channel(0), channel(1), channel(2)]))
        })
        .collect()
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let linear = colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
        0.2126f64.mul_add(linear[0], 0.7152f64.mul_add(linear[1], 0.0722 * linear[2]))
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}
