//! `sealite token issue` and `rotate`: the commands that give a token's text out.

use sealite::{
    ErrorKind, ExposeSecret, IssuedToken, SecretString, TokenCheck, TokenKind, TokenRequest,
};
use serde_json::json;

use super::Opened;
use super::show::object;
use crate::arguments::{PresentedToken, Shown, TokenIssue, TokenRotate};
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text::printable;
use crate::text_source::{from_file, rest_of_stdin};
use crate::unlock::{ask, others_can_read};

const SHOWN_ONCE: &str = "the token is shown this once and kept nowhere";

pub(super) fn issue(arguments: &TokenIssue, console: &mut Console<'_>) -> Result<Report> {
    let file = destination(&arguments.shown, console)?;
    let opened = Opened::open(&arguments.of, console)?;
    let issued = opened.tokens().issue(&request(arguments))?;
    // Nobody has the text of one that does not arrive: it must not stay.
    delivered(&issued, "Issued", file, console).map_err(|failure| {
        match opened.tokens().revoke(issued.token.id()) {
            Ok(_) => failure.and("the token was revoked again"),
            Err(_) => failure.and(format_args!("revoke the token {}", issued.token.id())),
        }
    })
}

pub(super) fn rotate(arguments: &TokenRotate, console: &mut Console<'_>) -> Result<Report> {
    let file = destination(&arguments.shown, console)?;
    let opened = Opened::open(&arguments.of, console)?;
    let text = arguments.token.read(console)?;
    let check = TokenCheck::from(TokenKind::ALL);
    let issued = opened.tokens().rotate(text.expose_secret(), check, arguments.grace)?;
    delivered(&issued, "Rotated: the successor is", file, console).map_err(|failure| {
        failure.and("within the grace the same command gives the successor again")
    })
}

fn request(arguments: &TokenIssue) -> TokenRequest {
    let mut request = TokenRequest::new(arguments.kind);
    for scope in &arguments.scopes {
        request = request.scope(scope);
    }
    for (text, set) in [
        (&arguments.subject, TokenRequest::subject as fn(TokenRequest, String) -> TokenRequest),
        (&arguments.label, TokenRequest::label),
        (&arguments.limits, TokenRequest::limits),
        (&arguments.prefix, TokenRequest::prefix),
        (&arguments.family, TokenRequest::family),
    ] {
        if let Some(text) = text {
            request = set(request, text.clone());
        }
    }
    for (time, set) in [
        (arguments.expires, TokenRequest::expires_in as fn(TokenRequest, _) -> TokenRequest),
        (arguments.not_before, TokenRequest::not_before_in),
        (arguments.idle, TokenRequest::idle),
        (arguments.renew_for, TokenRequest::renew_for),
    ] {
        if let Some(time) = time {
            request = set(request, time);
        }
    }
    if let Some(uses) = arguments.uses {
        request = request.uses(uses);
    }
    if arguments.never_expires {
        request = request.never_expires();
    }
    if arguments.replace_older { request.replace_older() } else { request }
}

/// The file for the text, made before anything else, so that a name that is taken leaves nothing behind. Without one
/// the text is for a terminal, or for where somebody insists on it.
fn destination(shown: &Shown, console: &Console<'_>) -> Result<Option<SecretFile>> {
    if shown.out.is_none() && !shown.stdout && !console.stdout_is_terminal() {
        return Err(Failure::usage(
            "the standard output is no terminal, and the token would end in it: write it to a file with --out, or \
             insist with --stdout",
        ));
    }
    shown.out.as_deref().map(SecretFile::create).transpose()
}

fn delivered(
    issued: &IssuedToken,
    done: &str,
    file: Option<SecretFile>,
    console: &mut Console<'_>,
) -> Result<Report> {
    let (token, text) = (&issued.token, issued.text.expose_secret());
    let line = format!("{done} {}: {}.\n", token.id(), token.kind().name());
    let mut report = Report::new(line, json!({"token": object(token, None)}));
    if let Some(mut file) = file {
        file.write(text)?;
        let path = file.path().display().to_string();
        file.keep();
        report.line(&format!("Its text is in {}.", printable(&path)));
        report.set("file", json!(path));
        return Ok(report
            .warn("the token is kept nowhere else: bring it to its holder, and remove the file"));
    }
    report.line(&format!("Token: {text}"));
    report.set("text", json!(text));
    let report = report.warn(SHOWN_ONCE);
    let written = console.deliver(&report);
    written.map_err(|error| Failure::io("the token can't be written", &error))?;
    Ok(Report::delivered())
}

impl PresentedToken {
    /// The token's text, without a line end.
    fn read(&self, console: &mut Console<'_>) -> Result<SecretString> {
        let found = match &self.token_file {
            None if self.prompt => return ask("Token: "),
            None => rest_of_stdin(console)?,
            Some(path) => {
                let found = from_file(path)?;
                if found.open_to_others {
                    return Err(others_can_read(path));
                }
                found
            }
        };
        match found.text.trim() {
            "" => Err(Failure::new(ErrorKind::InvalidInput, "no token was handed in")),
            text => Ok(SecretString::from(text)),
        }
    }
}
