//! Uploaded roster files: sealed parts in the database, so that any node can check them, after a restart too.

use std::io::{self, Cursor, Read};

use serde_json::json;

use super::{ImportError, staging::Source};
use crate::{
    audit::{self, Actor, Event},
    clock::Entropy,
    config::Insurer,
    crypto::MasterKey,
    fault::Fault,
    members::{
        Members,
        roster_csv::{FileError, MAX_ROW_BYTES, RosterCsv},
    },
    storage::{
        Db, StorageError,
        roster_file::{self, FileKind},
        roster_import::Import,
        roster_job,
    },
    texts::Locale,
};

/// Purpose of the sealed parts.
const PURPOSE: &str = "roster-file";
/// Bytes of a part, before it is sealed.
const PART: usize = 256 * 1024;
/// Characters of a file's name that are kept.
const MAX_NAME: usize = 100;

/// Where a sealed part belongs.
fn place(import_id: &str, kind: FileKind, part: i64) -> String {
    format!("{import_id}/{}/{part}", kind.as_str())
}

/// A file that is being written, part by part.
pub struct Writer {
    db: Db,
    master: MasterKey,
    entropy: Entropy,
    import_id: String,
    kind: FileKind,
    waiting: Vec<u8>,
    parts: i64,
}

impl Writer {
    /// An empty file of an import.
    pub fn new(members: &Members, import_id: &str, kind: FileKind) -> Self {
        Self {
            db: members.db.clone(),
            master: members.master.clone(),
            entropy: members.entropy.clone(),
            import_id: import_id.to_owned(),
            kind,
            waiting: Vec::new(),
            parts: 0,
        }
    }

    /// Adds whole lines.
    pub async fn write(&mut self, lines: &[u8]) -> Result<(), StorageError> {
        self.waiting.extend_from_slice(lines);
        if self.waiting.len() >= PART {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes the rest; whether there was anything at all.
    pub async fn finish(mut self) -> Result<bool, StorageError> {
        self.flush().await?;
        Ok(self.parts > 0)
    }

    async fn flush(&mut self) -> Result<(), StorageError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let place = place(&self.import_id, self.kind, self.parts);
        let sealed = self.master.seal(PURPOSE, &place, &self.waiting, &self.entropy);
        roster_file::add(&self.db, (&self.import_id, self.kind, self.parts), &sealed).await?;
        self.parts += 1;
        self.waiting.clear();
        Ok(())
    }
}

/// A part of a stored file; none behind the last one.
pub async fn read_part(
    members: &Members,
    (import_id, kind, part): (&str, FileKind, i64),
) -> Result<Option<Vec<u8>>, StorageError> {
    let Some(sealed) = roster_file::part(&members.db, (import_id, kind, part)).await? else {
        return Ok(None);
    };
    let place = place(import_id, kind, part);
    let plain = members.master.open(PURPOSE, &place, &sealed).map_err(|error| StorageError::Impossible {
        table: "roster_file",
        column: "sealed",
        row: place.clone(),
        reason: error.to_string(),
    })?;
    Ok(Some(plain))
}

/// A stored file that is being read.
pub struct Stored {
    members: Members,
    import_id: String,
    part: Cursor<Vec<u8>>,
    next: i64,
}

impl Stored {
    /// The upload of an import, with its header read.
    pub async fn open(members: &Members, import_id: &str) -> Result<RosterCsv<Self>, ImportError> {
        let mut stored = Self {
            members: members.clone(),
            import_id: import_id.to_owned(),
            part: Cursor::default(),
            next: 0,
        };
        stored.more().await?;
        Ok(RosterCsv::open(stored)??)
    }
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.part.read(buffer)
    }
}

impl Source for Stored {
    async fn more(&mut self) -> Result<bool, ImportError> {
        let part = read_part(&self.members, (&self.import_id, FileKind::Upload, self.next)).await?;
        let Some(part) = part else { return Ok(false) };
        self.part = Cursor::new(part);
        self.next += 1;
        Ok(true)
    }
}

/// Lines out of pieces of any length. Of a line that is too long, just so much is kept that it is still too long.
#[derive(Default)]
struct Lines {
    /// The end of what came, which is no whole line yet.
    rest: Vec<u8>,
    /// The whole lines.
    whole: Vec<u8>,
}

impl Lines {
    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..end]);
            self.whole.append(&mut self.rest);
            self.whole.push(b'\n');
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = (MAX_ROW_BYTES + 1).saturating_sub(self.rest.len());
        self.rest.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.whole)
    }
}

/// A file that is coming in.
pub struct Upload {
    members: Members,
    id: String,
    actor: String,
    insurer: String,
    lines: Lines,
    writer: Writer,
    bytes: u64,
    header: Option<Result<(), FileError>>,
}

/// Why an upload is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadRefused {
    /// Nothing came.
    #[error("there is no file, or it is empty")]
    Empty,
    /// The file as a whole is none.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another import of the insurer is under way.
    #[error("another import of this insurer's roster is under way")]
    Busy,
    /// There is an import of this id.
    #[error("there is an import of this id already")]
    IdTaken,
}

/// What is said about a file before it comes.
#[derive(Clone, Copy, Debug)]
pub struct Announced<'a> {
    /// The id that whoever sends it has chosen for the import; else a random one.
    pub id: Option<&'a str>,
    /// Whose roster it is.
    pub insurer: &'a Insurer,
    /// Name of the file, as the browser has it.
    pub file_name: &'a str,
    /// Whether it is a full roster.
    pub complete: bool,
    /// Language of the reasons in the file of refused rows.
    pub locale: Locale,
}

impl Members {
    /// Begins to take a file in.
    pub async fn begin_roster_upload(
        &self,
        about: Announced<'_>,
        actor: &Actor,
    ) -> Result<Result<Upload, UploadRefused>, Fault> {
        let open = roster_job::open_one(&self.db, &about.insurer.code).await?;
        if open.is_some_and(|open| open.state.is_under_way()) {
            return Ok(Err(UploadRefused::Busy));
        }
        let id = about.id.map_or_else(|| self.entropy.id(), str::to_owned);
        let actor = actor.to_string();
        let name: String = about.file_name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
        let import = Import {
            id: &id,
            insurer: &about.insurer.code,
            file_name: &name,
            actor: &actor,
            complete: about.complete,
            lease: 0,
            now: self.clock.now(),
        };
        match roster_job::begin_upload(&self.db, &import, about.locale.tag()).await {
            Err(error) if error.is_conflict() => return Ok(Err(UploadRefused::IdTaken)),
            begun => begun?,
        }
        Ok(Ok(Upload {
            writer: Writer::new(self, &id, FileKind::Upload),
            members: self.clone(),
            id,
            actor,
            insurer: about.insurer.code.clone(),
            lines: Lines::default(),
            bytes: 0,
            header: None,
        }))
    }
}

impl Upload {
    /// Takes the next piece.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.bytes += bytes.len() as u64;
        self.lines.push(bytes);
        self.write().await
    }

    async fn write(&mut self) -> Result<(), Fault> {
        let whole = self.lines.take();
        if whole.is_empty() {
            return Ok(());
        }
        if self.header.is_none() {
            let header = RosterCsv::open(whole.as_slice()).map_err(Fault::internal)?.map(|_| ());
            self.header = Some(header);
        }
        // Nothing of a file that is refused anyway is kept.
        if matches!(self.header, Some(Ok(()))) {
            self.writer.write(&whole).await?;
        }
        Ok(())
    }

    /// The file is complete: it will be checked. Gives the id of the import.
    pub async fn finish(mut self) -> Result<Result<String, UploadRefused>, Fault> {
        if !self.lines.rest.is_empty() {
            self.lines.push(b"\n");
        }
        self.write().await?;
        let refused = match self.header {
            None => Some(UploadRefused::Empty),
            Some(Err(error)) => Some(error.into()),
            Some(Ok(())) => None,
        };
        if let Some(refused) = refused {
            self.discard().await?;
            return Ok(Err(refused));
        }
        let Self { members, id, actor, insurer, writer, bytes, .. } = self;
        writer.finish().await?;
        let mut tx = members.db.begin_long().await?;
        match roster_job::uploaded(&mut tx, &id, bytes).await {
            Err(error) if error.is_conflict() => {
                drop(tx);
                forget(&members.db, &id).await?;
                return Ok(Err(UploadRefused::Busy));
            }
            done => done?,
        }
        let event = Event { actor, insurer: Some(&insurer), ..Event::system("roster.uploaded") }
            .with_detail(json!({ "import": id, "bytes": bytes }));
        audit::record(&mut tx, &members.entropy, members.clock.now(), event).await?;
        tx.commit().await?;
        Ok(Ok(id))
    }

    /// The file does not come to its end, or is not wanted.
    pub async fn discard(self) -> Result<(), Fault> {
        Ok(forget(&self.members.db, &self.id).await?)
    }
}

async fn forget(db: &Db, id: &str) -> Result<(), StorageError> {
    let mut tx = db.begin_long().await?;
    roster_file::delete(&mut tx, id, FileKind::Upload).await?;
    roster_job::forget(&mut tx, id).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_are_whole_however_they_came(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), any::<u8>()], 0..400),
            cuts in proptest::collection::vec(0_usize..50, 0..40),
        ) {
            let mut lines = Lines::default();
            let (mut rest, mut whole) = (text.as_slice(), Vec::new());
            for cut in cuts.into_iter().chain([text.len()]) {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                lines.push(piece);
                let part = lines.take();
                prop_assert!(part.is_empty() || part.ends_with(b"\n"));
                whole.extend(part);
                rest = after;
            }
            whole.extend(lines.rest);
            prop_assert_eq!(whole, text);
        }
    }

    #[test]
    fn a_line_that_is_too_long_stays_so_and_takes_no_room() {
        let mut lines = Lines::default();
        lines.push(b"a\n");
        for _ in 0..10_000 {
            lines.push(&[b'x'; 1024]);
        }
        lines.push(b"\nb\n");
        let whole = lines.take();
        assert_eq!(whole.len(), 2 + MAX_ROW_BYTES + 2 + 2);
        assert!(whole.ends_with(b"x\nb\n"));
    }
}
