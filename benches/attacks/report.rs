//! What was asked, what was expected and what was seen.

use std::fmt;

use serde_json::{Value, json};

/// One attack.
struct Case {
    part: &'static str,
    name: String,
    request: String,
    expected: String,
    seen: String,
    /// Nothing, where it could not be tried.
    holds: Option<bool>,
}

/// All attacks, in order.
pub struct Report {
    part: &'static str,
    only: String,
    cases: Vec<Case>,
}

impl Report {
    pub fn new(only: &str) -> Self {
        Self { part: "", only: only.to_owned(), cases: Vec::new() }
    }

    /// The cases that follow belong to this part.
    pub fn begin(&mut self, part: &'static str) {
        self.part = part;
    }

    fn push(&mut self, name: &str, request: &str, expected: &str, seen: &str, holds: Option<bool>) {
        if name.contains(&self.only) || holds == Some(false) {
            let short = |text: &str| text.chars().take(160).collect::<String>().replace(['\n', '\r'], " ");
            self.cases.push(Case {
                part: self.part,
                name: name.to_owned(),
                request: short(request),
                expected: short(expected),
                seen: short(seen),
                holds,
            });
        }
    }

    /// An answer, and whether it is as expected.
    pub fn case(&mut self, name: &str, request: &str, expected: &str, seen: impl fmt::Display, holds: bool) {
        self.push(name, request, expected, &seen.to_string(), Some(holds));
    }

    /// Something that should have gone otherwise.
    pub fn differs(&mut self, name: &str, seen: &str) {
        self.push(name, "", "every request is answered", seen, Some(false));
    }

    /// A case that needs an option that was not given.
    pub fn not_run(&mut self, name: &str, needs: &str) {
        self.push(name, "", "", &format!("not run: needs {needs}"), None);
    }

    /// Whether one differs.
    pub fn failed(&self) -> bool {
        self.cases.iter().any(|case| case.holds == Some(false))
    }

    pub fn json(&self) -> Value {
        let cases: Vec<Value> = self
            .cases
            .iter()
            .map(|case| {
                json!({
                    "part": case.part,
                    "name": case.name,
                    "request": case.request,
                    "expected": case.expected,
                    "seen": case.seen,
                    "holds": case.holds,
                })
            })
            .collect();
        json!({ "cases": cases, "failed": self.failed() })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in &self.cases {
            let verdict = match case.holds {
                Some(true) => "ok",
                Some(false) => "DIFFERS",
                None => "-",
            };
            writeln!(f, "{verdict:<8} {:<13} {}", case.part, case.name)?;
            writeln!(f, "{:23}{}", "", case.request)?;
            writeln!(f, "{:23}expected {}; seen {}", "", case.expected, case.seen)?;
        }
        let count = |wanted| self.cases.iter().filter(|case| case.holds == wanted).count();
        let (held, differed, not_run) = (count(Some(true)), count(Some(false)), count(None));
        write!(f, "{held} as expected, {differed} not, {not_run} not run")
    }
}
