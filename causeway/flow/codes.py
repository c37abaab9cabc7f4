"""Reason codes: why a row or an object is quarantined, or why no dataset takes a message."""

from enum import StrEnum


class Code(StrEnum):
    """A reason code: `subject` is what it is said of (row, object or message), `meaning` what it says."""

    subject: str
    meaning: str

    def __new__(cls, code: str, subject: str, meaning: str) -> "Code":
        member = str.__new__(cls, code)
        member._value_, member.subject, member.meaning = code, subject, meaning
        return member

    TYPE = "type", "row", "a value is not of its column's type"
    REQUIRED = "required", "row", "a required value is missing"
    ENUM = "enum", "row", "a value is none of those allowed"
    PATTERN = "pattern", "row", "a text does not match its column's pattern"
    MINIMUM = "minimum", "row", "a value is below its column's minimum"
    MAXIMUM = "maximum", "row", "a value is above its column's maximum"
    MULTIPLE_OF = "multiple_of", "row", "a number is not a multiple of what the contract says"
    LENGTH = "length", "row", "a text or an array is too short or too long"
    UNIQUE = "unique", "row", "another row of the batch, or item of the array, has the same value"
    DUPLICATE_KEY = "duplicate_key", "row", "another row of the batch has the same primary key"
    RULE = "rule", "row", "an SQL rule of the contract does not hold"
    EXPRESSION = "expression", "row", "an SQL expression of the contract cannot be computed of the row"
    FIELDS = "fields", "row", "a CSV record has too few or too many fields"
    QUOTE = "quote", "row", "a quote opens or closes in the wrong place, or never closes"
    JSON = "json", "row", "a line is not a JSON object, or has a key twice"
    LINE_LENGTH = "line_length", "row or object", "a line (or the header) is too long for a record"
    ENCODING = "encoding", "row or object", "bytes are not text in the contract's encoding"
    SCHEMA = "schema", "row or object", "there are fields that the contract, which is frozen, does not know"
    EMPTY = "empty", "object", "there are no bytes, or no records"
    COMPRESSION = "compression", "object", "the compressed stream is damaged"
    TOO_LARGE = "too_large", "object", "more comes out of the compressed object than any text compresses to"
    HEADER = "header", "object", "required columns are missing, or a column name occurs twice"
    FORMAT = "format", "object", "it is not in the contract's format"
    STRUCTURE = "structure", "object", "two parsers see different records in it"
    PARTITIONS = "partitions", "object", "its rows are of more partitions than a table can bear"
    ACCESS = "access", "object", "it could not be read to its end"
    KILLS_JOB = "kills_job", "object", "a job that curates it alone fails, twice"
    UNKNOWN_DATASET = "unknown_dataset", "message", "the key belongs to no dataset that has a contract"
    FOLDER_MARKER = "folder_marker", "message", "the key ends in a slash: a console's folder, not a file"
    MARKER_FILE = (
        "marker_file",
        "message",
        "programs leave it beside data: _SUCCESS, a checksum, a log",
    )
    UNDECODABLE_MESSAGE = "undecodable_message", "message", "it is no S3 event"
    TEST_EVENT = "test_event", "message", "S3 tests a new notification with it; nothing landed"
