//! The sentence of a learning: offered by rule, made better by a person, never stronger than what was found.

use super::About;
use crate::id::ClientId;
use crate::outcome::{Outcome, Say, percent};
use crate::refusal::Refusal;
use crate::text::Untrusted;

/// The most characters of a sentence.
pub const SENTENCE_MAX: usize = 500;

/// The most cells of a facet's text inside a sentence.
const VALUE_MAX: usize = 60;

/// Words that promise more than any of our numbers can.
const NEVER: [&str; 2] = ["significant", "confidence 95"];

/// Words that only a winner may have beside it.
const WINNERS: [&str; 4] = ["wins", "winner", "won", "beats"];

/// Returns the sentence that the rules offer.
pub fn offer(client: &ClientId, about: &About, outcome: &Outcome) -> String {
    let place = format!("{client}, {}, {}", about.surface, about.variable);
    let control = quoted(&about.control);
    let tests: Vec<String> =
        about.tests.iter().zip('B'..='T').map(|(test, letter)| format!("{letter} {}", quoted(test))).collect();
    let compared = format!("{} against A {control}", tests.join(", "));
    let found = match outcome.say {
        Say::Winner => won(about, outcome),
        Say::Invalid => format!("taught nothing, the run is invalid. {}", outcome.sentence),
        Say::NotEnoughPosts => format!("not enough posts to tell. {}", outcome.sentence),
        Say::NotRipe | Say::NothingRead | Say::RestsOnSuspected | Say::NoCall => outcome.sentence.clone(),
    };
    let all = format!("{place}: {compared}: {found}");
    all.split_whitespace().collect::<Vec<&str>>().join(" ").chars().take(SENTENCE_MAX).collect()
}

fn won(about: &About, outcome: &Outcome) -> String {
    let letter = outcome.winner.unwrap_or('B');
    let place = ('B'..='T').position(|each| each == letter).and_then(|place| about.tests.get(place));
    let text = place.map_or_else(String::new, |text| format!(" {}", quoted(text)));
    let expected = outcome.ranking.iter().find(|ranked| ranked.letter == letter).and_then(|ranked| ranked.expected);
    let expect = expected.map_or_else(String::new, |ratio| format!(" Expect about {} when repeated.", percent(ratio)));
    let leads: Vec<String> = outcome
        .proxies
        .iter()
        .filter_map(|proxy| {
            let ratio = proxy.ratios.iter().find(|ratio| ratio.letter == letter && ratio.leads)?;
            Some(format!("{} {}", proxy.words, percent(ratio.ratio)))
        })
        .collect();
    format!("{letter}{text} wins on {}.{expect}", leads.join(", "))
}

fn quoted(text: &str) -> String {
    format!("“{}”", Untrusted::new(text).show().truncated(VALUE_MAX))
}

/// Checks what a person made of a sentence, and returns it as one line.
///
/// Refuses none at all, one too long, and one that says more than was found.
pub fn check(sentence: &str, outcome: &Outcome) -> Result<String, Refusal> {
    let refuse = |why: String, mend: &str| Refusal::invalid("learning.sentence", "the learning", why, mend);
    let line = sentence.split_whitespace().collect::<Vec<&str>>().join(" ");
    if line.is_empty() {
        return Err(refuse("it says nothing".to_owned(), "leave it out to take the sentence that is offered"));
    }
    let length = line.chars().count();
    if length > SENTENCE_MAX {
        return Err(refuse(format!("it has {length} characters, {SENTENCE_MAX} are allowed"), "make it one sentence"));
    }
    let lower = line.to_lowercase();
    if let Some(word) = NEVER.iter().find(|word| lower.contains(**word)) {
        return Err(refuse(format!("no number here shows what `{word}` says"), "say what was seen, and how often"));
    }
    if lower.contains("no difference") && !lower.contains("no difference seen") {
        return Err(refuse("that none was seen is not that there is none".to_owned(), "write `no difference seen`"));
    }
    let is_word = |word: &str| lower.split(|c: char| !c.is_alphanumeric()).any(|each| each == word);
    if outcome.say != Say::Winner
        && let Some(word) = WINNERS.iter().find(|word| is_word(word))
    {
        let why = format!("it says `{word}`, and the experiment says {}", outcome.say.as_str());
        return Err(refuse(why, "say what was seen without naming a winner"));
    }
    Ok(line)
}
