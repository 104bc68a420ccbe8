//! What a pack promises less than the law asks for, and where one law asks for less than a higher one.

use super::{Pack, Scope};
use crate::calendar::Span;

/// A figure that is looser than the one above it. A person decides which text rules; the program only names both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looser {
    /// The rule of the rulebook.
    pub rule: String,
    /// Whose figure is looser: the company's, or a law's.
    pub of: Option<Scope>,
    /// The looser figure.
    pub figure: Span,
    /// Where it stands.
    pub source: String,
    /// Whose law is stricter.
    pub than: Scope,
    /// The stricter figure.
    pub law: Span,
    /// Where that stands.
    pub law_source: String,
}

/// A figure of somebody.
struct Figure {
    of: Option<Scope>,
    span: Span,
    source: String,
}

/// Every figure of the pack that is looser than a law above it: the company's than any, a city's than the nation's.
pub fn looser(pack: &Pack) -> Vec<Looser> {
    let mut found = Vec::new();
    for law in &pack.laws {
        let Some(bound) = law.within.span() else { continue };
        let cities = pack.laws.iter().filter(|it| it.rule == law.rule && it.scope > law.scope);
        let cities = cities.filter_map(|it| {
            let span = it.within.span()?;
            Some(Figure { of: Some(it.scope), span, source: it.source.clone() })
        });
        for figure in promised(pack, &law.rule).into_iter().chain(cities) {
            if is_looser(&law.rule, figure.span, bound) {
                found.push(Looser {
                    rule: law.rule.clone(),
                    of: figure.of,
                    figure: figure.span,
                    source: figure.source,
                    than: law.scope,
                    law: bound,
                    law_source: law.source.clone(),
                });
            }
        }
    }
    found
}

/// What the company promises under a rule.
fn promised(pack: &Pack, rule: &str) -> Vec<Figure> {
    let own = |span, source: &str| Figure { of: None, span, source: source.to_owned() };
    let on_jobs = pack.promises.iter().filter(|it| it.rule == rule);
    let on_jobs = on_jobs.map(|it| own(it.span(), &it.source));
    let cases = pack.cases.iter().flat_map(|it| &it.promises).filter(|it| it.rule == rule);
    let cases = cases.map(|it| own(Span::Minutes(it.minutes), &it.source));
    let outages = pack.notices.iter().filter(|_| rule == OUTAGES);
    let outages = outages.map(|it| own(Span::Minutes(it.outage_ahead_minutes), &it.source));
    on_jobs.chain(cases).chain(outages).collect()
}

/// The rule under which more time is stricter: an outage is told so long ahead.
const OUTAGES: &str = "B13";

/// Compares by the longest that the figure can usually be with the shortest that the law can mean.
fn is_looser(rule: &str, figure: Span, law: Span) -> bool {
    if rule == OUTAGES {
        return figure.least_minutes() < law.usual_minutes();
    }
    match (figure, law) {
        (Span::WorkingDays(days), Span::WorkingDays(allowed)) => days > allowed,
        _ => figure.usual_minutes() > law.usual_minutes(),
    }
}
