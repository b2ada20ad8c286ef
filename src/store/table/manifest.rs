//! `table.json`: what a table is.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use base::error::{Result, fault, internal, suggest};
use base::fields::Fields;
use base::space::{Direction, Metric, Space, raw};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::layout::Layout;
use super::{CONFIGS_FILE, CURVE_KEYS, CURVES_FILE, MANIFEST_FILE, growth};
use crate::inputs;

/// The word that tells a table from any other JSON file.
const FORMAT: &str = "curvebook-table";
/// The only version there is.
const VERSION: i64 = 1;
/// No honest `table.json` is longer.
const BYTES_MAX: u64 = 64 << 20;

/// Everything that a `table.json` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    pub name: String,
    /// The column of `curves.parquet` to improve.
    pub metric: Metric,
    /// Epochs of a complete curve.
    pub epochs: u16,
    /// Trainings of a configuration, at most.
    pub repeats: u16,
    /// Rows of `configs.parquet`.
    pub configs: u32,
    /// The first id, if this is a shard: its ids are global, and it does not replay.
    pub first_config: Option<u32>,
    pub space: Space,
    /// What else `space` says, as it stands there: what its configurations stand for. A trainer's
    /// tables have the network and the training there, so that they can be gone on with.
    pub space_further: Map<String, Json>,
    /// How the table was made, as it stands there.
    pub provenance: Option<Json>,
    /// Length and hash of the Parquet files, by name: where they are given, a damaged file is
    /// found before a byte of it is believed.
    pub files: BTreeMap<String, FileSeal>,
}

/// Length and hash of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSeal {
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// What a trainer knows before the first configuration: a manifest without its files.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub name: String,
    pub metric: Metric,
    pub epochs: u16,
    pub repeats: u16,
    /// Configurations of this table or shard.
    pub configs: u32,
    /// Given for a shard alone, also for the one that starts at 0.
    pub first_config: Option<u32>,
    pub space: Space,
    /// What else `space` is to say, beside `name` and `parameters`.
    pub space_further: Map<String, Json>,
    /// The columns of its files.
    pub layout: Layout,
    /// How the table is made: an object with whatever its maker has to say, if anything. Which
    /// fields must agree when a training is resumed or shards are merged, `table::settings` says.
    pub provenance: Option<Json>,
}

impl Header {
    /// The header as JSON: the fields of `table.json` up to and with `provenance`.
    pub(super) fn to_json(&self) -> Result<Map<String, Json>> {
        let parameters: Vec<Json> = self.space.parameters.iter().map(raw::write).collect();
        let encode = |e: serde_json::Error| internal("writing table.json", e);
        let mut map = Map::new();
        map.insert("format".into(), json!(FORMAT));
        map.insert("version".into(), json!(VERSION));
        map.insert("name".into(), json!(self.name));
        map.insert("metric".into(), serde_json::to_value(&self.metric).map_err(encode)?);
        map.insert("epochs".into(), json!(self.epochs));
        map.insert("repeats".into(), json!(self.repeats));
        map.insert("configs".into(), json!(self.configs));
        if let Some(first) = self.first_config {
            map.insert("first_config".into(), json!(first));
        }
        let mut space = self.space_further.clone();
        space.shift_insert(0, "name".into(), json!(self.space.name));
        space.shift_insert(1, "parameters".into(), json!(parameters));
        map.insert("space".into(), Json::Object(space));
        if let Some(provenance) = &self.provenance {
            map.insert("provenance".into(), provenance.clone());
        }
        Ok(map)
    }

    /// The range of ids.
    pub(super) fn ids(&self) -> std::ops::Range<u32> {
        let first = self.first_config.unwrap_or(0);
        first..first.saturating_add(self.configs)
    }
}

/// The text of a JSON file of ours.
pub(super) fn json_text(map: &Map<String, Json>) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(map).map_err(|e| internal("writing JSON", e))?;
    text.push(b'\n');
    Ok(text)
}

/// Parses a JSON object from a file.
pub(super) fn read_json(path: &Path) -> Result<Map<String, Json>> {
    let shown = &path.display().to_string();
    let unreadable =
        |what: &str, rule: &str, remedy: &str| fault(shown, "file", what, rule, remedy);
    let mut text = Vec::new();
    let read = inputs::open(path).and_then(|f| f.take(BYTES_MAX + 1).read_to_end(&mut text));
    if let Err(error) = read {
        let rule = "must be a file that can be read";
        let remedy = if error.kind() == std::io::ErrorKind::NotFound {
            "name the directory of a finished table; an unfinished one goes on with `--resume`"
        } else {
            "check that it is a file and that its permissions allow reading"
        };
        return Err(unreadable(&error.to_string(), rule, remedy));
    }
    if text.len() as u64 > BYTES_MAX {
        let rule = format!("must not be longer than {BYTES_MAX} bytes");
        return Err(unreadable("too long", &rule, "name the directory of a table"));
    }
    match serde_json::from_slice(&text) {
        Ok(Json::Object(map)) => Ok(map),
        Ok(_) => Err(unreadable("no object", "must be a JSON object", "restore the file")),
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            Err(fault(shown, place, error, "must be JSON", "restore the file"))
        }
    }
}

impl Manifest {
    /// Reads `table.json` of a directory. Only the fields before `provenance` must be there;
    /// unknown fields are ignored.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = growth::home(dir).join(MANIFEST_FILE);
        let mut map = read_json(&path)?;
        drop_nulls(&mut map);
        let file = path.display().to_string();
        Self::from_fields(Fields::new(&file, "", map))
    }

    fn from_fields(mut fields: Fields) -> Result<Self> {
        check_format(&mut fields)?;
        let name = fields.required_text("name", "the table's name")?;
        let metric = read_metric(&mut fields)?;
        let epochs = required_count(&mut fields, "epochs", u16::MAX.into(), "epochs of a curve")?;
        let repeats = required_count(&mut fields, "repeats", u16::MAX.into(), "1, or more")?;
        let configs = required_count(&mut fields, "configs", u32::MAX.into(), "rows")?;
        let first_config = fields.integer_in("first_config", 0, i64::from(u32::MAX) - configs)?;
        let (space, space_further) = read_space(&mut fields)?;
        let provenance = fields.value("provenance");
        let files = read_files(&mut fields)?;
        let (narrow, wide) = ("below 2^16: checked when read", "below 2^32: checked when read");
        Ok(Self {
            name,
            metric,
            epochs: u16::try_from(epochs).expect(narrow),
            repeats: u16::try_from(repeats).expect(narrow),
            configs: u32::try_from(configs).expect(wide),
            first_config: first_config.map(|first| u32::try_from(first).expect(wide)),
            space,
            space_further,
            provenance,
            files,
        })
    }

    /// A field of `provenance`, where the table has one and it is an object.
    pub fn provenance_field(&self, name: &str) -> Option<&Json> {
        self.provenance.as_ref()?.get(name)
    }

    /// The range of ids.
    pub fn ids(&self) -> std::ops::Range<u32> {
        let first = self.first_config.unwrap_or(0);
        first..first + self.configs
    }
}

/// Other programs say that a field does not apply with null; here it is absent.
fn drop_nulls(map: &mut Map<String, Json>) {
    map.retain(|_, value| !value.is_null());
    for (_, value) in map.iter_mut().filter(|(name, _)| *name != "provenance") {
        match value {
            Json::Object(inner) => drop_nulls(inner),
            Json::Array(list) => {
                list.iter_mut().filter_map(Json::as_object_mut).for_each(drop_nulls);
            }
            _ => {}
        }
    }
}

fn check_format(fields: &mut Fields) -> Result<()> {
    let format = fields.required_text("format", "the word `curvebook-table`")?;
    if format != FORMAT {
        let rule = format!("must be `{FORMAT}`");
        return Err(fields.fault("format", format, rule, "name the directory of a table"));
    }
    let Some(version) = fields.integer("version")? else {
        return Err(fields.missing("version", "the number 1"));
    };
    if version != VERSION {
        let rule = format!("this program reads version {VERSION}");
        let newer = "use a newer curvebook, or have the table written in that version";
        return Err(fields.fault("version", version, rule, newer));
    }
    Ok(())
}

fn read_metric(fields: &mut Fields) -> Result<Metric> {
    let what = "the name and goal of the metric";
    let mut metric = fields.table("metric")?.ok_or_else(|| fields.missing("metric", what))?;
    let name = metric.required_text("name", "a column of curves.parquet")?;
    if name.is_empty() || CURVE_KEYS.contains(&name.as_str()) {
        let rule = "must be a column of curves.parquet that was measured";
        return Err(metric.fault("name", format!("{name:?}"), rule, "write the metric's column"));
    }
    let goal = match metric.required_text("goal", "maximize or minimize")?.as_str() {
        "maximize" => Direction::Maximize,
        "minimize" => Direction::Minimize,
        other => {
            let remedy = suggest(other, ["maximize", "minimize"]);
            return Err(metric.fault("goal", other, "must be maximize or minimize", remedy));
        }
    };
    Ok(Metric { name, goal, chance: metric.number("chance")? })
}

fn required_count(fields: &mut Fields, name: &'static str, max: i64, what: &str) -> Result<i64> {
    let what = format!("a whole number from 1: {what}");
    fields.integer_in(name, 1, max)?.ok_or_else(|| fields.missing(name, &what))
}

fn read_space(fields: &mut Fields) -> Result<(Space, Map<String, Json>)> {
    let further = fields.peek("space").and_then(Json::as_object).cloned().unwrap_or_default();
    let further = further.into_iter().filter(|(name, _)| name != "name" && name != "parameters");
    let mut space =
        fields.table("space")?.ok_or_else(|| fields.missing("space", "name and parameters"))?;
    let name = space.required_text("name", "the space's name")?;
    if !space.has("parameters") {
        return Err(space.missing("parameters", "the list of hyperparameters"));
    }
    let parameters = space.tables("parameters")?.into_iter().map(|p| raw::read(p, false));
    let parameters = parameters.collect::<Result<Vec<_>>>()?;
    let space = Space::new(space.file(), &space.path_of("parameters"), name, parameters)?;
    Ok((space, further.collect()))
}

fn read_files(fields: &mut Fields) -> Result<BTreeMap<String, FileSeal>> {
    let mut seals = BTreeMap::new();
    let Some(mut files) = fields.table("files")? else { return Ok(seals) };
    for name in [CONFIGS_FILE, CURVES_FILE] {
        let Some(seal) = files.value(name) else { continue };
        let seal = serde_json::from_value(seal.clone()).map_err(|e| {
            let rule = format!("must hold `bytes` and `sha256` ({e})");
            files.fault(name, &seal, rule, "restore the file, or remove `files`")
        })?;
        seals.insert(name.to_string(), seal);
    }
    Ok(seals)
}
