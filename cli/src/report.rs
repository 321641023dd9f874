//! What a command has to say, in both forms.

use serde_json::{Value, json};

/// A result: for people, and for programs.
pub(crate) struct Report {
    /// Lines, each with its end.
    pub(crate) text: String,
    /// One object.
    pub(crate) json: Value,
    /// What people should know; part of the object for programs.
    pub(crate) warnings: Vec<&'static str>,
    pub(crate) exit: u8,
}

impl Report {
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Report { text: text.into(), json, warnings: Vec::new(), exit: 0 }
    }

    /// A result that has been written already.
    pub(crate) fn delivered() -> Self {
        Self::new("", Value::Null)
    }

    pub(crate) fn is_delivered(&self) -> bool {
        self.json.is_null()
    }

    pub(crate) fn warn(mut self, warning: &'static str) -> Self {
        self.set("warning", json!(warning));
        self.warnings.push(warning);
        self
    }

    pub(crate) fn exit(mut self, code: u8) -> Self {
        self.exit = code;
        self
    }

    /// Adds a line to the text.
    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds a key to the object.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if let Value::Object(members) = &mut self.json {
            members.insert(name.to_owned(), value);
        }
    }
}
