//! Which table a table is, whatever it is called.

use std::path::Path;

use base::error::{Result, internal};
use base::hex;
use base::space::raw;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::table::{CONFIGS_FILE, CURVES_FILE, Manifest, seal};

/// The SHA-256, in hexadecimal, of what a replay takes from a table: its metric, its epochs, the
/// parameters of its space, and the SHA-256 of `configs.parquet` and of `curves.parquet`. Neither
/// its name nor `provenance` count. The table has been loaded, which has compared its files with
/// the hashes in `table.json`: only files without a hash there are read again.
///
/// # Errors
/// Files that cannot be read any more.
pub(crate) fn table_hash(dir: &Path, manifest: &Manifest) -> Result<String> {
    let parameters: Vec<_> = manifest.space.parameters.iter().map(raw::write).collect();
    let metric = serde_json::to_value(&manifest.metric)
        .map_err(|e| internal("writing the metric of a table", e))?;
    let mut files = Vec::new();
    for file in [CONFIGS_FILE, CURVES_FILE] {
        files.push(match manifest.files.get(file) {
            Some(sealed) => sealed.sha256.clone(),
            None => seal(&dir.join(file))?.sha256,
        });
    }
    let replayed = json!([metric, manifest.epochs, parameters, files]);
    Ok(hex(&Sha256::digest(replayed.to_string())))
}
