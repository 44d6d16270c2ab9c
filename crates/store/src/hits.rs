//! Which events of a segment a scope sees and a filter matches, without reading them.
//!
//! Every part of a filter, and of a scope, is the union of the lists of some values; the event must be in all of these. What a
//! scope hides of an event cannot be filtered by, so events are told apart by what is hidden of them, and each lot is asked
//! on its own. [`Filter::matches`] says the same of one event, and is the truth.

use std::ops::Range;

use access::{MASK, Masked, Masks, Scope, Sight};
use memchr::memmem::Finder;
use record::text::push_lower;
use record::{Catalogs, Json, Kind, Outcome};

use crate::bits::Bits;
use crate::cancel::Cancel;
use crate::error::StoreError;
use crate::filter::{Filter, contains};
use crate::part::{Dictionary, Field, Near, OPAQUE, PRESENT, Part, member};
use crate::segment::{Run, Segment, changes, columns};
use crate::tokens;

/// Rows that are read in one go where lists leave a doubt.
const READ_ROWS: usize = 4_096;

/// One organization's events in one segment, asked by one scope and filter.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) run: &'a Run,
    pub(crate) part: &'a Part,
    pub(crate) scope: &'a Scope,
    pub(crate) filter: &'a Filter,
    pub(crate) cancel: &'a Cancel,
}

impl Asked<'_> {
    /// The positions of the events that match, by what is hidden of them. `within` are the positions to be looked at.
    pub(crate) fn hits(&self, within: Option<&Bits>) -> Result<Vec<(Masks, Bits)>, StoreError> {
        let mut lots = seen(self.part, self.scope)?;
        for (masks, set) in &mut lots {
            self.cancel.check()?;
            if let Some(within) = within {
                set.and(within);
            }
            self.narrow(*masks, set)?;
        }
        lots.retain(|(_, set)| !set.is_empty());
        Ok(lots)
    }

    /// The same, whatever is hidden.
    pub(crate) fn all_hits(&self, within: Option<&Bits>) -> Result<Bits, StoreError> {
        let mut all: Option<Bits> = None;
        for (_, set) in self.hits(within)? {
            match &mut all {
                Some(all) => all.or(&set),
                None => all = Some(set),
            }
        }
        Ok(all.unwrap_or_else(|| Bits::none(self.part.rows())))
    }

    /// How many events match, where that stands in the dictionaries.
    pub(crate) fn known_count(&self) -> Result<Option<u64>, StoreError> {
        let Filter { actions, outcome, actor, teams, from, to, .. } = self.filter;
        let rest = Filter {
            actions: None,
            outcome: None,
            actor: None,
            teams: Vec::new(),
            from: None,
            to: None,
            ..self.filter.clone()
        };
        if !self.scope.is_whole() || !rest.is_empty() {
            return Ok(None);
        }
        let between = self.part.between(from.map(|at| at.as_millis()), to.map(|at| at.as_millis()))?;
        let asked = [actions.is_some(), outcome.is_some(), actor.is_some(), !teams.is_empty()];
        let asked = asked.into_iter().filter(|asked| *asked).count();
        if asked == 0 {
            return Ok(Some(between.len() as u64));
        }
        if asked > 1 || between.len() != self.part.rows() as usize {
            return Ok(None);
        }
        // Every event has one of each at most, so that no event is counted twice.
        let mut count = 0;
        self.each_choice(|field, values| {
            let dictionary = self.part.dictionary(field)?;
            count = values.iter().map(|value| u64::from(dictionary.count(*value))).sum();
            Ok(())
        })?;
        Ok(Some(count))
    }

    /// The values that are wanted of the fields that have one value at most.
    fn each_choice(&self, mut each: impl FnMut(Field, &[usize]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let Filter { actions, outcome, actor, teams, .. } = self.filter;
        if let Some(actions) = actions {
            let dictionary = self.part.dictionary(Field::Action)?;
            each(Field::Action, &found(&dictionary, actions.iter().map(|action| action.as_str())))?;
        }
        if let Some(outcome) = outcome {
            let dictionary = self.part.dictionary(Field::Outcome)?;
            each(Field::Outcome, &found(&dictionary, [Outcome::as_str(*outcome)].into_iter()))?;
        }
        if !teams.is_empty() {
            let dictionary = self.part.dictionary(Field::Team)?;
            each(Field::Team, &found(&dictionary, teams.iter().map(|team| team.as_str())))?;
        }
        if let Some(actor) = actor {
            let dictionary = self.part.dictionary(Field::Actor)?;
            each(Field::Actor, &dictionary.with_id(actor).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Takes out what the filter does not match.
    fn narrow(&self, masks: Masks, set: &mut Bits) -> Result<(), StoreError> {
        let (part, filter) = (self.part, self.filter);
        let len = part.rows();
        let mut keep = |field: Field, values: &[usize]| {
            if set.is_empty() {
                return Ok(());
            }
            let mut wanted = Bits::none(len);
            part.or_values(field, values, &mut wanted)?;
            set.and(&wanted);
            Ok(())
        };
        self.each_choice(&mut keep)?;
        if let Some(wanted) = &filter.email {
            let values = if masks.contains(Masked::Email) {
                Vec::new()
            } else {
                let dictionary = part.dictionary(Field::Actor)?;
                if wanted.contains('\n') {
                    let has = |value: &usize| {
                        dictionary.members(*value)[member::LAST].is_some_and(|email| contains(email, wanted))
                    };
                    (0..dictionary.len()).filter(has).collect()
                } else {
                    dictionary.with_word(true, wanted, |at| at == member::LAST)
                }
            };
            keep(Field::Actor, &values)?;
        }
        if let Some(wanted) = &filter.ip {
            let values = if masks.contains(Masked::Ip) {
                Vec::new()
            } else {
                let dictionary = part.dictionary(Field::Ip)?;
                (0..dictionary.len()).filter(|value| wanted.matches(dictionary.text(*value))).collect()
            };
            keep(Field::Ip, &values)?;
        }
        if filter.target_type.is_some() || filter.target.is_some() {
            let dictionary = part.dictionary(Field::Target)?;
            let kind = filter.target_type.as_ref().map(Kind::as_str);
            let names_hidden = masks.contains(Masked::Name);
            let is_wanted = |value: &usize| {
                let [id, its_kind, name, _] = dictionary.members(*value);
                kind.is_none_or(|kind| its_kind == Some(kind))
                    && filter.target.as_deref().is_none_or(|it| id == Some(it) || !names_hidden && name == Some(it))
            };
            keep(Field::Target, &(0..dictionary.len()).filter(is_wanted).collect::<Vec<_>>())?;
        }
        if filter.from.is_some() || filter.to.is_some() {
            let between = part.between(filter.from.map(|at| at.as_millis()), filter.to.map(|at| at.as_millis()))?;
            set.and(&Bits::range(len, between));
        }
        if !filter.words.is_empty() && !set.is_empty() {
            self.narrow_to_words(masks, set)?;
        }
        Ok(())
    }

    /// Takes out what has not all the words in its text.
    fn narrow_to_words(&self, masks: Masks, set: &mut Bits) -> Result<(), StoreError> {
        let mut answers = Vec::with_capacity(self.filter.words.len());
        for word in &self.filter.words {
            self.cancel.check()?;
            let answer = with_word(self.part, masks, word)?;
            let mut possible = answer.has.clone();
            answer.may_have.iter().for_each(|(_, may_have)| possible.or(may_have));
            set.and(&possible);
            answers.push((word, answer));
        }
        // Only now that it is known how few are left, those that lists leave in doubt are read.
        for (word, mut answer) in answers {
            for (field, mut doubtful) in answer.may_have {
                doubtful.and(set);
                doubtful.without(&answer.has);
                if !doubtful.is_empty() {
                    self.read(field, word, &doubtful, &mut answer.has)?;
                }
            }
            set.and(&answer.has);
        }
        Ok(())
    }

    /// Reads the texts of a field, and puts the positions of those that have a word into `has`.
    fn read(&self, field: Field, word: &str, doubtful: &Bits, has: &mut Bits) -> Result<(), StoreError> {
        let names: &[&str] = match field {
            Field::Changes => &[columns::CHANGES],
            Field::Metadata => &[columns::METADATA],
            _ => &[columns::ID, columns::SESSION_ID, columns::REQUEST_ID, columns::CHANGES],
        };
        let finder = Finder::new(word);
        let mut looking = Looking { finder: &finder, plain: word.chars().all(char::is_alphanumeric), lower: String::new() };
        let mut rows = Vec::with_capacity(READ_ROWS);
        let mut near = Near::default();
        let mut positions = doubtful.iter();
        loop {
            self.cancel.check()?;
            rows.clear();
            for at in positions.by_ref().take(READ_ROWS) {
                rows.push((u64::from(self.part.row(at, &mut near)?) + self.run.first_row, at));
            }
            if rows.is_empty() {
                return Ok(());
            }
            rows.sort_unstable();
            let mut ranges: Vec<Range<u64>> = Vec::new();
            for (row, _) in &rows {
                match ranges.last_mut() {
                    Some(range) if range.end == *row => range.end += 1,
                    _ => ranges.push(*row..*row + 1),
                }
            }
            let mut at = rows.iter();
            self.segment.texts(names, &ranges, |texts| {
                let found = match (field, texts) {
                    (Field::Changes, [changes]) => changes.is_some_and(|text| looking.in_changes(text)),
                    (Field::Metadata, [metadata]) => metadata.is_some_and(|text| looking.in_json(text)),
                    (_, [texts @ .., changes]) => {
                        texts.iter().flatten().any(|text| looking.within(text))
                            || changes.is_some_and(|text| looking.in_names_of_changes(text))
                    }
                    _ => false,
                };
                if let Some((_, at)) = at.next()
                    && found
                {
                    has.insert(*at);
                }
            })?;
        }
    }
}

/// Looks for a word in texts as they are stored.
struct Looking<'f> {
    finder: &'f Finder<'f>,
    /// Whether the word has letters and digits only.
    plain: bool,
    lower: String,
}

impl Looking<'_> {
    fn within(&mut self, text: &str) -> bool {
        self.lower.clear();
        push_lower(&mut self.lower, text);
        self.finder.find(self.lower.as_bytes()).is_some()
    }

    /// In JSON, of which member names and values are text.
    fn in_json(&mut self, text: &str) -> bool {
        // Without escapes, what is in a value is in the text; and what has letters and digits only is in nothing else.
        if !text.contains('\\') {
            let within = self.within(text);
            if self.plain || !within {
                return within;
            }
        }
        let mut found = false;
        Json::trusted(text).each_text(|text| found = found || self.within(text));
        found
    }

    fn in_changes(&mut self, text: &str) -> bool {
        let changes = changes(text).unwrap_or_default();
        changes.iter().flat_map(|change| [&change.before, &change.after]).flatten().any(|value| self.in_json(value.as_str()))
    }

    fn in_names_of_changes(&mut self, text: &str) -> bool {
        changes(text).unwrap_or_default().iter().any(|change| self.within(&change.field))
    }
}

/// The numbers of these values, as far as they occur; ascending.
fn found<'v>(dictionary: &Dictionary, values: impl Iterator<Item = &'v str>) -> Vec<usize> {
    let mut found: Vec<usize> = values.filter_map(|value| dictionary.find(value)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The positions of what a scope sees, by what it hides of it. The sets have nothing in common.
pub(crate) fn seen(part: &Part, scope: &Scope) -> Result<Vec<(Masks, Bits)>, StoreError> {
    if scope.is_whole() {
        return Ok(vec![(Masks::default(), Bits::all(part.rows()))]);
    }
    let mut lots: Vec<(Masks, Bits)> = Vec::new();
    for sight in scope.sights() {
        let mut new = in_sight(part, &sight)?;
        let mut next: Vec<(Masks, Bits)> = Vec::new();
        for (masks, set) in lots {
            let (mut both, mut only) = (set.clone(), set);
            both.and(&new);
            only.without(&new);
            new.without(&both);
            put(&mut next, masks.both(sight.masks), both);
            put(&mut next, masks, only);
        }
        put(&mut next, sight.masks, new);
        lots = next;
    }
    Ok(lots)
}

fn put(lots: &mut Vec<(Masks, Bits)>, masks: Masks, set: Bits) {
    if set.is_empty() {
        return;
    }
    match lots.iter_mut().find(|(its, _)| *its == masks) {
        Some((_, known)) => known.or(&set),
        None => lots.push((masks, set)),
    }
}

/// The positions of what is seen in one way.
fn in_sight(part: &Part, sight: &Sight<'_>) -> Result<Bits, StoreError> {
    let len = part.rows();
    let catalogs = Catalogs::built_in();
    let narrowing = sight.narrowing;
    let between = part.between(narrowing.from.map(|at| at.as_millis()), narrowing.to.map(|at| at.as_millis()))?;
    let mut set = Bits::range(len, between);
    let actions = part.dictionary(Field::Action)?;
    let with_action = |is_meant: &dyn Fn(&str) -> bool| {
        let mut with = Bits::none(len);
        let values: Vec<usize> = (0..actions.len()).filter(|value| is_meant(actions.text(*value))).collect();
        part.or_values(Field::Action, &values, &mut with).map(|()| with)
    };
    if let Some(teams) = sight.teams {
        let mut of_teams = Bits::none(len);
        let values = found(&*part.dictionary(Field::Team)?, teams.iter().map(|team| team.as_str()));
        part.or_values(Field::Team, &values, &mut of_teams)?;
        set.and(&of_teams);
        set.without(&with_action(&|action| catalogs.is_organization_only(action))?);
    }
    if !narrowing.categories.is_empty() {
        let in_one = |action: &str| catalogs.get(action).is_some_and(|(_, it)| narrowing.categories.contains(&it.category));
        set.and(&with_action(&in_one)?);
    }
    if let Some((user, email)) = sight.about {
        let mut about = Bits::none(len);
        let actors = part.dictionary(Field::Actor)?;
        let is_her = |value: &usize| {
            let [id, _, _, its_email] = actors.members(*value);
            id == Some(user) || email.is_some_and(|own| its_email.is_some_and(|its| its.to_lowercase() == own))
        };
        part.or_values(Field::Actor, &(0..actors.len()).filter(is_her).collect::<Vec<_>>(), &mut about)?;
        let targets = part.dictionary(Field::Target)?;
        let is_user = |value: &usize| targets.members(*value)[member::KIND] == Some("user");
        part.or_values(Field::Target, &targets.with_id(user).filter(is_user).collect::<Vec<_>>(), &mut about)?;
        set.and(&about);
    }
    Ok(set)
}

/// What lists say of a word.
struct Answer {
    /// The positions of the events that have it in what is shown of their text.
    has: Bits,
    /// Those that may have it in the texts of a field.
    may_have: Vec<(Field, Bits)>,
}

/// Which events have a word in lower case.
fn with_word(part: &Part, masks: Masks, word: &str) -> Result<Answer, StoreError> {
    let len = part.rows();
    if word.is_empty() {
        return Ok(Answer { has: Bits::all(len), may_have: Vec::new() });
    }
    let mut has = Bits::none(len);
    let whole_values = [
        (Field::Action, None),
        (Field::Team, None),
        (Field::Outcome, None),
        (Field::Actor, None),
        (Field::Target, None),
        (Field::Ip, Some(Masked::Ip)),
        (Field::Agent, Some(Masked::UserAgent)),
    ];
    // What stands where something is hidden is text as well.
    let mask_has = MASK.contains(word);
    for (field, hidden_by) in whole_values {
        let dictionary = part.dictionary(field)?;
        if hidden_by.is_some_and(|hidden| masks.contains(hidden)) {
            if mask_has {
                part.or_values(field, &(0..dictionary.len()).collect::<Vec<_>>(), &mut has)?;
            }
            continue;
        }
        let hidden = |at: usize| match (field, at) {
            (Field::Actor | Field::Target, member::NAME) => masks.contains(Masked::Name),
            (Field::Actor, member::LAST) => masks.contains(Masked::Email),
            _ => false,
        };
        part.or_values(field, &dictionary.with_word(field.has_members(), word, |at| !hidden(at)), &mut has)?;
        if mask_has && field.has_members() && (hidden(member::NAME) || hidden(member::LAST)) {
            let some_hidden =
                |value: &usize| dictionary.members(*value).iter().enumerate().any(|(at, it)| it.is_some() && hidden(at));
            part.or_values(field, &(0..dictionary.len()).filter(some_hidden).collect::<Vec<_>>(), &mut has)?;
        }
    }
    let whole_word = word.chars().all(char::is_alphanumeric);
    let mut may_have = Vec::new();
    for (field, hidden_by) in
        [(Field::Words, None), (Field::Changes, Some(Masked::Changes)), (Field::Metadata, Some(Masked::Metadata))]
    {
        let dictionary = part.dictionary(field)?;
        if hidden_by.is_some_and(|hidden| masks.contains(hidden)) {
            if mask_has {
                part.or_values(field, &found(&dictionary, [PRESENT].into_iter()), &mut has)?;
            }
            continue;
        }
        let opaque = opaque(part, field, &dictionary)?;
        if whole_word {
            part.or_values(field, &dictionary.with_word(false, word, |_| true), &mut has)?;
            if let Some(opaque) = opaque.filter(|_| tokens::may_be_opaque(word))
                && part.grams(field)?.is_none_or(|grams| grams.may_have(word))
            {
                may_have.push((field, opaque));
            }
            continue;
        }
        // Its pieces must be in the event's words of this field, side by side or not.
        let mut with_all = Bits::none(len);
        let present = match field {
            Field::Words => (0..dictionary.len()).collect(),
            _ => found(&dictionary, [PRESENT].into_iter()),
        };
        part.or_values(field, &present, &mut with_all)?;
        for piece in tokens::tokens(word) {
            let mut with_piece = Bits::none(len);
            part.or_values(field, &dictionary.with_word(false, piece, |_| true), &mut with_piece)?;
            if let Some(opaque) = opaque.as_ref().filter(|_| tokens::may_be_opaque(piece))
                && part.grams(field)?.is_none_or(|grams| grams.may_have(piece))
            {
                with_piece.or(opaque);
            }
            with_all.and(&with_piece);
        }
        may_have.push((field, with_all));
    }
    Ok(Answer { has, may_have })
}

/// The positions of the events that have tokens without a list.
fn opaque(part: &Part, field: Field, dictionary: &Dictionary) -> Result<Option<Bits>, StoreError> {
    let Some(value) = dictionary.find(OPAQUE) else { return Ok(None) };
    let mut set = Bits::none(part.rows());
    part.or_values(field, &[value], &mut set)?;
    Ok(Some(set))
}
