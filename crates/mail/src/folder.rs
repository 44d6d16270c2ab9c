//! Mails as files, one for each, readable by their owner only. For trying Acta out, and for programs that take over from there.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use lettre::Message;

use crate::error::MailError;

/// Writes `<id>.eml`. If we crash on the way, a part of it is there; the mail is tried again and written over it.
pub(crate) fn write(folder: &Path, id: &str, message: &Message) -> Result<(), MailError> {
    let path = folder.join(format!("{id}.eml"));
    let failed = |source| MailError::File { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(failed)?;
    file.write_all(&message.formatted()).and_then(|()| file.sync_all()).map_err(failed)
}
