//! Graphics drivers that write to our stderr.

#[cfg(all(feature = "gpu", target_os = "linux"))]
pub(super) use linux::begin_anew;

/// Nothing is known of other systems.
#[cfg(not(all(feature = "gpu", target_os = "linux")))]
pub(super) const fn begin_anew() {}

#[cfg(all(feature = "gpu", target_os = "linux"))]
mod linux {
    use std::env;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    /// What Mesa looks for a window server with.
    const VARIABLE: &str = "XDG_RUNTIME_DIR";
    /// Absolute, as it must be, and nobody's.
    const NOWHERE: &str = "/nonexistent";

    /// Lets the program begin anew with the variable set, where it is not: Mesa writes that it is
    /// missing to stderr, once an adapter, in lines that look like ours. A variable of the running
    /// process could be set only where no thread may read it, which nobody can promise; the process
    /// that takes this one's place is given it from the start. If that fails, nothing is lost.
    pub(in super::super) fn begin_anew() {
        if env::var_os(VARIABLE).is_some() {
            return;
        }
        let mut arguments = env::args_os();
        let (Ok(program), Some(name)) = (env::current_exe(), arguments.next()) else { return };
        // It returns only where it failed.
        let _ = Command::new(program).arg0(name).args(arguments).env(VARIABLE, NOWHERE).exec();
    }
}
