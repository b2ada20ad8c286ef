//! A server of the user's choice.

use base::error::{Result, fault};
use ureq::http::Uri;

/// The environment variable that names a mirror.
pub const MIRROR_VARIABLE: &str = "CURVEBOOK_MIRROR";

/// The base of a mirror, which holds the file `train-labels-idx1-ubyte.gz` of `mnist` at
/// `BASE/mnist/train-labels-idx1-ubyte.gz`, and so for every other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Without a slash at its end.
    base: String,
}

impl Mirror {
    /// The mirror that was given on the command line, else that of the environment, if any.
    ///
    /// Errors: what is no URL of HTTP or HTTPS, with option or variable named.
    pub fn find(given: Option<&str>) -> Result<Option<Self>> {
        if let Some(text) = given {
            return Self::parse("--mirror", text).map(Some);
        }
        match std::env::var_os(MIRROR_VARIABLE).filter(|value| !value.is_empty()) {
            Some(value) => Self::parse(MIRROR_VARIABLE, &value.to_string_lossy()).map(Some),
            None => Ok(None),
        }
    }

    /// Reads the base of a mirror; `place` is what errors name.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        let refuse = |rule: &str| {
            let remedy = "write http://HOST/PATH or https://HOST/PATH; the files of mnist are then \
                          looked for in PATH/mnist/";
            Err(fault(place, "URL", text, rule, remedy))
        };
        let Ok(uri) = text.parse::<Uri>() else { return refuse("is not a URL") };
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return refuse("must begin with http:// or https://");
        }
        if uri.host().is_none_or(str::is_empty) {
            return refuse("names no host");
        }
        if text.contains(['?', '#']) {
            return refuse("must end in a path: names of files are appended");
        }
        Ok(Self { base: text.trim_end_matches('/').to_string() })
    }

    /// Where a file of a data set lies.
    pub(super) fn url(&self, set: &str, file: &str) -> String {
        format!("{}/{set}/{file}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_has_one_layout() {
        for text in
            ["http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a/", "http://127.0.0.1:8000/a//"]
        {
            let mirror = Mirror::parse("--mirror", text).unwrap();
            assert_eq!(mirror.url("mnist", "x.gz"), "http://127.0.0.1:8000/a/mnist/x.gz");
        }
        for (text, rule) in [
            ("", "not a URL"),
            ("not a url", "not a URL"),
            ("example.org", "must begin with"),
            ("ftp://example.org", "must begin with"),
            ("file:///data", ""),
            ("http://", ""),
            ("https://example.org/a?b=c", "must end in a path"),
        ] {
            let refused = Mirror::parse("--mirror", text).unwrap_err().to_string();
            assert!(refused.starts_with("--mirror: URL = ") && refused.contains(rule), "{refused}");
        }
    }
}
