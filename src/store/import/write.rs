//! From curves and a space to a table.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base::error::{Result, fault, internal};
use base::measured::{is_diverged, is_measured};
use base::units::{ConfigId, SimTime};
use serde_json::{Map, Value as Json, json};

use super::cell::Held;
use super::curves::{self, Curves};
use super::gathered::{Column, Gathered};
use super::mapping::{Format, Mapping, Seconds};
use super::space::{Found, KNOWN};
use super::{Imported, Quirk};
use crate::columns::{Cells, ColumnSpec, Kind, Named};
use crate::table::{CURVE_KEYS, FileSeal, Header, Layout, PARTS_DIR, Recorded};
use crate::table::{SECONDS_COLUMN, Status, TableWriter};

/// Rows of curves that become durable together.
const COHORT_ROWS: usize = 1 << 17;

/// Where a table comes from, for `provenance`.
pub(super) struct Origin<'a> {
    pub(super) format: Format,
    pub(super) source: &'a Path,
    pub(super) seal: Option<FileSeal>,
}

/// The curves of one configuration: places in [`Curves::order`], repeat by repeat.
type Spans = Vec<std::ops::Range<usize>>;

/// Everything, ready to be written.
struct Ready<'a> {
    gathered: Gathered,
    curves: &'a Curves,
    mapping: &'a Mapping,
    found: Found,
    spans: Vec<Spans>,
    status: Vec<Status>,
    last_epoch: Vec<Option<u16>>,
    layout: Layout,
}

/// Makes the table. Nothing stays behind where that fails.
pub(super) fn write(
    gathered: Gathered,
    curves: &Curves,
    found: Found,
    mapping: &Mapping,
    origin: &Origin<'_>,
    out: &Path,
) -> Result<Imported> {
    let configs = u32::try_from(curves.configs.len()).expect("counted in 32 bits");
    let (mut status, last_epoch) = (Vec::new(), vec![None; curves.configs.len()]);
    let spans = spans(&gathered, curves);
    status.resize(spans.len(), Status::Ok);
    let layout = Layout::default();
    let mut ready = Ready { gathered, curves, mapping, found, spans, status, last_epoch, layout };
    ready.last_epochs()?;
    ready.statuses();
    ready.lay_out()?;
    let imported = ready.imported();
    let header = Header {
        name: mapping.name.clone(),
        metric: mapping.metric.clone(),
        epochs: curves.epochs,
        repeats: curves.repeats,
        configs,
        first_config: None,
        space: ready.found.space.clone(),
        space_further: Map::new(),
        layout: ready.layout.clone(),
        provenance: Some(ready.provenance(origin, &imported)?),
    };
    let is_new = !out.exists();
    let writer = TableWriter::create(out, header)?;
    let written = ready.write(writer);
    written.inspect_err(|_| {
        // Best effort: what is left is no table, and there is an error to tell already.
        let _ = fs::remove_dir_all(out.join(PARTS_DIR));
        if is_new {
            let _ = fs::remove_dir(out);
        }
    })?;
    Ok(imported)
}

fn spans(gathered: &Gathered, curves: &Curves) -> Vec<Spans> {
    let mut spans: Vec<Spans> = Vec::with_capacity(curves.configs.len());
    let (mut from, mut last) = (0, None);
    while from < curves.order.len() {
        let span = curves::curve_from(gathered, curves, from);
        let config = gathered.rows.config[curves.order[from] as usize];
        if last.replace(config) != Some(config) {
            spans.push(Vec::new());
        }
        from = span.end;
        spans.last_mut().expect("pushed above").push(span);
    }
    spans
}

impl Ready<'_> {
    fn row(&self, at: usize) -> usize {
        self.curves.order[at] as usize
    }

    fn kept(&self, name: &str) -> Option<&Column> {
        self.found.kept.iter().find(|column| column.name == name)
    }

    /// The last epoch that any repeat of a configuration has.
    fn length(&self, id: usize) -> u16 {
        let last = |span: &std::ops::Range<usize>| self.curves.epoch[self.row(span.end - 1)];
        self.spans[id].iter().map(last).max().unwrap_or(0)
    }

    /// Where the source says itself when a configuration is complete.
    fn last_epochs(&mut self) -> Result<()> {
        let Some(column) = self.kept("last_epoch") else { return Ok(()) };
        let mut found = Vec::with_capacity(column.cells.len());
        for (id, cell) in column.cells.iter().enumerate() {
            if cell.is_missing() {
                found.push(None);
                continue;
            }
            let (least, most) = (self.length(id), self.curves.epochs);
            let number = cell.number().filter(|number| number.fract() == 0.0);
            let inside = number.filter(|n| (f64::from(least)..=f64::from(most)).contains(n));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside")]
            let last = inside.map(|number| number as u16);
            if last.is_none() {
                let rule = format!("a last epoch lies between the curve's, {least}, and {most}");
                let field = format!("configuration {id}, column last_epoch");
                let remedy = "mend the cell, or --drop the column";
                return Err(fault(&self.gathered.source, field, cell.text(), rule, remedy));
            }
            found.push(last);
        }
        self.last_epoch = found;
        Ok(())
    }

    /// How every configuration ended, by what the source says and what its curves show.
    fn statuses(&mut self) {
        for id in 0..self.spans.len() {
            let said = self.said(id);
            let is_short = self.length(id) < self.last_epoch[id].unwrap_or(self.curves.epochs);
            let first = self.spans[id][0].clone();
            let values = first.map(|at| self.gathered.rows.value[self.row(at)]);
            let has_diverged = values.into_iter().any(is_diverged);
            let (ended, why) = match said {
                Some(early) if early.may_end_early() => (early, ""),
                _ if is_short && has_diverged => {
                    (Status::Failed, "curves that break off after NaN are failed")
                }
                // A tool knows what it let run to the end; a word in a column may mean anything.
                Some(Status::Ok) if is_short && self.tool_said(id) => {
                    self.last_epoch[id] = Some(self.length(id));
                    (Status::Ok, "complete trials with fewer epochs are complete by their last")
                }
                _ if is_short && self.mapping.short_is_complete => {
                    self.last_epoch[id] = Some(self.length(id));
                    (Status::Ok, "curves that end early are complete by their last epoch")
                }
                _ if is_short => (Status::Truncated, "curves that end early are truncated"),
                _ if has_diverged => (Status::Diverged, "curves with NaN are diverged"),
                _ => (Status::Ok, ""),
            };
            if !why.is_empty() {
                let name = self.name(id);
                self.gathered.quirks.count(why, || name);
            }
            self.status[id] = ended;
        }
    }

    fn name(&self, id: usize) -> String {
        self.gathered.ids[self.curves.configs[id] as usize].clone()
    }

    fn tool_said(&self, id: usize) -> bool {
        let at = self.curves.configs[id] as usize;
        self.gathered.status.get(at).is_some_and(Option::is_some)
    }

    /// What the source says of a configuration's end.
    fn said(&mut self, id: usize) -> Option<Status> {
        let gathered = self.curves.configs[id] as usize;
        if let Some(said) = self.gathered.status.get(gathered).copied().flatten() {
            return Some(said);
        }
        let word = self.kept("status")?.cells[id].text().to_lowercase();
        let said = Status::from_word(&word).or(match word.as_str() {
            "complete" | "completed" | "success" | "finished" => Some(Status::Ok),
            "crashed" | "fail" | "error" => Some(Status::Failed),
            "pruned" | "stopped" | "killed" => Some(Status::Truncated),
            _ => None,
        });
        if said.is_none() {
            let what = "words of the column status that say nothing known";
            self.gathered.quirks.count(what, || word);
        }
        said
    }

    /// Declares the columns, and drops those that cannot stand beside them.
    fn lay_out(&mut self) -> Result<()> {
        let [id, repeat, epoch] = CURVE_KEYS;
        let metric = self.mapping.metric.name.clone();
        let doc = "As imported; null where nothing was recorded, NaN where training diverged.";
        let seconds = "What this epoch costs by itself.";
        self.layout.curves = vec![
            ColumnSpec::new(repeat, Kind::U16, false, "From 0."),
            ColumnSpec::new(epoch, Kind::U16, false, "From 1."),
            ColumnSpec::named(metric.clone(), Kind::F64, doc),
            ColumnSpec::named(SECONDS_COLUMN, Kind::F64, seconds),
        ];
        let taken = [id, repeat, epoch, SECONDS_COLUMN, &metric];
        let quirks = &mut self.gathered.quirks;
        let mut left = |name: &str| {
            let what = format!("column {name} is left out: the table has one of that name");
            quirks.say(what);
        };
        let mut seen = BTreeSet::new();
        self.gathered.further.retain(|(name, _)| {
            let is_new = seen.insert(name.clone());
            let is_free = is_new && !name.is_empty() && !taken.contains(&name.as_str());
            if !is_free {
                left(name);
            }
            is_free
        });
        let further = self.gathered.further.iter();
        self.layout.curves.extend(
            further.map(|(name, _)| ColumnSpec::named(name.clone(), Kind::F64, "As imported.")),
        );
        let parameters = &self.found.space.parameters;
        let taken = [id, "source_id", "status", "last_epoch", "val_confusion", ""];
        self.found.kept.retain(|column| {
            let name = column.name.as_str();
            let is_taken = taken.contains(&name) || parameters.iter().any(|p| p.name == name);
            if is_taken && !["status", "last_epoch"].contains(&name) {
                left(name);
            }
            !is_taken
        });
        let mut configs = vec![ColumnSpec::new("status", Kind::Text, false, "How training ended.")];
        if !self.curves.keeps_ids {
            let doc = "What the source calls the configuration.";
            configs.push(ColumnSpec::named("source_id", Kind::Text, doc));
        }
        if self.last_epoch.iter().any(Option::is_some) {
            let doc = "Where the curve is complete, if before the table's last epoch.";
            configs.push(ColumnSpec::named("last_epoch", Kind::U16, doc));
        }
        for column in &self.found.kept {
            let kind = kept_kind(column);
            if kind == Kind::Text && KNOWN.contains(&column.name.as_str()) {
                let (rule, remedy) = ("must hold numbers", "mend the column, or --drop it");
                let field = format!("column {}", column.name);
                return Err(fault(&self.gathered.source, field, "text", rule, remedy));
            }
            if column.name == "setup_seconds" {
                self.check_setup(column)?;
            }
            configs.push(ColumnSpec::named(column.name.clone(), kind, "As imported."));
        }
        self.layout.configs = configs;
        Ok(())
    }

    fn check_setup(&self, column: &Column) -> Result<()> {
        let is_wrong = |cell: &Held| {
            cell.number().is_none_or(|n| is_measured(n) && SimTime::from_seconds(n).is_none())
        };
        let Some(id) = column.cells.iter().position(is_wrong) else { return Ok(()) };
        let field = format!("configuration {id}, column setup_seconds");
        let (rule, remedy) = ("seconds are from 0 to 3e9", "mend the cell, or --drop the column");
        Err(fault(&self.gathered.source, field, column.cells[id].text(), rule, remedy))
    }

    fn imported(&self) -> Imported {
        let Gathered { rows, rows_read, rows_dropped, quirks, .. } = &self.gathered;
        let parameters = self.found.space.parameters.iter().map(|parameter| {
            let condition = if parameter.condition.is_some() { ", conditional" } else { "" };
            let log = base::space::raw::write(parameter).get("log").is_some();
            let log = if log { ", log" } else { "" };
            (parameter.name.clone(), format!("{}{log}{condition}", parameter.range_text()))
        });
        Imported {
            configs: u32::try_from(self.spans.len()).expect("counted in 32 bits"),
            epochs: self.curves.epochs,
            repeats: self.curves.repeats,
            rows_read: *rows_read,
            rows_kept: rows_read - rows_dropped,
            recorded_epochs: rows.len() as u64 + self.curves.gaps,
            parameters: parameters.collect(),
            quirks: quirks.0.clone(),
        }
    }

    fn provenance(&self, origin: &Origin<'_>, imported: &Imported) -> Result<Json> {
        let Mapping { metric_column, id, epoch, repeat, seconds, .. } = self.mapping;
        let seconds = match seconds {
            Seconds::Column(column) => json!({
                "column": column,
                "cumulative": self.mapping.is_cumulative,
            }),
            Seconds::Each(each) => json!({ "each": each }),
        };
        let quirks: &Vec<Quirk> = &imported.quirks;
        let quirks = serde_json::to_value(quirks).map_err(|e| internal("writing JSON", e))?;
        let name = origin.source.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(json!({
            "import": {
                "format": origin.format.word(),
                "source": name,
                "source_bytes": origin.seal.as_ref().map(|seal| seal.bytes),
                "source_sha256": origin.seal.as_ref().map(|seal| &seal.sha256),
                "metric": metric_column,
                "percent": self.mapping.is_percent,
                "id": id,
                "epoch": epoch,
                "repeat": repeat,
                "seconds": seconds,
                "rows_read": imported.rows_read,
                "rows_kept": imported.rows_kept,
                "quirks": quirks,
                "curvebook": env!("CARGO_PKG_VERSION"),
            },
        }))
    }

    fn write(&self, mut writer: TableWriter) -> Result<()> {
        let (mut cohort, mut rows) = (Vec::new(), 0);
        for id in 0..self.spans.len() {
            let recorded = self.recorded(id);
            rows += recorded.curves.rows().unwrap_or(0);
            cohort.push(recorded);
            if rows >= COHORT_ROWS {
                writer.append(std::mem::take(&mut cohort))?;
                rows = 0;
            }
        }
        writer.append(cohort)?;
        writer.finish()
    }

    fn recorded(&self, id: usize) -> Recorded {
        let status = self.status[id].word();
        let mut columns = Named::default().with("status", vec![status]);
        for column in &self.layout.configs[1..] {
            let cells: Cells = match &*column.name {
                "source_id" => vec![Some(self.name(id))].into(),
                "last_epoch" => vec![self.last_epoch[id]].into(),
                name => {
                    let cell = &self.kept(name).expect("laid out from these").cells[id];
                    kept_cells(cell, column.kind)
                }
            };
            columns = columns.with(column.name.clone(), cells);
        }
        let config_id = ConfigId(u32::try_from(id).expect("counted in 32 bits"));
        let values = self.found.values[id].clone();
        Recorded { config_id, values, columns, curves: self.curve_rows(id) }
    }

    /// The rows of a configuration's curves, gaps filled.
    fn curve_rows(&self, id: usize) -> Named {
        let rows = &self.gathered.rows;
        let (mut repeats, mut epochs) = (Vec::new(), Vec::new());
        // The row of the source, and what the epoch costs; none where the source has a gap.
        let (mut from, mut seconds): (Vec<Option<usize>>, Vec<f64>) = Default::default();
        for span in &self.spans[id] {
            let mut before = None;
            for at in span.clone() {
                let row = self.row(at);
                let (own, next) = (rows.seconds[row], self.curves.epoch[row]);
                let first = before.map_or(1, |(epoch, _)| epoch + 1);
                let gap = match before {
                    _ if self.mapping.gaps_are_free => 0.0,
                    Some((_, last)) if !self.mapping.is_cumulative => f64::midpoint(last, own),
                    _ => own,
                };
                for epoch in first..=next {
                    let is_gap = epoch < next;
                    repeats.push(self.curves.repeat[rows.repeat[row] as usize]);
                    epochs.push(epoch);
                    from.push((!is_gap).then_some(row));
                    seconds.push(if is_gap { gap } else { own });
                }
                before = Some((next, own));
            }
        }
        let of = |values: &[f64]| -> Vec<Option<f64>> {
            let cell = |row: &Option<usize>| row.map(|row| values[row]).filter(|v| is_measured(*v));
            from.iter().map(cell).collect()
        };
        let metric = self.mapping.metric.name.clone();
        let mut named = Named::default()
            .with("repeat", repeats)
            .with("epoch", epochs)
            .with(metric, of(&rows.value))
            .with(SECONDS_COLUMN, seconds);
        for (name, values) in &self.gathered.further {
            named = named.with(name.clone(), of(values));
        }
        named
    }
}

/// In what a column of configurations is kept.
fn kept_kind(column: &Column) -> Kind {
    let is_int = |cell: &Held| match cell {
        Held::Int(_) | Held::Missing => true,
        Held::Raw(text) => text.parse::<i64>().is_ok(),
        _ => false,
    };
    let is_number = |cell: &Held| !matches!(cell, Held::Text(_)) && cell.number().is_some();
    if column.name != "setup_seconds" && column.cells.iter().all(is_int) {
        Kind::I64
    } else if column.cells.iter().all(is_number) {
        Kind::F64
    } else {
        Kind::Text
    }
}

fn kept_cells(cell: &Held, kind: Kind) -> Cells {
    if kind == Kind::Text {
        return vec![(!cell.is_missing()).then(|| cell.text())].into();
    }
    if kind == Kind::I64 {
        let int = match cell {
            Held::Int(int) => Some(*int),
            Held::Raw(text) => text.parse().ok(),
            _ => None,
        };
        return vec![int].into();
    }
    vec![cell.number().filter(|number| number.is_finite())].into()
}
