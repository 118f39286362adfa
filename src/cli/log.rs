//! The log on standard error: whatever a record holds, it stays one line, cleaned as every other text (T11).
//!
//! What is logged, and that no secret is, is decided where it is logged.

use std::io::{self, Write};

use domain::text::Untrusted;

/// Writes records, each given whole and ended by a line break, as one clean line.
#[derive(Debug)]
pub struct LogLines<W>(W);

impl<W: Write> LogLines<W> {
    /// Writes to that stream.
    pub const fn new(to: W) -> Self {
        Self(to)
    }
}

impl<W: Write> Write for LogLines<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let line = record.strip_suffix(b"\n").unwrap_or(record);
        let shown = Untrusted::from_bytes(line).show();
        self.0.write_all(format!("{shown}\n").as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_whatever_it_holds() {
        let mut log = LogLines::new(Vec::new());
        log.write_all(b"INFO the platform said: a\nINFO forged \x1b[2J\xff\n").unwrap();
        log.write_all("WARN \u{202e}x\n".as_bytes()).unwrap();
        let told = String::from_utf8(log.0).unwrap();
        assert_eq!(told, "INFO the platform said: a␊INFO forged ␛[2J\u{fffd}\nWARN <U+202E>x\n");
    }
}
