//! What may be written about a request (T12, I15).
//!
//! Decided here: how a URL is named in records, and how live secrets are taken out of a text before it is logged.
//! Secrets are better never put into a text; this is the second line.

use http::Uri;

/// What stands in a text where a secret stood. No token contains it, so taking one out never makes another.
const MARK: &str = "█████";

/// Returns scheme, host, port and path: no query and no user name, which may hold tokens and signatures.
pub fn safe_url(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    match uri.scheme_str() {
        Some(scheme) => format!("{scheme}://{host}{port}{}", uri.path()),
        None => format!("{host}{port}{}", uri.path()),
    }
}

/// Returns `text` with every occurrence of a `live` secret replaced by a mark, also where the secret stands
/// percent-encoded or escaped as in JSON. Overlapping secrets are taken out together; empty ones are ignored.
pub fn redact(text: &str, live: &[&str]) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for form in live.iter().flat_map(|secret| forms(secret)) {
        let mut from = 0;
        while let Some(found) = text.get(from..).and_then(|rest| rest.find(&form)) {
            let start = from + found;
            spans.push((start, start + form.len()));
            // On by one character only: an occurrence may overlap itself.
            from = start + text.get(start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        }
    }
    spans.sort_unstable();
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    let mut spans = spans.into_iter().peekable();
    while let Some((start, mut end)) = spans.next() {
        while let Some((_, more)) = spans.next_if(|(next, _)| *next < end) {
            end = end.max(more);
        }
        clean.push_str(text.get(done..start).unwrap_or_default());
        clean.push_str(MARK);
        done = end;
    }
    clean.push_str(text.get(done..).unwrap_or_default());
    clean
}

/// Returns the ways in which `secret` may stand in a text.
fn forms(secret: &str) -> Vec<String> {
    if secret.is_empty() {
        return Vec::new();
    }
    let json = serde_json::Value::from(secret).to_string();
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(&json).to_owned();
    let mut forms = vec![secret.to_owned(), json];
    for keep in ["-._~", "-._*"] {
        let upper = percent(secret, keep, |byte| format!("%{byte:02X}"));
        forms.push(percent(secret, keep, |byte| format!("%{byte:02x}")));
        // In a form a space is written as a plus.
        forms.push(upper.replace("%20", "+"));
        forms.push(upper);
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn percent(secret: &str, keep: &str, encode: impl Fn(u8) -> String) -> String {
    secret
        .bytes()
        .map(|byte| {
            let plain = char::from(byte);
            if plain.is_ascii_alphanumeric() || keep.contains(plain) { plain.to_string() } else { encode(byte) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_named_url_holds_neither_query_nor_user() {
        let check = |uri: &str, expected: &str| assert_eq!(safe_url(&uri.parse().expect("a URI")), expected);
        check("https://u:p@host.example:8443/a/b?access_token=t#f", "https://host.example:8443/a/b");
        check("https://host.example", "https://host.example/");
        check("https://[::1]:80/x?y", "https://[::1]:80/x");
        check("/path?token=t", "/path");
    }

    #[test]
    fn a_secret_is_taken_out_in_every_form() {
        let secret = "EAA/b+c=\"d e";
        for text in [
            "token EAA/b+c=\"d e end",
            "?t=EAA%2Fb%2Bc%3D%22d%20e&x",
            "?t=EAA%2fb%2bc%3d%22d%20e&x",
            "t=EAA%2Fb%2Bc%3D%22d+e&x",
            r#"{"t":"EAA/b+c=\"d e"}"#,
        ] {
            let clean = redact(text, &[secret]);
            assert!(clean.contains(MARK) && !clean.contains("EAA"), "{clean}");
        }
        assert_eq!(redact("a SECRET1 b SECRET1", &["SECRET1"]), "a █████ b █████");
    }

    #[test]
    fn overlapping_secrets_leave_no_rest() {
        assert_eq!(redact("x abcd y", &["abc", "bcd"]), "x █████ y");
        assert_eq!(redact("aaaa", &["aaa"]), "█████");
        assert_eq!(redact("unchanged", &["", "zzz"]), "unchanged");
    }

    proptest! {
        #[test]
        fn no_secret_survives(before: String, after: String, secret in "[!-~]{1,20}", other in "[!-~]{1,20}") {
            let clean = redact(&format!("{before}{secret}{after}{other}"), &[&secret, &other]);
            prop_assert!(!clean.contains(&secret), "{}", clean);
            prop_assert!(!clean.contains(&other), "{}", clean);
        }

        #[test]
        fn a_text_without_secrets_stays(text in "[a-z é]{0,40}") {
            prop_assert_eq!(redact(&text, &["SECRET"]), text);
        }
    }
}
