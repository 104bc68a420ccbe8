-- Photos and drawn signatures: what the hall holds, and uploads that are not finished.

create table photo (
    hall_id uuid not null references hall (hall_id),
    -- SHA-256 of the picture in lower-case hexadecimal; facts name it by this, and so does the store.
    hash text not null,
    media_type text not null,
    size_bytes bigint not null,
    width bigint not null,
    height bigint not null,
    device_id uuid not null references device (device_id),
    received_at bigint not null,
    primary key (hall_id, hash)
);

create index photo_by_device on photo (device_id, received_at);

create table photo_upload (
    device_id uuid not null references device (device_id),
    hash text not null,
    -- How long the whole picture is to be, and how much of it is here.
    size_bytes bigint not null,
    received_bytes bigint not null,
    touched_at bigint not null,
    primary key (device_id, hash)
);

create index photo_upload_by_touch on photo_upload (touched_at);

create table photo_part (
    device_id uuid not null references device (device_id),
    hash text not null,
    offset_bytes bigint not null,
    bytes bytea not null,
    primary key (device_id, hash, offset_bytes)
);
