//! Numbers that are exported: one table declares the struct that holds them and says how each is shown.

/// What a number does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows; its exported name ends in `_total`.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Names and values that tell the members of a family apart.
pub type Labels = &'static [(&'static str, &'static str)];

/// Numbers of `S` that share a name and differ in labels.
#[derive(Debug)]
pub struct Family<S: 'static> {
    /// Name without the prefix `isthmus_` and without the suffix of counters.
    pub name: &'static str,
    /// Counter or gauge.
    pub kind: Kind,
    /// One sentence.
    pub help: &'static str,
    /// In order of declaration.
    pub members: &'static [Member<S>],
}

/// One number of a family.
#[derive(Debug)]
pub struct Member<S: 'static> {
    /// The field that holds it.
    pub field: &'static str,
    /// What tells it from the others of its family.
    pub labels: Labels,
    /// Reads it.
    pub value: fn(&S) -> u64,
}

/// Declares a struct of numbers, grouped by family: `kind family "help" { field [label "value"], … }`. Fields that are
/// not exported this way stand before, in braces.
macro_rules! families {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$also_meta:meta])* pub $also:ident: $also_type:ty,)* }
        $($kind:ident $family:ident $help:literal {
            $($field:ident $([$($key:ident $value:literal),+])?),+ $(,)?
        })+
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$also_meta])* pub $also: $also_type,)*
            $($(
                #[doc = concat!($help, " `", stringify!($family), "`" $($(, ", ", stringify!($key), " ", $value)+)?)]
                pub $field: u64,
            )+)+
        }

        impl $name {
            /// How the numbers are exported, in order of declaration.
            pub const FAMILIES: &'static [$crate::observe::Family<$name>] = &[$($crate::observe::Family {
                name: stringify!($family),
                kind: $crate::observe::Kind::$kind,
                help: $help,
                members: &[$($crate::observe::Member {
                    field: stringify!($field),
                    labels: &[$($((stringify!($key), $value)),+)?],
                    value: |numbers| numbers.$field,
                }),+],
            }),+];
        }
    };
}

pub(crate) use families;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::observe::{LinkStats, ShellStats, Stats};

    #[test]
    fn family_names_are_unique_and_of_one_shape() {
        let names = Stats::FAMILIES.iter().map(|family| family.name);
        let names = names.chain(LinkStats::FAMILIES.iter().map(|family| family.name));
        let names: Vec<_> = names.chain(ShellStats::FAMILIES.iter().map(|family| family.name)).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        assert!(names.iter().all(|name| name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')), "{names:?}");
    }

    #[test]
    fn members_of_a_family_differ_in_labels_of_the_same_names() {
        for family in Stats::FAMILIES {
            let keys = |labels: super::Labels| labels.iter().map(|(key, _)| *key).collect::<Vec<_>>();
            let first = keys(family.members[0].labels);
            assert!(family.members.iter().all(|member| keys(member.labels) == first), "{}", family.name);
            let labels: BTreeSet<_> = family.members.iter().map(|member| member.labels).collect();
            assert_eq!(labels.len(), family.members.len(), "{}", family.name);
        }
    }

    #[test]
    fn a_member_reads_its_own_field() {
        let stats = Stats { submits: 7, ..Stats::default() };
        let members = Stats::FAMILIES.iter().flat_map(|family| family.members);
        let seen: Vec<_> = members.filter(|member| (member.value)(&stats) == 7).map(|member| member.field).collect();
        assert_eq!(seen, ["submits"]);
    }
}
