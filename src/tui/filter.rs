//! Filters: a list narrowed by words and tokens.
//!
//! Decides which tokens there are (`client:`, `is:`) and how they complete; everything else is looked for as it stands.

/// The tokens there are.
const TOKENS: [&str; 2] = ["client:", "is:"];

/// A filter, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    client: Option<String>,
    is: Option<String>,
    words: Vec<String>,
}

impl Filter {
    pub(crate) fn read(text: &str) -> Self {
        let mut filter = Self::default();
        for part in text.split_whitespace() {
            if let Some(client) = part.strip_prefix("client:") {
                filter.client = Some(client.to_lowercase());
            } else if let Some(is) = part.strip_prefix("is:") {
                filter.is = Some(is.to_lowercase());
            } else {
                filter.words.push(part.to_lowercase());
            }
        }
        filter
    }

    /// Tells whether a row stays: of such a client, in such a state, with such a text.
    pub(crate) fn keeps(&self, client: &str, state: &str, text: &str) -> bool {
        let text = text.to_lowercase();
        self.client.as_ref().is_none_or(|wanted| client.starts_with(wanted.as_str()))
            && self.is.as_ref().is_none_or(|wanted| state.replace(' ', "-").contains(&wanted.replace(' ', "-")))
            && self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

/// Completes the last word of a filter: a token's name, or a value of it.
pub(crate) fn complete(text: &str, clients: &[&str], states: &[&str]) -> Option<String> {
    let start = text.rfind(' ').map_or(0, |at| at + 1);
    let (head, last) = text.split_at_checked(start)?;
    let candidates: Vec<String> = TOKENS
        .iter()
        .map(|token| (*token).to_owned())
        .chain(clients.iter().map(|client| format!("client:{client}")))
        .chain(states.iter().map(|state| format!("is:{}", state.replace(' ', "-"))))
        .collect();
    let found = candidates.iter().find(|candidate| candidate.starts_with(last) && candidate.as_str() != last)?;
    (!last.is_empty()).then(|| format!("{head}{found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_words_narrow_together() {
        let filter = Filter::read("client:qub is:awaiting scene");
        assert!(filter.keeps("qub", "awaiting approval", "Number or Scene?"));
        assert!(!filter.keeps("crm", "awaiting approval", "Number or Scene?"));
        assert!(!filter.keeps("qub", "running", "Number or Scene?"));
        assert!(!filter.keeps("qub", "awaiting approval", "Line or list?"));
        assert!(Filter::read("").keeps("any", "any", "any"));
        assert!(Filter::read("is:awaiting-approval").keeps("qub", "awaiting approval", ""));
    }

    #[test]
    fn a_word_completes_to_the_first_that_begins_so() {
        let complete = |text| complete(text, &["crm", "qub"], &["clean", "awaiting approval"]);
        assert_eq!(complete("cl").as_deref(), Some("client:"));
        assert_eq!(complete("x client:q").as_deref(), Some("x client:qub"));
        assert_eq!(complete("is:a").as_deref(), Some("is:awaiting-approval"));
        assert_eq!(complete("zzz"), None);
        assert_eq!(complete(""), None);
    }
}
