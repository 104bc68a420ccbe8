-- Photos and drawn signatures: what the hall holds, and uploads that are not finished.

create table photo (
    hall_id blob not null references hall (hall_id),
    -- SHA-256 of the picture in lower-case hexadecimal; facts name it by this, and so does the store.
    hash text not null,
    media_type text not null,
    size_bytes integer not null,
    width integer not null,
    height integer not null,
    device_id blob not null references device (device_id),
    received_at integer not null,
    primary key (hall_id, hash)
) strict;

create index photo_by_device on photo (device_id, received_at);

create table photo_upload (
    device_id blob not null references device (device_id),
    hash text not null,
    -- How long the whole picture is to be, and how much of it is here.
    size_bytes integer not null,
    received_bytes integer not null,
    touched_at integer not null,
    primary key (device_id, hash)
) strict;

create index photo_upload_by_touch on photo_upload (touched_at);

create table photo_part (
    device_id blob not null references device (device_id),
    hash text not null,
    offset_bytes integer not null,
    bytes blob not null,
    primary key (device_id, hash, offset_bytes)
) strict;
