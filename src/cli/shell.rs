//! `curvebook completions` and `curvebook man`: what a shell and a reader of manuals want.

use std::fs;
use std::path::{Path, PathBuf};

use app::error::{fault, io};
use clap::{Args, Command};
use clap_complete::Shell;

use super::output;

/// The name under which the program is called.
const PROGRAM: &str = "curvebook";

/// Print completions of commands and options for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook completions bash > ~/.local/share/bash-completion/completions/curvebook
  curvebook completions zsh > ~/.zfunc/_curvebook
  curvebook completions fish > ~/.config/fish/completions/curvebook.fish")]
pub(super) struct Completions {
    /// For which shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Write manual pages: one of the program and one of each command.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook man --out ~/.local/share/man/man1
  curvebook man --out pages; man pages/curvebook-replay.1

A page that is there is written anew if it is a page of curvebook, and no other file is touched.")]
pub(super) struct Man {
    /// The directory for the pages; it is made if need be.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn completions(arguments: &Completions, mut command: Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, PROGRAM, &mut script);
    output::print(&String::from_utf8(script)?)
}

pub(super) fn man(arguments: &Man, command: Command) -> anyhow::Result<()> {
    let dir = &arguments.out;
    let pages = pages(command)?;
    // Every place is looked at before the first page is written.
    for (name, _) in &pages {
        is_ours(&dir.join(name))?;
    }
    fs::create_dir_all(dir).map_err(|e| io(dir, "making", e))?;
    for (name, page) in &pages {
        let path = dir.join(name);
        fs::write(&path, page).map_err(|e| io(&path, "writing", e))?;
    }
    output::print(&format!("{}: {} pages", dir.display(), pages.len()))
}

/// The pages by their names: of the program, and of every command below it.
fn pages(command: Command) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    // Help of options that all commands share stands on each page.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    let mut left = vec![command.name(PROGRAM).display_name(PROGRAM)];
    while let Some(command) = left.pop() {
        let own = command.get_display_name().unwrap_or(PROGRAM).to_string();
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            let name = format!("{own}-{}", inner.get_name());
            left.push(inner.clone().display_name(name));
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        pages.push((format!("{own}.1"), page));
    }
    pages.sort();
    Ok(pages)
}

/// Refuses a place where something stands that is no page of ours.
fn is_ours(path: &Path) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    if text.lines().take(8).any(|line| line.starts_with(".TH curvebook")) {
        return Ok(());
    }
    let rule = "is there already and is no manual page of curvebook: it is not replaced";
    Err(fault("man", "--out", path.display(), rule, "name another directory").into())
}
