//! Two insurers in one deployment: what each looks like, and that neither touches nor sees the other's members.

#[path = "story_insurers/apps.rs"]
mod apps;
#[path = "story_insurers/entries.rs"]
mod entries;
#[path = "story_insurers/isolation.rs"]
mod isolation;
#[path = "story_insurers/languages.rs"]
mod languages;
#[path = "story_insurers/look.rs"]
mod look;
#[path = "story_insurers/office.rs"]
mod office;
