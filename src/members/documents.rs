//! The documents that members accept: privacy notice and terms, versioned per insurer.
//!
//! They are read at start, from the insurer's own files or from the built-in texts, and published to the
//! database, which keeps every version that anyone ever accepted.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::json;

use super::{Members, registration::Draft};
use crate::{
    audit::{self, Event},
    clock::Timestamp,
    config::Insurer,
    crypto::digest,
    fault::Fault,
    storage::{
        Db, StorageError,
        document::{self, DocumentRow, Receipt, VersionRow},
        member::Member,
        standing::Standing,
    },
    texts::Locale,
};

/// Version of the built-in texts; a change to one of them needs a new one.
const BUILT_IN_VERSION: &str = "2026-11";

/// What a document is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// 個人情報の取り扱いについて
    Privacy,
    /// 会員利用規約について
    Terms,
}

impl Kind {
    /// Both, in the order of the page.
    pub const ALL: [Self; 2] = [Self::Privacy, Self::Terms];

    /// Name in the configuration, in forms and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Privacy => "privacy",
            Self::Terms => "terms",
        }
    }

    const fn built_in(self, locale: Locale) -> &'static str {
        match (self, locale) {
            (Self::Privacy, Locale::Ja) => include_str!("../../templates/documents/privacy.ja.txt"),
            (Self::Privacy, Locale::En) => include_str!("../../templates/documents/privacy.en.txt"),
            (Self::Terms, Locale::Ja) => include_str!("../../templates/documents/terms.ja.txt"),
            (Self::Terms, Locale::En) => include_str!("../../templates/documents/terms.en.txt"),
        }
    }
}

/// One text in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is about.
    pub kind: Kind,
    /// Version.
    pub version: String,
    /// Language.
    pub locale: Locale,
    /// Heading.
    pub title: String,
    /// Paragraphs.
    pub paragraphs: Vec<String>,
    /// SHA-256 of title and text, base64url.
    pub hash: String,
}

impl Document {
    fn new(kind: Kind, locale: Locale, version: &str, text: &str) -> Self {
        let text = text.trim().replace("\r\n", "\n");
        let (title, body) = text.split_once('\n').unwrap_or((&text, ""));
        Self {
            kind,
            version: version.to_owned(),
            locale,
            title: title.trim().to_owned(),
            paragraphs: body
                .split("\n\n")
                .map(|paragraph| paragraph.trim().to_owned())
                .filter(|paragraph| !paragraph.is_empty())
                .collect(),
            hash: digest::sha256_base64url(&text),
        }
    }

    /// The proof that it was accepted.
    pub fn receipt(&self, now: Timestamp) -> Receipt {
        Receipt {
            kind: self.kind.as_str().to_owned(),
            version: self.version.clone(),
            locale: self.locale.tag().to_owned(),
            hash: self.hash.clone(),
            accepted_at: now,
        }
    }
}

/// Why the documents cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// A file of the configuration cannot be read.
    #[error("insurer {insurer}: the document {path} cannot be read: {source}")]
    File {
        /// Portal code.
        insurer: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The text of a published version was changed.
    #[error(
        "insurer {insurer}: the {locale} text of {kind} was changed but is still version {version}; \
         give it a new version, because members accepted the old text"
    )]
    Changed {
        /// Portal code.
        insurer: String,
        /// `privacy` or `terms`.
        kind: &'static str,
        /// The version.
        version: String,
        /// Language.
        locale: Locale,
    },
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The current documents of every insurer.
#[derive(Debug, Default)]
pub struct Documents(BTreeMap<(String, &'static str, &'static str), Document>);

impl Documents {
    /// Reads the documents of every insurer.
    pub fn read(insurers: &[Insurer]) -> Result<Self, DocumentsError> {
        let mut documents = BTreeMap::new();
        for insurer in insurers {
            for kind in Kind::ALL {
                for locale in Locale::ALL {
                    let document = read_one(insurer, kind, locale)?;
                    documents.insert((insurer.code.clone(), kind.as_str(), locale.tag()), document);
                }
            }
        }
        Ok(Self(documents))
    }

    /// Publishes them; a published version whose text differs is refused.
    pub async fn publish(&self, db: &Db, now: Timestamp) -> Result<(), DocumentsError> {
        for ((insurer, ..), document) in &self.0 {
            let row = DocumentRow {
                insurer: insurer.clone(),
                kind: document.kind.as_str().to_owned(),
                version: document.version.clone(),
                locale: document.locale.tag().to_owned(),
                title: document.title.clone(),
                body: document.paragraphs.join("\n\n"),
                hash: document.hash.clone(),
            };
            if document::publish(db, &row, now).await? != document.hash {
                return Err(DocumentsError::Changed {
                    insurer: insurer.clone(),
                    kind: document.kind.as_str(),
                    version: document.version.clone(),
                    locale: document.locale,
                });
            }
        }
        Ok(())
    }

    /// Which documents of an insurer are not among those that were accepted, kind and version, in the order of
    /// [`Kind::ALL`]. One that nobody publishes is not due.
    fn due<'a>(&self, insurer: &str, accepted: impl IntoIterator<Item = (&'a str, &'a str)>) -> [bool; 2] {
        let mut due = Kind::ALL.map(|kind| self.current(insurer, kind, Locale::default()));
        for (kind, version) in accepted {
            for document in &mut due {
                document
                    .take_if(|current| (current.kind.as_str(), current.version.as_str()) == (kind, version));
            }
        }
        due.map(|document| document.is_some())
    }

    /// The current document of an insurer; none for an insurer that is not configured.
    pub fn current(&self, insurer: &str, kind: Kind, locale: Locale) -> Option<&Document> {
        self.0.get(&(insurer.to_owned(), kind.as_str(), locale.tag()))
    }
}

impl Members {
    /// Which documents a member has not accepted in their present version, in the order of [`Kind::ALL`].
    pub async fn documents_due(&self, member: &Member) -> Result<[bool; 2], Fault> {
        let receipts = document::receipts(&self.db, &member.id).await?;
        Ok(self.documents.due(&member.insurer, kinds_and_versions(&receipts)))
    }

    /// The same for a member who was just read with what was accepted.
    pub fn documents_due_of(&self, standing: &Standing) -> [bool; 2] {
        let accepted = standing.accepted.iter().map(|one| (one.kind.as_str(), one.version.as_str()));
        self.documents.due(&standing.member.insurer, accepted)
    }

    /// Whether a registration accepted the documents in their present version; they may have changed since.
    pub fn accepted_present(&self, draft: &Draft) -> bool {
        self.documents.due(&draft.insurer, kinds_and_versions(&draft.receipts)) == [false; 2]
    }

    /// The documents of an insurer, in the language of the reader.
    pub fn documents_for(&self, insurer: &str, locale: Locale) -> Result<[&Document; 2], Fault> {
        let [privacy, terms] = Kind::ALL.map(|kind| self.documents.current(insurer, kind, locale));
        privacy
            .zip(terms)
            .map(|(privacy, terms)| [privacy, terms])
            .ok_or_else(|| Fault::internal(format!("insurer {insurer} is not in the configuration any more")))
    }

    /// Keeps the receipts of documents that were new to a member.
    pub async fn accept_documents(
        &self,
        member: &Member,
        accepted: &[&Document; 2],
        due: [bool; 2],
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut versions = serde_json::Map::new();
        let mut tx = self.db.begin().await?;
        for (document, _) in accepted.iter().zip(due).filter(|(_, due)| *due) {
            let id = self.entropy.id();
            if document::keep_new_receipt(&mut tx, &id, &member.id, &document.receipt(now)).await? {
                versions.insert(document.kind.as_str().to_owned(), json!(document.version));
            }
        }
        if !versions.is_empty() {
            let event = Event::member("member.documents_accepted", member).with_detail(versions.into());
            audit::record(&mut tx, &self.entropy, now, event).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// A version of a document, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// What is known of it.
    pub row: VersionRow,
    /// Whether it is the one that members accept now.
    pub current: bool,
    /// Members of the insurer who accepted it.
    pub accepted: i64,
}

impl Members {
    /// Every version of the documents of an insurer, by kind, the newest first.
    pub async fn document_versions(&self, insurer: &str) -> Result<Vec<Version>, Fault> {
        let accepted = document::accepted(&self.db, insurer).await?;
        let versions = document::versions(&self.db, insurer).await?;
        Ok(versions
            .into_iter()
            .map(|row| {
                let count =
                    accepted.iter().find(|(kind, version, _)| (kind, version) == (&row.kind, &row.version));
                let current = Kind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
                let current =
                    current.and_then(|kind| self.documents.current(insurer, kind, Locale::default()));
                Version {
                    current: current.is_some_and(|current| current.version == row.version),
                    accepted: count.map_or(0, |(.., count)| *count),
                    row,
                }
            })
            .collect())
    }

    /// The texts of a version, the Japanese one first.
    pub async fn document_texts(
        &self,
        insurer: &str,
        kind: &str,
        version: &str,
    ) -> Result<Vec<DocumentRow>, Fault> {
        Ok(document::texts(&self.db, insurer, kind, version).await?)
    }
}

fn kinds_and_versions(receipts: &[Receipt]) -> impl Iterator<Item = (&str, &str)> {
    receipts.iter().map(|receipt| (receipt.kind.as_str(), receipt.version.as_str()))
}

fn read_one(insurer: &Insurer, kind: Kind, locale: Locale) -> Result<Document, DocumentsError> {
    let Some(own) = insurer.documents.get(kind.as_str()) else {
        return Ok(Document::new(kind, locale, BUILT_IN_VERSION, kind.built_in(locale)));
    };
    let path = match locale {
        Locale::Ja => &own.ja,
        Locale::En => &own.en,
    };
    let text = fs::read_to_string(path).map_err(|source| DocumentsError::File {
        insurer: insurer.code.clone(),
        path: path.clone(),
        source,
    })?;
    Ok(Document::new(kind, locale, &own.version, &text))
}
