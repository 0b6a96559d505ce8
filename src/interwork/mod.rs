//! The tables of the OMA documents as data: no state, no clock, no policy of their own.
//!
//! One file for each procedure, its rows in the order of the page; a reader puts the page on the left and the file on the
//! right. Where a page says "service provider policy" the row asks [`crate::policy`].

pub mod address;
pub mod cite;
pub mod cpm;
pub mod mms;
pub mod product;
pub mod sms;
pub mod table;
