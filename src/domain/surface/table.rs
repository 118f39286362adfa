//! The form of `data/platforms.toml`, and how its many spellings become limits.
//!
//! Decides which key of the table each limit comes from. Keys that no rule relies on (sources, notes, figures for
//! adapters that do not exist yet) are passed over; a key that is read and has the wrong type is an error.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::{
    Action, Family, MediaLimits, Metric, PacingSuggestion, PlatformFacts, ReadTimes, Surface, SurfaceError, TagLimits,
    TextLimit, TextUnit,
};
use crate::brief::{Platform, SurfaceId};
use crate::time::Span;

/// A table larger than this is refused unread.
const BYTES_MAX: usize = 256 * 1024;

/// Where a platform gives no quarantine of its own and the table no default.
const QUARANTINE: Span = Span::minutes(15);

type Read = (BTreeMap<SurfaceId, Surface>, BTreeMap<Platform, PlatformFacts>);

pub(super) fn read(text: &str) -> Result<Read, SurfaceError> {
    if text.len() > BYTES_MAX {
        return Err(SurfaceError::NotATable(format!("it has {} bytes, at most {BYTES_MAX} are read", text.len())));
    }
    let root: Table = text.parse().map_err(|e: toml::de::Error| SurfaceError::NotATable(e.message().to_owned()))?;
    let whole = Part { place: "the table", table: &root };
    let defaults = whole.sub("defaults")?.map(|d| d.table.clone()).unwrap_or_default();
    let defaults = Part { place: "defaults", table: &defaults }.sub("suggested")?.map(|s| s.table.clone());
    let quarantine = defaults
        .as_ref()
        .map(|table| Part { place: "defaults.suggested", table }.get::<i64>("quarantine_s"))
        .transpose()?
        .flatten()
        .map_or(QUARANTINE, Span::seconds);

    let mut platforms = BTreeMap::new();
    let named = whole.sub("platform")?.map(|p| p.table.clone()).unwrap_or_default();
    for (name, value) in &named {
        let table = value.as_table().ok_or_else(|| wrong(name, "a platform is a table"))?;
        let facts = platform(Part { place: name, table }, quarantine)?;
        platforms.insert(facts.platform, facts);
    }

    let mut surfaces: BTreeMap<SurfaceId, Surface> = BTreeMap::new();
    let rows: Vec<Table> = whole.get("surface")?.unwrap_or_default();
    let mut borrowed: Vec<(SurfaceId, String)> = Vec::new();
    for row in &rows {
        let id: String = Part { place: "surface", table: row }.need("id")?;
        let part = Part { place: &id, table: row };
        if let Some(from) = part.get::<String>("metrics_as")? {
            borrowed.push((SurfaceId(id.clone()), from));
        }
        let read = surface(&part)?;
        if !platforms.contains_key(&read.platform) {
            return Err(wrong(&id, &format!("there is no table [platform.{}]", read.platform)));
        }
        if surfaces.insert(read.id.clone(), read).is_some() {
            return Err(wrong(&id, "it is there twice"));
        }
    }
    for (id, from) in borrowed {
        let lender = surfaces.get(&SurfaceId(from.clone())).cloned();
        let lender = lender.ok_or_else(|| wrong(&id.0, &format!("metrics_as names `{from}`, which is not there")))?;
        if let Some(surface) = surfaces.get_mut(&id) {
            surface.metrics = lender.metrics;
        }
    }
    Ok((surfaces, platforms))
}

fn platform(part: Part<'_>, quarantine: Span) -> Result<PlatformFacts, SurfaceError> {
    let codes = |key: &str| -> Result<Vec<String>, SurfaceError> {
        Ok(part.sub(key)?.map(|codes| codes.get("codes")).transpose()?.flatten().unwrap_or_default())
    };
    let actions = |lane: &str| -> Result<BTreeSet<Action>, SurfaceError> {
        Ok(part.sub("actions")?.map(|of| of.get(lane)).transpose()?.flatten().unwrap_or_default())
    };
    Ok(PlatformFacts {
        platform: parse(part.place, "platform", &Value::String(part.place.to_owned()))?,
        hosts: part.get("hosts")?.unwrap_or_default(),
        commit_refusals: codes("commit_refusals")?,
        commit_look: codes("commit_look")?,
        quarantine: part.get::<i64>("quarantine_s")?.map_or(quarantine, Span::seconds),
        self_labels: part.get("self_labels")?.unwrap_or_default(),
        api: actions("api")?,
        browser: actions("browser")?,
    })
}

fn surface(part: &Part<'_>) -> Result<Surface, SurfaceError> {
    let metrics = metrics(part)?;
    let retention = metrics.iter().any(|metric| metric.family == Family::Retention);
    Ok(Surface {
        id: SurfaceId(part.place.to_owned()),
        platform: part.need("platform")?,
        caption: caption(part)?,
        title: title(part)?,
        tags: tags(part)?,
        media: media(part)?,
        pacing: pacing(part)?,
        read: read_times(part)?,
        retention_available: part.get("retention_available")?.unwrap_or(retention),
        metrics,
    })
}

fn unit(part: &Part<'_>) -> Result<TextUnit, SurfaceError> {
    let name: String = part.get("unit")?.unwrap_or_default();
    Ok(match name.split([' ', ';']).next().unwrap_or_default() {
        "graphemes" => TextUnit::Graphemes,
        "utf16_code_units" => TextUnit::Utf16,
        _ => TextUnit::Chars,
    })
}

fn caption(part: &Part<'_>) -> Result<Option<TextLimit>, SurfaceError> {
    let Some(part) = part.sub("caption")? else { return Ok(None) };
    let described: Option<usize> = part.get("description_official_max")?;
    let max = part.get("official_max")?.or(described);
    // "bytes (doc) or chars: check both": the smaller of the two readings is the bytes'.
    let in_bytes = part.get::<String>("description_unit")?.is_some_and(|unit| unit.starts_with("bytes"));
    let bytes_max = part.get("also_max_bytes")?.or(if in_bytes { described } else { None });
    let unit = unit(&part)?;
    Ok(max.map(|max| TextLimit { max, unit, bytes_max }))
}

fn title(part: &Part<'_>) -> Result<Option<TextLimit>, SurfaceError> {
    let Some(part) = part.sub("caption")? else { return Ok(None) };
    let unit = unit(&part)?;
    Ok(part.get("title_official_max")?.map(|max| TextLimit { max, unit, bytes_max: None }))
}

fn tags(part: &Part<'_>) -> Result<TagLimits, SurfaceError> {
    let Some(part) = part.sub("hashtags")? else { return Ok(TagLimits::default()) };
    let max = part.get("suggested_block_above")?.or(part.get("official_api_max")?).or(part.get("official_max")?);
    Ok(TagLimits {
        max: max.or(part.get("record_tags_max")?),
        warn_above: part.get("suggested_warn_above")?,
        graphemes_max: part.get("record_tag_max_graphemes")?,
    })
}

fn media(part: &Part<'_>) -> Result<MediaLimits, SurfaceError> {
    let mut limits = MediaLimits { kinds: part.get("media_kinds")?.unwrap_or_default(), ..MediaLimits::default() };
    if let Some(count) = part.sub("media_count")? {
        limits.count_min = count.get("min")?.unwrap_or(0);
        let most = count.get("max")?.or(count.get("images_max")?).or(count.get("carousel_max")?);
        limits.count_max = most.or(count.get("multi_image_max")?);
    }
    if let Some(bytes) = part.sub("max_bytes")? {
        limits.image_bytes_max = bytes.get("image")?;
        limits.video_bytes_max = bytes.get("video")?;
    }
    if let Some(alt) = part.sub("alt_text")? {
        limits.alt_required = alt.get("required")?.unwrap_or(false);
        limits.alt_max = alt.get("max_chars")?;
    }
    if let Some(ratio) = part.sub("ratio")? {
        limits.ratio_min = ratio.get("min")?;
        limits.ratio_max = ratio.get("max")?;
    }
    if let Some(pixels) = part.sub("pixels")? {
        limits.width_min = pixels.get("width_min")?;
        limits.pixels_max = pixels.get("max_total")?;
    }
    if let Some(image) = part.sub("image")? {
        limits.pixels_max = image.get("matrix_max")?.or(limits.pixels_max);
    }
    Ok(limits)
}

fn pacing(part: &Part<'_>) -> Result<PacingSuggestion, SurfaceError> {
    let Some(part) = part.sub("pacing")? else { return Ok(PacingSuggestion::default()) };
    Ok(PacingSuggestion {
        min_gap: part.get::<i64>("suggested_min_gap_min")?.map(Span::minutes),
        max_per_24h: part.get("suggested_max_per_24h")?,
    })
}

fn read_times(part: &Part<'_>) -> Result<ReadTimes, SurfaceError> {
    let Some(part) = part.sub("read")? else { return Ok(ReadTimes::default()) };
    let suggested: Vec<Value> = part.get("suggested_samples_h")?.unwrap_or_default();
    Ok(ReadTimes {
        earliest_counts: part.hours("earliest_counts_h")?.or(part.hours("earliest_final_h")?),
        closes: part.hours("window_close_h")?,
        suggested: suggested.iter().map(|value| part.span("suggested_samples_h", value)).collect::<Result<_, _>>()?,
    })
}

/// A metric as the table writes it.
#[derive(Deserialize)]
struct Row {
    name: String,
    family: Family,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    invert: bool,
}

fn metrics(part: &Part<'_>) -> Result<Vec<Metric>, SurfaceError> {
    let rows: Vec<Row> = part.get("metrics")?.unwrap_or_default();
    let mut seen = BTreeSet::new();
    rows.into_iter()
        .map(|row| {
            if !seen.insert(row.name.clone()) {
                return Err(wrong(part.place, &format!("metric `{}` is there twice", row.name)));
            }
            Ok(Metric { name: row.name, family: row.family, unit: row.unit, invert: row.invert })
        })
        .collect()
}

/// A table of the file, with the name that errors give it.
#[derive(Clone, Copy)]
struct Part<'a> {
    place: &'a str,
    table: &'a Table,
}

impl<'a> Part<'a> {
    fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SurfaceError> {
        self.table.get(key).map(|value| parse(self.place, key, value)).transpose()
    }

    fn need<T: DeserializeOwned>(&self, key: &str) -> Result<T, SurfaceError> {
        self.get(key)?.ok_or_else(|| wrong(self.place, &format!("`{key}` is missing")))
    }

    fn sub(&self, key: &str) -> Result<Option<Part<'a>>, SurfaceError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let table = value.as_table().ok_or_else(|| wrong(self.place, &format!("`{key}` is a table")))?;
        Ok(Some(Part { place: self.place, table }))
    }

    fn hours(&self, key: &str) -> Result<Option<Span>, SurfaceError> {
        self.table.get(key).map(|value| self.span(key, value)).transpose()
    }

    /// Reads hours, whole or in parts, by way of the text form of a span, which is exact and checks the range.
    fn span(&self, key: &str, value: &Value) -> Result<Span, SurfaceError> {
        let text = match value {
            Value::Integer(hours) => format!("{hours}h"),
            Value::Float(hours) => format!("{hours}h"),
            Value::String(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
                String::new()
            }
        };
        text.parse().map_err(|_| wrong(self.place, &format!("`{key}` is hours, as in 0.5 or 24")))
    }
}

fn parse<T: DeserializeOwned>(place: &str, key: &str, value: &Value) -> Result<T, SurfaceError> {
    value.clone().try_into().map_err(|e: toml::de::Error| wrong(place, &format!("`{key}`: {}", e.message())))
}

fn wrong(place: &str, why: &str) -> SurfaceError {
    SurfaceError::Wrong { place: place.chars().take(64).collect(), why: why.chars().take(300).collect() }
}
