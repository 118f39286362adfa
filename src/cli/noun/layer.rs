//! Layers: who tests what where, and who comes after.

use clap::Subcommand;
use desk::query::LayerView;
use desk::{Answer, Query};
use domain::refusal::Refusal;
use domain::time::UtcTime;

use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, Zones, data, take};
use crate::suggest::nearest;
use crate::text::Text;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos layer list
  expos layer show acme/bluesky_post/hook";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List layers with who holds them
    List,
    /// Show who holds a layer, and who comes after
    Show {
        /// Its name: client/surface/variable
        layer: String,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    let layers = take!(session.ask(Query::LayerList).await?, Answer::Layers)?;
    let zones = session.zones().await?;
    match verb {
        Verb::List => Ok(list(&layers, &zones, session.now(), data(&layers)?)),
        Verb::Show { layer } => {
            let found = named(&layers, &layer)?;
            Ok(Told::new(vec![show(found, &zones)], data(found)?))
        }
    }
}

fn named<'a>(layers: &'a [LayerView], name: &str) -> Result<&'a LayerView, Failure> {
    layers.iter().find(|l| l.layer == name).ok_or_else(|| {
        let mut refusal = Refusal::not_found("layer", name);
        if let Some(near) = nearest(name, layers.iter().map(|l| l.layer.as_str())) {
            refusal.mend = format!("did you mean `{near}`? {}", refusal.mend);
        }
        refusal.into()
    })
}

/// Shows a moment in the zone of the client that the layer's name begins with.
fn local(layer: &LayerView, zones: &Zones, time: UtcTime) -> String {
    let client = layer.layer.split('/').next().and_then(|name| name.parse().ok());
    client.map_or_else(|| time.to_string(), |client| zones.local(&client, time))
}

fn list(layers: &[LayerView], zones: &Zones, now: UtcTime, data: serde_json::Value) -> Told {
    let rows = layers.iter().map(|layer| {
        let present = layer.tenures.iter().find(|t| t.window.until >= now);
        let until = present.map_or_else(|| "-".to_owned(), |t| local(layer, zones, t.window.until));
        let later = layer.tenures.iter().filter(|t| t.window.until >= now).count().saturating_sub(1);
        vec![
            Text::of(layer.layer.as_str()),
            present.map_or("free", |t| t.code.as_str()).into(),
            until.into(),
            later.to_string().into(),
        ]
    });
    Told::table(
        vec![flow("layer"), keep("held by"), keep("until"), keep("after it")],
        rows.collect(),
        "no layer was ever taken",
        data,
    )
}

fn show(layer: &LayerView, zones: &Zones) -> Block {
    let rows = layer.tenures.iter().map(|t| {
        vec![
            t.code.as_str().into(),
            local(layer, zones, t.window.from).into(),
            local(layer, zones, t.window.until).into(),
        ]
    });
    Block::Table(vec![keep("experiment"), keep("from"), keep("until")], rows.collect())
}
