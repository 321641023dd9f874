//! What tokens are good for, as a few lines say it: what the library is compared with.

use std::collections::BTreeMap;

/// How long a rotated token still gives its successor, in milliseconds.
pub(crate) const GRACE: i64 = 1_500;
/// Kinds by their place in the test: a break-glass token, a magic link, a refresh token.
const LINK: u8 = 1;
const GLASS: u8 = 3;
const REFRESH: u8 = 4;

/// What a token is presented for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Verify,
    Peek,
    Consume,
    Rotate,
}

/// Why a token is refused, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    /// A successor has taken its place, and the grace is over.
    Rotated,
    Other,
}

#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) kind: u8,
    subject: u8,
    pub(crate) scope: bool,
    epoch: u64,
    created_at: i64,
    expires_at: Option<i64>,
    ended_at: Option<i64>,
    uses: Option<u32>,
    pub(crate) enabled: bool,
    revoked: bool,
    pub(crate) armed_until: Option<i64>,
    family: Option<usize>,
    grace_until: Option<i64>,
    successor: Option<usize>,
}

impl Token {
    pub(crate) fn new(kind: u8, subject: u8, scope: bool, now: i64, lifetime: Option<i64>) -> Self {
        let expires_at = lifetime.map(|ms| now + ms);
        Token {
            kind,
            subject,
            scope,
            epoch: 0,
            created_at: now,
            expires_at,
            ended_at: expires_at,
            uses: (kind == LINK).then_some(1),
            enabled: true,
            revoked: false,
            armed_until: None,
            family: None,
            grace_until: None,
            successor: None,
        }
    }

    /// False where it was revoked already.
    pub(crate) fn revoke(&mut self, now: i64) -> bool {
        if self.revoked {
            return false;
        }
        self.revoked = true;
        self.ended_at = Some(now);
        true
    }
}

/// Tokens by number, and how often each subject was revoked.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) tokens: BTreeMap<usize, Token>,
    epochs: [u64; 3],
}

impl State {
    pub(crate) fn issue(&mut self, number: usize, mut token: Token) {
        token.epoch = self.epochs[usize::from(token.subject)];
        if token.kind == REFRESH && token.family.is_none() {
            token.family = Some(number);
        }
        self.tokens.insert(number, token);
    }

    /// Whether it holds for anything at all.
    fn stands(&self, token: &Token, now: i64) -> bool {
        token.epoch == self.epochs[usize::from(token.subject)]
            && !token.revoked
            && token.enabled
            && token.expires_at.is_none_or(|until| now < until)
    }

    pub(crate) fn refused(
        &self,
        number: usize,
        now: i64,
        how: Purpose,
        asked: u8,
    ) -> Option<Reason> {
        let Some(token) = self.tokens.get(&number) else { return Some(Reason::Other) };
        if !self.stands(token, now) {
            return Some(Reason::Other);
        }
        if token.grace_until.is_some_and(|until| now >= until) && how != Purpose::Rotate {
            return Some(Reason::Rotated);
        }
        let glass = token.kind == GLASS;
        let good = match how {
            Purpose::Verify | Purpose::Rotate => token.uses.is_none() && !glass,
            Purpose::Consume if glass => token.armed_until.is_some_and(|until| now < until),
            Purpose::Peek | Purpose::Consume => token.uses.is_some_and(|uses| uses > 0),
        };
        (!good || token.kind != asked).then_some(Reason::Other)
    }

    pub(crate) fn consume(&mut self, number: usize, now: i64) {
        let Some(token) = self.tokens.get_mut(&number) else { return };
        if token.kind == GLASS {
            token.armed_until = None;
        }
        if let Some(uses) = &mut token.uses {
            *uses -= 1;
            if *uses == 0 && token.expires_at.is_none() {
                token.ended_at = Some(now);
            }
        }
    }

    /// The number of the successor: `next` where there was none.
    pub(crate) fn rotate(&mut self, number: usize, next: usize, now: i64) -> Option<usize> {
        let old = self.tokens.get(&number)?.clone();
        match old.grace_until {
            Some(until) if now >= until => {
                self.revoke_family_of(number, now);
                None
            }
            Some(_) => {
                let successor = old.successor?;
                let stands = |token: &Token| self.stands(token, now);
                self.tokens.get(&successor).is_some_and(stands).then_some(successor)
            }
            None => {
                let lifetime = old.expires_at.map(|until| until - old.created_at);
                let mut new = Token::new(old.kind, old.subject, old.scope, now, lifetime);
                new.family = old.family;
                self.issue(next, new);
                let old = self.tokens.get_mut(&number)?;
                old.grace_until = Some(now + GRACE);
                old.successor = Some(next);
                Some(next)
            }
        }
    }

    pub(crate) fn revoke_kind(&mut self, subject: u8, kind: u8, now: i64) -> u64 {
        self.revoke_where(now, |token| token.subject == subject && token.kind == kind)
    }

    /// Everything that it has, at once.
    pub(crate) fn revoke_subject(&mut self, subject: u8) {
        self.epochs[usize::from(subject)] += 1;
    }

    /// The family that is named by the id of this token.
    pub(crate) fn revoke_family(&mut self, family: usize, now: i64) -> u64 {
        self.revoke_where(now, |token| token.family == Some(family))
    }

    /// The family that this token is of.
    pub(crate) fn revoke_family_of(&mut self, number: usize, now: i64) {
        if let Some(family) = self.tokens.get(&number).and_then(|token| token.family) {
            self.revoke_family(family, now);
        }
    }

    fn revoke_where(&mut self, now: i64, which: impl Fn(&Token) -> bool) -> u64 {
        let all = self.tokens.values_mut().filter(|token| which(token));
        all.map(|token| u64::from(token.revoke(now))).sum()
    }

    pub(crate) fn list(&self, subject: u8, active: bool, now: i64) -> Vec<usize> {
        let wanted = |token: &Token| {
            let useful = token.uses != Some(0) && token.grace_until.is_none();
            token.subject == subject && (!active || self.stands(token, now) && useful)
        };
        self.tokens.iter().filter(|(_, token)| wanted(token)).map(|(number, _)| *number).collect()
    }

    pub(crate) fn purge(&mut self, now: i64) -> u64 {
        let before = self.tokens.len();
        self.tokens.retain(|_, token| token.ended_at.is_none_or(|at| at > now));
        (before - self.tokens.len()) as u64
    }
}
