//! Which table a table is, whatever it is called.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use base::error::{Result, internal, io};
use base::hex;
use base::space::raw;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::table::{CONFIGS_FILE, CURVES_FILE, Manifest};

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
            None => file_hash(&dir.join(file))?,
        });
    }
    let replayed = json!([metric, manifest.epochs, parameters, files]);
    Ok(hex(&Sha256::digest(replayed.to_string())))
}

fn file_hash(path: &Path) -> Result<String> {
    let failed = |e| io(path, "reading", e);
    let mut file = File::open(path).map_err(failed)?;
    let mut digest = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hex(&digest.finalize())),
            Ok(read) => digest.update(&block[..read]),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(failed(e)),
        }
    }
}
