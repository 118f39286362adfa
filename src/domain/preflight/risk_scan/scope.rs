//! Where a rule holds: industries, regions, platforms, paid or not.
//!
//! Decides which names mean the same place or trade, and what an unstated fact means: a post with no stated region is
//! shown everywhere. Which industries a client has is the client's record.

use serde::Deserialize;

use super::post::ScanInput;

/// As in the packs; an absent key means all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AppliesTo {
    industries: Vec<String>,
    regions: Vec<String>,
    platforms: Vec<String>,
    except_industries: Vec<String>,
    except_regions: Vec<String>,
    sponsored: bool,
}

/// The facts of a post in the words of the packs.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) industries: Vec<String>,
    /// Regions as stated. Empty: everywhere.
    stated: Vec<String>,
    /// The same with the unions they belong to.
    regions: Vec<String>,
    platform: String,
    sponsored: bool,
}

impl Scope {
    pub(super) fn of(post: &ScanInput) -> Self {
        let mut stated: Vec<String> = post.regions.iter().map(|region| region_name(region)).collect();
        if stated.iter().any(|region| matches!(region.as_str(), "WORLD" | "GLOBAL")) {
            stated.clear();
        }
        let mut regions = stated.clone();
        if regions.iter().any(|region| EU.contains(&region.as_str())) {
            regions.push("EU".into());
        }
        Self {
            industries: post.industries.iter().map(|industry| industry_name(industry)).collect(),
            stated,
            regions,
            platform: post.platform.trim().to_lowercase(),
            sponsored: post.sponsored,
        }
    }

    pub(super) fn in_regions(&self, named: &[String]) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|region| named.contains(region))
    }

    pub(super) fn on_platforms(&self, named: &[String]) -> bool {
        named.contains(&self.platform)
    }

    /// Exceptions hold only when nothing of the post is outside them: a client in two trades keeps the stricter one.
    pub(super) fn holds(&self, rule: &AppliesTo) -> bool {
        let only_in = |named: &[String], own: &[String]| !own.is_empty() && own.iter().all(|one| named.contains(one));
        (rule.industries.is_empty() || self.industries.iter().any(|industry| rule.industries.contains(industry)))
            && (rule.regions.is_empty() || self.in_regions(&rule.regions))
            && (rule.platforms.is_empty() || self.on_platforms(&rule.platforms))
            && !only_in(&rule.except_industries, &self.industries)
            && !self.all_regions_in(&rule.except_regions)
            && (!rule.sponsored || self.sponsored)
    }

    /// Every stated region of the post is excepted, itself or by its union.
    fn all_regions_in(&self, named: &[String]) -> bool {
        let excepted = |region: &String| {
            named.contains(region) || (EU.contains(&region.as_str()) && named.iter().any(|name| name == "EU"))
        };
        !self.stated.is_empty() && self.stated.iter().all(excepted)
    }
}

/// Members of the European Union by ISO 3166-1.
const EU: [&str; 27] = [
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT",
    "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
];

fn region_name(written: &str) -> String {
    let name = written.trim().to_uppercase();
    match name.as_str() {
        "GB" => "UK".into(),
        "USA" => "US".into(),
        "EL" => "GR".into(),
        _ => name,
    }
}

/// The packs' name for a trade that agencies also know by another one.
pub(super) fn industry_name(written: &str) -> String {
    let name = written.trim().to_lowercase().replace([' ', '-'], "_");
    let known = match name.as_str() {
        "healthcare" | "medical" => "health",
        "recruiting" | "recruitment" | "staffing" => "employment",
        "automotive" => "auto",
        "charity" | "ngo" => "nonprofit",
        "politics" => "political",
        "banking" | "investing" | "investment" | "savings" => "finance",
        "betting" | "casino" => "gambling",
        "law" => "legal",
        "property" | "housing" => "real_estate",
        "vaping" => "vape",
        "cosmetics" => "beauty",
        _ => return name,
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(industries: &[&str], regions: &[&str]) -> Scope {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Scope::of(&ScanInput { industries: owned(industries), regions: owned(regions), ..ScanInput::default() })
    }

    fn rule(text: &str) -> AppliesTo {
        toml::from_str(text).expect("a scope")
    }

    #[test]
    fn countries_belong_to_their_union_and_the_uk_does_not() {
        let eu = rule("regions = ['EU']");
        assert!(scope(&[], &["de"]).holds(&eu));
        assert!(!scope(&[], &["GB"]).holds(&eu));
        assert!(scope(&[], &["gb"]).holds(&rule("regions = ['UK']")));
    }

    #[test]
    fn a_post_without_a_region_is_shown_everywhere() {
        assert!(scope(&[], &[]).holds(&rule("regions = ['UK']")));
        assert!(scope(&[], &[]).holds(&rule("except_regions = ['UK']")));
    }

    #[test]
    fn exceptions_hold_only_when_nothing_is_outside_them() {
        let not_eu = rule("except_regions = ['UK', 'EU']");
        assert!(!scope(&[], &["ES", "UK"]).holds(&not_eu));
        assert!(scope(&[], &["ES", "US"]).holds(&not_eu));
        let not_food = rule("except_industries = ['food']");
        assert!(!scope(&["food"], &[]).holds(&not_food));
        assert!(scope(&["food", "finance"], &[]).holds(&not_food));
        assert!(scope(&[], &[]).holds(&not_food));
    }

    #[test]
    fn a_trade_is_known_by_its_other_names() {
        assert!(scope(&["Health-care", "Healthcare"], &[]).holds(&rule("industries = ['health']")));
        assert!(!scope(&["toys"], &[]).holds(&rule("industries = ['health']")));
    }
}
