//! Themes: what each role looks like, and with how many colours.
//!
//! Decides which roles there are, how a theme file is read, and what becomes of a role where the terminal has fewer
//! colours. What is painted in which role is the views' business; colours live in `themes/` and nowhere else.
//!
//! Invariant: a theme gives every role and every pair; one that lacks any does not load. No two themes differ in text.

use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// What a piece of text is to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Content.
    #[default]
    Text,
    /// Context: labels, handles, whatever is as it should be.
    Muted,
    /// A key that works now; a mark; a sheet's heavy line.
    Accent,
    /// An address.
    Link,
    /// Done, verified, clean.
    Ok,
    /// A person should look.
    Warn,
    /// Failed, blocked, hidden characters.
    Danger,
    /// Under way.
    Info,
    /// A person is needed.
    Attention,
    /// Lines and decoration; never a word.
    Rule,
    /// Variant A.
    Control,
    /// Variant B.
    V1,
    /// Variant C.
    V2,
    /// Variant D.
    V3,
    /// Variant E, and those after.
    V4,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 15] = [
        Self::Text,
        Self::Muted,
        Self::Accent,
        Self::Link,
        Self::Ok,
        Self::Warn,
        Self::Danger,
        Self::Info,
        Self::Attention,
        Self::Rule,
        Self::Control,
        Self::V1,
        Self::V2,
        Self::V3,
        Self::V4,
    ];

    /// Returns the role of a variant's letter: the same on every page.
    pub const fn of_letter(letter: char) -> Self {
        match letter {
            'A' => Self::Control,
            'B' => Self::V1,
            'C' => Self::V2,
            'D' => Self::V3,
            _ => Self::V4,
        }
    }
}

/// The painted cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pair {
    /// The selected row.
    Sel,
    /// Words of a test variant that differ from the control.
    Diff,
    /// Row 2 while engine or desk is dead.
    Alarm,
}

impl Pair {
    /// All pairs.
    pub const ALL: [Self; 3] = [Self::Sel, Self::Diff, Self::Alarm];
}

/// The themes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeName {
    /// For dark terminals.
    #[default]
    Dark,
    /// For light terminals.
    Light,
    /// No colour.
    Mono,
}

impl ThemeName {
    /// All themes.
    pub const ALL: [Self; 3] = [Self::Dark, Self::Light, Self::Mono];

    /// Returns the name that people type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Mono => "mono",
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Dark => include_str!("../../themes/dark.toml"),
            Self::Light => include_str!("../../themes/light.toml"),
            Self::Mono => include_str!("../../themes/mono.toml"),
        }
    }
}

impl FromStr for ThemeName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|name| name.as_str() == text);
        found.ok_or_else(|| "there is no such theme; take dark, light or mono".to_owned())
    }
}

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colours {
    /// 24 bits.
    #[default]
    True,
    /// 256.
    Indexed,
    /// The terminal's own 16.
    Sixteen,
    /// None.
    None,
}

impl Colours {
    /// Tells from `NO_COLOR`, `COLORTERM` and `TERM` what may be used.
    pub fn of_environment(no_color: bool, colorterm: Option<&str>, term: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        if no_color || term.is_empty() || term == "dumb" {
            Self::None
        } else if matches!(colorterm, Some("truecolor" | "24bit")) || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256color") {
            Self::Indexed
        } else {
            Self::Sixteen
        }
    }
}

/// Why a theme cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// It is no theme file.
    #[error("the theme file cannot be read: {0}")]
    Unreadable(String),
    /// A role is not given.
    #[error("the theme {theme} lacks the role {role}")]
    Missing {
        /// Which theme.
        theme: String,
        /// Which role.
        role: String,
    },
}

/// A theme, for as many colours as the terminal has.
#[derive(Debug, Clone)]
pub struct Theme {
    name: ThemeName,
    /// How many colours a picture may be painted with; none in a theme that has none.
    depth: Colours,
    roles: BTreeMap<Role, Style>,
    pairs: BTreeMap<Pair, Style>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "what the colours are checked against, by the tests"))]
    grounds: Vec<String>,
    roles: BTreeMap<Role, Entry>,
    pairs: BTreeMap<Pair, Painted>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entry {
    hex: Option<String>,
    index: Option<u8>,
    name: Option<String>,
    bold: bool,
    underline: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Painted {
    fg: Entry,
    bg: Entry,
    bold: bool,
    underline: bool,
    reverse: bool,
}

impl Theme {
    /// Loads a built-in theme.
    pub fn load(name: ThemeName, colours: Colours) -> Result<Self, ThemeError> {
        let name = if colours == Colours::None { ThemeName::Mono } else { name };
        let file: File = toml::from_str(name.file()).map_err(|e| ThemeError::Unreadable(e.to_string()))?;
        let lacks = |role: String| ThemeError::Missing { theme: file.name.clone(), role };
        let mut roles = BTreeMap::new();
        for role in Role::ALL {
            let entry = file.roles.get(&role).ok_or_else(|| lacks(format!("{role:?}")))?;
            roles.insert(role, entry.style(colours));
        }
        let mut pairs = BTreeMap::new();
        for pair in Pair::ALL {
            let painted = file.pairs.get(&pair).ok_or_else(|| lacks(format!("{pair:?}")))?;
            pairs.insert(pair, painted.style(pair, colours));
        }
        let depth = if name == ThemeName::Mono { Colours::None } else { colours };
        Ok(Self { name, depth, roles, pairs })
    }

    /// Returns how a role looks.
    pub fn role(&self, role: Role) -> Style {
        self.roles.get(&role).copied().unwrap_or_default()
    }

    /// Returns what is painted with, in words.
    pub(crate) fn told(&self) -> String {
        let colours = match self.depth {
            Colours::True => "24-bit colours",
            Colours::Indexed => "256 colours",
            Colours::Sixteen => "the terminal's own 16 colours",
            Colours::None => "no colours",
        };
        format!("{colours}, {} theme", self.name.as_str())
    }

    /// Tells whether there are colours enough to paint a picture.
    pub(crate) fn paints(&self) -> bool {
        self.pixel([0; 3]).is_some()
    }

    /// Returns the colour of a pixel, or the nearest that the terminal has; none where it has too few.
    pub(crate) fn pixel(&self, [red, green, blue]: [u8; 3]) -> Option<Color> {
        match self.depth {
            Colours::True => Some(Color::Rgb(red, green, blue)),
            Colours::Indexed => Some(Color::Indexed(nearest([red, green, blue]))),
            Colours::Sixteen | Colours::None => None,
        }
    }

    /// Returns how a pair looks.
    pub fn pair(&self, pair: Pair) -> Style {
        self.pairs.get(&pair).copied().unwrap_or_default()
    }
}

impl Entry {
    fn colour(&self, colours: Colours) -> Option<Color> {
        match colours {
            Colours::True => self.hex.as_deref().and_then(rgb),
            Colours::Indexed => self.index.map(Color::Indexed),
            Colours::Sixteen => self.name.as_deref().and_then(|name| name.parse().ok()).filter(|c| *c != Color::Reset),
            Colours::None => None,
        }
    }

    fn style(&self, colours: Colours) -> Style {
        let style = self.colour(colours).map_or_else(Style::new, |colour| Style::new().fg(colour));
        modified(style, self.bold, self.underline, false)
    }
}

impl Painted {
    fn style(&self, pair: Pair, colours: Colours) -> Style {
        let mut style = Style::new();
        if let Some(fg) = self.fg.colour(colours) {
            style = style.fg(fg);
        }
        if let Some(bg) = self.bg.colour(colours) {
            style = style.bg(bg);
        }
        // Without a ground of its own a selected row would not stand out.
        let unpainted = pair == Pair::Sel && style.bg.is_none();
        modified(style, self.bold || pair == Pair::Alarm, self.underline, self.reverse || unpainted)
    }
}

fn modified(mut style: Style, bold: bool, underline: bool, reverse: bool) -> Style {
    for (on, modifier) in [(bold, Modifier::BOLD), (underline, Modifier::UNDERLINED), (reverse, Modifier::REVERSED)] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    style
}

/// Returns the index nearest to a colour among the cube of 216 and the 24 greys; the first 16 are the terminal's own.
fn nearest(colour: [u8; 3]) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let far = |one: [u8; 3]| -> u32 { one.iter().zip(colour).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum() };
    let level = |part: u8| (0_u8..).zip(LEVELS).min_by_key(|(_, level)| level.abs_diff(part)).unwrap_or_default();
    let [red, green, blue] = colour.map(level);
    let cube = (16 + 36 * red.0 + 6 * green.0 + blue.0, [red.1, green.1, blue.1]);
    let greys = (0_u8..24).map(|step| (232 + step, [8 + 10 * step; 3]));
    // Of two that are equally near the cube's stands first.
    std::iter::once(cube).chain(greys).min_by_key(|(_, found)| far(*found)).map_or(16, |(index, _)| index)
}

fn rgb(hex: &str) -> Option<Color> {
    let number = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some(Color::Rgb(red, green, blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: ThemeName) -> File {
        toml::from_str(name.file()).unwrap()
    }

    fn luminance(hex: &str) -> f64 {
        let Some(Color::Rgb(r, g, b)) = rgb(hex) else { panic!("{hex} is no colour") };
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.039_28 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_theme_loads_at_every_depth() {
        for name in ThemeName::ALL {
            for colours in [Colours::True, Colours::Indexed, Colours::Sixteen, Colours::None] {
                Theme::load(name, colours).unwrap();
            }
            assert_eq!(name.as_str().parse::<ThemeName>().unwrap(), name);
        }
        assert!("pink".parse::<ThemeName>().is_err());
    }

    #[test]
    fn words_can_be_read_on_every_ground() {
        for name in [ThemeName::Dark, ThemeName::Light] {
            let file = file(name);
            assert_eq!(file.name, name.as_str());
            assert!(file.grounds.len() >= 4);
            for ground in &file.grounds {
                for (role, entry) in &file.roles {
                    let least = match role {
                        Role::Text => 7.0,
                        // Lines only; they may whisper.
                        Role::Rule => 1.2,
                        Role::Control | Role::V1 | Role::V2 | Role::V3 | Role::V4 => 3.0,
                        Role::Muted
                        | Role::Accent
                        | Role::Link
                        | Role::Ok
                        | Role::Warn
                        | Role::Danger
                        | Role::Info
                        | Role::Attention => 4.5,
                    };
                    let found = contrast(entry.hex.as_deref().unwrap(), ground);
                    assert!(found >= least, "{} {role:?} on {ground}: {found:.2} < {least}", file.name);
                }
            }
            for (pair, painted) in &file.pairs {
                let found = contrast(painted.fg.hex.as_deref().unwrap(), painted.bg.hex.as_deref().unwrap());
                assert!(found >= 7.0, "{} {pair:?}: {found:.2}", file.name);
            }
        }
    }

    #[test]
    fn mono_has_weight_and_no_colour_and_rows_still_stand_out() {
        for colours in [Colours::True, Colours::None] {
            let theme = Theme::load(ThemeName::Mono, colours).unwrap();
            for role in Role::ALL {
                let style = theme.role(role);
                assert!(style.fg.is_none() && style.bg.is_none(), "{role:?}");
            }
            for pair in Pair::ALL {
                assert!(!theme.pair(pair).add_modifier.is_empty(), "{pair:?}");
            }
        }
        let sixteen = Theme::load(ThemeName::Dark, Colours::Sixteen).unwrap();
        assert!(sixteen.pair(Pair::Sel).add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn a_pixel_has_its_own_colour_the_nearest_of_256_or_none() {
        let paint = |name, colours, pixel| Theme::load(name, colours).unwrap().pixel(pixel);
        assert_eq!(paint(ThemeName::Dark, Colours::True, [1, 2, 3]), Some(Color::Rgb(1, 2, 3)));
        for (pixel, index) in [
            ([0, 0, 0], 16),
            ([255, 255, 255], 231),
            ([255, 0, 0], 196),
            ([135, 175, 95], 107),
            ([130, 170, 100], 107),
            ([8, 8, 8], 232),
            ([100, 101, 99], 241),
            ([238, 238, 238], 255),
        ] {
            assert_eq!(paint(ThemeName::Light, Colours::Indexed, pixel), Some(Color::Indexed(index)), "{pixel:?}");
        }
        for (name, colours) in
            [(ThemeName::Dark, Colours::Sixteen), (ThemeName::Dark, Colours::None), (ThemeName::Mono, Colours::True)]
        {
            assert_eq!(paint(name, colours, [1, 2, 3]), None, "{name:?} {colours:?}");
            assert!(!Theme::load(name, colours).unwrap().paints());
        }
    }

    #[test]
    fn what_the_terminal_can_do_is_told_from_its_environment() {
        let of = Colours::of_environment;
        assert_eq!(of(true, Some("truecolor"), Some("xterm-256color")), Colours::None);
        assert_eq!(of(false, Some("truecolor"), Some("xterm-256color")), Colours::True);
        assert_eq!(of(false, None, Some("xterm-256color")), Colours::Indexed);
        assert_eq!(of(false, None, Some("linux")), Colours::Sixteen);
        assert_eq!(of(false, None, Some("dumb")), Colours::None);
        assert_eq!(of(false, None, None), Colours::None);
    }

    #[test]
    fn a_theme_that_lacks_a_role_is_refused_at_load() {
        let text = ThemeName::Dark.file().replace("attention =", "#");
        let file: File = toml::from_str(&text).unwrap();
        assert!(!file.roles.contains_key(&Role::Attention));
        assert!(toml::from_str::<File>(&text.replace("ok =", "fine =")).is_err());
    }
}
