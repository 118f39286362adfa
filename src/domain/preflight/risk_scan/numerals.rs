//! Amounts written one way: no thousands separators, currency before the number, `%` against it.
//!
//! Decides nothing about what an amount means; that is `claims`' and the packs' business.

use super::normalise::Cell;

const CURRENCY: &str = "$€£";

pub(super) fn tidy(cells: &[Cell]) -> Vec<Cell> {
    percent_against(&currency_first(&without_thousands(cells)))
}

/// `5,000` is `5000`; `1.234.567` too. A group has three digits, and the same separator parts all groups.
fn without_thousands(cells: &[Cell]) -> Vec<Cell> {
    let mut out = Vec::with_capacity(cells.len());
    let mut at = 0;
    while let Some(cell) = cells.get(at) {
        let length = if starts_number(cells, at) { grouped_length(cells.get(at..).unwrap_or_default()) } else { 0 };
        if length == 0 {
            out.push(*cell);
            at += 1;
        } else {
            out.extend(cells.get(at..at + length).unwrap_or_default().iter().filter(|cell| is_digit(cell)));
            at += length;
        }
    }
    out
}

fn is_digit(cell: &Cell) -> bool {
    cell.c.is_ascii_digit()
}

fn starts_number(cells: &[Cell], at: usize) -> bool {
    let back = |n: usize| at.checked_sub(n).and_then(|before| cells.get(before));
    let after_digit = back(1).is_some_and(is_digit);
    let after_group = back(1).is_some_and(|cell| matches!(cell.c, '.' | ',')) && back(2).is_some_and(is_digit);
    !after_digit && !after_group && cells.get(at).is_some_and(|cell| matches!(cell.c, '1'..='9'))
}

/// Length of a number with thousands separators at the start; 0 when there is none.
fn grouped_length(cells: &[Cell]) -> usize {
    let lead = cells.iter().take(4).take_while(|cell| is_digit(cell)).count();
    let Some(separator) = cells.get(lead).map(|cell| cell.c).filter(|c| matches!(c, '.' | ',')) else { return 0 };
    if lead > 3 {
        return 0;
    }
    let mut end = lead;
    while cells.get(end).is_some_and(|cell| cell.c == separator)
        && cells.get(end + 1..end + 4).is_some_and(|group| group.iter().all(is_digit))
    {
        if cells.get(end + 4).is_some_and(is_digit) {
            return 0;
        }
        end += 4;
    }
    if end == lead { 0 } else { end }
}

/// `3000 €` is `€3000`, `£ 40` is `£40`.
fn currency_first(cells: &[Cell]) -> Vec<Cell> {
    let mut out: Vec<Cell> = Vec::with_capacity(cells.len());
    let mut rest = cells.iter().copied().enumerate().peekable();
    while let Some((at, cell)) = rest.next() {
        if !CURRENCY.contains(cell.c) {
            out.push(cell);
            continue;
        }
        let digit_at = |at: usize| cells.get(at).is_some_and(is_digit);
        if digit_at(at + 1) {
            out.push(cell);
        } else if let Some(number) = amount_at_end(&out) {
            if out.last().is_some_and(|last| last.c == ' ') {
                out.pop();
            }
            out.insert(number, cell);
        } else {
            out.push(cell);
            if digit_at(at + 2) {
                rest.next_if(|(_, next)| next.c == ' ');
            }
        }
    }
    out
}

/// Where the amount begins that ends `cells`, but for one space; none when it has a currency already.
fn amount_at_end(cells: &[Cell]) -> Option<usize> {
    let trimmed = match cells.split_last() {
        Some((last, before)) if last.c == ' ' => before,
        _ => cells,
    };
    // An amount is short; a longer run of digits is an identity number, and looking back stays cheap.
    let length = trimmed
        .iter()
        .rev()
        .take(24)
        .enumerate()
        .take_while(|(back, cell)| {
            is_digit(cell) || matches!(cell.c, '.' | ',') || (*back == 0 && matches!(cell.c, 'k' | 'm'))
        })
        .count();
    let start = trimmed.len().checked_sub(length)?;
    let owned = start.checked_sub(1).and_then(|before| trimmed.get(before));
    let free = owned.is_none_or(|before| !before.is_word() && !CURRENCY.contains(before.c));
    (free && trimmed.get(start).is_some_and(is_digit)).then_some(start)
}

fn percent_against(cells: &[Cell]) -> Vec<Cell> {
    let between = |at: usize| {
        at.checked_sub(1).and_then(|before| cells.get(before)).is_some_and(is_digit)
            && cells.get(at + 1).is_some_and(|next| next.c == '%')
    };
    cells.iter().enumerate().filter(|(at, cell)| cell.c != ' ' || !between(*at)).map(|(_, cell)| *cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tidied(text: &str) -> String {
        let cells: Vec<Cell> = text.char_indices().map(|(at, c)| Cell { c, lo: at, hi: at + c.len_utf8() }).collect();
        tidy(&cells).iter().map(|cell| cell.c).collect()
    }

    #[test]
    fn thousands_separators_go_and_dates_and_decimals_stay() {
        assert_eq!(tidied("5,000 1.234.567 1,234.56"), "5000 1234567 1234.56");
        assert_eq!(tidied("0.125 15.11.2026 1,2345 12,34 4.10"), "0.125 15.11.2026 1,2345 12,34 4.10");
    }

    #[test]
    fn currency_goes_before_its_number_once() {
        assert_eq!(tidied("3.000 € al mes, 5€, £ 40, 50k €"), "€3000 al mes, €5, £40, €50k");
        assert_eq!(tidied("2 £40 $40 £30 us$ x"), "2 £40 $40 £30 us$ x");
    }

    #[test]
    fn percent_stands_against_its_number() {
        assert_eq!(tidied("5 % off % x"), "5% off % x");
    }
}
