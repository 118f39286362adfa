//! The packs that come with the program.
//!
//! Nothing is decided here but which file wins: a file of the agency with the same name replaces ours. Reading files is
//! the caller's work.

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../../data/risk/", $name)))),+]
    };
}

/// Name and text of every pack file of this build, in order of name.
const FILES: [(&str, &str); 27] = files![
    "alcohol.toml",
    "approvals.toml",
    "cannabis-cbd-vape.toml",
    "children.toml",
    "claims.toml",
    "cosmetics.toml",
    "crypto.toml",
    "de.toml",
    "disallowed-content.toml",
    "employment.toml",
    "endorsements-disclosure.toml",
    "engagement-bait.toml",
    "environmental.toml",
    "es.toml",
    "finance.toml",
    "gambling.toml",
    "giveaways.toml",
    "health.toml",
    "legal-services.toml",
    "lists.toml",
    "platform-policy.toml",
    "political.toml",
    "privacy-pii.toml",
    "real-estate.toml",
    "sources.toml",
    "superlatives-guarantees.toml",
    "supplements-weight-loss.toml",
];

/// The packs of this build, ready for [`super::Packs::load`].
pub fn embedded() -> Vec<(String, String)> {
    FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// The packs of this build with the agency's files laid over them by name; a new name is added.
pub fn overlay(on_disk: &[(String, String)]) -> Vec<(String, String)> {
    let mut files = embedded();
    for (name, text) in on_disk {
        match files.iter_mut().find(|(ours, _)| ours == name) {
            Some(ours) => ours.1.clone_from(text),
            None => files.push((name.clone(), text.clone())),
        }
    }
    files.sort();
    files
}

/// The packs of this build, loaded once for all tests.
#[cfg(test)]
pub(super) fn shared() -> &'static super::Packs {
    static PACKS: std::sync::OnceLock<super::Packs> = std::sync::OnceLock::new();
    PACKS.get_or_init(|| super::Packs::load(&embedded()).expect("packs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_agency_replaces_ours_and_a_new_one_is_added() {
        let files = overlay(&[("es.toml".into(), "new".into()), ("fr.toml".into(), "more".into())]);
        assert_eq!(files.len(), FILES.len() + 1);
        assert_eq!(files.iter().find(|(name, _)| name == "es.toml").map(|f| f.1.as_str()), Some("new"));
        assert!(files.iter().any(|(name, _)| name == "fr.toml"));
        assert!(files.is_sorted());
    }
}
