//! From rows in any order to curves: epochs from 1, each once, each with what it costs by itself.

use std::ops::Range;

use base::error::{Error, Result, fault};
use base::measured::{NOT_MEASURED, is_diverged, is_measured};
use base::units::SimTime;

use super::gathered::Gathered;
use super::mapping::{Mapping, Seconds};

/// Curves in the order of a table. The rows themselves stay where they were gathered.
#[derive(Debug)]
pub(super) struct Curves {
    /// The gathered configurations that have rows, by their ids in the table.
    pub(super) configs: Vec<u32>,
    /// Whether those ids are the source's own.
    pub(super) keeps_ids: bool,
    /// Rows, sorted by id, repeat and epoch.
    pub(super) order: Vec<u32>,
    /// Of every row, in the order of the source.
    pub(super) epoch: Vec<u16>,
    /// By the gathered number of a repeat.
    pub(super) repeat: Vec<u16>,
    /// Epochs of a complete curve.
    pub(super) epochs: u16,
    pub(super) repeats: u16,
    /// Epochs between two rows that the source lacks.
    pub(super) gaps: u64,
}

/// Numbers, sorts, checks. Values and seconds come out as a table has them.
pub(super) fn settle(gathered: &mut Gathered, mapping: &Mapping) -> Result<Curves> {
    if gathered.rows.len() == 0 {
        let (rule, remedy) = ("a table has a configuration with an epoch", "name other columns");
        return Err(fault(&gathered.source, "rows", 0, rule, remedy));
    }
    values(gathered, mapping)?;
    let (configs, keeps_ids) = ids(gathered);
    let epoch = epochs(gathered, mapping)?;
    let repeat = repeats(gathered);
    let mut place = vec![u32::MAX; gathered.ids.len()];
    for (id, &config) in (0_u32..).zip(&configs) {
        place[config as usize] = id;
    }
    let rows = &gathered.rows;
    let count = u32::try_from(rows.len()).map_err(|_| {
        let rule = "an import takes fewer than 2^32 rows";
        fault(&gathered.source, "rows", rows.len(), rule, "import a part of the source")
    })?;
    let mut order: Vec<u32> = (0..count).collect();
    let key = |row: &u32| {
        let row = *row as usize;
        (place[rows.config[row] as usize], repeat[rows.repeat[row] as usize], epoch[row])
    };
    if !order.is_sorted_by_key(key) {
        order.sort_by_key(key);
    }
    let longest = epoch.iter().copied().max().unwrap_or(1);
    let repeats = repeat.iter().copied().max().unwrap_or(0).saturating_add(1);
    let mut curves =
        Curves { configs, keeps_ids, order, epoch, repeat, epochs: longest, repeats, gaps: 0 };
    if let Some(epochs) = mapping.epochs {
        if epochs < longest {
            let rule = format!("the longest curve of the source has {longest} epochs");
            return Err(fault("import", "epochs", epochs, rule, "give that number, or a greater"));
        }
        curves.epochs = epochs;
    }
    charge(gathered, &mut curves, mapping)?;
    Ok(curves)
}

/// Percent become shares; infinities, as in every table, NaN.
fn values(gathered: &mut Gathered, mapping: &Mapping) -> Result<()> {
    for row in 0..gathered.rows.len() {
        let (value, line) = (gathered.rows.value[row], gathered.rows.line[row]);
        if value.is_infinite() {
            gathered.rows.value[row] = f64::NAN;
            let at = gathered.at(line);
            gathered.quirks.count("infinite values are NaN, as diverged ones", || at);
        } else if mapping.is_percent && value.is_finite() {
            if !(0.0..=100.0).contains(&value) {
                let field = format!("{}, column {}", gathered.at(line), mapping.metric_column);
                let rule = "a value in percent lies between 0 and 100";
                let remedy = "mend the cell, or leave --percent out";
                return Err(fault(&gathered.source, field, value, rule, remedy));
            }
            gathered.rows.value[row] = value / 100.0;
        }
    }
    Ok(())
}

/// Configurations with rows. Ids that are 0 to N - 1 are kept; others are numbered as they come.
fn ids(gathered: &mut Gathered) -> (Vec<u32>, bool) {
    let mut has_rows = vec![false; gathered.ids.len()];
    gathered.rows.config.iter().for_each(|&config| has_rows[config as usize] = true);
    for (at, _) in has_rows.iter().enumerate().filter(|(_, has)| !**has) {
        let id = format!("`{}`", gathered.ids[at]);
        gathered.quirks.count("configurations without a value are left out", || id);
    }
    let kept = (0_u32..).zip(&has_rows).filter(|(_, has)| **has).map(|(at, _)| at);
    let mut configs: Vec<u32> = kept.collect();
    let mut own = vec![u32::MAX; configs.len()];
    for &config in &configs {
        let id = &gathered.ids[config as usize];
        let number = id.parse::<u32>().ok().filter(|number| number.to_string() == *id);
        if let Some(place) = number.and_then(|number| own.get_mut(number as usize)) {
            *place = config;
        }
    }
    let keeps_ids = !own.contains(&u32::MAX);
    if keeps_ids {
        configs = own;
    }
    (configs, keeps_ids)
}

/// Numbers of epochs from 1.
fn epochs(gathered: &mut Gathered, mapping: &Mapping) -> Result<Vec<u16>> {
    let found = &gathered.rows.epoch;
    if mapping.ranks_epochs {
        return ranked(gathered);
    }
    let least = found.iter().copied().fold(f64::INFINITY, f64::min);
    // Steps from 0 are epochs from 1.
    let shift = if least == 0.0 { 1.0 } else { 0.0 };
    let most = f64::from(u16::MAX);
    let sound = |epoch: f64| epoch.fract() == 0.0 && (1.0..=most).contains(&(epoch + shift));
    if let Some(row) = found.iter().position(|&epoch| !sound(epoch)) {
        let rule = "an epoch is a whole number from 0 or 1, below 65,536";
        let remedy = "give --rank-epochs to number steps or budgets in their order, or name \
                      another column with --epoch";
        let field = format!("{}, epoch", gathered.at(gathered.rows.line[row]));
        return Err(fault(&gathered.source, field, found[row], rule, remedy));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let numbers = found.iter().map(|epoch| (epoch + shift) as u16).collect();
    if shift > 0.0 {
        gathered.quirks.say("epochs from 0 are numbered from 1".into());
    }
    Ok(numbers)
}

/// Epochs by the order of the source's numbers, which are kept in a column `step`.
fn ranked(gathered: &mut Gathered) -> Result<Vec<u16>> {
    let found = &gathered.rows.epoch;
    let mut steps = found.clone();
    steps.sort_unstable_by(f64::total_cmp);
    steps.dedup();
    if steps.len() > usize::from(u16::MAX) || steps.last().is_some_and(|step| step.is_nan()) {
        let rule = "there are fewer than 65,536 different steps, all of them numbers";
        let remedy = "name another column with --epoch";
        return Err(fault(&gathered.source, "steps", steps.len(), rule, remedy));
    }
    let rank = |step: &f64| {
        let before = steps.partition_point(|known| known.total_cmp(step).is_lt());
        u16::try_from(before + 1).expect("no more than are counted above")
    };
    let ranks = found.iter().map(rank).collect();
    let shown: Vec<String> = steps.iter().take(12).map(f64::to_string).collect();
    let more = if steps.len() > shown.len() { ", ..." } else { "" };
    let what = format!(
        "epochs 1 to {} are the source's steps {}{more}, kept in a column step",
        steps.len(),
        shown.join(", ")
    );
    gathered.quirks.say(what);
    let column = gathered.rows.epoch.clone();
    gathered.further.push(("step".into(), column));
    Ok(ranks)
}

/// Numbers of repeats from 0, by the gathered number.
fn repeats(gathered: &mut Gathered) -> Vec<u16> {
    let mut sorted = gathered.repeats.clone();
    sorted.sort_unstable();
    let is_kept = sorted.first() == Some(&0) && sorted.last().is_some_and(|&last| last < 65_535);
    if !is_kept && sorted != [0] {
        let (first, last) = (sorted[0], sorted[sorted.len() - 1]);
        let shown = if first == last { first.to_string() } else { format!("{first} to {last}") };
        gathered.quirks.say(format!("repeats {shown} are numbered from 0"));
    }
    let number = |repeat: &i64| {
        let place = sorted.binary_search(repeat).expect("one of them");
        let own = usize::try_from(*repeat).ok().filter(|_| is_kept);
        u16::try_from(own.unwrap_or(place)).expect("fewer than 65,535, or kept")
    };
    gathered.repeats.iter().map(number).collect()
}

/// The curve that begins at a place of the order.
pub(super) fn curve_from(gathered: &Gathered, curves: &Curves, from: usize) -> Range<usize> {
    let rows = &gathered.rows;
    let key = |at: usize| {
        let row = curves.order[at] as usize;
        (rows.config[row], rows.repeat[row])
    };
    let same = (from..curves.order.len()).take_while(|&at| key(at) == key(from));
    from..from + same.count()
}

/// What every epoch costs by itself.
fn charge(gathered: &mut Gathered, curves: &mut Curves, mapping: &Mapping) -> Result<()> {
    if let Seconds::Each(seconds) = mapping.seconds {
        gathered.rows.seconds.fill(seconds);
        gathered.quirks.say(format!("seconds are not recorded: every epoch costs {seconds}"));
    }
    let mean = known_mean(gathered.rows.seconds.iter().copied());
    let mean = if mapping.is_cumulative { Some(0.0) } else { mean };
    let mut from = 0;
    while from < curves.order.len() {
        let span = curve_from(gathered, curves, from);
        let rows: Vec<usize> = span.clone().map(|at| curves.order[at] as usize).collect();
        curves.gaps += check_epochs(gathered, curves, &rows)?;
        recover(gathered, &rows);
        check_seconds(gathered, mapping, &rows)?;
        if mapping.is_cumulative {
            difference(gathered, curves, mapping, &rows)?;
        }
        let own = known_mean(rows.iter().map(|&row| gathered.rows.seconds[row]));
        let Some(fill) = own.or(mean) else {
            let rule = "some epoch says what it cost";
            let remedy = "name another column with --seconds, or give --seconds-each S";
            return Err(fault(&gathered.source, "seconds", "missing", rule, remedy));
        };
        for &row in &rows {
            if !is_measured(gathered.rows.seconds[row]) {
                gathered.rows.seconds[row] = fill;
                let at = gathered.at(gathered.rows.line[row]);
                let what = "epochs without seconds cost the mean of their curve";
                gathered.quirks.count(what, || at);
            }
        }
        from = span.end;
    }
    if curves.gaps > 0 {
        let count = base::units::plural(curves.gaps, "epoch");
        let what = if mapping.gaps_are_free {
            format!("{count} that were not run are null and cost nothing")
        } else {
            format!("{count} missing between others are null and cost what their neighbours do")
        };
        gathered.quirks.say(what);
    }
    Ok(())
}

/// What diverged has no value later: NaN before a number was not measured.
fn recover(gathered: &mut Gathered, rows: &[usize]) {
    let is_number = |row: &usize| gathered.rows.value[*row].is_finite();
    let Some(last) = rows.iter().rposition(is_number) else { return };
    for &row in &rows[..last] {
        if is_diverged(gathered.rows.value[row]) {
            gathered.rows.value[row] = NOT_MEASURED;
            let at = gathered.at(gathered.rows.line[row]);
            let what = "NaN before a later number is null: training had not diverged";
            gathered.quirks.count(what, || at);
        }
    }
}

/// The mean of those that were measured.
fn known_mean(seconds: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = seconds
        .filter(|seconds| is_measured(*seconds))
        .fold((0.0, 0.0), |(sum, count), seconds| (sum + seconds, count + 1.0));
    (count > 0.0).then_some(sum / count)
}

/// A row as messages name it.
fn shown(gathered: &Gathered, row: usize) -> String {
    let rows = &gathered.rows;
    let repeat = gathered.repeats[rows.repeat[row] as usize];
    let id = &gathered.ids[rows.config[row] as usize];
    format!("configuration {id}, repeat {repeat}, epoch {}", rows.epoch[row])
}

/// No epoch stands twice. How many are missing between others, and before the first.
fn check_epochs(gathered: &Gathered, curves: &Curves, rows: &[usize]) -> Result<u64> {
    let mut missing = 0;
    let mut last: Option<usize> = None;
    for &row in rows {
        let before = last.map_or(0, |last| curves.epoch[last]);
        if let Some(last) = last.filter(|_| before == curves.epoch[row]) {
            let line = |row: usize| gathered.rows.line[row];
            let field = format!("{} and {}", gathered.at(line(last)), line(row));
            let rule = "an epoch of a configuration and repeat stands once";
            let remedy = "remove one of them, or name the column of repeats with --repeat";
            return Err(fault(&gathered.source, field, shown(gathered, row), rule, remedy));
        }
        missing += u64::from(curves.epoch[row] - before - 1);
        last = Some(row);
    }
    Ok(missing)
}

fn backwards(gathered: &Gathered, row: usize, value: f64, rule: &str) -> Error {
    let place = gathered.at(gathered.rows.line[row]);
    let field = format!("{place}, seconds of {}", shown(gathered, row));
    let remedy = "mend it, or count such an epoch as none with --clip-seconds";
    fault(&gathered.source, field, value, rule, remedy)
}

/// Seconds are what a clock can say.
fn check_seconds(gathered: &mut Gathered, mapping: &Mapping, rows: &[usize]) -> Result<()> {
    for &row in rows {
        let seconds = &mut gathered.rows.seconds[row];
        if seconds.is_nan() {
            *seconds = NOT_MEASURED;
        } else if *seconds < 0.0 && mapping.clips_seconds {
            *seconds = 0.0;
            let at = gathered.at(gathered.rows.line[row]);
            gathered.quirks.count("negative seconds count as none", || at);
        } else if SimTime::from_seconds(*seconds).is_none() {
            let seconds = *seconds;
            return Err(backwards(gathered, row, seconds, "seconds are from 0 to 3e9"));
        }
    }
    Ok(())
}

/// From what a clock said to what each epoch took. What passed over a gap is shared out evenly.
fn difference(
    gathered: &mut Gathered,
    curves: &Curves,
    mapping: &Mapping,
    rows: &[usize],
) -> Result<()> {
    let (mut clock, mut epoch, mut from) = (0.0, 0_u16, 0);
    for (at, &row) in rows.iter().enumerate() {
        let now = gathered.rows.seconds[row];
        if !is_measured(now) {
            continue;
        }
        if now < clock {
            if !mapping.clips_seconds {
                let rule = format!("a clock does not run backwards: it was at {clock} before");
                return Err(backwards(gathered, row, now, &rule));
            }
            let line = gathered.at(gathered.rows.line[row]);
            gathered.quirks.count("time that runs backwards counts as none", || line);
        }
        let each = (now - clock).max(0.0) / f64::from(curves.epoch[row] - epoch);
        rows[from..=at].iter().for_each(|&row| gathered.rows.seconds[row] = each);
        (clock, epoch, from) = (clock.max(now), curves.epoch[row], at + 1);
    }
    Ok(())
}
