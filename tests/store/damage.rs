//! Directories and files that cannot be used: each is refused with what to do, and left as it is.

use std::fs;

use isthmus::store::{Store, StoreError};
use redb::{Builder, TableDefinition};

use super::surroundings::{Dir, NOW_S, desk, record, write};

fn refusal(dir: &Dir) -> StoreError {
    let error = Store::open(dir.path(), || NOW_S).expect_err("no store");
    assert!(!error.to_string().contains('\n') && error.to_string().contains("isthmus-store-"), "{error}");
    error
}

#[test]
fn a_directory_has_one_store() {
    let dir = Dir::new();
    let opened = dir.open();
    let error = refusal(&dir);
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("another process uses it; give each gateway a state_dir of its own"), "{error}");
    write(&mut desk(&opened.store), record(1), b"some");
    drop(opened.store);
    assert_eq!(dir.kept().len(), 1);
}

/// By another program that does not know our lock.
#[test]
fn a_file_has_one_user() {
    let dir = Dir::new();
    drop(dir.open());
    let _other = Builder::new().open(dir.file()).expect("a database");
    assert!(matches!(refusal(&dir), StoreError::InUse { .. }));
}

#[test]
fn a_file_in_the_place_of_the_directory_is_refused() {
    let dir = Dir::new();
    fs::write(dir.path(), "no directory").expect("a file");
    assert!(matches!(refusal(&dir), StoreError::Directory { .. }));
    fs::remove_file(dir.path()).expect("removed");
}

#[test]
fn what_is_no_store_is_refused_and_kept() {
    let whole = Dir::new();
    let opened = whole.open();
    write(&mut desk(&opened.store), record(1), b"some");
    drop(opened.store);
    let whole = fs::read(whole.file()).expect("a store");
    let cut = whole[..whole.len() / 2].to_vec();
    for octets in [b"garbage".to_vec(), vec![0; 8_192], vec![0xA5; 100_000], Vec::new(), cut] {
        let dir = Dir::new();
        fs::create_dir_all(dir.path()).expect("a directory");
        fs::write(dir.file(), &octets).expect("a file");
        let error = refusal(&dir);
        assert!(matches!(error, StoreError::Damaged { .. }), "{} octets: {error}", octets.len());
        assert!(error.to_string().contains("is damaged"), "{error}");
        assert!(fs::read(dir.file()).expect("still there") == octets, "{} octets were changed", octets.len());
    }
}

/// A crash while the file was made leaves nothing that would have to be moved away.
#[test]
fn a_file_that_was_never_finished_is_made_again() {
    let dir = Dir::new();
    fs::create_dir_all(dir.path()).expect("a directory");
    fs::write(dir.path().join("records.new"), vec![0; 8_192]).expect("a file");
    assert_eq!(dir.open().run, 1);
}

#[test]
fn a_later_format_is_refused_and_kept() {
    let dir = Dir::new();
    drop(dir.open());
    set_format(&dir, 2);
    let error = refusal(&dir);
    assert!(matches!(error, StoreError::LaterFormat { format: 2, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("has format 2, and this version knows formats up to 1"), "{error}");
    set_format(&dir, 1);
    assert_eq!(dir.open().run, 2, "the refused run has no number");
}

fn set_format(dir: &Dir, format: u32) {
    let database = Builder::new().open(dir.file()).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    let meta: TableDefinition<'_, &str, u32> = TableDefinition::new("meta");
    transaction.open_table(meta).expect("a table").insert("format", format).expect("inserted");
    transaction.commit().expect("committed");
}

#[test]
fn a_table_of_another_kind_is_damage() {
    let dir = Dir::new();
    fs::create_dir_all(dir.path()).expect("a directory");
    let database = Builder::new().create(dir.file()).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    let records: TableDefinition<'_, &str, u32> = TableDefinition::new("records");
    transaction.open_table(records).expect("a table").insert("some", 1).expect("inserted");
    transaction.commit().expect("committed");
    drop(database);
    assert!(matches!(refusal(&dir), StoreError::Damaged { .. }));
}
