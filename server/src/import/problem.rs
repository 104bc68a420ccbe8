//! What is wrong with a row: where it stands, why it cannot be loaded and what to do about it.

use domain::catalogue::{self, Language};

use crate::identity::password::ChoosePasswordError;

/// A row, or a whole file, that cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file's name.
    pub(crate) file: String,
    /// The line in it; the header is line 1.
    pub(crate) line: u64,
    /// The column, as the file's header calls it.
    pub(crate) column: Option<String>,
    /// What stands there.
    pub(crate) value: String,
    /// Why it cannot be.
    pub(crate) reason: Reason,
}

/// Why a cell, a row or a file cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The file is not there or cannot be read.
    Unreadable(String),
    /// The file is text in no encoding that is known.
    UnknownEncoding,
    /// The file is a picture, a document: no table.
    NotATable,
    /// The file is a workbook of Excel 97 to 2003.
    OldWorkbook,
    /// The file is a workbook that cannot be read.
    Damaged(String),
    /// The file is more than anybody exports.
    TooMuch,
    /// The headers are of no table.
    TableUnknown,
    /// The headers are nearly those of a table.
    TableUnclear {
        /// The key of that table.
        table: &'static str,
        /// The names of the columns that it lacks.
        missing: String,
    },
    /// `hall.toml` is not what it should be.
    BadSettings(String),
    /// The header lacks a column.
    ColumnMissing,
    /// The header has a column that means nothing here.
    ColumnUnknown,
    /// The row has more or fewer cells than the header.
    CellCount {
        /// How many the header has.
        expected: usize,
        /// How many the row has.
        found: usize,
    },
    /// Something has to stand here.
    Empty,
    /// Not a day of the calendar.
    NotADay,
    /// Not a day and a time.
    NotAnInstant,
    /// Not a telephone number.
    NotAPhone,
    /// Not a number of degrees, or one without the other.
    NotAPlace,
    /// Not a register in cubic metres.
    NotARegister,
    /// Not a whole number between these.
    OutOfRange {
        /// The lowest that is possible.
        lowest: u32,
        /// The highest that is possible.
        highest: u32,
    },
    /// Not one of the words that may stand here.
    NotAWord {
        /// Those words.
        words: String,
    },
    /// Not a log-in.
    NotALogin,
    /// The hall gives such account numbers to places that no register knows.
    AccountOfPlaces,
    /// Nobody may choose this password.
    Password(ChoosePasswordError),
    /// Somebody of another hall signs in like this.
    LoginElsewhere,
    /// The same name stands on an earlier line.
    Twice {
        /// That line.
        line: u64,
    },
    /// Nothing in that file has this name.
    Unknown {
        /// The file that should name it.
        file: &'static str,
    },
    /// The person is there but has another role.
    NotATechnician,
    /// The day lies after the hall's day.
    AfterTheDay,
    /// The register has more digits than the meter.
    RegisterTooLong {
        /// The meter's digits.
        digits: u8,
    },
    /// The register went back, and no note says why.
    RegisterWentBack {
        /// The reading before.
        before: String,
    },
    /// The hose hangs in another household.
    HoseElsewhere {
        /// That household's account.
        account: String,
    },
    /// The window ends before it starts.
    WindowEndsFirst,
    /// A window has a start and an end and a channel, or none of them.
    HalfAWindow,
    /// The window is over before the request was made.
    WindowBeforeRequest,
}

impl Reason {
    /// The word in the catalogue's keys.
    fn key(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::UnknownEncoding => "unknown_encoding",
            Self::NotATable => "not_a_table",
            Self::OldWorkbook => "old_workbook",
            Self::Damaged(_) => "damaged",
            Self::TooMuch => "too_much",
            Self::TableUnknown => "table_unknown",
            Self::TableUnclear { .. } => "table_unclear",
            Self::BadSettings(_) => "bad_settings",
            Self::ColumnMissing => "column_missing",
            Self::ColumnUnknown => "column_unknown",
            Self::CellCount { .. } => "cell_count",
            Self::Empty => "empty",
            Self::NotADay => "not_a_day",
            Self::NotAnInstant => "not_an_instant",
            Self::NotAPhone => "not_a_phone",
            Self::NotAPlace => "not_a_place",
            Self::NotARegister => "not_a_register",
            Self::OutOfRange { .. } => "out_of_range",
            Self::NotAWord { .. } => "not_a_word",
            Self::NotALogin => "not_a_login",
            Self::AccountOfPlaces => "account_of_places",
            Self::Password(ChoosePasswordError::TooShort) => "password_too_short",
            Self::Password(ChoosePasswordError::TooLong) => "password_too_long",
            Self::Password(ChoosePasswordError::TooCommon) => "password_too_common",
            Self::Password(ChoosePasswordError::Guessable) => "password_guessable",
            Self::LoginElsewhere => "login_elsewhere",
            Self::Twice { .. } => "twice",
            Self::Unknown { .. } => "unknown",
            Self::NotATechnician => "not_a_technician",
            Self::AfterTheDay => "after_the_day",
            Self::RegisterTooLong { .. } => "register_too_long",
            Self::RegisterWentBack { .. } => "register_went_back",
            Self::HoseElsewhere { .. } => "hose_elsewhere",
            Self::WindowEndsFirst => "window_ends_first",
            Self::HalfAWindow => "half_a_window",
            Self::WindowBeforeRequest => "window_before_request",
        }
    }

    /// What the sentences of this reason name.
    fn arguments(&self, language: Language) -> Vec<(&'static str, String)> {
        match self {
            Self::Unreadable(cause) | Self::BadSettings(cause) | Self::Damaged(cause) => {
                vec![("cause", cause.clone())]
            }
            Self::TableUnclear { table, missing } => vec![
                ("table", catalogue::text(language, &format!("import.thing.{table}"), &[])),
                ("missing", missing.clone()),
            ],
            Self::CellCount { expected, found } => {
                vec![("expected", expected.to_string()), ("found", found.to_string())]
            }
            Self::OutOfRange { lowest, highest } => {
                vec![("lowest", lowest.to_string()), ("highest", highest.to_string())]
            }
            Self::NotAWord { words } => vec![("words", words.clone())],
            Self::Twice { line } => vec![("line", line.to_string())],
            Self::Unknown { file } => vec![("file", (*file).to_owned())],
            Self::RegisterTooLong { digits } => vec![("digits", digits.to_string())],
            Self::RegisterWentBack { before } => vec![("before", before.clone())],
            Self::HoseElsewhere { account } => vec![("account", account.clone())],
            Self::UnknownEncoding
            | Self::NotATable
            | Self::OldWorkbook
            | Self::TooMuch
            | Self::TableUnknown
            | Self::ColumnMissing
            | Self::ColumnUnknown
            | Self::Empty
            | Self::NotADay
            | Self::NotAnInstant
            | Self::NotAPhone
            | Self::NotAPlace
            | Self::NotARegister
            | Self::NotALogin
            | Self::AccountOfPlaces
            | Self::Password(_)
            | Self::LoginElsewhere
            | Self::NotATechnician
            | Self::AfterTheDay
            | Self::WindowEndsFirst
            | Self::HalfAWindow
            | Self::WindowBeforeRequest => vec![],
        }
    }
}

impl Problem {
    /// Why it cannot be loaded.
    pub(crate) fn why(&self, language: Language) -> String {
        self.say("why", language)
    }

    /// What to do about it.
    pub(crate) fn fix(&self, language: Language) -> String {
        self.say("fix", language)
    }

    fn say(&self, kind: &str, language: Language) -> String {
        let arguments = self.reason.arguments(language);
        catalogue::text(language, &format!("import.{kind}.{}", self.reason.key()), &arguments)
    }

    /// Says where, what and why on one line and what to do on the next.
    pub(crate) fn tell(&self, language: Language) -> String {
        let mut place = format!("{}:{}", self.file, self.line);
        if let Some(column) = &self.column {
            place = format!("{place} {column}");
        }
        if !self.value.is_empty() {
            place = format!("{place} \"{}\"", self.value);
        }
        format!("{place}: {}\n    {}", self.why(language), self.fix(language))
    }
}
