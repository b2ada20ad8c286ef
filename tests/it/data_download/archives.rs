//! Archives end to end.

use std::fs;
use std::io::Write;
use std::path::Path;

use curvebook::train::data::download::{Expected, Kind, Manifest, Remote};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::{Answer, Server, WHOLE, content, expected, get, manifest, range, ranges, settings};

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // By hand, for the library would refuse the paths that an evil archive has.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    let mut packer = builder.into_inner().unwrap();
    packer.flush().unwrap();
    packer.finish().unwrap()
}

fn packed(packed: &[u8], files: Vec<Expected>, urls: &[String]) -> Manifest {
    let kind = Kind::Archive { files };
    manifest(vec![Remote { file: expected("a.tar.gz", packed), urls: urls.to_vec(), kind }])
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_archive_gives_its_files_and_nothing_else() {
    let t = TempDir::new().unwrap();
    let directory = t.path().join("data");
    let one = content();
    let bytes = archive(&[
        ("../evil", b"outside"),
        ("/tmp/curvebook-evil", b"outside"),
        ("in/readme.html", b"not wanted"),
        ("./in/one.bin", &one),
        ("in/two.bin", b"two"),
    ]);
    let files = vec![expected("in/one.bin", &one), expected("in/two.bin", b"two")];
    let server = Server::start(vec![Answer::file(&bytes).cut(500), Answer::file(&bytes)]);
    let manifest = packed(&bytes, files, &[server.url("a.tar.gz")]);
    let got = get(&manifest, &directory, &settings()).unwrap();
    assert_eq!(got.iter().map(|g| g.file.as_str()).collect::<Vec<_>>(), ["one.bin", "two.bin"]);
    assert_eq!(names(&directory), ["one.bin", "two.bin"]);
    assert_eq!(names(t.path()), ["data"]);
    assert!(!Path::new("/tmp/curvebook-evil").exists());
    assert!(fs::read(directory.join("one.bin")).unwrap() == one);
    assert_eq!(ranges(&server), [WHOLE, range(500)]);
    // One file is lost: the archive comes again, and only that file is written.
    fs::remove_file(directory.join("two.bin")).unwrap();
    let before = fs::metadata(directory.join("one.bin")).unwrap().modified().unwrap();
    let server = Server::start(vec![Answer::file(&bytes)]);
    let again = packed(&bytes, archive_files(&manifest), &[server.url("a.tar.gz")]);
    let got = get(&again, &directory, &settings()).unwrap();
    assert_eq!((&got[0].source, &got[1].source), (&None, &Some(server.url("a.tar.gz"))));
    let after = fs::metadata(directory.join("one.bin")).unwrap().modified().unwrap();
    assert_eq!((before, names(&directory).len()), (after, 2));
}

fn archive_files(manifest: &Manifest) -> Vec<Expected> {
    match &manifest.remotes[0].kind {
        Kind::Archive { files } => files.clone(),
        Kind::Plain { .. } => panic!("not an archive"),
    }
}

#[test]
fn an_archive_put_there_by_hand_is_unpacked_and_stays() {
    let t = TempDir::new().unwrap();
    let bytes = archive(&[("in/two.bin", b"two")]);
    let manifest = packed(&bytes, vec![expected("in/two.bin", b"two")], &[]);
    let path = t.path().join("a.tar.gz");
    fs::write(&path, b"another").unwrap();
    let refused = get(&manifest, t.path(), &settings()).unwrap_err().to_string();
    assert!(refused.contains("a.tar.gz: length = 7 bytes"), "{refused}");
    fs::write(&path, &bytes).unwrap();
    let got = get(&manifest, t.path(), &settings()).unwrap();
    assert_eq!(got[0].source, Some(path.display().to_string()));
    assert_eq!(names(t.path()), ["a.tar.gz", "two.bin"]);
    // Files that somebody unpacked in the archive's own directory serve as they are.
    fs::remove_file(t.path().join("two.bin")).unwrap();
    fs::create_dir(t.path().join("in")).unwrap();
    fs::write(t.path().join("in/two.bin"), b"two").unwrap();
    assert_eq!(get(&manifest, t.path(), &settings()).unwrap()[0].source, None);
}

#[test]
fn an_archive_with_other_files_in_it_gives_none() {
    for (bytes, wanted, why) in [
        (archive(&[("in/two.bin", b"twO")]), b"two".as_slice(), "SHA-256"),
        (archive(&[("in/two.bin", b"two and more")]), b"two", "too many bytes"),
        (archive(&[("in/three.bin", b"two")]), b"two", "in/two.bin = missing"),
        (b"no archive at all".to_vec(), b"two", "unreadable"),
        (archive(&[("in/two.bin", &content())])[..9_000].to_vec(), b"twos", "many bytes"),
    ] {
        let t = TempDir::new().unwrap();
        let server = Server::start(vec![Answer::file(&bytes)]);
        let files = vec![expected("in/two.bin", wanted)];
        let manifest = packed(&bytes, files, &[server.url("a.tar.gz")]);
        let text = get(&manifest, t.path(), &settings()).unwrap_err().to_string();
        assert!(text.contains(why) && text.contains("fetch it again"), "{why}: {text}");
        assert_eq!(names(t.path()), ["a.tar.gz.part"], "{why}");
    }
}
